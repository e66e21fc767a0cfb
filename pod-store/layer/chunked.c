/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/base64.h"
#include "pod-store/layer/chunked.h"
#include "pod-store/layer/tar.h"

#define LEVEL 3
#define SEGMENT_MAX (48u << 10) /* raw bytes in one line; a multiple of three */
#define FRAME_HEAD 8u
#define FOOTER 64u
#define TYPE_CRFS 1u
#define CONTENTS_MAX (50u << 20) /* what readers take */

/* A text that is compressed as it grows. */
struct packed {
	ZSTD_CStream *z;
	struct strbuf text, out;
	uint64_t plain;
};

struct writer {
	struct inflate *s;
	struct tar *tar;
	ZSTD_CStream *z;
	struct packed contents, split;
	struct strbuf raw; /* of the tar, not yet in split */
	uint64_t entries, crc_table[256];

	/* The entry under way. */
	struct digest digest;
	uint64_t crc, at;
	bool has_data;
};

/* --- Compression ------------------------------------------------------------------------------------- */

static ZSTD_CStream *
new_stream(int level, struct err *e)
{
	ZSTD_CStream *z = ZSTD_createCStream();

	if (z != NULL && !ZSTD_isError(ZSTD_CCtx_setParameter(
			     z, ZSTD_c_compressionLevel, level > 0 ? level : LEVEL)))
		return z;
	ZSTD_freeCStream(z);
	err_set(e, ERR_INTERNAL, "cannot start zstd");
	return NULL;
}

static int
compress(struct writer *w, const void *p, size_t n, bool end, struct err *e)
{
	ZSTD_inBuffer in = {p, n, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {w->s->output, INFLATE_BUFFER, 0};

		left = ZSTD_compressStream2(w->z, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(
			    e, ERR_INTERNAL, "compressing the layer: %s", ZSTD_getErrorName(left));
		if (inflate_write(w->s, w->s->output, out.pos, &w->s->packed, e) == -1)
			return -1;
	} while (end ? left > 0 : in.pos < in.size);
	return 0;
}

/* The text so far goes into the compressed form. */
static int
pack(struct packed *p, bool end, struct err *e)
{
	ZSTD_inBuffer in = {p->text.s != NULL ? p->text.s : "", p->text.n, 0};
	char buf[16384];
	size_t left;

	p->plain += p->text.n;
	do {
		ZSTD_outBuffer out = {buf, sizeof(buf), 0};

		left = ZSTD_compressStream2(p->z, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return err_set(e, ERR_INTERNAL, "compressing the layer's index: %s",
			    ZSTD_getErrorName(left));
		strbuf_addn(&p->out, buf, out.pos);
	} while (end ? left > 0 : in.pos < in.size);
	p->text.n = 0;
	return 0;
}

/* --- JSON -------------------------------------------------------------------------------------------- */

/* Bytes that are not UTF-8 become U+FFFD, as in the peers. */
static void
add_string(struct strbuf *b, const char *s)
{
	strbuf_addc(b, '"');
	while (*s != '\0') {
		unsigned char c = (unsigned char)*s;
		size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (c == '"' || c == '\\')
			strbuf_addf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(b, "\\u%04x", c);
		else if (strnlen(s, n) < n || !text_is_utf8(s, n)) {
			strbuf_add(b, "\\ufffd");
			n = 1;
		} else {
			strbuf_addn(b, s, n);
		}
		s += n;
	}
	strbuf_addc(b, '"');
}

static void
add_base64(struct strbuf *b, const void *p, size_t n)
{
	own_mem char *text = base64_encode(p, n);

	strbuf_addf(b, "\"%s\"", text);
}

/*
 * By hand (days since 1 March of year 0, in the Gregorian calendar): the C library would look for the host's time
 * zone first, which a worker cannot.
 */
static void
add_time(struct strbuf *b, const struct tar_entry *x)
{
	const int64_t day_s = 86400, era = 146097;
	int64_t days = x->mtime / day_s, rest = x->mtime % day_s, in_era, year, day, month;

	if (rest < 0) {
		rest += day_s;
		days--;
	}
	days += 719468;
	/* What RFC 3339 can say. */
	if (days < 366 || days > 3652000)
		return;
	in_era = days % era;
	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / (era - 1)) / 365;
	day = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * day + 2) / 153;
	day = day - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	year += days / era * 400 + (month <= 2);
	strbuf_addf(b, ",\"modtime\":\"%04lld-%02lld-%02lldT%02lld:%02lld:%02lld", (long long)year,
	    (long long)month, (long long)day, (long long)(rest / 3600), (long long)(rest / 60 % 60),
	    (long long)(rest % 60));
	if (x->mtime_ns != 0)
		strbuf_addf(b, ".%09u", x->mtime_ns);
	strbuf_add(b, "Z\"");
}

