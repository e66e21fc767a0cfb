/* SPDX-License-Identifier: ISC */
// objs: pod-image/policy.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/policy.h"

static struct err e;

static int
check(const char *text, const char *transport, const char *name)
{
	own_reference struct reference r = {0};

	err_clear(&e);
	if (name == NULL)
		return policy_check_text(text, strlen(text), transport, NULL, &e);
	cr_assert_eq(reference_parse(name, &r, &e), 0);
	return policy_check_text(text, strlen(text), transport, &r, &e);
}

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/k\"}]"

Test(policy, default_rule)
{
	cr_assert_eq(check("{\"default\":" ACCEPT "}", "docker", "q.io/a:1"), 0, "%s", e.text);
	cr_assert_eq(check("{\"default\":" REJECT "}", "docker", "q.io/a:1"), -1);
	cr_assert_eq(e.class, ERR_DENIED);
	cr_assert_str_eq(e.text,
	    "Source image rejected: Running image docker://q.io/a:1 is rejected by policy.");
	cr_assert_eq(check("{}", "docker", "q.io/a:1"), -1);
	cr_assert_eq(check("{\"default\":[]}", "docker", "q.io/a:1"), -1);
}

Test(policy, the_longest_scope_decides)
{
	static const char text[] =
	    "{\"default\":" REJECT ",\"transports\":{\"docker\":{"
	    "\"q.io/ns/a:bad\":" REJECT ",\"q.io/ns/a\":" ACCEPT ",\"q.io/ns\":" REJECT
	    ",\"q.io\":" ACCEPT ",\"*.x.io\":" ACCEPT "}}}";

	cr_expect_eq(check(text, "docker", "q.io/ns/a:1"), 0);
	cr_expect_eq(check(text, "docker", "q.io/ns/a:bad"), -1);
	cr_expect_eq(check(text, "docker", "q.io/ns/b:1"), -1);
	cr_expect_eq(check(text, "docker", "q.io/other/b:1"), 0);
	cr_expect_eq(check(text, "docker", "y.io/b:1"), -1);
	cr_expect_eq(check(text, "docker", "a.b.x.io/b:1"), 0);
	cr_expect_eq(check(text, "docker", "notx.io/b:1"), -1);
	cr_expect_eq(check(text, "docker", "q.io.evil.org/ns/a:1"), -1);
}

Test(policy, signatures_are_never_passed_over)
{
	cr_assert_eq(check("{\"default\":" SIGNED "}", "docker", "q.io/a:1"), -1);
	cr_assert_eq(e.class, ERR_UNSUPPORTED);
	cr_assert_not_null(strstr(e.text, "signedBy"));
	cr_assert_eq(
	    check("{\"default\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"new\"}]}",
		"docker", "q.io/a:1"),
	    -1);
}

Test(policy, other_transports)
{
	static const char text[] =
	    "{\"default\":" REJECT ",\"transports\":{\"oci-archive\":{\"\":" ACCEPT "}}}";

	cr_assert_eq(check(text, "oci-archive", NULL), 0);
	cr_assert_eq(check(text, "docker-archive", NULL), -1);
}

Test(policy, malformed)
{
	static const char *const bad[] = {"", "[]", "{\"default\":{}}", "{\"default\":[{}]}",
	    "{\"default\":[7]}", "{\"default\":" ACCEPT ",\"default\":" ACCEPT "}"};

	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(check(bad[i], "docker", "q.io/a:1"), -1, "accepted: %s", bad[i]);
}
