/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/attach.h"

static void
keys(const char *spec, const char *bytes, size_t n)
{
	struct detach d;
	struct err e = {0};

	cr_assert_eq(detach_parse(&d, spec, &e), 0, "%s: %s", spec, e.text);
	cr_expect_eq(d.n, n);
	cr_expect_eq(memcmp(d.key, bytes, n), 0);
}

Test(detach, keys)
{
	keys("", "", 0);
	keys("ctrl-p,ctrl-q", "\x10\x11", 2);
	keys("a,b,ctrl-a", "ab\x01", 3);
	keys("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", "\0\x1b\x1c\x1d\x1e\x1f", 6);
}

Test(detach, wrong_keys)
{
	static const char *const bad[] = {
	    "ctrl-", "ctrl-P", "ctrl-1", "ab", "a,", ",a", "a,,b", "alt-x", "ctrl-pp", ","};
	struct detach d;

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct err e = {0};

		cr_expect_eq(detach_parse(&d, bad[i], &e), -1, "%s", bad[i]);
	}
}

/* Feeds the input in pieces of k bytes; wanted goes to the container. */
static void
feed(const char *spec, const char *in, size_t k, const char *wanted, bool detached)
{
	struct detach d;
	struct err e = {0};
	char out[256] = "";
	size_t n = 0, piece;
	bool hit = false;

	detach_parse(&d, spec, &e);
	for (const char *p = in; *p != '\0' && !hit; p += strnlen(p, k)) {
		hit =
		    detach_feed(&d, (const uint8_t *)p, strnlen(p, k), (uint8_t *)out + n, &piece);
		n += piece;
	}
	out[n] = '\0';
	cr_expect_str_eq(out, wanted, "%s in %s by %zu: %s", spec, in, k, out);
	cr_expect_eq(hit, detached, "%s in %s by %zu", spec, in, k);
}

Test(detach, sequences)
{
	static const struct {
		const char *spec, *in, *out;
		bool detached;
	} rows[] = {
	    {"p,q", "hello", "hello", false},
	    {"p,q", "apq", "a", true},
	    {"p,q", "apbpq", "apb", true},
	    {"p,q", "ppq", "p", true},
	    {"p,q", "pppppq", "pppp", true},
	    {"p,q", "p", "", false},
	    {"a,a,b", "aaab", "a", true},
	    {"a,a,b", "aacaab", "aac", true},
	    {"a,b,a,c", "ababac", "ab", true},
	    {"", "pq", "pq", false},
	    {"x", "abxc", "ab", true},
	};

	for (size_t i = 0; i < COUNTOF(rows); i++)
		for (size_t k = 1; k <= 7; k++)
			feed(rows[i].spec, rows[i].in, k, rows[i].out, rows[i].detached);
}