static void
add_xattrs(struct strbuf *b, const struct tar_entry *x)
{
	if (x->nxattrs == 0)
		return;
	strbuf_add(b, ",\"xattrs\":{");
	for (size_t i = 0; i < x->nxattrs; i++) {
		strbuf_add(b, i > 0 ? "," : "");
		add_string(b, x->xattrs[i].name);
		strbuf_addc(b, ':');
		add_base64(b, x->xattrs[i].value, x->xattrs[i].n);
	}
	strbuf_addc(b, '}');
}

/* --- tar-split --------------------------------------------------------------------------------------- */

static void
make_table(struct writer *w)
{
	for (uint64_t i = 0; i < 256; i++) {
		uint64_t c = i;

		for (int k = 0; k < 8; k++)
			c = (c & 1) != 0 ? (c >> 1) ^ UINT64_C(0xd800000000000000) : c >> 1;
		w->crc_table[i] = c;
	}
}

static void
add_crc(struct writer *w, const unsigned char *p, size_t n)
{
	uint64_t c = ~w->crc;

	for (size_t i = 0; i < n; i++)
		c = w->crc_table[(c ^ p[i]) & 0xff] ^ (c >> 8);
	w->crc = ~c;
}

static int
flush_raw(struct writer *w, struct err *e)
{
	if (w->raw.n == 0)
		return 0;
	strbuf_add(&w->split.text, "{\"type\":2,\"payload\":");
	add_base64(&w->split.text, w->raw.s, w->raw.n);
	strbuf_addf(&w->split.text, ",\"position\":%llu}\n", (unsigned long long)w->entries++);
	w->raw.n = 0;
	return pack(&w->split, false, e);
}

static int
split_file(struct writer *w, const struct tar_entry *x, uint64_t size, struct err *e)
{
	struct strbuf *b = &w->split.text;
	uint64_t crc = htobe64(w->crc);

	if (flush_raw(w, e) == -1)
		return -1;
	strbuf_add(b, "{\"type\":1,");
	/* A name that JSON cannot hold goes as bytes. */
	if (text_is_utf8(x->name, strlen(x->name))) {
		strbuf_add(b, "\"name\":");
		add_string(b, x->name);
	} else {
		strbuf_add(b, "\"name_raw\":");
		add_base64(b, x->name, strlen(x->name));
	}
	if (size > 0)
		strbuf_addf(b, ",\"size\":%llu", (unsigned long long)size);
	strbuf_add(b, ",\"payload\":");
	if (size > 0)
		add_base64(b, &crc, sizeof(crc));
	else
		strbuf_add(b, "null");
	strbuf_addf(b, ",\"position\":%llu}\n", (unsigned long long)w->entries++);
	return pack(&w->split, false, e);
}

/* --- Entries ----------------------------------------------------------------------------------------- */

static int
on_raw(struct writer *w, struct err *e)
{
	size_t n, take;
	const char *p = tar_data(w->tar, &n, NULL);

	if (compress(w, p, n, false, e) == -1)
		return -1;
	for (; n > 0; p += take, n -= take) {
		take = SEGMENT_MAX - w->raw.n < n ? SEGMENT_MAX - w->raw.n : n;
		strbuf_addn(&w->raw, p, take);
		if (w->raw.n == SEGMENT_MAX && flush_raw(w, e) == -1)
			return -1;
	}
	return 0;
}

