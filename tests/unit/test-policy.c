/* SPDX-License-Identifier: ISC */
// objs: pod-image/policy.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "common/conf/policy_conf.h"
#include "pod-image/policy.h"

static struct err e;

static struct policy got;

/* 0 accepted without signatures, 1 if there are rules to meet, -1 refused or malformed */
static int
check(const char *text, const char *transport, const char *name)
{
	own_policy_file struct policy_file *f = NULL;
	own_reference struct reference r = {0};
	own_strv struct strv scopes = {0};
	own_mem char *what = name != NULL ? xasprintf("%s://%s", transport, name) : NULL;

	err_clear(&e);
	policy_free(&got);
	f = policy_open_text(text, strlen(text), "test", &e);
	if (f == NULL)
		return -1;
	if (name != NULL) {
		cr_assert_eq(reference_parse(name, &r, &e), 0);
		policy_conf_scopes_docker(&r, &scopes);
	}
	if (policy_select(f, transport, &scopes, what != NULL ? what : "", &got, &e) < 0)
		return -1;
	if (err_is_set(&got.refusal)) {
		e = got.refusal;
		return -1;
	}
	return got.nrules > 0;
}

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"
#define SIGNED "[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyData\":\"a2V5\"}]"

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
	cr_assert_eq(check("{\"default\":" SIGNED "}", "docker", "q.io/a:1"), 1);
	cr_assert_eq(got.nrules, 1);
	cr_assert_str_eq(got.rules[0].type, "signedBy");
	cr_assert_str_eq(got.rules[0].match, "matchRepoDigestOrExact");
	cr_assert_eq(got.rules[0].keys.n, 1);
	cr_assert_eq(got.rules[0].keys.v[0].data.n, 3);
	cr_assert_eq(
	    check("{\"default\":[{\"type\":\"insecureAcceptAnything\"},{\"type\":\"new\"}]}",
		"docker", "q.io/a:1"),
	    -1);
	cr_assert_eq(check("{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\","
			   "\"keyPath\":\"/nonexistent/key\"}]}",
			 "docker", "q.io/a:1"),
	    -1);
}

#define SIGSTORE(more) "{\"default\":[{\"type\":\"sigstoreSigned\"" more "}]}"
#define IDENTITY(id) SIGSTORE(",\"keyData\":\"a2V5\",\"signedIdentity\":" id)

Test(policy, forms_of_rules)
{
	static const char *const good[] = {SIGSTORE(",\"keyData\":\"a2V5\""),
	    SIGSTORE(",\"keyDatas\":[\"a2V5\",\"a2V5\"]"),
	    SIGSTORE(",\"keyData\":\"a2V5\",\"rekorPublicKeyData\":\"a2V5\""),
	    SIGSTORE(",\"fulcio\":{\"caData\":\"a2V5\",\"oidcIssuer\":\"i\",\"subjectEmail\":"
		     "\"s\"},\"rekorPublicKeyData\":\"a2V5\""),
	    SIGSTORE(",\"pki\":{\"caRootsData\":\"a2V5\",\"subjectEmail\":\"s\"}"),
	    IDENTITY("{\"type\":\"matchExact\"}"), IDENTITY("{\"type\":\"matchRepository\"}"),
	    IDENTITY("{\"type\":\"exactReference\",\"dockerReference\":\"q.io/a:1\"}"),
	    IDENTITY("{\"type\":\"exactRepository\",\"dockerRepository\":\"q.io/a\"}"),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"a\",\"signedPrefix\":\"b\"}"),
	    IDENTITY(
		"{\"type\":\"remapIdentity\",\"prefix\":\"a.io:5/ns/x\",\"signedPrefix\":\"b\"}"),
	    SIGSTORE(",\"keyData\":\"a2\\nV5\\n\"")};
	static const char *const bad[] = {SIGSTORE(""), SIGSTORE(",\"keyData\":\"!\""),
	    SIGSTORE(",\"keyData\":\"a2V5\",\"keyPath\":\"/k\""),
	    SIGSTORE(",\"keyData\":\"a2V5\",\"other\":1"),
	    SIGSTORE(",\"fulcio\":{\"caData\":\"a2V5\",\"oidcIssuer\":\"i\",\"subjectEmail\":"
		     "\"s\"}"),
	    SIGSTORE(",\"pki\":{\"caRootsData\":\"a2V5\"}"),
	    SIGSTORE(",\"keyData\":\"a2V5\",\"rekorPublicKeyDatas\":[]"),
	    SIGSTORE(",\"keyDatas\":[]"), IDENTITY("{\"type\":\"matchAnything\"}"),
	    IDENTITY("{\"type\":\"matchExact\",\"prefix\":\"a\"}"),
	    IDENTITY("{\"type\":\"exactReference\",\"dockerReference\":\"q.io/a\"}"),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"a.io/x:1\",\"signedPrefix\":\"b\"}"),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"*.io\",\"signedPrefix\":\"b\"}"),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"a.io/\",\"signedPrefix\":\"b\"}"),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"a\",\"signedPrefix\":\"a.io/B\"}"),
	    IDENTITY("null"), SIGSTORE(",\"keyData\":\"a2 V5\""),
	    IDENTITY("{\"type\":\"remapIdentity\",\"prefix\":\"a\"}")};

	for (size_t i = 0; i < COUNTOF(good); i++)
		cr_expect_eq(check(good[i], "docker", "q.io/a:1"), 1, "%s: %s", good[i], e.text);
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_eq(check(bad[i], "docker", "q.io/a:1"), -1, "accepted: %s", bad[i]);
}

