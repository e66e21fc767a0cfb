/* SPDX-License-Identifier: ISC */
/*
 * Lines out of a stream that comes in pieces, as somebody hostile may have written it: neither one line nor all of
 * them together can be longer than was said.
 *
 *	struct lines l = {.line_max = 4096, .all_max = 1 << 20, .take = take_line, .arg = x};
 *	while (…)
 *		if (lines_add(&l, piece, n, e) == -1)
 *			…
 *	lines_end(&l, e);
 *	lines_free(&l);
 */
#ifndef POD_LINES_H
#define POD_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

struct lines {
	size_t line_max;
	uint64_t all_max;
	/* A line without its end, good until it returns; empty ones are left out.  -1 with e ends the reading. */
	int (*take)(void *arg, const char *line, size_t n, struct err *e);
	void *arg;
	/* The reader's own. */
	struct strbuf rest;
	uint64_t all;
};

/* ERR_LIMIT if it is too much. */
int lines_add(struct lines *l, const char *p, size_t n, struct err *e);

/* The last line may lack its end. */
int lines_end(struct lines *l, struct err *e);

void lines_free(struct lines *l);

#endif
