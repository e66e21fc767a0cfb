/* SPDX-License-Identifier: ISC */
// objs: pod-image/verify/identity.o pod-image/verify/payload.o pod-image/attached.o pod-image/verify/rekor.o pod-image/verify/sigstore.o pod-image/verify/certificate.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "common/conf/yaml_map.h"
#include "pod-image/attached.h"
#include "pod-image/verify/identity.h"
#include "pod-image/verify/payload.h"

static struct err e;

/* --- Identities ------------------------------------------------------------------------------- */

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool
agree(const char *match, const char *reference, const char *signed_prefix, const char *image,
    const char *claimed)
{
	struct rec_verify_rule r = {
	    .match = match, .reference = reference, .signed_prefix = signed_prefix};

	err_clear(&e);
	return identity_check(&r, image, claimed, &e) == 0;
}

Test(identity, by_the_image)
{
	static const struct {
		const char *image, *claimed;
		bool exact, digest, repository;
	} t[] = {
	    {"q.io/a:1", "q.io/a:1", true, true, true},
	    {"q.io/a:1", "q.io/a:2", false, false, true},
	    {"q.io/a:1", "q.io/b:1", false, false, false},
	    {"q.io/a:1", "q.io/a", false, false, true},
	    {"q.io/a@sha256:" HEX, "q.io/a:2", false, true, true},
	    {"q.io/a@sha256:" HEX, "q.io/a", false, false, true},
	    {"q.io/a@sha256:" HEX, "q.io/b:2", false, false, false},
	    {"q.io/a@sha256:" HEX, "q.io/a@sha256:" HEX, true, true, true},
	    {"docker.io/library/x:1", "x:1", true, true, true},
	    {"q.io/a:1", "Q.io/A:1", false, false, false},
	    {"q.io/a:1", "", false, false, false},
	};

	for (size_t i = 0; i < COUNTOF(t); i++) {
		cr_expect_eq(agree("matchExact", NULL, NULL, t[i].image, t[i].claimed), t[i].exact,
		    "exact %zu", i);
		cr_expect_eq(agree("matchRepoDigestOrExact", NULL, NULL, t[i].image, t[i].claimed),
		    t[i].digest, "digest %zu", i);
		cr_expect_eq(agree("matchRepository", NULL, NULL, t[i].image, t[i].claimed),
		    t[i].repository, "repository %zu", i);
	}
	cr_expect_not(agree("matchRepository", NULL, NULL, NULL, "q.io/a:1"));
	cr_expect_not(agree("unheardOf", NULL, NULL, "q.io/a:1", "q.io/a:1"));
}

Test(identity, by_the_rule)
{
	cr_expect(agree("exactReference", "q.io/a:1", NULL, "z.io/z:1", "q.io/a:1"));
	cr_expect(agree("exactReference", "q.io/a:1", NULL, NULL, "q.io/a:1"));
	cr_expect_not(agree("exactReference", "q.io/a:1", NULL, "q.io/a:2", "q.io/a:2"));
	cr_expect(agree("exactRepository", "q.io/a", NULL, NULL, "q.io/a:7"));
	cr_expect_not(agree("exactRepository", "q.io/a", NULL, NULL, "q.io/b:7"));
	cr_expect(agree("remapIdentity", "mirror.io/p", "q.io", "mirror.io/p/a:1", "q.io/a:1"));
	cr_expect_not(
	    agree("remapIdentity", "mirror.io/p", "q.io", "mirror.io/pp/a:1", "q.io/a:1"));
	cr_expect(agree("remapIdentity", "mirror.io/p", "q.io", "z.io/a:1", "z.io/a:1"));
	cr_expect_not(
	    agree("remapIdentity", "mirror.io/p", "q.io", "mirror.io/p/a:1", "mirror.io/p/a:1"));
}

/* --- Payloads --------------------------------------------------------------------------------- */

#define CRITICAL(type)                                                                            \
	"\"critical\":{\"type\":\"" type "\",\"image\":{\"docker-manifest-digest\":\"sha256:" HEX \
	"\"},\"identity\":{\"docker-reference\":\"q.io/a:1\"}}"

static int
parse(const char *text, const char *type, struct payload *p)
{
	err_clear(&e);
	return payload_parse(text, strlen(text), type, p, &e);
}

Test(payload, both_kinds)
{
	own_payload struct payload p = {0}, q = {0};

	cr_assert_eq(parse("{" CRITICAL(PAYLOAD_TYPE_SIMPLE) ",\"optional\":{\"creator\":\"me\","
							     "\"timestamp\":7,\"more\":[]}}",
			 PAYLOAD_TYPE_SIMPLE, &p),
	    0, "%s", e.text);
	cr_assert_str_eq(p.reference, "q.io/a:1");
	cr_assert_str_eq(p.digest, "sha256:" HEX);
	cr_assert_eq(parse("{" CRITICAL(PAYLOAD_TYPE_SIGSTORE) ",\"optional\":null}",
			 PAYLOAD_TYPE_SIGSTORE, &q),
	    0, "%s", e.text);
}

