/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/oci/base64.h"
#include "common/oci/graph.h"
#include "common/oci/names.h"
#include "common/oci/reference.h"

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

int
graph_data(
    const struct graph_files *f, const char *id, const char *key, struct strbuf *out, struct err *e)
{
	/* Names of other than letters and digits are stored encoded. */
	bool plain = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(key);
	own_mem char *encoded = plain ? xstrdup(key) : base64_encode(key, strlen(key));
	own_mem char *name =
	    xasprintf("%s-images/%s/%s%s", f->driver, id, plain ? "" : "=", encoded);

	return f->read(f->arg, name, MANIFEST_MAX, out, e);
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
	if (graph_data(f, id, "manifest", manifest, e) < 0 ||
	    manifest_parse(manifest->s != NULL ? manifest->s : "", manifest->n, NULL, m, e) < 0)
		return -1;
	if (m->is_index)
		return err_set(e, ERR_UNSUPPORTED, "it is a list of images");
	if (graph_data(f, id, m->config.digest, config, e) < 0)
		return -1;
	return check_digest(config, m->config.digest, e);
}
