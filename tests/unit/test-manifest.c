/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/manifest.h"

#define D1 "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define D2 "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
#define DESC(d) "{\"mediaType\":\"application/x\",\"digest\":\"" d "\",\"size\":7}"

static struct err e;

static int
parse(const char *text, const char *type, struct manifest *m)
{
	err_clear(&e);
	return manifest_parse(text, strlen(text), type, m, &e);
}

static void
refused(const char *text, const char *type)
{
	struct manifest m = {0};

	cr_expect_eq(parse(text, type, &m), -1, "accepted: %s", text);
	cr_expect_null(m.layers);
}

Test(manifest, image_manifest)
{
	own_manifest struct manifest m = {0};

	cr_assert_eq(
	    parse("{\"schemaVersion\":2,\"config\":" DESC(D1) ",\"layers\":[" DESC(D2) "]}",
		MANIFEST_TYPE_OCI, &m),
	    0, "%s", e.text);
	cr_assert_not(m.is_index);
	cr_assert_eq(m.nlayers, 1);
	cr_assert_str_eq(m.config.digest, D1);
	cr_assert_str_eq(m.layers[0].digest, D2);
	cr_assert_eq(m.layers[0].size, 7);
	cr_assert_str_eq(m.media_type, MANIFEST_TYPE_OCI);
}

Test(manifest, cve_2021_41190_both_kinds)
{
	refused(
	    "{\"schemaVersion\":2,\"config\":" DESC(D1) ",\"layers\":[],\"manifests\":[]}", NULL);
	refused(
	    "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_OCI "\",\"manifests\":[]}", NULL);
	refused("{\"schemaVersion\":2,\"manifests\":[]}", MANIFEST_TYPE_OCI);
	refused("{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE_OCI
		"\",\"config\":" DESC(D1) ",\"layers\":[]}",
	    MANIFEST_TYPE_DOCKER);
}

Test(manifest, cve_2024_3727_digests)
{
	static const char *const bad[] = {"", "sha256:", "sha256:../../../etc/passwd",
	    "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "sha256:E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550",
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"};
	char text[1024];

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		snprintf(text, sizeof(text),
		    "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":1},\"layers\":[]}",
		    bad[i]);
		refused(text, NULL);
		snprintf(text, sizeof(text),
		    "{\"schemaVersion\":2,\"config\":" DESC(
			D1) ",\"layers\":[{\"digest\":\"%s\",\"size\":1}]}",
		    bad[i]);
		refused(text, NULL);
		snprintf(text, sizeof(text),
		    "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\",\"size\":1}]}", bad[i]);
		refused(text, NULL);
	}
}

Test(manifest, other_faults)
{
	refused("", NULL);
	refused("[]", NULL);
	refused("{}", NULL);
	refused("{\"schemaVersion\":2}", NULL);
	refused("{\"schemaVersion\":3,\"manifests\":[]}", NULL);
	refused("{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}", NULL);
	refused("{\"schemaVersion\":2,\"manifests\":{}}", NULL);
	refused("{\"schemaVersion\":2,\"manifests\":[7]}", NULL);
	refused("{\"schemaVersion\":2,\"mediaType\":\"text/html\",\"manifests\":[]}", NULL);
	refused("{\"schemaVersion\":2,\"config\":" DESC(D1) "}", NULL);
	refused("{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1
		"\",\"size\":-1},\"layers\":[]}",
	    NULL);
	refused("{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1
		"\",\"size\":9223372036854775807},\"layers\":[]}",
	    NULL);
	refused("{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1
		"\",\"size\":1.0},\"layers\":[]}",
	    NULL);
	refused("{\"schemaVersion\":2,\"config\":{\"digest\":\"" D1 "\"},\"layers\":[]}", NULL);
	refused("{\"schemaVersion\":2,\"manifests\":[]} x", NULL);
}

