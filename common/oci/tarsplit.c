/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <isa-l.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/lines.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/base64.h"
#include "common/oci/tarsplit.h"

#define BLOCK ((size_t)64 << 10)
#define DEPTH_MAX 4
#define TAR_PIECE ((size_t)128 << 10)
#define FILE_MAX ((off_t)1 << 50)

enum { TYPE_FILE = 1, TYPE_SEGMENT = 2 };

static char *
decode(const char *text, const char *what, size_t *n, struct err *e)
{
	char *p = base64_decode(text, n);

	if (p == NULL)
		err_set(e, ERR_FORMAT, "%s is no base64", what);
	return p;
}

static int
segment(const char *payload, const struct split_ops *ops, struct err *e)
{
	size_t n = 0;
	own_mem char *p = decode(payload, "a segment", &n, e);

	return p == NULL ? -1 : ops->bytes(ops->arg, p, n, e);
}

static int
read_crc(const char *payload, uint64_t *crc, struct err *e)
{
	size_t n = 0;
	own_mem char *p = decode(payload, "a check sum", &n, e);

	if (p == NULL)
		return -1;
	if (n != sizeof(*crc))
		return err_set(e, ERR_FORMAT, "a check sum has %zu bytes", n);
	*crc = 0;
	for (size_t i = 0; i < n; i++)
		*crc = *crc << 8 | (unsigned char)p[i];
	return 0;
}

/* name_raw stands for a name that is no UTF-8. */
static int
file(const json_t *j, const char *payload, const struct split_ops *ops, struct err *e)
{
	const char *name = "", *raw = NULL;
	own_mem char *decoded = NULL;
	int64_t size = 0;
	uint64_t crc;
	size_t n;

	if (json_want_int(j, "size", 0, INT64_MAX, &size, e) < 0 ||
	    json_want_str(j, "name", &name, e) < 0 || json_want_str(j, "name_raw", &raw, e) < 0 ||
	    (payload != NULL && read_crc(payload, &crc, e) < 0))
		return -1;
	if (raw != NULL && (decoded = decode(raw, "a name", &n, e)) == NULL)
		return -1;
	if (decoded != NULL && strlen(decoded) != n)
		return err_set(e, ERR_FORMAT, "a name holds a NUL");
	if (size == 0)
		return 0;
	return ops->file(ops->arg, decoded != NULL ? decoded : name, (uint64_t)size,
	    payload != NULL ? &crc : NULL, e);
}

int
split_line(const char *line, size_t n, const struct split_ops *ops, struct err *e)
{
	own_json json_t *j = json_read_max(line, n, SPLIT_LINE_MAX, DEPTH_MAX, e);
	const char *payload = NULL;
	int64_t type;

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "an entry is no object");
	if (json_need_int(j, "type", 1, 2, &type, e) < 0 ||
	    json_want_str(j, "payload", &payload, e) < 0)
		return -1;
	if (type == TYPE_FILE)
		return file(j, payload, ops, e);
	return payload != NULL ? segment(payload, ops, e) : 0;
}

static int
take_line(void *arg, const char *line, size_t n, struct err *e)
{
	return split_line(line, n, arg, e);
}

struct gunzip {
	struct inflate_state z;
	uint8_t in[BLOCK], out[BLOCK];
};

static int
inflate_block(struct gunzip *g, struct lines *l, struct err *e)
{
	do {
		int code;

		g->z.next_out = g->out;
		g->z.avail_out = BLOCK;
		code = isal_inflate(&g->z);
		if (code < 0 || code > ISAL_OUT_OVERFLOW)
			return err_set(e, ERR_FORMAT, "its compressed stream is damaged");
		if (lines_add(l, (const char *)g->out, BLOCK - g->z.avail_out, e) < 0)
			return -1;
	} while (
	    g->z.block_state != ISAL_BLOCK_FINISH && (g->z.avail_in > 0 || g->z.avail_out == 0));
	return 0;
}

static int
read_all(int fd, struct gunzip *g, struct lines *l, struct err *e)
{
	ssize_t n = 0;

	isal_inflate_init(&g->z);
	g->z.crc_flag = ISAL_GZIP;
	while (g->z.block_state != ISAL_BLOCK_FINISH && (n = file_get(fd, g->in, BLOCK)) > 0) {
		g->z.next_in = g->in;
		g->z.avail_in = (uint32_t)n;
		if (inflate_block(g, l, e) < 0)
			return -1;
	}
	if (n < 0)
		return err_sys(e, "reading it");
	if (g->z.block_state != ISAL_BLOCK_FINISH)
		return err_set(e, ERR_FORMAT, "it ends too early");
	return lines_end(l, e);
}

int
split_read(int fd, const struct split_ops *ops, struct err *e)
{
	own_mem struct gunzip *g = xmalloc(sizeof(*g));
	struct lines l = {.line_max = SPLIT_LINE_MAX,
	    .all_max = SPLIT_MAX,
	    .take = take_line,
	    .arg = (void *)(uintptr_t)ops};
	int r = read_all(fd, g, &l, e);

	lines_free(&l);
	return r;
}

/* --- The tar ---------------------------------------------------------------------------------- */

struct layer {
	int diff; /* where its files are */
	int stream;
	char *block;
};

static int
put_bytes(void *arg, const void *p, size_t n, struct err *e)
{
	struct layer *l = arg;

	if (file_put(l->stream, p, n) == 0)
		return 0;
	return errno == EPIPE ? err_set(e, ERR_CANCELLED, "the reader has gone")
			      : err_sys(e, "writing the layer");
}

/*
 * Safe because the name is walked as in a container's root: a link in a layer can lead to no other
 * layer, and only a regular file is opened.
 */
static int
put_file(void *arg, const char *name, uint64_t size, const uint64_t *crc, struct err *e)
{
	struct layer *l = arg;
	own_fd int fd = path_open_regular(l->diff, name, PATH_IN_ROOT, FILE_MAX, NULL, e);
	uint64_t left = size, sum = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = file_get(fd, l->block, TAR_PIECE)) > 0) {
		if ((uint64_t)n > left)
			break;
		sum = crc64_iso_refl(sum, (unsigned char *)l->block, (uint64_t)n);
		if (put_bytes(l, l->block, (size_t)n, e) < 0)
			return -1;
		left -= (uint64_t)n;
	}
	if (n < 0)
		return err_sys(e, "reading %s", name);
	if (n > 0 || left > 0 || (crc != NULL && *crc != sum))
		return err_set(
		    e, ERR_INTEGRITY, "%s is not what it was when the layer was stored", name);
	return 0;
}

int
split_tar(int split, int diff, int stream, struct err *e)
{
	own_mem char *block = xmalloc(TAR_PIECE);
	struct layer l = {.diff = diff, .stream = stream, .block = block};
	const struct split_ops ops = {.bytes = put_bytes, .file = put_file, .arg = &l};

	return split_read(split, &ops, e);
}
