/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o
// objs: pod-store/layer/sparse.o pod-store/layer/tarout.o pod-store/layer/name.o
// objs: pod-store/layer/result.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-store/layer/name.h"
#include "pod-store/layer/result.h"
#include "pod-store/layer/tar.h"
#include "pod-store/layer/tarhdr.h"
#include "pod-store/layer/tarout.h"

static struct err e;

/* Everything a stream says, as lines, and the stream put together again from the events. */
struct seen {
	struct strbuf text, back;
	enum tar_event last;
};

static void
seen_free(struct seen *s)
{
	strbuf_free(&s->text);
	strbuf_free(&s->back);
}

/* Feeds n bytes, step at a time. */
static struct seen
read_all(const char *p, size_t n, size_t step)
{
	struct tar *t = tar_new();
	struct seen s = {0};

	err_clear(&e);
	for (;;) {
		enum tar_event ev = tar_next(t, &e);
		const struct tar_entry *x = tar_entry(t);
		uint64_t offset = 0;
		size_t got = 0;
		const void *data = tar_data(t, &got, &offset);

		if (ev == TAR_RAW || ev == TAR_DATA)
			strbuf_addn(&s.back, data, got);
		if (ev == TAR_ENTRY)
			strbuf_addf(&s.text, "%d %s>%s %o %u:%u %lld %llu\n", x->type, x->name,
			    x->link, x->mode, x->uid, x->gid, (long long)x->mtime,
			    (unsigned long long)x->size);
		if (ev == TAR_ENTRY)
			for (size_t i = 0; i < x->nxattrs; i++)
				strbuf_addf(&s.text, "  %s=%.*s\n", x->xattrs[i].name,
				    (int)x->xattrs[i].n, x->xattrs[i].value);
		if (ev == TAR_MORE) {
			size_t some = n < step ? n : step;

			tar_feed(t, p, some);
			p += some;
			n -= some;
		}
		if (ev == TAR_END || ev == TAR_BAD) {
			s.last = ev;
			tar_free(&t);
			return s;
		}
	}
}

static void
add(struct strbuf *b, const char *name, mode_t mode, const char *data, const struct tar_xattr *x)
{
	static const char zeros[512];
	size_t n = data != NULL ? strlen(data) : 0;
	struct stat st = {.st_mode = mode,
	    .st_uid = 3000000,
	    .st_gid = 7,
	    .st_size = (off_t)n,
	    .st_mtim.tv_sec = 1234567890};

	cr_assert_eq(
	    tarout_header(b,
		&(struct tarout_entry){
		    .name = name, .link = "", .st = &st, .xattrs = x, .nxattrs = x != NULL}),
	    0);
	strbuf_addn(b, data, n);
	strbuf_addn(b, zeros, -n & 511);
}

