/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zstd.h>

#include "common/base/lines.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "pod-store/layer/inflate.h"
#include "pod-store/layer/jscan.h"
#include "pod-store/layer/toc.h"

#define LINE_MAX_ ((size_t)4 << 20)
#define BLOCK ((size_t)128 << 10)

static int
malformed(struct err *e)
{
	return err_set(e, ERR_FORMAT, "the table of contents of the layer is malformed");
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
toc_digest(const char *text, uint8_t out[SHA256_SIZE])
{
	if (strlen(text) != DIGEST_TEXT - 1 || memcmp(text, "sha256:", 7) != 0)
		return -1;
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		int high = digit(text[7 + 2 * i]), low = digit(text[8 + 2 * i]);

		if (high == -1 || low == -1)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* --- The table of contents ------------------------------------------------------------------------- */

struct entry {
	struct jscan_text type, name, digest;
	uint64_t size, at, end;
};

static int
read_field(struct jscan *s, struct entry *x)
{
	const struct {
		const char *key;
		struct jscan_text *text;
		uint64_t *number;
	} fields[] = {
	    {"type", &x->type, NULL},
	    {"name", &x->name, NULL},
	    {"digest", &x->digest, NULL},
	    {"size", NULL, &x->size},
	    {"offset", NULL, &x->at},
	    {"endOffset", NULL, &x->end},
	};
	struct jscan_text key;

	if (jscan_key(s, &key) == -1)
		return -1;
	for (size_t i = 0; i < COUNTOF(fields); i++)
		if (jscan_is(&key, fields[i].key))
			return fields[i].text != NULL ? jscan_string(s, fields[i].text)
						      : jscan_number(s, fields[i].number);
	return jscan_skip(s);
}

/* Entries of the type chunk are parts of the file before, whose frames end where its own last one does. */
static int
take_entry(const struct entry *x, toc_file_fn *fn, void *arg, struct err *e)
{
	struct toc_file f;
	char digest[DIGEST_TEXT];

	if (!jscan_is(&x->type, "reg") || x->size == 0)
		return 0;
	f.size = x->size;
	f.at = x->at;
	f.end = x->end;
	if (f.at >= f.end || jscan_copy(&x->digest, digest, sizeof(digest)) == -1 ||
	    toc_digest(digest, f.digest) == -1)
		return malformed(e);
	/* A name that cannot be is of no use, but nothing depends on it. */
	if (jscan_copy(&x->name, f.name, sizeof(f.name)) == -1)
		f.name[0] = '\0';
	return fn(arg, &f, e);
}

static int
read_entries(struct jscan *s, toc_file_fn *fn, void *arg, struct err *e)
{
	struct entry x;
	size_t n = 0;
	int more, r;

	if (jscan_open(s, '[') == -1)
		return malformed(e);
	while ((more = jscan_more(s, ']')) == 1) {
		x = (struct entry){0};
		if (n++ == TOC_FILES_MAX)
			return err_set(e, ERR_LIMIT, "the table of contents is too long");
		if (jscan_open(s, '{') == -1)
			return malformed(e);
		while ((r = jscan_more(s, '}')) == 1)
			if (read_field(s, &x) == -1)
				return malformed(e);
		if (r == -1)
			return malformed(e);
		if (take_entry(&x, fn, arg, e) == -1)
			return -1;
	}
	return more == 0 ? 0 : malformed(e);
}

static int
read_member(struct jscan *s, toc_file_fn *fn, void *arg, char split[DIGEST_TEXT], struct err *e)
{
	struct jscan_text key, text;
	uint64_t version;

	if (jscan_key(s, &key) == -1)
		return malformed(e);
	if (jscan_is(&key, "entries"))
		return read_entries(s, fn, arg, e);
	if (jscan_is(&key, "version")) {
		if (jscan_number(s, &version) == -1)
			return malformed(e);
		return version == 1
			   ? 0
			   : err_set(e, ERR_UNSUPPORTED,
				 "the table of contents of the layer has another version than 1");
	}
	if (jscan_is(&key, "tarSplitDigest"))
		return jscan_string(s, &text) == -1 || jscan_copy(&text, split, DIGEST_TEXT) == -1
			   ? malformed(e)
			   : 0;
	return jscan_skip(s) == -1 ? malformed(e) : 0;
}

int
toc_read(
    const char *text, size_t n, toc_file_fn *fn, void *arg, char split[DIGEST_TEXT], struct err *e)
{
	struct jscan s = {.p = text, .end = text + n};
	int more;

	split[0] = '\0';
	if (jscan_open(&s, '{') == -1)
		return malformed(e);
	while ((more = jscan_more(&s, '}')) == 1)
		if (read_member(&s, fn, arg, split, e) == -1)
			return -1;
	return more == -1 || jscan_end(&s) == -1 ? malformed(e) : 0;
}

int
toc_footer(const uint8_t p[TOC_FOOTER], uint64_t blob_size, struct toc_place *out, struct err *e)
{
	static const uint8_t head[] = {0x50, 0x2a, 0x4d, 0x18, 64, 0, 0, 0},
			     short_head[] = {0x50, 0x2a, 0x4d, 0x18, 40, 0, 0, 0};
	bool is_short = memcmp(p + 24, short_head, sizeof(short_head)) == 0;
	uint64_t v[4];

	memcpy(v, p + (is_short ? 32 : 8), sizeof(v));
	*out = (struct toc_place){le64toh(v[0]), le64toh(v[1]), le64toh(v[2])};
	/* The older writers spelt it with a small n. */
	if (strncasecmp((const char *)p + TOC_FOOTER - 8, "GNUlInUx", 8) != 0 ||
	    le64toh(v[3]) != 1 || (!is_short && memcmp(p, head, sizeof(head)) != 0) ||
	    out->at > blob_size || out->size > blob_size - out->at || out->plain > TOC_MAX)
		return err_set(e, ERR_FORMAT, "the layer's blob has no table of contents");
	return 0;
}

/* --- Decompression ----------------------------------------------------------------------------------- */

static ZSTD_DStream *
new_stream(struct err *e)
{
	ZSTD_DStream *z = ZSTD_createDStream();

	if (z != NULL &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, INFLATE_ZSTD_WINDOW_LOG)))
		return z;
	ZSTD_freeDStream(z);
	err_set(e, ERR_INTERNAL, "cannot start zstd");
	return NULL;
}