static int
on_entry(struct writer *w, struct err *e)
{
	const struct tar_entry *x = tar_entry(w->tar);
	char safe[300];

	w->has_data = false;
	w->crc = 0;
	if (!x->sparse)
		return 0;
	text_escape(x->name, safe, sizeof(safe));
	err_set(e, ERR_UNSUPPORTED,
	    "a layer with a sparse file cannot be written as zstd:chunked: %s", safe);
	return err_hint(e, "Choose zstd.");
}

static int
on_data(struct writer *w, struct err *e)
{
	size_t n;
	const void *p = tar_data(w->tar, &n, NULL);

	if (!w->has_data) {
		if (compress(w, NULL, 0, true, e) == -1 || digest_init(&w->digest, e) == -1)
			return -1;
		w->has_data = true;
		w->at = w->s->packed.size;
	}
	digest_add(&w->digest, p, n);
	add_crc(w, p, n);
	return compress(w, p, n, false, e);
}

static void
add_content(struct strbuf *b, struct writer *w, uint64_t size)
{
	char digest[DIGEST_TEXT];

	digest_text(&w->digest, digest);
	strbuf_addf(b,
	    ",\"digest\":\"%s\",\"offset\":%llu,\"endOffset\":%llu,\"chunkSize\":%llu,"
	    "\"chunkDigest\":\"%s\"",
	    digest, (unsigned long long)w->at, (unsigned long long)w->s->packed.size,
	    (unsigned long long)size, digest);
	digest_free(&w->digest);
}

static int
on_end(struct writer *w, struct err *e)
{
	static const char *const types[] = {[TAR_FILE] = "reg",
	    [TAR_HARDLINK] = "hardlink",
	    [TAR_SYMLINK] = "symlink",
	    [TAR_CHAR] = "char",
	    [TAR_BLOCKDEV] = "block",
	    [TAR_DIR] = "dir",
	    [TAR_FIFO] = "fifo"};
	const struct tar_entry *x = tar_entry(w->tar);
	struct strbuf *b = &w->contents.text;
	uint64_t size = w->has_data ? x->size : 0;
	bool link = x->type == TAR_HARDLINK || x->type == TAR_SYMLINK;

	if (w->has_data && compress(w, NULL, 0, true, e) == -1)
		return -1;
	strbuf_addf(b,
	    "%s{\"type\":\"%s\",\"name\":", w->contents.plain > 0 && b->n == 0 ? "," : "",
	    types[x->type]);
	add_string(b, x->name);
	if (link && x->link != NULL) {
		strbuf_add(b, ",\"linkName\":");
		add_string(b, x->link);
	}
	strbuf_addf(b, ",\"mode\":%u,\"size\":%llu,\"uid\":%u,\"gid\":%u", (unsigned)x->mode,
	    (unsigned long long)size, x->uid, x->gid);
	add_time(b, x);
	if (x->type == TAR_CHAR || x->type == TAR_BLOCKDEV)
		strbuf_addf(b, ",\"devMajor\":%u,\"devMinor\":%u", x->major, x->minor);
	add_xattrs(b, x);
	if (w->has_data)
		add_content(b, w, size);
	strbuf_addc(b, '}');
	if (w->contents.plain > CONTENTS_MAX)
		return err_set(e, ERR_LIMIT, "the layer has too many files for zstd:chunked");
	return pack(&w->contents, false, e) == -1 ? -1 : split_file(w, x, size, e);
}

