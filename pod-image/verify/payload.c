/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "pod-image/verify/payload.h"

#define DEPTH_MAX 32
#define FILE_MAX ((size_t)4 << 20)
#define FORMAT_SIMPLE "simple-signing"
#define FORMAT_SIGSTORE "sigstore-json"
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

static int
take_sigstore(const char *text, size_t n, struct signature *out, struct arena *a, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, FILE_MAX, DEPTH_MAX, e);
	const char *type, *payload;
	json_t *annotations = NULL;
	own_mem char *plain = NULL;
	size_t size = 0;
	char *copy;

	if (j == NULL)
		return -1;
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "it is no JSON object");
	if (json_need_str(j, "mimeType", &type, e) < 0 ||
	    json_need_str(j, "payload", &payload, e) < 0 ||
	    json_want_obj(j, "annotations", &annotations, e) < 0)
		return -1;
	plain = base64_decode(payload, &size);
	if (plain == NULL)
		return err_set(e, ERR_FORMAT, "the payload is no base64");
	if (strcmp(type, SIGSTORE_TYPE) != 0)
		return 0;
	copy = arena_alloc(a, size + 1);
	memcpy(copy, plain, size);
	out->payload = (struct bytes){(const uint8_t *)copy, size};
	out->base64 = annotation(annotations, "dev.cosignproject.cosign/signature", a);
	out->certificate = annotation(annotations, "dev.sigstore.cosign/certificate", a);
	out->chain = annotation(annotations, "dev.sigstore.cosign/chain", a);
	out->set = annotation(annotations, "dev.sigstore.cosign/bundle", a);
	return 0;
}

/* A zero byte, the name of the format, a newline, the rest. */
static int
take_named(const struct bytes *file, struct signature *out, struct arena *a, struct err *e)
{
	const char *text = (const char *)file->p + 1;
	const char *line = memchr(text, '\n', file->n - 1);
	size_t name, rest;

	if (line == NULL)
		return err_set(e, ERR_FORMAT, "invalid signature format, missing newline");
	name = (size_t)(line - text);
	rest = file->n - 1 - name - 1;
	if (name == strlen(FORMAT_SIMPLE) && memcmp(text, FORMAT_SIMPLE, name) == 0) {
		out->simple = (struct bytes){(const uint8_t *)line + 1, rest};
		return 0;
	}
	if (name == strlen(FORMAT_SIGSTORE) && memcmp(text, FORMAT_SIGSTORE, name) == 0)
		return take_sigstore(line + 1, rest, out, a, e);
	return err_set(e, ERR_FORMAT, "unrecognized signature format");
}

int
payload_signature(
    const struct rec_verify_signature *s, struct signature *out, struct arena *a, struct err *e)
{
	if (s->file.n == 0 && s->payload.p != NULL) {
		*out = (struct signature){.payload = s->payload,
		    .base64 = s->signature,
		    .certificate = s->certificate,
		    .chain = s->chain,
		    .set = s->set};
		return 0;
	}
	if (s->file.n == 0)
		return err_set(e, ERR_FORMAT, "empty signature blob");
	if (s->file.p[0] == '\0')
		return take_named(&s->file, out, a, e);
	/* Before formats had names there was one: an OpenPGP message, whose first bit is set. */
	if ((s->file.p[0] & 0x80) == 0)
		return err_set(e, ERR_FORMAT, "unrecognized signature format");
	out->simple = s->file;
	return 0;
}