/* Gives what comes out to take, block by block. */
static int
unpack(const void *p, size_t n, int (*take)(void *, const char *, size_t, struct err *), void *arg,
    struct err *e)
{
	ZSTD_DStream *z = new_stream(e);
	ZSTD_inBuffer in = {p, n, 0};
	own_mem char *block = xmalloc(BLOCK);
	size_t left = 1;
	bool full = false;
	int r = z == NULL ? -1 : 0;

	while (r == 0 && (in.pos < in.size || full)) {
		ZSTD_outBuffer out = {block, BLOCK, 0};

		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left))
			r = err_set(e, ERR_FORMAT, "the index of the layer is damaged: %s",
			    ZSTD_getErrorName(left));
		else
			r = take(arg, block, out.pos, e);
		/* At the end of a frame all of it is out, even if that filled the block. */
		full = left != 0 && out.pos == out.size;
	}
	if (r == 0 && left != 0)
		r = err_set(e, ERR_FORMAT, "the index of the layer ends too early");
	ZSTD_freeDStream(z);
	return r;
}

struct gathered {
	struct strbuf text;
	size_t max;
};

static int
gather(void *arg, const char *p, size_t n, struct err *e)
{
	struct gathered *g = arg;

	if (n > g->max - g->text.n)
		return err_set(e, ERR_LIMIT, "the index of the layer is larger than it may be");
	strbuf_addn(&g->text, p, n);
	return 0;
}

int
toc_unpack(const void *p, size_t n, size_t max, char **out, size_t *out_n, struct err *e)
{
	struct gathered g = {.max = max};

	if (unpack(p, n, gather, &g, e) == -1) {
		strbuf_free(&g.text);
		return -1;
	}
	*out_n = g.text.n;
	*out = strbuf_take(&g.text);
	return 0;
}

/* --- tar-split --------------------------------------------------------------------------------------- */

static int
split_bad(struct err *e)
{
	return err_set(e, ERR_FORMAT, "the tar-split of the layer is malformed");
}

static int
segment(const struct jscan_text *payload, const struct toc_split_ops *ops, struct err *e)
{
	size_t n = 0;
	own_mem char *p = payload->escaped ? NULL : base64_decode_n(payload->p, payload->n, &n);

	return p == NULL ? split_bad(e) : ops->bytes(ops->arg, p, n, e);
}

int
toc_split_line(const char *line, size_t n, const struct toc_split_ops *ops, struct err *e)
{
	struct jscan s = {.p = line, .end = line + n};
	struct jscan_text key, payload = {0};
	uint64_t type = 0, size = 0;
	bool there = false;
	int more;

	if (jscan_open(&s, '{') == -1)
		return split_bad(e);
	while ((more = jscan_more(&s, '}')) == 1) {
		int r = jscan_key(&s, &key);

		if (r == 0 && jscan_is(&key, "type"))
			r = jscan_number(&s, &type);
		else if (r == 0 && jscan_is(&key, "size"))
			r = jscan_number(&s, &size);
		else if (r == 0 && jscan_is(&key, "payload"))
			r = jscan_string_or_null(&s, &payload, &there);
		else if (r == 0)
			r = jscan_skip(&s);
		if (r == -1)
			return split_bad(e);
	}
	if (more == -1 || jscan_end(&s) == -1 || type < 1 || type > 2)
		return split_bad(e);
	if (type == 1)
		return size > 0 ? ops->file(ops->arg, size, e) : 0;
	return there ? segment(&payload, ops, e) : 0;
}

static int
take_line(void *arg, const char *line, size_t n, struct err *e)
{
	return toc_split_line(line, n, arg, e);
}

static int
add_lines(void *arg, const char *p, size_t n, struct err *e)
{
	return lines_add(arg, p, n, e);
}

int
toc_split(const void *p, size_t n, const struct toc_split_ops *ops, struct err *e)
{
	struct lines l = {.line_max = LINE_MAX_,
	    .all_max = TOC_SPLIT_MAX,
	    .take = take_line,
	    .arg = (void *)(uintptr_t)ops};
	int r = unpack(p, n, add_lines, &l, e);

	if (r == 0)
		r = lines_end(&l, e);
	lines_free(&l);
	return r;
}
