/* SPDX-License-Identifier: ISC */
/*
 * The answer to a request for ranges of a blob (RFC 9110, 14 and 15.3.7), without any I/O: finds in the body what
 * was asked for, be it one part, several (multipart/byteranges) or, from a server that knows no ranges, the whole.
 */
#ifndef POD_IMAGE_FETCH_RANGES_H
#define POD_IMAGE_FETCH_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct range {
	uint64_t at, size; /* size above 0 */
};

enum ranges_state { RANGES_SPAN, RANGES_LINES, RANGES_HEADERS, RANGES_PART, RANGES_REST };

struct ranges {
	/* set before: what was asked for, in order, apart from each other; and the bytes of the blob */
	const struct range *v;
	size_t n;
	uint64_t total;

	size_t done; /* of v: given whole */
	/* Inside. */
	enum ranges_state state;
	uint64_t pos, end; /* in the blob: the body's next byte, the end of what it has here */
	char boundary[80], line[1024];
	size_t line_n, between; /* bytes between two parts */
	bool ranged;		/* the part has said which it is */
};

/* The answer with its headers is there; status is 200 or 206.  May be called again for a further try. */
int ranges_begin(struct ranges *r, long status, const char *content_type, const char *content_range,
    struct err *e);

/*
 * Looks at the next n bytes, above 0: *skip of them are nothing, the *give after them belong to the ranges.  More
 * may follow: call again with what is left.
 */
int ranges_take(
    struct ranges *r, const char *p, size_t n, size_t *skip, size_t *give, struct err *e);

#endif
