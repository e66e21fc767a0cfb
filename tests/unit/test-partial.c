/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/toc.o pod-store/layer/jscan.o pod-store/layer/reuse.o
// objs: pod-store/layer/name.o pod-image/fetch/ranges.o
// libs: -lzstd
#include <criterion/criterion.h>
#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <zstd.h>

#include "common/base/own.h"
#include "pod-image/fetch/ranges.h"
#include "pod-store/layer/jscan.h"
#include "pod-store/layer/reuse.h"
#include "pod-store/layer/toc.h"

static struct err e;

/* --- What is wanted ------------------------------------------------------------------------------------- */

/* A file: a letter for its digest, then where its frames are. */
static void
add(struct strbuf *b, const char *name, char digest, uint64_t size, uint64_t at, uint64_t end)
{
	char hex[65];

	memset(hex, digest, 64);
	hex[64] = '\0';
	strbuf_addf(b,
	    "%s{\"type\":\"reg\",\"name\":\"%s\",\"size\":%" PRIu64
	    ",\"digest\":\"sha256:%s\",\"offset\":%" PRIu64 ",\"endOffset\":%" PRIu64 "}",
	    b->n > 0 ? "," : "{\"version\":1,\"entries\":[", name, size, hex, at, end);
}

static int
target(struct reuse *r, struct strbuf *b, uint64_t end)
{
	char split[DIGEST_TEXT];

	err_clear(&e);
	strbuf_add(b, "]}");
	return reuse_target(r, b->s, b->n, end, split, &e);
}

Test(partial, what_is_there_is_not_fetched)
{
	own_strbuf struct strbuf want = {0}, have = {0};
	struct reuse r = {0};

	add(&want, "a", 'a', 10, 100, 200);
	add(&want, "b", 'b', 20, 1000, 101000);
	add(&want, "c", 'c', 30, 101500, 101600);
	add(&want, "again", 'a', 10, 101700, 101800);
	add(&want, "d", 'd', 40, 101900, 102000);
	cr_assert_eq(target(&r, &want, 200000), 0, "%s", e.text);
	add(&have, "./x/../b", 'b', 20, 5, 6);
	add(&have, "other/a", 'a', 10, 7, 8);
	add(&have, "d", 'd', 41, 9, 10);
	strbuf_add(&have, "]}");
	reuse_source(&r, 3, have.s, have.n);
	reuse_plan(&r);
	cr_assert_eq(r.missing, 2);
	cr_assert_eq(r.local, 40);
	cr_assert_eq(r.files[1].source, 3);
	cr_assert_str_eq(r.names.s + r.files[1].name, "b");
	cr_assert_str_eq(r.names.s + r.files[3].name, "other/a");
	/* What lies between the two that are missing is less than a request costs. */
	cr_assert_eq(r.nranges, 1);
	cr_assert_eq(r.ranges[0].at, 101500);
	cr_assert_eq(r.ranges[0].size, 500);
	cr_assert_eq(r.fetched, 500);
	reuse_free(&r);
}

Test(partial, impossible_offsets_are_refused)
{
	static const struct {
		uint64_t at, end;
	} bad[] = {{150, 300}, {50, 60}, {300, 201}, {190, 20001}, {300, 300}};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		own_strbuf struct strbuf want = {0};
		struct reuse r = {0};

		add(&want, "a", 'a', 10, 100, 200);
		add(&want, "b", 'b', 10, bad[i].at, bad[i].end);
		cr_assert_eq(target(&r, &want, 20000), -1, "case %zu", i);
		reuse_free(&r);
	}
}

Test(partial, malformed_tables_are_refused)
{
	static const char *const bad[] = {"", "{", "[]", "{\"version\":2,\"entries\":[]}",
	    "{\"entries\":[1]}", "{\"entries\":[{\"type\":\"reg\",\"size\":1}]}",
	    "{\"entries\":[{\"type\":\"reg\",\"size\":-1}]}", "{\"entries\":[]} x",
	    "{\"entries\":[],}", "{\"entries\":[{\"size\":1e3}]}", "{\"x\":\"\x01\"}",
	    "{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]}"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct reuse r = {0};
		char split[DIGEST_TEXT];

		err_clear(&e);
		cr_assert_eq(
		    reuse_target(&r, bad[i], strlen(bad[i]), 100, split, &e), -1, "%s", bad[i]);
		reuse_free(&r);
	}
}

