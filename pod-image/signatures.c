/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/signatures.h"

void
signatures_free(struct signatures *s)
{
	arena_free(&s->arena);
	memset(s, 0, sizeof(*s));
}

int
signatures_add(struct signatures *s, const void *p, size_t n, struct err *e)
{
	uint8_t *copy;

	if (s->n == SIGNATURES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d signatures", SIGNATURES_MAX);
	if (n > SIGNATURES_BYTES_MAX - s->bytes)
		return err_set(
		    e, ERR_LIMIT, "the signatures are larger than %zu bytes", SIGNATURES_BYTES_MAX);
	if (s->v == NULL)
		s->v = arena_array(&s->arena, SIGNATURES_MAX, sizeof(*s->v));
	copy = arena_alloc(&s->arena, n + 1);
	if (n > 0)
		memcpy(copy, p, n);
	s->v[s->n++].file = (struct bytes){copy, n};
	s->bytes += n;
	return 0;
}

int
signatures_add_all(struct signatures *s, const struct rec_signature *v, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (signatures_add(s, v[i].file.p, v[i].file.n, e) < 0)
			return -1;
	return 0;
}

bool
signatures_equal(const struct signatures *s, const struct rec_signature *v, size_t n)
{
	for (size_t i = 0; s->n == n && i < n; i++)
		if (s->v[i].file.n != v[i].file.n ||
		    (v[i].file.n > 0 && memcmp(s->v[i].file.p, v[i].file.p, v[i].file.n) != 0))
			return false;
	return s->n == n;
}

/* --- Directories ------------------------------------------------------------------------------ */

int
signatures_take(struct signatures *s, struct peer *worker, const struct wire_desc *request,
    const void *m, const char *name, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct bytes *data;

	if (peer_call(worker, request, m, &in, NULL, NULL, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return err_wrap(e, "reading signature %s", name);
		err_clear(e);
		return 0;
	}
	data = in.desc == &msg_fetch_document_r_desc ? &MSG_OF(&in, fetch_document_r)->data
						     : &MSG_OF(&in, archive_read_r)->data;
	return signatures_add(s, data->p, data->n, e) < 0 ? -1 : 1;
}

int
signatures_read(struct signatures *s, struct peer *worker, const char *prefix, struct err *e)
{
	int r = 1;

	for (unsigned i = 1; r == 1 && s->n < SIGNATURES_MAX; i++) {
		own_mem char *name = xasprintf("%ssignature-%u", prefix, i);
		struct msg_archive_read m = {.name = name, .max = SIGNATURE_FILE_MAX};

		r = signatures_take(s, worker, &msg_archive_read_desc, &m, name, e);
	}
	return r < 0 ? -1 : 0;
}

/* 1: removed; 0: there was none. */
static int
remove_one(struct peer *worker, const char *name, struct err *e)
{
	struct msg_layout_rename m = {.from = name};
	own_peer_in struct peer_in in = {0};

	if (peer_call(worker, &msg_layout_rename_desc, &m, &in, NULL, NULL, e) == 0)
		return 1;
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

int
signatures_write(
    const struct signatures *s, size_t from, struct peer *worker, const char *prefix, struct err *e)
{
	for (size_t i = from; i < s->n; i++) {
		own_mem char *name = xasprintf("%ssignature-%zu", prefix, i + 1);
		struct msg_archive_add m = {.name = name, .data = s->v[i].file};
		own_peer_in struct peer_in in = {0};

		if (peer_call(worker, &msg_archive_add_desc, &m, &in, NULL, NULL, e) < 0)
			return -1;
	}
	return 0;
}

/* The first one that is missing ends the row for every reader. */
int
signatures_cut(size_t n, struct peer *worker, const char *prefix, struct err *e)
{
	int r = 1;

	for (size_t i = n; r == 1 && i < SIGNATURES_MAX; i++) {
		own_mem char *name = xasprintf("%ssignature-%zu", prefix, i + 1);

		r = remove_one(worker, name, e);
	}
	return r < 0 ? -1 : 0;
}