/* 1: the stream has ended. */
static int
one_event(struct writer *w, struct err *e)
{
	switch (tar_next(w->tar, e)) {
	case TAR_MORE:
		if (inflate_fill(w->s, &w->s->plain, e) == -1)
			return -1;
		tar_feed(w->tar, w->s->next, w->s->have);
		return 0;
	case TAR_RAW:
		return on_raw(w, e);
	case TAR_ENTRY:
		return on_entry(w, e);
	case TAR_DATA:
		return on_data(w, e);
	case TAR_ENTRY_END:
		return on_end(w, e);
	case TAR_END:
		return 1;
	default:
		return -1;
	}
}

/* --- What follows the tar ---------------------------------------------------------------------------- */

static int
write_frame(struct writer *w, const void *p, size_t n, struct err *e)
{
	const uint32_t head[2] = {htole32(0x184d2a50), htole32((uint32_t)n)};

	if (n > UINT32_MAX)
		return err_set(e, ERR_LIMIT, "the index of the layer is too large");
	if (inflate_write(w->s, head, sizeof(head), &w->s->packed, e) == -1)
		return -1;
	return inflate_write(w->s, p, n, &w->s->packed, e);
}

static int
write_part(struct writer *w, const struct packed *p, struct chunked_part *out, struct err *e)
{
	out->at = w->s->packed.size + FRAME_HEAD;
	out->size = p->out.n;
	out->plain = p->plain;
	return write_frame(w, p->out.s, p->out.n, e);
}

static int
write_footer(struct writer *w, const struct chunked *c, struct err *e)
{
	uint64_t footer[] = {htole64(c->contents.at), htole64(c->contents.size),
	    htole64(c->contents.plain), htole64(TYPE_CRFS), htole64(c->split.at),
	    htole64(c->split.size), htole64(c->split.plain), 0};

	_Static_assert(sizeof(footer) == FOOTER, "footer");
	memcpy(&footer[7], "GNUlInUx", 8);
	return write_frame(w, footer, sizeof(footer), e);
}

static int
digest_of(const struct strbuf *b, char out[DIGEST_TEXT], struct err *e)
{
	struct digest d;

	if (digest_init(&d, e) == -1)
		return -1;
	digest_add(&d, b->s, b->n);
	digest_text(&d, out);
	digest_free(&d);
	return 0;
}

static int
write_tail(struct writer *w, struct chunked *out, struct err *e)
{
	char split[DIGEST_TEXT];

	if (compress(w, NULL, 0, true, e) == -1 || flush_raw(w, e) == -1 ||
	    pack(&w->split, true, e) == -1 || digest_of(&w->split.out, split, e) == -1)
		return -1;
	strbuf_addf(&w->contents.text, "],\"tarSplitDigest\":\"%s\"}", split);
	if (pack(&w->contents, true, e) == -1 ||
	    digest_of(&w->contents.out, out->checksum, e) == -1)
		return -1;
	if (write_part(w, &w->contents, &out->contents, e) == -1 ||
	    write_part(w, &w->split, &out->split, e) == -1)
		return -1;
	return write_footer(w, out, e);
}

static void
packed_free(struct packed *p)
{
	ZSTD_freeCStream(p->z);
	strbuf_free(&p->text);
	strbuf_free(&p->out);
}

int
chunked_stream(struct inflate *s, struct chunked *out, struct err *e)
{
	struct writer w = {.s = s};
	int got = 0;

	if (inflate_begin(s, e) == -1)
		return -1;
	make_table(&w);
	w.z = new_stream(s->level, e);
	w.contents.z = w.z != NULL ? new_stream(LEVEL, e) : NULL;
	w.split.z = w.contents.z != NULL ? new_stream(LEVEL, e) : NULL;
	if (w.split.z == NULL)
		got = -1;
	w.tar = tar_new();
	strbuf_add(&w.contents.text, "{\"version\":1,\"entries\":[");
	while (got == 0)
		got = one_event(&w, e);
	if (got == 1)
		got = write_tail(&w, out, e);
	else if (w.has_data)
		digest_free(&w.digest);
	tar_free(&w.tar);
	ZSTD_freeCStream(w.z);
	packed_free(&w.contents);
	packed_free(&w.split);
	strbuf_free(&w.raw);
	return got;
}
