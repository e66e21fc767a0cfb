/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-store/layer/inflate.h"

#define PIECES 4

const char *
inflate_format_name(enum inflate_format f)
{
	return f == INFLATE_GZIP ? "gzip" : f == INFLATE_ZSTD ? "zstd" : "none";
}

int
inflate_begin(struct inflate *s, struct err *e)
{
	size_t n = s->threaded ? PIECES : 1;

	s->inputs = s->input = xmalloc_pages(n * INFLATE_BUFFER);
	s->outputs = s->output = xmalloc_pages(n * INFLATE_BUFFER);
	s->have = 0;
	return digest_init(&s->packed, e) == -1 ? -1 : digest_init(&s->plain, e);
}

void
inflate_go(struct inflate *s)
{
	if (s->threaded)
		s->behind = behind_begin();
}

int
inflate_settle(struct inflate *s, int rc, struct err *e)
{
	struct err ignored;
	int ended = behind_end(s->behind, rc == 0 ? e : &ignored);

	s->behind = NULL;
	return rc == 0 ? ended : rc;
}

void
inflate_free(struct inflate *s)
{
	free(s->inputs);
	free(s->outputs);
	digest_free(&s->packed);
	digest_free(&s->plain);
}

static void
next_piece(struct inflate *s, unsigned char *all, unsigned char **at)
{
	if (s->behind == NULL)
		return;
	*at = *at == all + (PIECES - 1) * INFLATE_BUFFER ? all : *at + INFLATE_BUFFER;
	behind_release(s->behind, *at);
}

static int
account(struct inflate *s, struct digest *d, int copy, const void *p, size_t n, struct err *e)
{
	d->size += n;
	if (s->behind != NULL)
		return behind_add(s->behind, d, copy, p, n, e);
	digest_hash(d, p, n);
	return copy == -1 || file_put(copy, p, n) == 0 ? 0 : err_sys(e, "keeping the layer's blob");
}

static int
taken(struct inflate *s, ssize_t n, struct digest *d, struct err *e)
{
	if (n == -1)
		return err_sys(e, "reading the layer");
	if (account(s, d, s->copy > 0 ? s->copy : -1, s->input, (size_t)n, e) == -1)
		return -1;
	s->next = s->input;
	s->have = (size_t)n;
	return n == 0;
}

int
inflate_read(struct inflate *s, struct digest *d, struct err *e)
{
	ssize_t n;

	next_piece(s, s->inputs, &s->input);
	do
		n = read(s->in, s->input, INFLATE_BUFFER);
	while (n == -1 && errno == EINTR);
	return taken(s, n, d, e);
}

int
inflate_fill(struct inflate *s, struct digest *d, struct err *e)
{
	next_piece(s, s->inputs, &s->input);
	return taken(s, file_get(s->in, s->input, INFLATE_BUFFER), d, e);
}

unsigned char *
inflate_output(struct inflate *s)
{
	next_piece(s, s->outputs, &s->output);
	return s->output;
}

int
inflate_write(struct inflate *s, const void *p, size_t n, struct digest *d, struct err *e)
{
	if (d != NULL && account(s, d, -1, p, n, e) == -1)
		return -1;
	if (s->out == -1)
		return 0;
	return file_put(s->out, p, n) == -1 ? err_sys(e, "passing the layer on") : 0;
}

static int
too_long(struct err *e)
{
	return err_set(e, ERR_LIMIT, "the layer is larger than 1 TiB");
}

static int
write_plain(struct inflate *s, const void *p, size_t n, struct err *e)
{
	uint64_t size = s->plain.size + n;

	if (size > INFLATE_MAX)
		return too_long(e);
	if (size > INFLATE_FREE && (size - INFLATE_FREE) / INFLATE_RATIO > s->packed.size)
		return err_set(e, ERR_LIMIT,
		    "the layer grows to more than 1 GiB and 200 times its compressed size");
	return inflate_write(s, p, n, &s->plain, e);
}

static int
damaged(struct err *e, const char *why)
{
	return err_set(e, ERR_FORMAT, "the layer's compressed stream is damaged: %s", why);
}

/* Both sides are the same: they are digested once. */
static int
copy_plain(struct inflate *s, struct err *e)
{
	int got = 0;

	while (got == 0) {
		if (s->packed.size > INFLATE_MAX)
			return too_long(e);
		if (inflate_write(s, s->next, s->have, NULL, e) == -1)
			return -1;
		got = inflate_read(s, &s->packed, e);
	}
	return got == 1 ? 0 : -1;
}

static const char *
gzip_fault(int code, bool first)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return "wrong check sum";
	case ISAL_INVALID_WRAPPER:
	case ISAL_UNSUPPORTED_METHOD:
		return first ? "bad gzip header" : "garbage after the end";
	default:
		return "invalid data";
	}
}