Test(manifest, schema_one_is_named)
{
	struct manifest m = {0};

	cr_assert_eq(parse("{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, &m), -1);
	cr_assert_not_null(strstr(e.text, "schema version 1"));
}

Test(manifest, too_many_layers_and_entries)
{
	own_strbuf struct strbuf b = {0};

	strbuf_add(&b, "{\"schemaVersion\":2,\"config\":" DESC(D1) ",\"layers\":[" DESC(D1));
	for (int i = 0; i < MANIFEST_LAYERS_MAX; i++)
		strbuf_add(&b, "," DESC(D1));
	strbuf_add(&b, "]}");
	refused(b.s, NULL);
	cr_assert_eq(e.class, ERR_LIMIT);
	strbuf_free(&b);
	strbuf_add(&b, "{\"schemaVersion\":2,\"manifests\":[" DESC(D1));
	for (int i = 0; i < MANIFEST_ENTRIES_MAX; i++)
		strbuf_add(&b, "," DESC(D1));
	strbuf_add(&b, "]}");
	refused(b.s, NULL);
	cr_assert_eq(e.class, ERR_LIMIT);
}

Test(manifest, deep_nesting)
{
	own_strbuf struct strbuf b = {0};

	strbuf_add(&b, "{\"schemaVersion\":2,\"manifests\":[],\"x\":");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&b, '[');
	refused(b.s, NULL);
}

static const char *
chosen(const struct manifest *m, const char *os, const char *arch, const char *variant)
{
	struct manifest_platform want = {os, arch, variant};
	const struct manifest_entry *x = manifest_choose(m, &want, &e);

	return x == NULL ? "none" : x->desc.media_type;
}

#define ENTRY(name, os, arch, variant)                                                            \
	"{\"mediaType\":\"" name "\",\"digest\":\"" D1 "\",\"size\":1,\"platform\":{\"os\":\"" os \
	"\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}}"

Test(manifest, platforms)
{
	own_manifest struct manifest m = {0};

	cr_assert_eq(parse("{\"schemaVersion\":2,\"manifests\":[" ENTRY("w", "windows", "amd64",
			       "") "," ENTRY("a5", "linux", "arm", "v5") "," ENTRY("a7", "linux",
			       "arm", "v7") "," ENTRY("a64", "linux", "arm64", "v8") "," ENTRY("x",
			       "linux", "amd64", "") "," DESC(D1) "]}",
			 NULL, &m),
	    0, "%s", e.text);
	cr_assert_str_eq(chosen(&m, NULL, "amd64", NULL), "x");
	cr_assert_str_eq(chosen(&m, "windows", "amd64", NULL), "w");
	cr_assert_str_eq(chosen(&m, NULL, "arm", NULL), "a7");
	cr_assert_str_eq(chosen(&m, NULL, "arm", "v6"), "a5");
	cr_assert_str_eq(chosen(&m, NULL, "arm64", NULL), "a64");
	cr_assert_str_eq(chosen(&m, NULL, "s390x", NULL), "none");
	cr_assert_not_null(
	    strstr(e.text, "no image found in image index for architecture \"s390x\""));
}

static int
config(const char *text, size_t nlayers, struct rec_image_config *c, struct arena *a)
{
	err_clear(&e);
	return manifest_config(text, strlen(text), nlayers, c, a, &e);
}

Test(manifest, configuration)
{
	own_arena struct arena a = {0};
	struct rec_image_config c = {0};

	cr_assert_eq(
	    config("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":"
		   "\"1:2\",\"Env\":[\"A=b\",\"odd\"],\"Cmd\":[\"sh\"],\"Entrypoint\":null,"
		   "\"Volumes\":{\"/z\":{},\"/a\":{}},\"Labels\":{\"k\":\"v\"},"
		   "\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":5,\"Retries\":3}"
		   "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1
		   "\"]},\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}",
		1, &c, &a),
	    0, "%s", e.text);
	cr_assert_str_eq(c.user, "1:2");
	cr_assert_eq(c.env.n, 2);
	cr_assert_str_eq(c.cmd.v[0], "sh");
	cr_assert_eq(c.entrypoint.n, 0);
	cr_assert_str_eq(c.volumes.v[0], "/a");
	cr_assert_str_eq(c.labels.v[0].value, "v");
	cr_assert_eq(c.health->interval, 5);
	cr_assert_eq(c.health->retries, 3);
	cr_assert(c.history.v[0].empty_layer);
	cr_assert_str_eq(c.diff_ids.v[0], D1);
}

Test(manifest, configuration_faults)
{
	own_arena struct arena a = {0};
	struct rec_image_config c = {0};
	char text[8192];

	cr_assert_eq(config("{\"rootfs\":{\"diff_ids\":[\"" D1 "\",\"" D2 "\"]}}", 1, &c, &a), -1);
	cr_assert_eq(config("{\"rootfs\":{\"diff_ids\":[\"sha256:../x\"]}}", 1, &c, &a), -1);
	cr_assert_eq(config("{\"config\":{\"User\":7},\"rootfs\":{}}", 0, &c, &a), -1);
	cr_assert_eq(config("{\"config\":{\"Env\":[7]},\"rootfs\":{}}", 0, &c, &a), -1);
	cr_assert_eq(config("{\"config\":{\"Labels\":{\"a\":7}},\"rootfs\":{}}", 0, &c, &a), -1);
	cr_assert_eq(config("{}", 0, &c, &a), -1);
	snprintf(text, sizeof(text), "{\"config\":{\"WorkingDir\":\"/%05000d\"},\"rootfs\":{}}", 0);
	cr_assert_eq(config(text, 0, &c, &a), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	cr_assert_eq(
	    config("{\"config\":{\"Healthcheck\":{\"Retries\":-1}},\"rootfs\":{}}", 0, &c, &a), -1);
	cr_assert_eq(config("{\"rootfs\":{}}", 0, &c, &a), 0);
}
