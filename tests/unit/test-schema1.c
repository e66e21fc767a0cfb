/* SPDX-License-Identifier: ISC */
// objs: pod-image/schema1.o pod-image/late.o pod-image/document.o
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/base64.h"
#include "pod-image/schema1.h"

#define A "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define B "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define X(c) c c c c c c c c c c c c c c c c
#define ID1 X("1111")
#define ID2 X("2222")
#define ID3 X("3333")
#define STEP(id, more) "{\"v1Compatibility\":\"{\\\"id\\\":\\\"" id "\\\"" more "}\"}"
#define PARENT(id) ",\\\"parent\\\":\\\"" id "\\\""
#define TOP                                                                                       \
	STEP(ID3,                                                                                 \
	    PARENT(ID2) ",\\\"created\\\":\\\"2026-01-02T03:04:05.120Z\\\",\\\"os\\\":\\\"linux"  \
			"\\\",\\\"architecture\\\":\\\"amd64\\\",\\\"Size\\\":3,\\\"config\\\":{" \
			"\\\"Cmd\\\":[\\\"a\\\",\\\"<b>\\\"]},\\\"author\\\":\\\"me\\\"")
#define EMPTY                                                                                   \
	STEP(ID2, PARENT(ID1) ",\\\"throwaway\\\":true,\\\"container_config\\\":{\\\"Cmd\\\":[" \
			      "\\\"x\\\",\\\"y\\\"]}")
#define BASE STEP(ID1, "")
#define LAYERS "{\"blobSum\":\"" B "\"},{\"blobSum\":\"" A "\"},{\"blobSum\":\"" A "\"}"
#define DOC(layers, history)                                                            \
	"{\"schemaVersion\":1,\"name\":\"n\",\"tag\":\"t\",\"architecture\":\"amd64\"," \
	"\"fsLayers\":[" layers "],\"history\":[" history "]"
#define GOOD DOC(LAYERS, TOP "," EMPTY "," BASE)

static struct err e;

static int
parse(const char *text, struct manifest *m, struct late *l)
{
	err_clear(&e);
	return schema1_parse(text, strlen(text), m, l, &e);
}

static void
refused(const char *text)
{
	struct manifest m = {0};
	struct late l = {0};

	cr_expect_eq(parse(text, &m, &l), -1, "accepted: %s", text);
	cr_expect_null(m.layers);
	cr_expect_null(l.config);
}

Test(schema1, becomes_schema_2)
{
	static const char *const ids[] = {B, A};
	own_manifest struct manifest m = {0};
	own_late struct late l = {0};
	own_mem char *text = NULL;

	cr_assert(schema1_is(GOOD "}", strlen(GOOD "}")));
	cr_assert_eq(parse(GOOD "}", &m, &l), 0, "%s", e.text);
	cr_assert_eq(m.nlayers, 2);
	cr_assert_str_eq(m.layers[0].digest, A);
	cr_assert_str_eq(m.layers[1].digest, B);
	text = late_config(&l, ids, 2);
	cr_assert_str_eq(text,
	    "{\"architecture\":\"amd64\",\"author\":\"me\",\"config\":{\"Cmd\":[\"a\","
	    "\"\\u003cb\\u003e\"]},"
	    "\"created\":\"2026-01-02T03:04:05.120Z\",\"history\":[{\"created\":\"0001-01-01T00:00:"
	    "00Z\"},"
	    "{\"created\":\"0001-01-01T00:00:00Z\",\"created_by\":\"x y\",\"empty_layer\":true},"
	    "{\"created\":\"2026-01-02T03:04:05.12Z\",\"author\":\"me\"}],\"os\":\"linux\","
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" B "\",\"" A "\"]}}");
}

/* A step that is there twice in a row counts once. */
Test(schema1, doubled_step)
{
	own_manifest struct manifest m = {0};
	own_late struct late l = {0};

	cr_assert_eq(
	    parse(
		DOC("{\"blobSum\":\"" B "\"},{\"blobSum\":\"" A "\"}", BASE "," BASE) "}", &m, &l),
	    0, "%s", e.text);
	cr_assert_eq(m.nlayers, 1);
	cr_assert_str_eq(m.layers[0].digest, A);
}

