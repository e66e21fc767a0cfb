/* SPDX-License-Identifier: ISC */
/*
 * --filter of commands about images, volumes and networks: key=value, several values of a key mean any
 * of them (labels: all of them), several keys mean all of them.
 */
#ifndef POD_TERMS_H
#define POD_TERMS_H

#include "pod-run/ctx.h"

struct term {
	const struct terms_key *key;
	char *value;
	int64_t number; /* set by prepare */
};

struct terms_key {
	const char *name; /* "label!" for label!=value */
	bool all;	  /* all values must match, not any */
	int (*prepare)(struct ctx *x, struct term *t, struct err *e); /* may be NULL */
	bool (*match)(const struct term *t, const void *object);
};

struct terms {
	struct term *v;
	size_t n, cap;
};

/* keys ends with {0}.  Unknown keys and malformed values are errors. */
int terms_parse(struct ctx *x, const struct terms_key *keys, const struct strv *words,
    struct terms *out, struct err *e);
void terms_free(struct terms *t);
#define own_terms own(terms_free)

bool terms_match(const struct terms *t, const void *object);

/* What a filter by time means, in ns: as value_instant, durations back from now. */
int terms_instant(const char *word, int64_t *out_ns, struct err *e);

/* Ready-made preparations: a truth value; a time. */
int terms_prepare_bool(struct ctx *x, struct term *t, struct err *e);
int terms_prepare_time(struct ctx *x, struct term *t, struct err *e);
/* Only looks whether it is a regular expression. */
int terms_prepare_regex(struct ctx *x, struct term *t, struct err *e);

/* True if the term's value is name, or as a regular expression is found in it. */
bool terms_name(const struct term *t, const char *name);

/* "key" or "key=value", with * and ? in both, against a list of labels. */
bool terms_label(const char *word, const struct rec_kv *labels, size_t n);

#endif
