/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/signature.h"
#include "pod-image/verify/payload.h"

#define DEPTH_MAX 32
#define SIGSTORE_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"

void
payload_free(struct payload *p)
{
	arena_free(&p->arena);
}

/* --- The payload ------------------------------------------------------------------------------ */

/* The object at key (or obj itself), which must have these keys and no others. */
static json_t *
exact_object(json_t *obj, const char *key, const char *const *keys, struct err *e)
{
	json_t *found = NULL;

	if (json_need_obj(obj, key, &found, e) < 0 || json_only_keys(found, keys, e) < 0)
		return NULL;
	for (size_t i = 0; keys[i] != NULL; i++) {
		if (json_object_get(found, keys[i]) == NULL) {
			err_set(e, ERR_FORMAT, "%s: key %s is missing", key, keys[i]);
			return NULL;
		}
	}
	return found;
}

static int
check_optional(json_t *j, bool needed, struct err *e)
{
	json_t *optional = NULL;
	const char *creator = NULL;

	if ((needed ? json_need_obj(j, "optional", &optional, e)
		    : json_want_obj(j, "optional", &optional, e)) < 0)
		return -1;
	if (optional == NULL)
		return 0;
	if (json_want_str(optional, "creator", &creator, e) < 0)
		return -1;
	if (json_object_get(optional, "timestamp") != NULL &&
	    !json_is_number(json_object_get(optional, "timestamp")))
		return err_set(e, ERR_FORMAT, "timestamp is no number");
	return 0;
}

static int
take_critical(json_t *j, const char *type, struct payload *out, struct err *e)
{
	static const char *const critical_keys[] = {"type", "image", "identity", NULL};
	static const char *const image_keys[] = {"docker-manifest-digest", NULL};
	static const char *const identity_keys[] = {"docker-reference", NULL};
	json_t *critical = exact_object(j, "critical", critical_keys, e), *image, *identity;
	const char *said, *digest, *reference;

	if (critical == NULL || json_need_str(critical, "type", &said, e) < 0)
		return -1;
	if (strcmp(said, type) != 0)
		return err_set(e, ERR_FORMAT, "Unrecognized signature type %.64s", said);
	image = exact_object(critical, "image", image_keys, e);
	identity = image != NULL ? exact_object(critical, "identity", identity_keys, e) : NULL;
	if (identity == NULL || json_need_str(image, image_keys[0], &digest, e) < 0 ||
	    json_need_str(identity, identity_keys[0], &reference, e) < 0)
		return -1;
	out->digest = arena_strdup(&out->arena, digest);
	out->reference = arena_strdup(&out->arena, reference);
	return 0;
}

int
payload_parse(const char *bytes, size_t n, const char *type, struct payload *out, struct err *e)
{
	static const char *const keys[] = {"critical", "optional", NULL};
	own_json json_t *j = json_read_max(bytes, n, PAYLOAD_MAX, DEPTH_MAX, e);

	if (j == NULL || json_only_keys(j, keys, e) < 0 || take_critical(j, type, out, e) < 0 ||
	    check_optional(j, strcmp(type, PAYLOAD_TYPE_SIMPLE) == 0, e) < 0)
		return err_wrap(e, "parsing the signed payload");
	return 0;
}

/* --- Files ------------------------------------------------------------------------------------ */

static const char *
annotation(const json_t *annotations, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(annotations, key));

	return s != NULL ? arena_strdup(a, s) : NULL;
}

int
payload_signature(
    const struct rec_signature *s, struct signature *out, struct arena *a, struct err *e)
{
	own_signature struct signature_file f = {0};
	uint8_t *copy;

	if (signature_parse(&s->file, &f, e) < 0)
		return -1;
	out->simple = f.simple;
	if (f.media_type == NULL || strcmp(f.media_type, SIGSTORE_TYPE) != 0)
		return 0;
	copy = arena_alloc(a, f.payload.n + 1);
	memcpy(copy, f.payload.p, f.payload.n);
	out->payload = (struct bytes){copy, f.payload.n};
	out->base64 = annotation(f.annotations, "dev.cosignproject.cosign/signature", a);
	out->certificate = annotation(f.annotations, "dev.sigstore.cosign/certificate", a);
	out->chain = annotation(f.annotations, "dev.sigstore.cosign/chain", a);
	out->set = annotation(f.annotations, "dev.sigstore.cosign/bundle", a);
	return 0;
}
