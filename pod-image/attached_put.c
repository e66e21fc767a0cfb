/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/oci/digest.h"
#include "common/oci/manifest.h"
#include "pod-image/attached.h"

/* The image of the signatures that are there, or an empty one: its manifest and its configuration. */
struct holder {
	json_t *manifest, *config;
};

static void
holder_free(struct holder *h)
{
	json_decref(h->manifest);
	json_decref(h->config);
}

static int
fetch_json(struct peer *fetch, const char *kind, const char *repository, const char *reference,
    json_t **out, struct err *e)
{
	struct msg_fetch_document m = {
	    .kind = kind, .repository = repository, .reference = reference, .max = MANIFEST_MAX};
	own_peer_in struct peer_in in = {0};
	const struct bytes *data;

	if (peer_call(fetch, &msg_fetch_document_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	data = &MSG_OF(&in, fetch_document_r)->data;
	*out = json_read_max((const char *)data->p, data->n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	return *out != NULL && json_is_object(*out)
		   ? 0
		   : err_set(e, ERR_FORMAT, "attached signatures of another form");
}

static void
make_empty(struct holder *h)
{
	json_t *rootfs;

	h->manifest = json_obj();
	json_put_int(h->manifest, "schemaVersion", 2);
	json_put_str(h->manifest, "mediaType", MANIFEST_TYPE_OCI);
	json_put_obj(h->manifest, "config");
	json_put_arr(h->manifest, "layers");
	h->config = json_obj();
	json_put_str(h->config, "architecture", "");
	json_put_str(h->config, "os", "");
	json_put_obj(h->config, "config");
	rootfs = json_put_obj(h->config, "rootfs");
	json_put_str(rootfs, "type", "layers");
	json_put_arr(rootfs, "diff_ids");
}

static int
open_holder(
    struct holder *h, struct peer *fetch, const char *repository, const char *tag, struct err *e)
{
	const char *config;

	if (fetch_json(fetch, "manifest", repository, tag, &h->manifest, e) < 0) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		make_empty(h);
		return 0;
	}
	config =
	    json_string_value(json_object_get(json_object_get(h->manifest, "config"), "digest"));
	if (config == NULL || !json_is_array(json_object_get(h->manifest, "layers")))
		return err_set(e, ERR_FORMAT, "attached signatures of another form");
	return fetch_json(fetch, "blob", repository, config, &h->config, e);
}

static int
put_blob(struct peer *fetch, const char *repository, const void *p, size_t n,
    char digest[DIGEST_TEXT], struct err *e)
{
	struct msg_push_data m = {.repository = repository, .digest = digest, .data = {p, n}};
	own_peer_in struct peer_in in = {0};

	digest_of(p, n, digest);
	return peer_call(fetch, &msg_push_data_desc, &m, &in, NULL, NULL, e) < 0
		   ? err_wrap(e, "uploading %s", digest)
		   : 0;
}

/* True if the image has that very signature. */
static bool
has_layer(const struct holder *h, const char *digest, const struct signature_file *s)
{
	const json_t *layers = json_object_get(h->manifest, "layers");

	for (size_t i = 0; i < json_array_size(layers); i++) {
		const json_t *x = json_array_get(layers, i);
		const char *has = json_string_value(json_object_get(x, "digest"));
		const char *type = json_string_value(json_object_get(x, "mediaType"));
		const json_t *notes = json_object_get(x, "annotations");

		if (has != NULL && strcmp(has, digest) == 0 && type != NULL &&
		    strcmp(type, s->media_type) == 0 &&
		    (json_object_size(notes) == 0 ? json_object_size(s->annotations) == 0
						  : json_equal(notes, s->annotations)))
			return true;
	}
	return false;
}

static int
add_layer(struct holder *h, struct peer *fetch, const char *repository,
    const struct signature_file *s, bool *changed, struct err *e)
{
	json_t *layers = json_object_get(h->manifest, "layers"), *layer;
	json_t *ids = json_object_get(json_object_get(h->config, "rootfs"), "diff_ids");
	char digest[DIGEST_TEXT];

	digest_of(s->payload.p, s->payload.n, digest);
	if (has_layer(h, digest, s))
		return 0;
	if (json_array_size(layers) >= ATTACHED_MAX)
		return err_set(
		    e, ERR_LIMIT, "the image has %d attached signatures already", ATTACHED_MAX);
	if (put_blob(fetch, repository, s->payload.p, s->payload.n, digest, e) < 0)
		return -1;
	layer = json_add_obj(layers);
	json_put_str(layer, "mediaType", s->media_type);
	json_put_str(layer, "digest", digest);
	json_put_int(layer, "size", (int64_t)s->payload.n);
	if (s->annotations != NULL)
		json_put_take(layer, "annotations", json_deep_copy(s->annotations));
	if (json_is_array(ids))
		json_add_str(ids, digest);
	*changed = true;
	return 0;
}

static int
put_holder(
    struct holder *h, struct peer *fetch, const char *repository, const char *tag, struct err *e)
{
	own_mem char *config = json_text(h->config), *manifest = NULL;
	own_peer_in struct peer_in in = {0};
	struct msg_push_manifest m = {
	    .repository = repository, .reference = tag, .media_type = MANIFEST_TYPE_OCI};
	char digest[DIGEST_TEXT];
	json_t *d;

	if (put_blob(fetch, repository, config, strlen(config), digest, e) < 0)
		return -1;
	d = json_put_obj(h->manifest, "config");
	json_put_str(d, "mediaType", MANIFEST_TYPE_OCI_CONFIG);
	json_put_str(d, "digest", digest);
	json_put_int(d, "size", (int64_t)strlen(config));
	manifest = json_text(h->manifest);
	m.data = (struct bytes){(const uint8_t *)manifest, strlen(manifest)};
	return peer_call(fetch, &msg_push_manifest_desc, &m, &in, NULL, NULL, e) < 0
		   ? err_wrap(e, "uploading %s", tag)
		   : 0;
}

int
attached_put(struct peer *fetch, const char *repository, const char *digest,
    const struct signatures *s, struct err *e)
{
	own_mem char *tag = attached_tag(digest);
	own(holder_free) struct holder h = {0};
	bool changed = false;

	for (size_t i = 0; i < s->n; i++) {
		own_signature struct signature_file f = {0};

		if (!signature_is_sigstore(&s->v[i].file))
			continue;
		if (signature_parse(&s->v[i].file, &f, e) < 0 ||
		    (h.manifest == NULL && open_holder(&h, fetch, repository, tag, e) < 0) ||
		    add_layer(&h, fetch, repository, &f, &changed, e) < 0)
			return -1;
	}
	return changed ? put_holder(&h, fetch, repository, tag, e) : 0;
}