/* Also where nothing of it is asked for today. */
Test(policy, forms_of_other_rules_and_scopes)
{
	static const struct {
		const char *transports;
		bool good;
	} t[] = {
	    {"null", false},
	    {"{}", true},
	    {"{\"dir\":{\"/a/b\":" REJECT ",\"\":" REJECT "}}", true},
	    {"{\"dir\":{\"/\":" REJECT "}}", false},
	    {"{\"dir\":{\"a\":" REJECT "}}", false},
	    {"{\"dir\":{\"/a/\":" REJECT "}}", false},
	    {"{\"dir\":{\"/a//b\":" REJECT "}}", false},
	    {"{\"oci\":{\"/a/../b\":" REJECT "}}", false},
	    {"{\"oci\":{\"/a/b:x\":" REJECT "}}", true},
	    {"{\"oci-archive\":{\"./a\":" REJECT "}}", false},
	    {"{\"docker-archive\":{\"/a\":" REJECT "}}", false},
	    {"{\"docker-archive\":{\"\":" REJECT "}}", true},
	    {"{\"containers-storage\":{\"q.io/a\":" REJECT "}}", false},
	    {"{\"containers-storage\":{\"[a]q.io/a\":" REJECT "}}", false},
	    {"{\"containers-storage\":{\"[/a]q.io/a\":" REJECT "}}", true},
	    {"{\"containers-storage\":{\"[overlay@/a+/b]\":" REJECT "}}", true},
	    {"{\"containers-storage\":{\"[overlay]q.io/a@/x\":" REJECT "}}", false},
	    {"{\"unheard-of\":{\"x\":" REJECT "}}", true},
	    {"{\"dir\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"/"
	     "k\"}]}}",
		true},
	    {"{\"dir\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"\"}]}}",
		false},
	    {"{\"dir\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":[\"/"
	     "k\"]}]}}",
		false},
	    {"{\"dir\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":\"/"
	     "k\"}]}}",
		false},
	    {"{\"dir\":{\"\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPaths\":[1]}]}}",
		false},
	    {"{\"dir\":{\"\":[{\"type\":\"sigstoreSigned\",\"fulcio\":null}]}}", false},
	};

	for (size_t i = 0; i < COUNTOF(t); i++) {
		own_mem char *text =
		    xasprintf("{\"default\":" ACCEPT ",\"transports\":%s}", t[i].transports);

		cr_expect_eq(
		    check(text, "docker", "q.io/a:1"), t[i].good ? 0 : -1, "%s: %s", text, e.text);
	}
}

Test(policy, scopes_of_paths)
{
	own_strv struct strv l = {0};

	policy_conf_scopes_path("/srv/images/a", "1", &l);
	cr_assert_eq(l.n, 4);
	cr_assert_str_eq(l.v[0], "/srv/images/a:1");
	cr_assert_str_eq(l.v[1], "/srv/images/a");
	cr_assert_str_eq(l.v[3], "/srv");
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
