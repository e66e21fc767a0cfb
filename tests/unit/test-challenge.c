/* SPDX-License-Identifier: ISC */
// objs: pod-image/fetch/challenge.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/fetch/challenge.h"

static struct err e;
static struct challenge c[4];
static size_t n;

static int
parse(const char *header)
{
	memset(c, 0, sizeof(c));
	return challenge_parse(header, c, COUNTOF(c), &n, &e);
}

Test(challenge, bearer)
{
	cr_assert_eq(
	    parse("Bearer realm=\"https://auth.x/token\",service=\"x y\",scope=\"a:b:pull\""), 0);
	cr_assert_eq(n, 1);
	cr_assert_eq(c[0].scheme, CHALLENGE_BEARER);
	cr_assert_str_eq(c[0].realm, "https://auth.x/token");
	cr_assert_str_eq(c[0].service, "x y");
	challenge_free(&c[0]);
}

Test(challenge, several)
{
	cr_assert_eq(parse("Negotiate, Basic realm=\"q\\\"q\", bearer Realm=x ,service = y"), 0);
	cr_assert_eq(n, 3);
	cr_assert_eq(c[0].scheme, CHALLENGE_OTHER);
	cr_assert_eq(c[1].scheme, CHALLENGE_BASIC);
	cr_assert_str_eq(c[1].realm, "q\"q");
	cr_assert_eq(c[2].scheme, CHALLENGE_BEARER);
	cr_assert_str_eq(c[2].service, "y");
	for (size_t i = 0; i < n; i++)
		challenge_free(&c[i]);
}

Test(challenge, malformed)
{
	static const char *const bad[] = {"Bearer realm=", "Bearer realm=\"",
	    "Bearer realm=\"a\" x", "Bearer realm=\"a\",realm=\"b\"", "Bearer =\"a\"", "\"x\"",
	    "Bearer realm=\"a\\", "Basic\"", "Bearer realm=\"a\nb\"", "a=b"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		cr_expect_eq(parse(bad[i]), -1, "accepted: %s", bad[i]);
		cr_expect_eq(n, 0);
	}
}

Test(challenge, at_most_max)
{
	cr_assert_eq(parse("a, b, c, d, e, f"), 0);
	cr_assert_eq(n, 4);
}
