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

static void
add_layer(struct holder *h, const char *digest, size_t size, const char *signature)
{
	json_t *layer = json_add_obj(json_object_get(h->manifest, "layers"));
	json_t *ids = json_object_get(json_object_get(h->config, "rootfs"), "diff_ids");

	json_put_str(layer, "mediaType", ATTACHED_TYPE);
	json_put_str(layer, "digest", digest);
	json_put_int(layer, "size", (int64_t)size);
	json_put_str(json_put_obj(layer, "annotations"), ATTACHED_SIGNATURE, signature);
	if (json_is_array(ids))
		json_add_str(ids, digest);
}

int
attached_put(struct peer *fetch, const char *repository, const char *digest,
    const struct msg_sign_image_r *made, struct err *e)
{
	own_mem char *tag = attached_tag(digest), *config = NULL, *manifest = NULL;
	own(holder_free) struct holder h = {0};
	own_peer_in struct peer_in in = {0};
	struct msg_push_manifest m = {
	    .repository = repository, .reference = tag, .media_type = MANIFEST_TYPE_OCI};
	char blob[DIGEST_TEXT], config_digest[DIGEST_TEXT];
	json_t *d;

	if (open_holder(&h, fetch, repository, tag, e) < 0 ||
	    put_blob(fetch, repository, made->payload.p, made->payload.n, blob, e) < 0)
		return -1;
	add_layer(&h, blob, made->payload.n, made->signature);
	config = json_text(h.config);
	if (put_blob(fetch, repository, config, strlen(config), config_digest, e) < 0)
		return -1;
	d = json_put_obj(h.manifest, "config");
	json_put_str(d, "mediaType", MANIFEST_TYPE_OCI_CONFIG);
	json_put_str(d, "digest", config_digest);
	json_put_int(d, "size", (int64_t)strlen(config));
	manifest = json_text(h.manifest);
	m.data = (struct bytes){(const uint8_t *)manifest, strlen(manifest)};
	return peer_call(fetch, &msg_push_manifest_desc, &m, &in, NULL, NULL, e) < 0
		   ? err_wrap(e, "uploading %s", tag)
		   : 0;
}