Test(schema1, refused)
{
	refused("");
	refused("[]");
	refused("{\"schemaVersion\":1,\"fsLayers\":[]}");
	refused(DOC("", "") "}");
	refused(DOC("{\"blobSum\":\"" A "\"}", BASE "," BASE) "}");
	refused(DOC(LAYERS, TOP "," BASE "," EMPTY) "}");
	refused(DOC(LAYERS, TOP "," EMPTY "," STEP(ID1, PARENT(ID3))) "}");
	refused(DOC("{\"blobSum\":\"sha256:../../etc/passwd\"}", BASE) "}");
	refused(DOC("{\"blobSum\":\"" A "\"}", STEP("../x", "")) "}");
	refused(DOC("{\"blobSum\":\"" A "\"}", "{\"v1Compatibility\":\"[\"}") "}");
	refused(DOC("{\"blobSum\":\"" A "\"}", "{\"v1Compatibility\":{}}") "}");
	refused(DOC("{\"blobSum\":\"" A "\"}", "7") "}");
	refused(GOOD ",\"layers\":[]}");
	refused(GOOD ",\"manifests\":[]}");
	refused(GOOD ",\"config\":{}}");
}

/* The signed part ends at formatLength and goes on with formatTail: what else there is does not count. */
static char *
sign(const char *body, size_t length, const char *tail, const char *more)
{
	own_mem char *t = base64_encode(tail, strlen(tail)), *header = NULL, *p = NULL;

	t[strcspn(t, "=")] = '\0';
	header = xasprintf("{\"formatLength\":%zu,\"formatTail\":\"%s\"}", length, t);
	p = base64_encode(header, strlen(header));
	p[strcspn(p, "=")] = '\0';
	return xasprintf("%s%s,\"signatures\":[{\"protected\":\"%s\"}]}", body, more, p);
}

Test(schema1, signed_part_alone_counts)
{
	own_mem char *good = sign(GOOD, strlen(GOOD), "}", ""),
		     *short_one = sign(GOOD, 10, "}", ""), *far = sign(GOOD, 100000, "}", ""),
		     *more = sign(GOOD, strlen(GOOD), "}", ",\"layers\":[]");
	own_manifest struct manifest m = {0}, n = {0};
	own_late struct late l = {0}, k = {0};
	char plain[DIGEST_TEXT], got[DIGEST_TEXT];

	digest_of(GOOD "}", strlen(GOOD "}"), plain);
	cr_assert_eq(schema1_digest(good, strlen(good), got, &e), 0, "%s", e.text);
	cr_assert_str_eq(got, plain);
	cr_assert_eq(parse(good, &m, &l), 0, "%s", e.text);
	/* Fields outside of it are not seen, and change no digest. */
	cr_assert_eq(schema1_digest(more, strlen(more), got, &e), 0);
	cr_assert_str_eq(got, plain);
	cr_assert_eq(parse(more, &n, &k), 0, "%s", e.text);
	refused(short_one);
	refused(far);
	refused(GOOD ",\"signatures\":[]}");
	refused(GOOD ",\"signatures\":7}");
	refused(GOOD ",\"signatures\":[{\"protected\":\"*\"}]}");
	refused(GOOD ",\"signatures\":[{\"protected\":\"e30\"}]}");
}

Test(schema1, newer_manifests_keep_their_digest)
{
	static const char text[] = "{\"schemaVersion\":2,\"signatures\":[]}";
	char plain[DIGEST_TEXT], got[DIGEST_TEXT];

	digest_of(text, strlen(text), plain);
	cr_assert_not(schema1_is(text, strlen(text)));
	cr_assert_eq(schema1_digest(text, strlen(text), got, &e), 0);
	cr_assert_str_eq(got, plain);
}

/* A registry's word for another kind makes two readings possible. */
Test(schema1, content_type_must_agree)
{
	struct document d = {.media_type = (char *)(uintptr_t)MANIFEST_TYPE_OCI};
	struct manifest m = {0};
	struct late l = {0};

	strbuf_add(&d.bytes, GOOD "}");
	cr_assert_eq(schema1_or_newer(&d, &m, &l, &e), -1);
	d.media_type =
	    (char *)(uintptr_t) "application/vnd.docker.distribution.manifest.v1+prettyjws";
	cr_assert_eq(schema1_or_newer(&d, &m, &l, &e), 0, "%s", e.text);
	cr_assert_not_null(l.config);
	manifest_free(&m);
	late_free(&l);
	strbuf_free(&d.bytes);
}
