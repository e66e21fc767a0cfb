/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/oci/base64.h"
#include "common/oci/graph.h"
#include "common/oci/names.h"
#include "common/oci/reference.h"
#include "common/oci/signature.h"

json_t *
graph_list(const struct graph_files *f, const char *kind, struct err *e)
{
	own_mem char *name = xasprintf("%s-%s/%s.json", f->driver, kind, kind);
	own_strbuf struct strbuf text = {0};
	json_t *j;

	if (f->read(f->arg, name, GRAPH_LIST_MAX, &text, e) < 0)
		return NULL;
	j = json_read_max(
	    text.s != NULL ? text.s : "", text.n, GRAPH_LIST_MAX, GRAPH_LIST_DEPTH, e);
	if (j != NULL && !json_is_array(j)) {
		json_decref(j);
		j = NULL;
		err_set(e, ERR_FORMAT, "it is no list");
	}
	if (j == NULL)
		err_wrap(e, "parsing %s", name);
	return j;
}

/* --- Layers ----------------------------------------------------------------------------------- */

json_t *
graph_by_id(const json_t *list)
{
	json_t *by_id = json_obj();

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *x = json_array_get(list, i);
		const char *id = json_string_value(json_object_get(x, "id"));

		if (id != NULL && names_is_id(id))
			json_object_set(by_id, id, x);
	}
	return by_id;
}

static int
take_layer(const json_t *x, const char *id, struct arena *a, struct graph_layer *out, struct err *e)
{
	const char *diff_id = NULL;
	json_t *flags = NULL;
	bool incomplete = false;
	int64_t size = 0;

	if (json_want_str(x, "diff-digest", &diff_id, e) < 0 ||
	    json_want_obj(x, "flags", &flags, e) < 0 ||
	    (flags != NULL && json_want_bool(flags, "incomplete", &incomplete, e) < 0) ||
	    json_want_int(x, "diff-size", 0, INT64_MAX, &size, e) < 0)
		return err_wrap(e, "layer %s", id);
	if (diff_id != NULL && *diff_id != '\0' && !reference_digest_valid(diff_id))
		return err_set(e, ERR_FORMAT, "layer %s has a malformed digest", id);
	if (incomplete)
		return err_set(e, ERR_STATE, "layer %s is not complete", id);
	*out = (struct graph_layer){.id = arena_strdup(a, id),
	    .diff_id = diff_id != NULL ? arena_strdup(a, diff_id) : "",
	    .tar_size = (uint64_t)size};
	return 0;
}

/* From the top down; a ring of parents ends at the bound. */
int
graph_layers(const json_t *by_id, const char *top, struct arena *a, struct graph_layer **out,
    size_t *count, struct err *e)
{
	struct graph_layer *layers = arena_array(a, MANIFEST_LAYERS_MAX, sizeof(*layers));
	size_t n = 0;

	while (top != NULL && *top != '\0') {
		const json_t *x = json_object_get(by_id, top);
		const char *parent = NULL;

		if (x == NULL)
			return err_set(
			    e, ERR_NOTFOUND, "layer %.64s of the image is not there", top);
		if (n == MANIFEST_LAYERS_MAX)
			return err_set(e, ERR_LIMIT, "the image has too many layers");
		if (take_layer(x, top, a, &layers[n], e) < 0 ||
		    json_want_str(x, "parent", &parent, e) < 0)
			return -1;
		n++;
		top = parent;
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct graph_layer swap = layers[i];

		layers[i] = layers[n - 1 - i];
		layers[n - 1 - i] = swap;
	}
	*out = layers;
	*count = n;
	return 0;
}

/* --- Documents -------------------------------------------------------------------------------- */

static int
graph_data(const struct graph_files *f, const char *id, const char *key, uint64_t max,
    struct strbuf *out, struct err *e)
{
	/* Names of other than letters and digits are stored encoded. */
	bool plain = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(key);
	own_mem char *encoded = plain ? xstrdup(key) : base64_encode(key, strlen(key));
	own_mem char *name =
	    xasprintf("%s-images/%s/%s%s", f->driver, id, plain ? "" : "=", encoded);

	return f->read(f->arg, name, max, out, e);
}

static int
check_digest(const struct strbuf *b, const char *want, struct err *e)
{
	char got[SHA256_HEX];

	sha256_hex(b->s != NULL ? b->s : "", b->n, got);
	if (!text_has_prefix(want, "sha256:") || strcmp(want + strlen("sha256:"), got) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got sha256:%s", want, got);
	return 0;
}

int
graph_documents(const struct graph_files *f, const char *id, struct strbuf *manifest,
    struct strbuf *config, struct manifest *m, struct err *e)
{
	if (graph_data(f, id, "manifest", MANIFEST_MAX, manifest, e) < 0 ||
	    manifest_parse(manifest->s != NULL ? manifest->s : "", manifest->n, NULL, m, e) < 0)
		return -1;
	if (m->is_index)
		return err_set(e, ERR_UNSUPPORTED, "it is a list of images");
	if (graph_data(f, id, m->config.digest, MANIFEST_MAX, config, e) < 0)
		return -1;
	return check_digest(config, m->config.digest, e);
}

/* --- Signatures ------------------------------------------------------------------------------- */

/* One after the other in one file, of these sizes. */
static int
split(const struct strbuf *b, const json_t *sizes, struct rec_signature *v, struct err *e)
{
	size_t at = 0;

	for (size_t i = 0; i < json_array_size(sizes); i++) {
		json_int_t n = json_integer_value(json_array_get(sizes, i));

		if (n <= 0 || (uint64_t)n > b->n - at)
			return err_set(e, ERR_FORMAT, "its signatures have other sizes");
		v[i].file = (struct bytes){(const uint8_t *)b->s + at, (size_t)n};
		at += (size_t)n;
	}
	return at == b->n ? 0 : err_set(e, ERR_FORMAT, "its signatures have other sizes");
}

/* The image's metadata is JSON in a string: sizes of the signatures by the manifest's digest, before that of all. */
int
graph_signatures(const struct graph_files *f, const json_t *image, const char *id,
    const struct strbuf *manifest, struct strbuf *bytes, struct arena *a,
    struct rec_signature **out, size_t *count, struct err *e)
{
	own_json json_t *meta = NULL;
	const char *text = NULL, *key;
	char digest[SHA256_HEX + 7] = "sha256:";
	const json_t *sizes;

	*count = 0;
	if (json_want_str(image, "metadata", &text, e) < 0)
		return -1;
	if (text == NULL || *text == '\0')
		return 0;
	meta = json_read_max(text, strlen(text), GRAPH_LIST_MAX, GRAPH_LIST_DEPTH, e);
	if (meta == NULL)
		return -1;
	sha256_hex(manifest->s != NULL ? manifest->s : "", manifest->n, digest + 7);
	sizes = json_object_get(json_object_get(meta, "signatures-sizes"), digest);
	key = sizes != NULL ? arena_printf(a, "signature-%s", digest + 7) : "signatures";
	if (sizes == NULL)
		sizes = json_object_get(meta, "signature-sizes");
	if (json_array_size(sizes) == 0)
		return 0;
	if (json_array_size(sizes) > SIGNATURES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d signatures", SIGNATURES_MAX);
	*out = arena_array(a, json_array_size(sizes), sizeof(**out));
	if (graph_data(f, id, key, SIGNATURES_BYTES_MAX, bytes, e) < 0 ||
	    split(bytes, sizes, *out, e) < 0)
		return -1;
	*count = json_array_size(sizes);
	return 0;
}
