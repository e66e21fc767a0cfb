/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-store/layer/index.h"

#define MAGIC "podtar1\n"
#define MAGIC_INEXACT "podtarX\n"
#define BUFFER 65536u
#define LEVEL 1
#define WINDOW_LOG_MAX 23 /* what level 1 may choose, and no more */

struct index_writer {
	int fd;
	ZSTD_CStream *z;
	uint64_t total;
	/* A reference that may still grow: contents come in pieces. */
	char path[TAR_PATH_MAX + 1];
	uint64_t offset, n;
	/* Raw bytes not yet given to the compressor, so that headers and padding become one record.
	 */
	char raw[BUFFER];
	size_t raw_n;
	char out[BUFFER];
};

static int
squeeze(struct index_writer *w, const void *p, size_t n, ZSTD_EndDirective how, struct err *e)
{
	ZSTD_inBuffer in = {p, n, 0};

	for (;;) {
		ZSTD_outBuffer out = {w->out, sizeof(w->out), 0};
		size_t left = ZSTD_compressStream2(w->z, &out, &in, how);

		if (ZSTD_isError(left))
			return err_set(
			    e, ERR_INTERNAL, "compressing the index: %s", ZSTD_getErrorName(left));
		if (out.pos > 0 && file_put(w->fd, w->out, out.pos) == -1)
			return err_sys(e, "writing the index");
		if (how == ZSTD_e_end ? left == 0 : in.pos == in.size)
			return 0;
	}
}

struct index_writer *
index_create(int fd, struct err *e)
{
	struct index_writer *w = xcalloc(1, sizeof(*w));

	w->fd = fd;
	w->z = ZSTD_createCStream();
	if (w->z == NULL || ZSTD_isError(ZSTD_initCStream(w->z, LEVEL))) {
		err_set(e, ERR_INTERNAL, "out of memory for the index");
		index_writer_free(&w);
	} else if (file_put(fd, MAGIC, sizeof(MAGIC) - 1) == -1) {
		err_sys(e, "writing the index");
		index_writer_free(&w);
	}
	return w;
}

static int
flush_raw(struct index_writer *w, struct err *e)
{
	uint32_t n = htole32((uint32_t)w->raw_n);
	char head[5] = {'r'};

	if (w->raw_n == 0)
		return 0;
	memcpy(head + 1, &n, sizeof(n));
	n = (uint32_t)w->raw_n;
	w->raw_n = 0;
	return squeeze(w, head, sizeof(head), ZSTD_e_continue, e) == -1 ||
		       squeeze(w, w->raw, n, ZSTD_e_continue, e) == -1
		   ? -1
		   : 0;
}

static int
flush_file(struct index_writer *w, struct err *e)
{
	size_t len = strlen(w->path);
	uint16_t len_le = htole16((uint16_t)len);
	uint64_t numbers[2] = {htole64(w->offset), htole64(w->n)};
	char head[3] = {'f'};

	if (w->n == 0)
		return 0;
	w->n = 0;
	memcpy(head + 1, &len_le, sizeof(len_le));
	return squeeze(w, head, sizeof(head), ZSTD_e_continue, e) == -1 ||
		       squeeze(w, w->path, len, ZSTD_e_continue, e) == -1 ||
		       squeeze(w, numbers, sizeof(numbers), ZSTD_e_continue, e) == -1
		   ? -1
		   : 0;
}

int
index_raw(struct index_writer *w, const void *p, size_t n, struct err *e)
{
	if (flush_file(w, e) == -1)
		return -1;
	w->total += n;
	while (n > 0) {
		size_t some = sizeof(w->raw) - w->raw_n;

		if (some > n)
			some = n;
		memcpy(w->raw + w->raw_n, p, some);
		w->raw_n += some;
		p = (const char *)p + some;
		n -= some;
		if (w->raw_n == sizeof(w->raw) && flush_raw(w, e) == -1)
			return -1;
	}
	return 0;
}

int
index_file(struct index_writer *w, const char *path, uint64_t offset, size_t n, struct err *e)
{
	w->total += n;
	if (w->n > 0 && w->offset + w->n == offset && strcmp(w->path, path) == 0) {
		w->n += n;
		return 0;
	}
	if (flush_file(w, e) == -1 || flush_raw(w, e) == -1)
		return -1;
	snprintf(w->path, sizeof(w->path), "%s", path);
	w->offset = offset;
	w->n = n;
	return 0;
}

int
index_finish(struct index_writer *w, bool exact, struct err *e)
{
	uint64_t total = htole64(w->total);

	if (flush_file(w, e) == -1 || flush_raw(w, e) == -1 ||
	    squeeze(w, "e", 1, ZSTD_e_continue, e) == -1)
		return -1;
	if (squeeze(w, &total, sizeof(total), ZSTD_e_end, e) == -1)
		return -1;
	if (!exact && pwrite(w->fd, MAGIC_INEXACT, sizeof(MAGIC_INEXACT) - 1, 0) == -1)
		return err_sys(e, "marking the index");
	return 0;
}

void
index_writer_free(struct index_writer **w)
{
	if (*w != NULL)
		ZSTD_freeCStream((*w)->z);
	free(*w);
	*w = NULL;
}