static int
gunzip(struct inflate *s, struct err *e)
{
	own_mem struct inflate_state *z = xcalloc(1, sizeof(*z));
	bool first = true, between = false;
	int got = 0, code;

	isal_inflate_init(z);
	z->crc_flag = ISAL_GZIP;
	for (;;) {
		if (s->have == 0 && (got = inflate_read(s, &s->packed, e)) != 0)
			break;
		if (between) { /* a further member */
			isal_inflate_reset(z);
			z->crc_flag = ISAL_GZIP;
			first = between = false;
		}
		z->next_in = s->next;
		z->avail_in = (uint32_t)s->have;
		do {
			z->next_out = inflate_output(s);
			z->avail_out = INFLATE_BUFFER;
			code = isal_inflate(z);
			if (code < 0 || code > ISAL_OUT_OVERFLOW)
				return damaged(e, gzip_fault(code, first));
			if (write_plain(s, s->output, INFLATE_BUFFER - z->avail_out, e) == -1)
				return -1;
		} while (
		    z->block_state != ISAL_BLOCK_FINISH && (z->avail_in > 0 || z->avail_out == 0));
		between = z->block_state == ISAL_BLOCK_FINISH;
		s->next = z->next_in;
		s->have = z->avail_in;
	}
	if (got == -1)
		return -1;
	if (between)
		return 0;
	return damaged(e, first ? "it ends too early" : "garbage after the end");
}

static int
unzstd_with(struct inflate *s, ZSTD_DStream *z, struct err *e)
{
	size_t left = 1;
	int got = 0;

	for (;;) {
		ZSTD_inBuffer in;
		ZSTD_outBuffer out;

		if (s->have == 0 && (got = inflate_read(s, &s->packed, e)) != 0)
			break;
		in = (ZSTD_inBuffer){s->next, s->have, 0};
		do {
			out = (ZSTD_outBuffer){inflate_output(s), INFLATE_BUFFER, 0};
			left = ZSTD_decompressStream(z, &out, &in);
			if (ZSTD_isError(left))
				return damaged(e, ZSTD_getErrorName(left));
			if (write_plain(s, s->output, out.pos, e) == -1)
				return -1;
			/* At the end of a frame all of it is out, even if that filled the buffer. */
		} while (in.pos < in.size || (left != 0 && out.pos == out.size));
		s->have = 0;
	}
	if (got == -1)
		return -1;
	return left == 0 ? 0 : damaged(e, "it ends too early");
}

static int
unzstd(struct inflate *s, struct err *e)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	int got = -1;

	if (z == NULL ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, INFLATE_ZSTD_WINDOW_LOG)))
		err_set(e, ERR_INTERNAL, "cannot start zstd");
	else
		got = unzstd_with(s, z, e);
	ZSTD_freeDStream(z);
	return got;
}

static const struct {
	const char *magic;
	size_t n;
	const char *name; /* of what is refused */
	enum inflate_format format;
} magics[] = {
    {"\x1f\x8b", 2, NULL, INFLATE_GZIP},
    {"\x28\xb5\x2f\xfd", 4, NULL, INFLATE_ZSTD},
    {"\xfd\x37zXZ\0", 6, "xz", INFLATE_NONE},
    {"BZh", 3, "bzip2", INFLATE_NONE},
};

/* A zstd stream may begin with a frame to be skipped (RFC 8878, 3.1.2). */
static bool
is_skippable(const unsigned char *p, size_t n)
{
	return n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

static int
detect(struct inflate *s, struct err *e)
{
	if (taken(s, file_get(s->in, s->input, 4096), &s->packed, e) == -1)
		return -1;
	s->format = is_skippable(s->input, s->have) ? INFLATE_ZSTD : INFLATE_NONE;
	for (size_t i = 0; i < COUNTOF(magics); i++) {
		if (s->have < magics[i].n || memcmp(s->input, magics[i].magic, magics[i].n) != 0)
			continue;
		if (magics[i].name != NULL)
			return err_set(e, ERR_UNSUPPORTED,
			    "layers compressed with %s are not supported", magics[i].name);
		s->format = magics[i].format;
	}
	return 0;
}

int
inflate_stream(struct inflate *s, struct err *e)
{
	int rc;

	if (inflate_begin(s, e) == -1 || detect(s, e) == -1)
		return -1;
	inflate_go(s);
	rc = s->format == INFLATE_GZIP	 ? gunzip(s, e)
	     : s->format == INFLATE_ZSTD ? unzstd(s, e)
					 : copy_plain(s, e);
	rc = inflate_settle(s, rc, e);
	if (rc == 0 && s->format == INFLATE_NONE)
		rc = digest_copy(&s->plain, &s->packed, e);
	return rc;
}
