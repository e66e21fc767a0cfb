/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/oci/digest.h"
#include "pod-image/artifact.h"

#define CREATED "org.opencontainers.image.created"
#define EMPTY_TYPE "application/vnd.oci.empty.v1+json"

json_t *
artifact_new(const char *type, const char *created)
{
	json_t *j = json_obj(), *config;
	char digest[DIGEST_TEXT];

	digest_of(ARTIFACT_EMPTY, strlen(ARTIFACT_EMPTY), digest);
	json_put_int(j, "schemaVersion", 2);
	json_put_str(j, "mediaType", MANIFEST_TYPE_OCI);
	json_put_str(j, "artifactType", type);
	config = json_put_obj(j, "config");
	json_put_str(config, "mediaType", EMPTY_TYPE);
	json_put_str(config, "digest", digest);
	json_put_int(config, "size", (int64_t)strlen(ARTIFACT_EMPTY));
	json_put_str(config, "data", "e30=");
	json_put_arr(j, "layers");
	if (created != NULL)
		json_put_str(json_put_obj(j, "annotations"), CREATED, created);
	return j;
}

char *
artifact_signatures(const char *digest)
{
	return xasprintf(ARTIFACT_SIGNATURES "/%s.", digest + strlen("sha256:"));
}

int
artifact_parse(struct bytes b, struct artifact *out, struct err *e)
{
	own_artifact struct artifact a = {0};

	if (manifest_parse((const char *)b.p, b.n, NULL, &a.manifest, e) < 0)
		return -1;
	if (a.manifest.is_index)
		return err_set(e, ERR_UNSUPPORTED, "an index of images is no artifact");
	a.json = json_read_max((const char *)b.p, b.n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	if (a.json == NULL)
		return -1;
	*out = a;
	memset(&a, 0, sizeof(a));
	return 0;
}

void
artifact_free(struct artifact *a)
{
	json_decref(a->json);
	manifest_free(&a->manifest);
	memset(a, 0, sizeof(*a));
}

void
artifact_set_config(json_t *manifest, const struct manifest_desc *d)
{
	json_t *config = json_put_obj(manifest, "config");

	json_put_str(config, "mediaType", d->media_type);
	json_put_str(config, "digest", d->digest);
	json_put_int(config, "size", (int64_t)d->size);
}

/* --- Files ------------------------------------------------------------------------------------ */

/* A title of somebody else becomes the name of a file: one component, which goes nowhere else. */
static bool
is_safe(const char *s)
{
	return *s != '\0' && strlen(s) <= 255 && strchr(s, '/') == NULL && strcmp(s, ".") != 0 &&
	       strcmp(s, "..") != 0;
}

/* The title of layer k if it can be the name of a file; else NULL. */
static const char *
artifact_title(const json_t *manifest, size_t k)
{
	const json_t *l = json_array_get(json_object_get(manifest, "layers"), k);
	const char *s =
	    json_string_value(json_object_get(json_object_get(l, "annotations"), ARTIFACT_TITLE));

	return s != NULL && is_safe(s) ? s : NULL;
}

int
artifact_add(json_t *manifest, const struct rec_artifact_file *f, const struct rec_kv *annotations,
    size_t n, struct err *e)
{
	json_t *layers = json_object_get(manifest, "layers"), *l, *a;

	if (json_array_size(layers) >= MANIFEST_LAYERS_MAX)
		return err_set(
		    e, ERR_LIMIT, "an artifact holds at most %d files", MANIFEST_LAYERS_MAX);
	for (size_t k = 0; k < json_array_size(layers); k++) {
		const char *title = artifact_title(manifest, k);

		if (title != NULL && f->title != NULL && strcmp(title, f->title) == 0)
			return err_set(
			    e, ERR_EXISTS, "%s: file already exists in artifact", f->title);
	}
	l = json_add_obj(layers);
	json_put_str(l, "mediaType", f->media_type);
	json_put_str(l, "digest", f->digest);
	json_put_int(l, "size", (int64_t)f->size);
	if (f->title == NULL && n == 0)
		return 0;
	a = json_put_obj(l, "annotations");
	for (size_t i = 0; i < n; i++)
		json_put_str(a, annotations[i].key, annotations[i].value);
	if (f->title != NULL)
		json_put_str(a, ARTIFACT_TITLE, f->title);
	return 0;
}

void
artifact_describe(const struct artifact *m, struct rec_artifact *out, struct arena *a)
{
	const char *created =
	    json_string_value(json_object_get(json_object_get(m->json, "annotations"), CREATED));

	out->files.v = arena_array(a, m->manifest.nlayers + 1, sizeof(*out->files.v));
	out->files.n = m->manifest.nlayers;
	out->size = 0;
	for (size_t k = 0; k < m->manifest.nlayers; k++) {
		const struct manifest_desc *d = &m->manifest.layers[k];
		const char *title = artifact_title(m->json, k);

		out->files.v[k] = (struct rec_artifact_file){.digest = arena_strdup(a, d->digest),
		    .title = title != NULL ? arena_strdup(a, title) : NULL,
		    .media_type = arena_strdup(a, d->media_type),
		    .size = d->size};
		out->size += d->size;
	}
	if (created == NULL || human_parse_rfc3339(created, &out->created_ns) != 0)
		out->created_ns = 0;
}

/* --- Guessing (WHATWG MIME Sniffing, the part that Go has) ------------------------------------- */

static const char *
by_magic(const unsigned char *p, size_t n)
{
	static const struct {
		const char *magic;
		size_t n;
		const char *type;
	} known[] = {
	    {"%PDF-", 5, "application/pdf"},
	    {"%!PS-Adobe-", 11, "application/postscript"},
	    {"\x1f\x8b\x08", 3, "application/x-gzip"},
	    {"PK\003\004", 4, "application/zip"},
	    {"Rar!\x1a\x07\x00", 7, "application/x-rar-compressed"},
	    {"\x00\x61\x73\x6d", 4, "application/wasm"},
	    {"\x89PNG\r\n\x1a\n", 8, "image/png"},
	    {"\xff\xd8\xff", 3, "image/jpeg"},
	    {"GIF87a", 6, "image/gif"},
	    {"GIF89a", 6, "image/gif"},
	    {"BM", 2, "image/bmp"},
	    {"OggS\x00", 5, "application/ogg"},
	    {"ID3", 3, "audio/mpeg"},
	    {"\x1a\x45\xdf\xa3", 4, "video/webm"},
	    {"\xfe\xff", 2, "text/plain; charset=utf-16be"},
	    {"\xff\xfe", 2, "text/plain; charset=utf-16le"},
	    {"\xef\xbb\xbf", 3, "text/plain; charset=utf-8"},
	};

	for (size_t i = 0; i < COUNTOF(known); i++)
		if (n >= known[i].n && memcmp(p, known[i].magic, known[i].n) == 0)
			return known[i].type;
	return NULL;
}

static const char *
by_tag(const unsigned char *p, size_t n)
{
	static const char *const html[] = {"<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME",
	    "<H1", "<DIV", "<FONT", "<TABLE", "<A", "<STYLE", "<TITLE", "<B", "<BODY", "<BR", "<P",
	    "<!--"};

	while (n > 0 && memchr("\t\n\x0c\r ", *p, 5) != NULL) {
		p++;
		n--;
	}
	for (size_t i = 0; i < COUNTOF(html); i++) {
		size_t k = strlen(html[i]);

		if (n > k && strncasecmp((const char *)p, html[i], k) == 0 &&
		    (p[k] == ' ' || p[k] == '>'))
			return "text/html; charset=utf-8";
	}
	return n >= 5 && memcmp(p, "<?xml", 5) == 0 ? "text/xml; charset=utf-8" : NULL;
}

static bool
is_binary(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x08 || p[i] == 0x0b || (p[i] >= 0x0e && p[i] <= 0x1a) ||
		    (p[i] >= 0x1c && p[i] <= 0x1f))
			return true;
	return false;
}

const char *
artifact_sniff(const unsigned char *p, size_t n)
{
	const char *type;

	if (n > 512)
		n = 512;
	type = by_tag(p, n);
	if (type == NULL)
		type = by_magic(p, n);
	if (type != NULL)
		return type;
	return is_binary(p, n) ? "application/octet-stream" : "text/plain; charset=utf-8";
}
