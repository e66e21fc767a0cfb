/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-image/attached.h"

#define OTHERS_MAX ((int64_t)1 << 20)

char *
attached_tag(const char *digest)
{
	return xasprintf("sha256-%s.sig", digest + strlen("sha256:"));
}

void
attached_free(struct attached *a)
{
	json_decref(a->root);
	arena_free(&a->arena);
	memset(a, 0, sizeof(*a));
}

/* What is no signature is only of interest if it is small. */
static int
take_layer(struct attached *a, json_t *layer, struct err *e)
{
	struct attached_layer *out = &a->layers[a->n];
	json_t *annotations = NULL;
	bool signature;
	int64_t size;

	if (!json_is_object(layer))
		return err_set(e, ERR_FORMAT, "a layer is no object");
	if (json_need_str(layer, "mediaType", &out->media_type, e) < 0 ||
	    json_need_str(layer, "digest", &out->digest, e) < 0 ||
	    json_need_int(layer, "size", 0, INT64_MAX, &size, e) < 0 ||
	    json_want_obj(layer, "annotations", &annotations, e) < 0)
		return -1;
	signature = strcmp(out->media_type, ATTACHED_TYPE) == 0;
	if (!signature && (!reference_digest_valid(out->digest) || size > OTHERS_MAX))
		return 0;
	if (!reference_digest_valid(out->digest))
		return err_set(e, ERR_FORMAT, "invalid digest");
	if ((uint64_t)size > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "signature %s is too large", out->digest);
	out->size = (uint64_t)size;
	out->annotations = annotations;
	a->n++;
	return 0;
}

int
attached_parse(const char *bytes, size_t n, struct attached *out, struct err *e)
{
	json_t *j = json_read_max(bytes, n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e), *layers = NULL;

	if (j == NULL)
		return -1;
	out->root = j;
	if (!json_is_object(j)) {
		err_set(e, ERR_FORMAT, "it is no JSON object");
		goto failed;
	}
	if (json_need_arr(j, "layers", &layers, e) < 0)
		goto failed;
	if (json_array_size(layers) > ATTACHED_MAX) {
		err_set(e, ERR_LIMIT, "more than %d signatures", ATTACHED_MAX);
		goto failed;
	}
	out->layers = arena_array(&out->arena, json_array_size(layers) + 1, sizeof(*out->layers));
	for (size_t i = 0; i < json_array_size(layers); i++)
		if (take_layer(out, json_array_get(layers, i), e) < 0)
			goto failed;
	return 0;
failed:
	attached_free(out);
	return -1;
}
