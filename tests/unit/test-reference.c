/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/oci/reference.h"

#define HEX64 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct err e;

static void
expect_normal(const char *text, const char *want)
{
	own_reference struct reference r = {0};
	own_mem char *got = NULL;

	cr_assert_eq(reference_parse_normal(text, &r, &e), 0, "%s: %s", text, e.text);
	got = reference_string(&r);
	cr_assert_str_eq(got, want);
}

Test(reference, normal_form)
{
	static const char *const cases[][2] = {
	    {"busybox", "docker.io/library/busybox"},
	    {"busybox:1.36", "docker.io/library/busybox:1.36"},
	    {"user/app", "docker.io/user/app"},
	    {"docker.io/busybox", "docker.io/library/busybox"},
	    {"index.docker.io/user/app:x", "docker.io/user/app:x"},
	    {"localhost/app", "localhost/app"},
	    {"localhost:5000/app:5000", "localhost:5000/app:5000"},
	    {"[::1]:5000/a/b", "[::1]:5000/a/b"},
	    {"127.0.0.1:5000/a", "127.0.0.1:5000/a"},
	    {"quay.io/ns/app_x__y-z---w.v", "quay.io/ns/app_x__y-z---w.v"},
	    {"quay.io/a:t@sha256:" HEX64, "quay.io/a:t@sha256:" HEX64},
	    {"foo.bar", "docker.io/library/foo.bar"},
	    {"Example.COM/x", "Example.COM/x"},
	};

	for (size_t i = 0; i < COUNTOF(cases); i++)
		expect_normal(cases[i][0], cases[i][1]);
}

Test(reference, short_names_stay_short)
{
	own_reference struct reference r = {0};

	cr_assert_eq(reference_parse("ns/app:1", &r, &e), 0);
	cr_assert_null(r.domain);
	cr_assert_str_eq(r.path, "ns/app");
	cr_assert_str_eq(r.tag, "1");
}

Test(reference, hostile_strings_are_refused)
{
	static const char *const bad[] = {"", "/", "a/", "/a", "a//b", "..", "../x", "a/../b", ".a",
	    "a.", "a..b", "a___b", "-a", "a-", "A", "docker.io/Foo", "a:", "a:.t", "a:-t", "a:b:c",
	    "a@", "a@sha256:", "a@sha256:../../x", "a@sha512:" HEX64, "a@sha256:" HEX64 "0",
	    "a@SHA256:" HEX64,
	    "a@sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "a@sha256:" HEX64 "@sha256:" HEX64, "a b", "a\nb", "a\033[31m", "a\xff", "-.x/a",
	    "a..b:1/x", "x.y:/a", "x.y:0/a", "x.y:65536/a", "x.y:+5/a", "[::1/a", "[::1]x/a",
	    "[zz::]/a", "http://x/y", "docker://x", HEX64, "a@b", "@sha256:" HEX64, ":tag",
	    "%2e%2e/x", "a?b=c", "a#b", "x.y:80:80/a"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct reference r = {0};

		cr_expect_eq(reference_parse_normal(bad[i], &r, &e), -1, "accepted: %s", bad[i]);
		cr_expect_null(r.path);
	}
}

Test(reference, lengths)
{
	char text[4096];
	struct reference r = {0};

	memset(text, 'a', sizeof(text));
	text[255] = '\0';
	cr_assert_eq(reference_parse(text, &r, &e), 0);
	reference_free(&r);
	text[255] = 'a', text[256] = '\0';
	cr_assert_eq(reference_parse(text, &r, &e), -1);
	text[256] = 'a', text[4095] = '\0';
	cr_assert_eq(reference_parse(text, &r, &e), -1);
	snprintf(text, sizeof(text), "a:%0128d", 1);
	cr_assert_eq(reference_parse(text, &r, &e), 0);
	reference_free(&r);
	snprintf(text, sizeof(text), "a:%0129d", 1);
	cr_assert_eq(reference_parse(text, &r, &e), -1);
}

Test(reference, complete_drops_a_tag_beside_a_digest)
{
	own_reference struct reference r = {0};

	cr_assert_eq(reference_parse("q.io/a:t@sha256:" HEX64, &r, &e), 0);
	reference_complete(&r);
	cr_assert_null(r.tag);
}

Test(reference, candidates)
{
	const char *registries[] = {"docker.io", "quay.io/ns"};
	own_strv struct strv v = {0};

	cr_assert_eq(reference_candidates("app", registries, 2, &v, &e), 0);
	cr_assert_eq(v.n, 3);
	cr_assert_str_eq(v.v[0], "localhost/app:latest");
	cr_assert_str_eq(v.v[1], "docker.io/library/app:latest");
	cr_assert_str_eq(v.v[2], "quay.io/ns/app:latest");
	strv_free(&v);
	cr_assert_eq(reference_candidates("localhost:5000/app:2", registries, 2, &v, &e), 0);
	cr_assert_eq(v.n, 1);
	cr_assert_str_eq(v.v[0], "localhost:5000/app:2");
}

Test(reference, digests)
{
	cr_assert(reference_digest_valid("sha256:" HEX64));
	cr_assert_not(reference_digest_valid(HEX64));
	cr_assert_not(reference_digest_valid("sha256:" HEX64 "/x"));
	cr_assert_not(reference_digest_valid("sha256:/../../etc/passwd"));
	cr_assert_not(reference_digest_valid(NULL));
}

Test(reference, transports)
{
	own_reference struct reference r = {0};
	const char *rest = NULL;

	cr_assert_str_eq(reference_transport("oci-archive:/tmp/o.tar", &rest), "oci-archive");
	cr_assert_str_eq(rest, "/tmp/o.tar");
	cr_assert_str_eq(reference_transport("docker://x/y", &rest), "docker");
	cr_assert_null(reference_transport("docker.io/x", &rest));
	cr_assert_eq(reference_refuse_transport("sif:/x", &e), -1);
	cr_assert_eq(reference_refuse_transport("ostree:./x", &e), -1);
	cr_assert_str_eq(reference_transport("tarball:a.tar:-", &rest), "tarball");
	cr_assert_str_eq(rest, "a.tar:-");
	cr_assert_eq(reference_refuse_transport("sif:1", &e), 0);
	cr_assert_eq(reference_parse("sif:/x", &r, &e), -1);
	cr_assert_str_eq(e.text, "the transport sif: is not supported");
}
