/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/base64.h"
#include "common/oci/names.h"
#include "pod-image/extension.h"

#define VERSION 2 /* of the schema */
#define TYPE "atomic"
#define LIST_MAX ((size_t)8 << 20)

int
extension_supported(struct peer *fetch, const char *repository, bool *yes, struct err *e)
{
	struct msg_fetch_signatures m = {.repository = repository};
	own_peer_in struct peer_in in = {0};

	if (peer_call(fetch, &msg_fetch_signatures_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	*yes = MSG_OF(&in, fetch_signatures_r)->supported;
	return 0;
}

/* One entry of the list; those of other kinds are passed over. */
static int
take(const json_t *x, struct signatures *out, struct err *e)
{
	const char *type = json_string_value(json_object_get(x, "type"));
	const char *content = json_string_value(json_object_get(x, "content"));
	own_mem char *file = NULL;
	size_t n;

	if (json_integer_value(json_object_get(x, "schemaVersion")) != VERSION || type == NULL ||
	    strcmp(type, TYPE) != 0)
		return 0;
	file = content != NULL ? base64_decode(content, &n) : NULL;
	return file != NULL ? signatures_add(out, file, n, e)
			    : err_set(e, ERR_FORMAT, "a signature is no base64");
}

int
extension_read(struct peer *fetch, const char *repository, const char *digest,
    struct signatures *out, bool *supported, struct err *e)
{
	struct msg_fetch_signatures m = {.repository = repository, .digest = digest};
	own_peer_in struct peer_in in = {0};
	own_json json_t *j = NULL;
	json_t *list = NULL;
	const struct bytes *data;

	if (peer_call(fetch, &msg_fetch_signatures_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "downloading signatures for %s in %s", digest, repository);
	*supported = MSG_OF(&in, fetch_signatures_r)->supported;
	if (!*supported)
		return 0;
	data = &MSG_OF(&in, fetch_signatures_r)->data;
	j = json_read_max(data->p != NULL ? (const char *)data->p : "", data->n, LIST_MAX, 16, e);
	if (j == NULL || !json_is_object(j) || json_want_arr(j, "signatures", &list, e) < 0)
		return err_is_set(e)
			   ? err_wrap(e, "signature list of %s", repository)
			   : err_set(e, ERR_FORMAT, "signature list of %s: no object", repository);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (take(json_array_get(list, i), out, e) < 0)
			return err_wrap(e, "signature list of %s", repository);
	return 0;
}

static int
put_one(struct peer *fetch, const char *repository, const char *digest, const struct bytes *file,
    struct err *e)
{
	struct msg_push_signature m = {.repository = repository, .digest = digest};
	own_peer_in struct peer_in in = {0};
	own_json json_t *j = json_obj();
	own_mem char *content = base64_encode(file->p, file->n), *name = NULL, *text = NULL;
	char random[65];

	/* Any name will do that is unique among the signatures of the manifest. */
	names_id(random);
	random[32] = '\0';
	name = xasprintf("%s@%s", digest, random);
	json_put_int(j, "schemaVersion", VERSION);
	json_put_str(j, "name", name);
	json_put_str(j, "type", TYPE);
	json_put_str(j, "content", content);
	text = json_text(j);
	m.data = (struct bytes){(const uint8_t *)text, strlen(text)};
	return peer_call(fetch, &msg_push_signature_desc, &m, &in, NULL, NULL, e) < 0
		   ? err_wrap(e, "uploading signature to %s in %s", digest, repository)
		   : 0;
}

int
extension_put(struct peer *fetch, const char *repository, const char *digest,
    const struct signatures *s, struct err *e)
{
	own_signatures struct signatures there = {0};
	bool supported;

	if (extension_read(fetch, repository, digest, &there, &supported, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct signatures one = {.v = &s->v[i], .n = 1};
		bool has = signature_is_sigstore(&s->v[i].file);

		for (size_t k = 0; k < there.n && !has; k++)
			has = signatures_equal(&one, &there.v[k], 1);
		if (!has && put_one(fetch, repository, digest, &s->v[i].file, e) < 0)
			return -1;
	}
	return 0;
}
