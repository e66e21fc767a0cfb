/* SPDX-License-Identifier: ISC */
/*
 * JSON read piece by piece, without a tree: for documents of a hundred thousand entries, of which a few fields
 * count.  Hostile text costs no more than its length; nothing is allocated.
 *
 *	jscan_open(s, '{');
 *	while ((r = jscan_more(s, '}')) == 1)
 *		if (jscan_key(s, &key) == -1 || (jscan_is(&key, "size") ? jscan_number(s, &n) : jscan_skip(s)) == -1)
 *			…
 *
 * All give -1 where the text is malformed; afterwards the scanner is of no further use.
 */
#ifndef POD_JSCAN_H
#define POD_JSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSCAN_DEPTH 16 /* of what is passed over */

struct jscan {
	const char *p, *end;
	bool first; /* no member of the innermost list has been read */
};

struct jscan_text { /* between its quotes, as it stands there */
	const char *p;
	size_t n;
	bool escaped;
};

/* The next thing is that bracket. */
int jscan_open(struct jscan *s, char bracket);

/* 1: a further member follows; 0: that bracket ended the list. */
int jscan_more(struct jscan *s, char bracket);

int jscan_key(struct jscan *s, struct jscan_text *out); /* with its colon */
int jscan_string(struct jscan *s, struct jscan_text *out);
int jscan_number(struct jscan *s, uint64_t *out); /* whole, from 0 to INT64_MAX */
int jscan_skip(struct jscan *s);		  /* any value */

/* The string, or false where null stands. */
int jscan_string_or_null(struct jscan *s, struct jscan_text *out, bool *there);

/* Nothing but white space is left. */
int jscan_end(struct jscan *s);

bool jscan_is(const struct jscan_text *t, const char *word);

/* The text itself, with a NUL; -1 if it does not fit, is malformed or holds a NUL. */
int jscan_copy(const struct jscan_text *t, char *out, size_t size);

#endif
