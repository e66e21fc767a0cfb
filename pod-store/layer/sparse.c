/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-store/layer/sparse.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tarhdr.h"

int
sparse_add(struct sparse *s, uint64_t offset, uint64_t n, struct err *e)
{
	const struct sparse_segment *last = s->n > 0 ? &s->v[s->n - 1] : NULL;

	if (offset > TAR_SIZE_MAX || n > TAR_SIZE_MAX || offset + n > TAR_SIZE_MAX ||
	    (last != NULL && offset < last->offset + last->n))
		return err_set(e, ERR_FORMAT, "the map of a sparse file is not in order");
	if (n == 0)
		return 0;
	if (s->n >= TAR_SEGMENTS_MAX)
		return err_set(
		    e, ERR_LIMIT, "a sparse file has more than %u pieces", TAR_SEGMENTS_MAX);
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct sparse_segment){offset, n};
	s->stored += n; /* within TAR_SIZE_MAX, since the segments do not overlap */
	return 0;
}

int
sparse_add_number(struct sparse *s, uint64_t number, struct err *e)
{
	s->have_offset = !s->have_offset;
	if (!s->have_offset)
		return sparse_add(s, s->offset, number, e);
	s->offset = number;
	return 0;
}

int
sparse_parse_list(struct sparse *s, const char *text, size_t n, struct err *e)
{
	const char *end = text + n;

	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		uint64_t v;

		if (comma == NULL)
			comma = end;
		if (tarhdr_pax_number(text, (size_t)(comma - text), TAR_SIZE_MAX, &v) == -1)
			return err_set(e, ERR_FORMAT, "the map of a sparse file is malformed");
		if (sparse_add_number(s, v, e) == -1)
			return -1;
		text = comma + 1;
	}
	return 0;
}

int
sparse_check(const struct sparse *s, uint64_t size, uint64_t stored, struct err *e)
{
	const struct sparse_segment *last = s->n > 0 ? &s->v[s->n - 1] : NULL;

	if (s->have_offset || s->stored != stored ||
	    (last != NULL && last->offset + last->n > size))
		return err_set(e, ERR_FORMAT, "the map of a sparse file contradicts its size");
	return 0;
}

void
sparse_clear(struct sparse *s)
{
	s->n = 0;
	s->stored = 0;
	s->have_offset = false;
}

void
sparse_free(struct sparse *s)
{
	free(s->v);
	*s = (struct sparse){0};
}