Test(payload, strict)
{
	static const char *const bad[] = {"", "[]", "{}", "{" CRITICAL("x") ",\"optional\":{}}",
	    "{" CRITICAL(PAYLOAD_TYPE_SIMPLE) "}",
	    "{" CRITICAL(PAYLOAD_TYPE_SIGSTORE) ",\"optional\":{}}",
	    "{" CRITICAL(PAYLOAD_TYPE_SIMPLE) ",\"optional\":{},\"more\":1}",
	    "{" CRITICAL(PAYLOAD_TYPE_SIMPLE) "," CRITICAL(PAYLOAD_TYPE_SIMPLE) ",\"optional\":{}}",
	    "{" CRITICAL(PAYLOAD_TYPE_SIMPLE) ",\"optional\":{\"creator\":7}}",
	    "{\"critical\":{\"type\":\"" PAYLOAD_TYPE_SIMPLE "\"},\"optional\":{}}"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		own_payload struct payload p = {0};

		cr_expect_eq(parse(bad[i], PAYLOAD_TYPE_SIMPLE, &p), -1, "accepted: %s", bad[i]);
	}
}

Test(payload, files)
{
	static const char sigstore[] =
	    "\0sigstore-json\n{\"mimeType\":\"" ATTACHED_TYPE
	    "\",\"payload\":\"e30=\",\"annotations\":{\"" ATTACHED_SIGNATURE "\":\"c2ln\"}}";
	static const char simple[] = "\0simple-signing\nabc", openpgp[] = "\xa3"
									  "abc";
	static const char *const bad[] = {"", "abc", "\xff" + 1};
	own_arena struct arena a = {0};
	struct rec_signature f = {.file = {(const uint8_t *)sigstore, sizeof(sigstore) - 1}};
	struct signature s = {0};

	cr_assert_eq(payload_signature(&f, &s, &a, &e), 0, "%s", e.text);
	cr_assert_eq(s.payload.n, 2);
	cr_assert_str_eq(s.base64, "c2ln");
	s = (struct signature){0};
	f.file = (struct bytes){(const uint8_t *)simple, sizeof(simple) - 1};
	cr_assert_eq(payload_signature(&f, &s, &a, &e), 0);
	cr_assert_eq(s.simple.n, 3);
	s = (struct signature){0};
	f.file = (struct bytes){(const uint8_t *)openpgp, 4};
	cr_assert_eq(payload_signature(&f, &s, &a, &e), 0);
	cr_assert_eq(s.simple.n, 4);
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		f.file = (struct bytes){(const uint8_t *)bad[i], strlen(bad[i])};
		cr_expect_eq(payload_signature(&f, &s, &a, &e), -1);
	}
}

/* --- Attached signatures ---------------------------------------------------------------------- */

Test(attached, layers_of_the_right_type)
{
	static const char text[] =
	    "{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"" ATTACHED_TYPE
	    "\",\"digest\":\"sha256:" HEX "\",\"size\":7,\"annotations\":{\"" ATTACHED_SIGNATURE
	    "\":\"c2ln\"}},{\"mediaType\":\"x\",\"digest\":\"y\",\"size\":7}]}";
	own_attached struct attached a = {0};

	cr_assert_eq(attached_parse(text, strlen(text), &a, &e), 0, "%s", e.text);
	/* Another kind of thing is handed on if it can be. */
	cr_assert_eq(a.n, 1);
	cr_assert_str_eq(
	    json_string_value(json_object_get(a.layers[0].annotations, ATTACHED_SIGNATURE)),
	    "c2ln");
	cr_assert_eq(attached_parse("{\"layers\":[7]}", 14, &a, &e), -1);
	cr_assert_eq(attached_parse("[]", 2, &a, &e), -1);
}

/* --- registries.d ----------------------------------------------------------------------------- */

Test(yaml_map, mappings)
{
	static const char text[] =
	    "# comment\n---\ndefault-docker:\n  lookaside: file:///a b # c\n"
	    "docker:\n    localhost:5000/x:\n        use: true\n"
	    "    \"q.io\":\n        lookaside: 'it''s'\n    empty: {}\nlast:\n";
	own_json json_t *j = yaml_map_read(text, strlen(text), "t", &e);
	own_mem char *out = NULL;

	cr_assert_not_null(j, "%s", e.text);
	out = json_text(j);
	cr_assert_str_eq(out,
	    "{\"default-docker\":{\"lookaside\":\"file:///a b\"},\"docker\":{\"localhost:5000/x\":"
	    "{\"use\":\"true\"},\"q.io\":{\"lookaside\":\"it's\"},\"empty\":{}},\"last\":null}");
}

Test(yaml_map, refused)
{
	static const char *const bad[] = {"a: [1]\n", "- a\n", "a: |\n  b\n", "a: *b\n", "a: \"b\n",
	    "a: 1\n  b: 2\n", "  a: 1\n b: 2\n", "a: 1\na: 2\n", "a\n", "\ta: 1\n", "a: 'b' c\n"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		own_json json_t *j = yaml_map_read(bad[i], strlen(bad[i]), "t", &e);

		cr_expect_null(j, "accepted: %s", bad[i]);
	}
}