Test(partial, footers)
{
	const uint64_t now[] = {htole64(UINT64_C(64) << 32 | 0x184d2a50), htole64(10), htole64(20),
	    htole64(30), htole64(1)};
	const uint64_t before[] = {htole64(UINT64_C(40) << 32 | 0x184d2a50), htole64(10),
	    htole64(20), htole64(30), htole64(1)};
	uint8_t p[TOC_FOOTER] = {0};
	struct toc_place at;

	memcpy(p + TOC_FOOTER - 8, "GNUlInUx", 8);
	cr_assert_eq(toc_footer(p, 100, &at, &e), -1);
	memcpy(p, now, sizeof(now));
	cr_assert_eq(toc_footer(p, 100, &at, &e), 0);
	cr_assert(at.at == 10 && at.size == 20 && at.plain == 30);
	cr_assert_eq(toc_footer(p, 29, &at, &e), -1);
	memset(p, 0, 24);
	memcpy(p + 24, before, sizeof(before));
	p[TOC_FOOTER - 7] = 'n';
	cr_assert_eq(toc_footer(p, 100, &at, &e), 0);
	cr_assert(at.at == 10 && at.size == 20 && at.plain == 30);
	p[TOC_FOOTER - 1] = 'y';
	cr_assert_eq(toc_footer(p, 100, &at, &e), -1);
}

Test(partial, escapes)
{
	static const char *const texts[][2] = {{"a\\u00f6\\n\\\"", "a\303\266\n\""},
	    {"\\ud83d\\ude00", "\360\237\230\200"}, {"\\/", "/"}};
	static const char *const bad[] = {"\\x", "\\u12", "\\ud83d", "\\udc00", "\\u0000"};
	char out[32];

	for (size_t i = 0; i < COUNTOF(texts); i++) {
		struct jscan_text t = {texts[i][0], strlen(texts[i][0]), true};

		cr_assert_eq(jscan_copy(&t, out, sizeof(out)), 0);
		cr_assert_str_eq(out, texts[i][1]);
	}
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct jscan_text t = {bad[i], strlen(bad[i]), true};

		cr_assert_eq(jscan_copy(&t, out, sizeof(out)), -1, "%s", bad[i]);
	}
}

/* --- What a registry answers ---------------------------------------------------------------------------- */

static const struct range asked[] = {{2, 3}, {10, 2}};

/* What the body gives, step bytes at a time; NULL: it is refused. */
static const char *
answer(long status, const char *type, const char *range, const char *body, size_t step, size_t n)
{
	static char out[64];
	struct ranges r = {.v = asked, .n = n, .total = 20};
	size_t len = strlen(body), at = 0, done = 0;

	err_clear(&e);
	if (ranges_begin(&r, status, type, range, &e) == -1)
		return NULL;
	while (at < len) {
		size_t skip, give, some = len - at < step ? len - at : step;

		if (ranges_take(&r, body + at, some, &skip, &give, &e) == -1)
			return NULL;
		memcpy(out + done, body + at + skip, give);
		done += give;
		at += skip + give;
	}
	out[done] = '\0';
	return r.done == r.n ? out : NULL;
}

#define PARTS "multipart/byteranges; boundary=\"x y\""
#define PART(range, text) \
	"\r\n--x y\r\nContent-Type: a/b\r\ncontent-range: bytes " range "/20\r\n\r\n" text

