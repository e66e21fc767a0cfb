/* SPDX-License-Identifier: ISC */
/*
 * --filter of commands: key=value, several values of a key mean any of them (labels: all of them), several keys
 * mean all of them.
 */
#ifndef POD_TERMS_H
#define POD_TERMS_H

#include <regex.h>

#include "pod-run/ctx.h"

struct term {
	const struct terms_key *key;
	char *value;
	struct ctx *x;
	int64_t number; /* this and the following: set by prepare */
	regex_t regex;
	bool has_regex;
};

struct terms_key {
	const char *name; /* "label!" for label!=value */
	bool all;	  /* all values must match, not any */
	int (*prepare)(struct ctx *x, struct term *t, struct err *e); /* may be NULL */
	bool (*match)(const struct term *t, const void *object);
	int need; /* what of an object must be at hand, for who loads it as it is wanted */
};

struct terms {
	struct term *v;
	size_t n, cap;
};

/* The key of a word "key=value", in keys, which end with {0}; NULL if there is none. */
const struct terms_key *terms_key_of(const struct terms_key *keys, const char *word);

/* Unknown keys and malformed values are errors. */
int terms_parse(struct ctx *x, const struct terms_key *keys, const struct strv *words,
    struct terms *out, struct err *e);
void terms_free(struct terms *t);
#define own_terms own(terms_free)

bool terms_match(const struct terms *t, const void *object);
/* The same for the terms of one key. */
bool terms_match_key(const struct terms *t, const struct terms_key *key, const void *object);

/* What a filter by time means, in ns: as value_instant, durations back from now. */
int terms_instant(const char *word, int64_t *out_ns, struct err *e);

/* Ready-made preparations: a truth value; a time. */
int terms_prepare_bool(struct ctx *x, struct term *t, struct err *e);
int terms_prepare_time(struct ctx *x, struct term *t, struct err *e);
/* A regular expression; of the second, what is none only stands for itself. */
int terms_prepare_regex(struct ctx *x, struct term *t, struct err *e);
int terms_prepare_name(struct ctx *x, struct term *t, struct err *e);

/* True if the term's value is name, or as a regular expression is found in it. */
bool terms_name(const struct term *t, const char *name);

/* "key" or "key=value", with * and ? in both, against a list of labels. */
bool terms_label(const char *word, const struct rec_kv *labels, size_t n);

#endif