Test(tar, what_is_written_is_read_whatever_the_pieces)
{
	static const size_t steps[] = {1, 7, 511, 512, 513, 4096, 1 << 20};
	static const struct tar_xattr x = {"user.a", "b\nc", 3};
	static const char zeros[1024];
	char longer[300], want[1000];
	own_strbuf struct strbuf b = {0};

	memset(longer, 'n', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	add(&b, "dir/", S_IFDIR | 0755, NULL, NULL);
	add(&b, longer, S_IFREG | 04711, "contents", &x);
	strbuf_addn(&b, zeros, sizeof(zeros));
	strbuf_add(&b, "trailer");
	snprintf(want, sizeof(want),
	    "%d dir/> 755 3000000:7 1234567890 0\n%d %s> 4711 3000000:7 1234567890 8\n  "
	    "user.a=b\nc\n",
	    TAR_DIR, TAR_FILE, longer);
	for (size_t i = 0; i < COUNTOF(steps); i++) {
		struct seen s = read_all(b.s, b.n, steps[i]);

		cr_assert_eq(s.last, TAR_END, "step %zu: %s", steps[i], e.text);
		cr_assert_str_eq(s.text.s, want);
		cr_assert_eq(s.back.n, b.n);
		cr_assert_eq(memcmp(s.back.s, b.s, b.n), 0);
		seen_free(&s);
	}
}

Test(tar, every_cut_is_noticed_or_a_clean_end)
{
	own_strbuf struct strbuf b = {0};

	add(&b, "file", S_IFREG | 0644, "contents", NULL);
	for (size_t n = 0; n <= b.n; n++) {
		struct seen s = read_all(b.s, n, 100);

		cr_assert_eq(s.last, n == 0 || n == b.n ? TAR_END : TAR_BAD, "cut at %zu", n);
		seen_free(&s);
	}
}

Test(tar, numbers)
{
	int64_t v;

	cr_assert_eq(tarhdr_number("0000644\0", 8, &v), 0);
	cr_assert_eq(v, 0644);
	cr_assert_eq(tarhdr_number("   17 \0 ", 8, &v), 0);
	cr_assert_eq(v, 017);
	cr_assert_eq(tarhdr_number("\0\0\0\0\0\0\0\0", 8, &v), 0);
	cr_assert_eq(v, 0);
	cr_assert_eq(tarhdr_number("00008\0\0\0", 8, &v), -1);
	cr_assert_eq(tarhdr_number("-1\0\0\0\0\0\0", 8, &v), -1);
	cr_assert_eq(tarhdr_number("\x80\0\0\0\0\0\1\0", 8, &v), 0);
	cr_assert_eq(v, 256);
	cr_assert_eq(tarhdr_number("\xff\xff\xff\xff\xff\xff\xff\xfb", 8, &v), 0);
	cr_assert_eq(v, -5);
	cr_assert_eq(tarhdr_number("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, &v), 0);
	cr_assert_eq(v, INT64_MAX);
	cr_assert_eq(tarhdr_number("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12, &v), -1);
	cr_assert_eq(tarhdr_number("\xff\xff\xff\xff\x7f\0\0\0\0\0\0\0", 12, &v), -1);
}

Test(tar, numbers_go_round)
{
	static const uint64_t values[] = {0, 1, 07777777, 010000000, 077777777777, 0100000000000};
	char field[12];
	int64_t v;

	for (size_t i = 0; i < COUNTOF(values); i++) {
		tarhdr_put_number(field, sizeof(field), values[i]);
		cr_assert_eq(tarhdr_number(field, sizeof(field), &v), 0);
		cr_assert_eq((uint64_t)v, values[i]);
	}
}

Test(tar, times)
{
	int64_t s;
	uint32_t ns;

	cr_assert_eq(tarhdr_pax_time("12.5", 4, &s, &ns), 0);
	cr_assert(s == 12 && ns == 500000000);
	cr_assert_eq(tarhdr_pax_time("-1.25", 5, &s, &ns), 0);
	cr_assert(s == -2 && ns == 750000000);
	cr_assert_eq(tarhdr_pax_time("1.123456789123", 14, &s, &ns), 0);
	cr_assert(s == 1 && ns == 123456789);
	cr_assert_eq(tarhdr_pax_time("", 0, &s, &ns), -1);
	cr_assert_eq(tarhdr_pax_time("1e9", 3, &s, &ns), -1);
	cr_assert_eq(tarhdr_pax_time("99999999999999999999", 20, &s, &ns), -1);
}

static void
plain(const char *name, enum name_kind kind, const char *want)
{
	char out[TAR_PATH_MAX + 1];

	cr_assert_eq(name_plain(name, out), kind, "%s", name);
	if (want != NULL)
		cr_assert_str_eq(out, want);
}

Test(tar, names)
{
	plain("./a//b/", NAME_ORDINARY, "a/b");
	plain("/../a/../b", NAME_ORDINARY, "b");
	plain("a/..", NAME_ROOT, "");
	plain("././/", NAME_ROOT, "");
	plain("...", NAME_ORDINARY, "...");
	plain("a/.wh.b", NAME_WHITE, "a/b");
	plain("etc/../../.wh.x", NAME_WHITE, "x");
	plain(".wh..wh..opq", NAME_OPAQUE, "");
	plain("a/b/.wh..wh..opq", NAME_OPAQUE, "a/b");
	plain(".wh.", NAME_IGNORED, NULL);
	plain(".wh..", NAME_IGNORED, NULL);
	plain("a/.wh...", NAME_IGNORED, NULL);
	plain(".wh..wh.plnk/1.2", NAME_IGNORED, NULL);
	plain(".wh.a/b", NAME_BAD, NULL);
	plain(".whatever", NAME_ORDINARY, ".whatever");
}

Test(tar, link_names)
{
	char out[TAR_PATH_MAX + 1];

	cr_assert_eq(name_plain_link("/a/./b", out), 0);
	cr_assert_str_eq(out, "a/b");
	cr_assert_eq(name_plain_link("a/../b", out), -1);
	cr_assert_eq(name_plain_link("..", out), -1);
	cr_assert_eq(name_plain_link("/", out), -1);
	cr_assert_eq(name_plain_link(".wh.a", out), -1);
}

Test(tar, results_go_round)
{
	own_strbuf struct strbuf b = {0};
	own_result struct result r = {0};
	uint64_t n;

	result_add(&b, "name", "a\n%\xff z");
	result_add(&b, "empty", "");
	result_add_u64(&b, "n", UINT64_MAX);
	strbuf_add(&b, "end\n");
	cr_assert_eq(result_parse(b.s, b.n, &r, &e), 0, "%s", e.text);
	cr_assert_str_eq(result_get(&r, "name"), "a\n%\xff z");
	cr_assert_str_eq(result_get(&r, "empty"), "");
	cr_assert_eq(result_u64(&r, "n", &n, &e), 0);
	cr_assert_eq(n, UINT64_MAX);
	cr_assert_null(result_get(&r, "other"));
}

static void
refuse(const char *text)
{
	own_mem char *copy = xstrdup(text);
	own_result struct result r = {0};

	cr_assert_eq(result_parse(copy, strlen(text), &r, &e), -1, "%s", text);
}

Test(tar, results_that_are_not)
{
	refuse("");
	refuse("end");
	refuse("uid 0\n");
	refuse("uid 0\nbend\n");
	refuse("uid\nend\n");
	refuse(" 0\nend\n");
	refuse("a %00\nend\n");
	refuse("a %4\nend\n");
	refuse("a \033\nend\n");
	refuse("error format\ntext a\\b\nend\n");
	cr_assert_eq(e.class, ERR_FORMAT);
}
