/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/lines.h"

int
lines_add(struct lines *l, const char *p, size_t n, struct err *e)
{
	struct strbuf *b = &l->rest;
	size_t start = 0, seen = b->n;
	char *end;

	if (n > l->all_max - l->all)
		return err_set(e, ERR_LIMIT, "there are more lines than there may be");
	l->all += n;
	strbuf_addn(b, p, n);
	while (seen < b->n && (end = memchr(b->s + seen, '\n', b->n - seen)) != NULL) {
		size_t len = (size_t)(end - b->s) - start;

		if (len > 0 && l->take(l->arg, b->s + start, len, e) == -1)
			return -1;
		seen = start += len + 1;
	}
	if (start > 0) {
		memmove(b->s, b->s + start, b->n - start);
		b->n -= start;
	}
	return b->n <= l->line_max ? 0 : err_set(e, ERR_LIMIT, "a line is too long");
}

int
lines_end(struct lines *l, struct err *e)
{
	return l->rest.n > 0 ? l->take(l->arg, l->rest.s, l->rest.n, e) : 0;
}

void
lines_free(struct lines *l)
{
	strbuf_free(&l->rest);
}