Test(partial, honest_answers)
{
	for (size_t step = 1; step < 40; step++) {
		cr_assert_str_eq(answer(200, NULL, NULL, "abcdefghijklmnopqrst", step, 2), "cdekl");
		cr_assert_str_eq(
		    answer(206, NULL, "bytes 1-12/20", "bcdefghijklm", step, 2), "cdekl");
		cr_assert_str_eq(answer(206, NULL, "bytes 2-4/*", "cde", step, 1), "cde");
		cr_assert_str_eq(
		    answer(206, PARTS, NULL,
			PART("2-4", "cde") PART("10-11", "kl") "\r\n--x y--\r\n", step, 2),
		    "cdekl");
	}
}

Test(partial, lies)
{
	cr_assert_null(answer(206, NULL, "bytes 3-5/20", "def", 9, 1));
	cr_assert_null(answer(206, NULL, "bytes 2-4/21", "cde", 9, 1));
	cr_assert_null(answer(206, NULL, "bytes 2-5/20", "cdef", 9, 1));
	cr_assert_null(answer(206, NULL, "bytes 2-10/20", "cdefghijk", 9, 2));
	cr_assert_null(answer(206, NULL, "bytes 2-99999999999999999999/20", "cde", 9, 1));
	cr_assert_null(answer(206, NULL, "bytes 2-4/20", "cdef", 9, 1));
	cr_assert_null(answer(206, NULL, "bytes 2-4/20", "cd", 9, 1));
	cr_assert_null(answer(206, NULL, NULL, "cde", 9, 1));
	cr_assert_null(answer(204, NULL, NULL, "", 9, 1));
	cr_assert_null(answer(206, "multipart/byteranges", NULL, "cde", 9, 1));
	cr_assert_null(answer(206, PARTS, NULL, PART("10-11", "kl") PART("2-4", "cde"), 99, 2));
	cr_assert_null(answer(206, PARTS, NULL, PART("2-4", "cde") "\r\n--x y--\r\n", 99, 2));
	cr_assert_null(answer(206, PARTS, NULL, "\r\n--x y\r\n\r\ncde", 99, 2));
	cr_assert_null(answer(200, NULL, NULL, "abcdefghijklmnopqrstu", 9, 2));
}

/* --- tar-split ------------------------------------------------------------------------------------------ */

#define SPLIT_LINE ((size_t)1 << 20)

static int
count_bytes(void *arg, const void *p, size_t n, struct err *error)
{
	(void)p;
	(void)error;
	*(size_t *)arg += n;
	return 0;
}

static int
count_file(void *arg, uint64_t size, struct err *error)
{
	(void)error;
	*(size_t *)arg += size;
	return 0;
}

/* So many frames of a line that stands for a file, most of it white space. */
static void
pack_split(struct strbuf *b, size_t lines, char size)
{
	own_mem char *line = xmalloc(SPLIT_LINE);
	own_mem char *frame = xmalloc(ZSTD_compressBound(SPLIT_LINE));
	const char head[] = "{\"type\":1,\"size\":";
	size_t n;

	memset(line, ' ', SPLIT_LINE);
	memcpy(line, head, sizeof(head) - 1);
	line[sizeof(head) - 1] = size;
	line[SPLIT_LINE - 2] = '}';
	line[SPLIT_LINE - 1] = '\n';
	n = ZSTD_compress(frame, ZSTD_compressBound(SPLIT_LINE), line, SPLIT_LINE, 1);
	cr_assert(!ZSTD_isError(n));
	while (lines-- > 0)
		strbuf_addn(b, frame, n);
}

Test(partial, a_tar_split_has_an_end)
{
	own_strbuf struct strbuf few = {0}, many = {0};
	size_t total = 0;
	const struct toc_split_ops ops = {count_bytes, count_file, &total};

	err_clear(&e);
	pack_split(&few, 3, '7');
	cr_assert_eq(toc_split(few.s, few.n, &ops, &e), 0, "%s", e.text);
	cr_assert_eq(total, 21);
	pack_split(&many, TOC_SPLIT_MAX / SPLIT_LINE + 1, '0');
	cr_assert_lt(many.n, 1 << 20);
	cr_assert_eq(toc_split(many.s, many.n, &ops, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT, "%s", e.text);
}
