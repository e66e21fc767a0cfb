/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-image/attached.h"

char *
attached_tag(const char *digest)
{
	return xasprintf("sha256-%s.sig", digest + strlen("sha256:"));
}

void
attached_free(struct attached *a)
{
	arena_free(&a->arena);
	memset(a, 0, sizeof(*a));
}

static const char *
annotation(struct attached *a, const json_t *layer, const char *key)
{
	const char *s =
	    json_string_value(json_object_get(json_object_get(layer, "annotations"), key));

	return s != NULL ? arena_strdup(&a->arena, s) : NULL;
}

static int
take_layer(struct attached *a, const json_t *layer, struct err *e)
{
	struct attached_layer *out = &a->layers[a->n];
	const char *type, *digest;
	int64_t size;

	if (!json_is_object(layer))
		return err_set(e, ERR_FORMAT, "a layer is no object");
	if (json_need_str(layer, "mediaType", &type, e) < 0 ||
	    json_need_str(layer, "digest", &digest, e) < 0 ||
	    json_need_int(layer, "size", 0, MANIFEST_MAX, &size, e) < 0)
		return -1;
	if (strcmp(type, ATTACHED_TYPE) != 0)
		return 0;
	if (!reference_digest_valid(digest))
		return err_set(e, ERR_FORMAT, "invalid digest");
	out->digest = arena_strdup(&a->arena, digest);
	out->size = (uint64_t)size;
	out->signature.signature = annotation(a, layer, ATTACHED_SIGNATURE);
	out->signature.certificate = annotation(a, layer, ATTACHED_CERTIFICATE);
	out->signature.chain = annotation(a, layer, ATTACHED_CHAIN);
	out->signature.set = annotation(a, layer, ATTACHED_SET);
	a->n++;
	return 0;
}

int
attached_parse(const char *bytes, size_t n, struct attached *out, struct err *e)
{
	own_json json_t *j = json_read_max(bytes, n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	json_t *layers = NULL;

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "it is no JSON object");
	if (json_need_arr(j, "layers", &layers, e) < 0)
		return -1;
	if (json_array_size(layers) > ATTACHED_MAX)
		return err_set(e, ERR_LIMIT, "more than %d signatures", ATTACHED_MAX);
	out->layers = arena_array(&out->arena, json_array_size(layers) + 1, sizeof(*out->layers));
	for (size_t i = 0; i < json_array_size(layers); i++) {
		if (take_layer(out, json_array_get(layers, i), e) < 0) {
			attached_free(out);
			return -1;
		}
	}
	return 0;
}