struct index_reader {
	int fd;
	ZSTD_DStream *z;
	ZSTD_inBuffer in;
	bool eof;
	uint64_t total;
	uint32_t raw_left;
	char path[TAR_PATH_MAX + 1];
	char input[BUFFER];
	char raw[BUFFER];
};

static int
refill(struct index_reader *r, struct err *e)
{
	ssize_t n = file_get(r->fd, r->input, sizeof(r->input));

	if (n == -1)
		return err_sys(e, "reading the index");
	r->eof = n == 0;
	r->in = (ZSTD_inBuffer){r->input, (size_t)n, 0};
	return 0;
}

/* Exactly n bytes of the records. */
static int
fetch(struct index_reader *r, void *to, size_t n, struct err *e)
{
	ZSTD_outBuffer out = {to, n, 0};

	while (out.pos < n) {
		size_t got, before = out.pos;

		if (r->in.pos == r->in.size && !r->eof && refill(r, e) == -1)
			return -1;
		got = ZSTD_decompressStream(r->z, &out, &r->in);
		if (ZSTD_isError(got))
			return err_set(
			    e, ERR_INTEGRITY, "the index is damaged: %s", ZSTD_getErrorName(got));
		if (r->eof && out.pos == before)
			return err_set(e, ERR_INTEGRITY, "the index is cut short");
	}
	return 0;
}

static int
read_magic(int fd, struct err *e)
{
	char magic[sizeof(MAGIC) - 1];
	ssize_t n = file_get(fd, magic, sizeof(magic));

	if (n == -1)
		return err_sys(e, "reading the index");
	if (n == (ssize_t)sizeof(magic) && memcmp(magic, MAGIC_INEXACT, sizeof(magic)) == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "the layer replaced files of its own when it was unpacked, so its stream "
		    "cannot be "
		    "made again");
	if (n != (ssize_t)sizeof(magic) || memcmp(magic, MAGIC, sizeof(magic)) != 0)
		return err_set(e, ERR_INTEGRITY, "the index is not one of ours");
	return 0;
}

struct index_reader *
index_open(int fd, struct err *e)
{
	struct index_reader *r = xcalloc(1, sizeof(*r));

	r->fd = fd;
	r->z = ZSTD_createDStream();
	if (r->z == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(r->z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		err_set(e, ERR_INTERNAL, "out of memory for the index");
		index_reader_free(&r);
	} else if (read_magic(fd, e) == -1) {
		index_reader_free(&r);
	}
	return r;
}

static int
read_file_record(struct index_reader *r, struct index_record *out, struct err *e)
{
	uint64_t numbers[2];
	uint16_t len;

	if (fetch(r, &len, sizeof(len), e) == -1)
		return -1;
	len = le16toh(len);
	if (len == 0 || len > TAR_PATH_MAX)
		return err_set(e, ERR_INTEGRITY, "the index holds an impossible name");
	if (fetch(r, r->path, len, e) == -1 || fetch(r, numbers, sizeof(numbers), e) == -1)
		return -1;
	r->path[len] = '\0';
	*out = (struct index_record){.kind = INDEX_FILE,
	    .path = r->path,
	    .offset = le64toh(numbers[0]),
	    .n = le64toh(numbers[1])};
	if (out->offset > INT64_MAX || out->n > INT64_MAX ||
	    __builtin_add_overflow(r->total, out->n, &r->total))
		return err_set(e, ERR_INTEGRITY, "the index holds impossible numbers");
	return 0;
}

static int
read_raw(struct index_reader *r, struct index_record *out, struct err *e)
{
	size_t n = r->raw_left < sizeof(r->raw) ? r->raw_left : sizeof(r->raw);

	if (fetch(r, r->raw, n, e) == -1)
		return -1;
	r->raw_left -= (uint32_t)n;
	r->total += n;
	*out = (struct index_record){.kind = INDEX_RAW, .raw = r->raw, .n = n};
	return 0;
}

static int
read_end(struct index_reader *r, struct index_record *out, struct err *e)
{
	uint64_t total;

	if (fetch(r, &total, sizeof(total), e) == -1)
		return -1;
	if (le64toh(total) != r->total)
		return err_set(e, ERR_INTEGRITY, "the index contradicts itself");
	*out = (struct index_record){.kind = INDEX_END, .n = r->total};
	return 0;
}

int
index_next(struct index_reader *r, struct index_record *out, struct err *e)
{
	char kind;

	while (r->raw_left == 0) {
		if (fetch(r, &kind, 1, e) == -1)
			return -1;
		if (kind == 'f')
			return read_file_record(r, out, e);
		if (kind == 'e')
			return read_end(r, out, e);
		if (kind != 'r')
			return err_set(e, ERR_INTEGRITY, "the index is damaged");
		if (fetch(r, &r->raw_left, sizeof(r->raw_left), e) == -1)
			return -1;
		r->raw_left = le32toh(r->raw_left);
	}
	return read_raw(r, out, e);
}

void
index_reader_free(struct index_reader **r)
{
	if (*r != NULL)
		ZSTD_freeDStream((*r)->z);
	free(*r);
	*r = NULL;
}
