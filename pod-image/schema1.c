/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/oci/base64.h"
#include "common/oci/reference.h"
#include "pod-image/schema1.h"

#define SIGNATURES_MAX 64
#define PROTECTED_MAX 65536

static json_t *
read_document(const char *bytes, size_t n, struct err *e)
{
	json_t *j = json_read_max(bytes, n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);

	if (j != NULL && !json_is_object(j)) {
		err_set(e, ERR_FORMAT, "it is no JSON object");
		json_decref(j);
		return NULL;
	}
	return j;
}

bool
schema1_is(const char *bytes, size_t n)
{
	own_json json_t *j = NULL;
	struct err ignored = {0};

	/* Spares other manifests the second reading. */
	if (n == 0 || memmem(bytes, n, "\"fsLayers\"", strlen("\"fsLayers\"")) == NULL)
		return false;
	j = read_document(bytes, n, &ignored);
	return j != NULL && json_integer_value(json_object_get(j, "schemaVersion")) == 1;
}

/* --- The signature (RFC 7515, section 7.2.1, with libtrust's header parameters) ------------------- */

static char *
decode(const char *s, size_t *n)
{
	return strlen(s) <= PROTECTED_MAX ? base64_url_decode(s, n) : NULL;
}

/* Where the signed part ends in the document, and what must follow it. */
static int
read_protected(
    const json_t *signature, size_t max, size_t *length, struct strbuf *tail, struct err *e)
{
	own_json json_t *header = NULL;
	own_mem char *text = NULL, *end = NULL;
	const char *protected, *encoded;
	size_t n, end_n;
	int64_t at;

	if (!json_is_object(signature))
		return err_set(e, ERR_FORMAT, "a signature is no object");
	if (json_need_str(signature, "protected", &protected, e) < 0)
		return -1;
	text = decode(protected, &n);
	if (text == NULL)
		return err_set(e, ERR_FORMAT, "the protected header of a signature is malformed");
	header = read_document(text, n, e);
	if (header == NULL || json_need_int(header, "formatLength", 0, (int64_t)max, &at, e) < 0 ||
	    json_need_str(header, "formatTail", &encoded, e) < 0)
		return err_wrap(e, "the protected header of a signature");
	end = decode(encoded, &end_n);
	if (end == NULL)
		return err_set(e, ERR_FORMAT, "formatTail of a signature is malformed");
	*length = (size_t)at;
	strbuf_addn(tail, end, end_n);
	return 0;
}

static int
signed_part(
    const json_t *signatures, const char *bytes, size_t n, struct strbuf *out, struct err *e)
{
	size_t count = json_array_size(signatures), first = 0;
	own_strbuf struct strbuf tail = {0};

	if (!json_is_array(signatures) || count == 0 || count > SIGNATURES_MAX)
		return err_set(e, ERR_FORMAT, "its signatures are malformed");
	for (size_t k = 0; k < count; k++) {
		own_strbuf struct strbuf other = {0};
		size_t length = 0;

		if (read_protected(json_array_get(signatures, k), n, &length, &other, e) < 0)
			return -1;
		if (k == 0) {
			first = length;
			tail = other;
			other = (struct strbuf){0};
		} else if (length != first || other.n != tail.n ||
			   (tail.n > 0 && memcmp(other.s, tail.s, tail.n) != 0)) {
			return err_set(e, ERR_FORMAT, "its signatures are not of the same content");
		}
	}
	strbuf_addn(out, bytes, first);
	if (tail.n > 0)
		strbuf_addn(out, tail.s, tail.n);
	return 0;
}

int
schema1_payload(const char *bytes, size_t n, struct strbuf *out, struct err *e)
{
	own_json json_t *j = read_document(bytes, n, e);
	const json_t *signatures = j != NULL ? json_object_get(j, "signatures") : NULL;

	if (j == NULL)
		return err_wrap(e, "parsing manifest");
	if (signatures == NULL || json_is_null(signatures)) {
		strbuf_addn(out, bytes, n);
		return 0;
	}
	return signed_part(signatures, bytes, n, out, e) < 0 ? err_wrap(e, "parsing manifest") : 0;
}

int
schema1_digest(const char *bytes, size_t n, char got[DIGEST_TEXT], struct err *e)
{
	own_strbuf struct strbuf payload = {0};

	if (!schema1_is(bytes, n)) {
		digest_of(bytes, n, got);
		return 0;
	}
	if (schema1_payload(bytes, n, &payload, e) < 0)
		return -1;
	digest_of(payload.s != NULL ? payload.s : "", payload.n, got);
	return 0;
}

int
schema1_check(const struct document *d, const char *want, char got[DIGEST_TEXT], struct err *e)
{
	struct bytes b = document_bytes(d);

	if (schema1_digest((const char *)b.p, b.n, got, e) < 0)
		return -1;
	if (want != NULL && strcmp(got, want) != 0)
		return err_set(e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", want, got);
	return 0;
}

/* --- The history ---------------------------------------------------------------------------------- */

struct step { /* one entry of history, and of fsLayers */
	json_t *v1;
	const char *id, *parent, *digest;
	bool empty;
};

static int
read_step(json_t *history, json_t *layer, struct step *s, struct err *e)
{
	const char *text;

	s->parent = "";
	if (!json_is_object(history) || !json_is_object(layer))
		return err_set(e, ERR_FORMAT, "an entry is no object");
	if (json_need_str(layer, "blobSum", &s->digest, e) < 0 ||
	    json_need_str(history, "v1Compatibility", &text, e) < 0)
		return -1;
	if (!reference_digest_valid(s->digest))
		return err_set(e, ERR_FORMAT, "invalid blobSum");
	s->v1 = read_document(text, strlen(text), e);
	if (s->v1 == NULL || json_need_str(s->v1, "id", &s->id, e) < 0 ||
	    json_want_str(s->v1, "parent", &s->parent, e) < 0 ||
	    json_want_bool(s->v1, "throwaway", &s->empty, e) < 0)
		return err_wrap(e, "v1Compatibility");
	if (!text_is_hex(s->id, 64))
		return err_set(e, ERR_FORMAT, "image ID is invalid");
	return 0;
}

/* Each step stands on the next one; one that is there twice in a row counts once. */
static int
check_chain(struct step *steps, size_t *n, struct err *e)
{
	size_t kept = 0;

	if (steps[*n - 1].parent[0] != '\0')
		return err_set(e, ERR_FORMAT, "invalid parent ID in the base layer of the image");
	for (size_t k = 0; k < *n; k++) {
		if (k + 1 < *n && strcmp(steps[k].id, steps[k + 1].id) == 0) {
			json_decref(steps[k].v1);
			continue;
		}
		if (k + 1 < *n && strcmp(steps[k].parent, steps[k + 1].id) != 0) {
			/* Those not yet looked at keep their place behind the kept ones. */
			memmove(steps + kept, steps + k, (*n - k) * sizeof(*steps));
			*n = kept + *n - k;
			return err_set(e, ERR_FORMAT,
			    "invalid parent ID: a step does not stand on "
			    "the one before");
		}
		steps[kept++] = steps[k];
	}
	*n = kept;
	return 0;
}

/* Go writes a time again as it understood it: without zeros at the end of a fraction. */
static void
put_created(json_t *o, const char *created)
{
	char text[64];
	int64_t ns;

	if (created[0] == '\0')
		created = "0001-01-01T00:00:00Z";
	if (created[strlen(created) - 1] == 'Z' && human_parse_rfc3339(created, &ns) == 0)
		created = human_rfc3339nano_utc(ns, text, sizeof(text));
	json_put_str(o, "created", created);
}

static void
put_unless_empty(json_t *o, const char *key, const char *value)
{
	if (value[0] != '\0')
		json_put_str(o, key, value);
}

static int
put_step(json_t *history, const struct step *s, struct err *e)
{
	const char *created = "", *author = "", *comment = "";
	own_strbuf struct strbuf by = {0};
	own_strv struct strv cmd = {0};
	json_t *container = NULL, *o;

	if (json_want_str(s->v1, "created", &created, e) < 0 ||
	    json_want_str(s->v1, "author", &author, e) < 0 ||
	    json_want_str(s->v1, "comment", &comment, e) < 0 ||
	    json_want_obj(s->v1, "container_config", &container, e) < 0 ||
	    (container != NULL && json_want_strv(container, "Cmd", &cmd, e) < 0))
		return err_wrap(e, "v1Compatibility");
	for (size_t k = 0; k < cmd.n; k++)
		strbuf_addf(&by, "%s%s", k > 0 ? " " : "", cmd.v[k]);
	o = json_add_obj(history);
	put_created(o, created);
	put_unless_empty(o, "author", author);
	put_unless_empty(o, "created_by", by.s != NULL ? by.s : "");
	put_unless_empty(o, "comment", comment);
	if (s->empty)
		json_put_bool(o, "empty_layer", true);
	return 0;
}

/* --- The document --------------------------------------------------------------------------------- */

static int
take_steps(const struct step *steps, size_t n, struct manifest *m, struct late *late, struct err *e)
{
	static const char *const dropped[] = {
	    "id", "parent", "parent_id", "layer_id", "throwaway", "Size"};

	late->history = json_arr();
	m->layers = arena_array(&m->arena, n + 1, sizeof(*m->layers));
	for (size_t k = n; k-- > 0;) {
		if (put_step(late->history, &steps[k], e) < 0)
			return -1;
		if (!steps[k].empty)
			m->layers[m->nlayers++] =
			    (struct manifest_desc){.media_type = MANIFEST_TYPE_DOCKER_LAYER ".gzip",
				.digest = arena_strdup(&m->arena, steps[k].digest)};
	}
	late->config = json_incref(steps[0].v1);
	for (size_t k = 0; k < COUNTOF(dropped); k++)
		json_object_del(late->config, dropped[k]);
	late->sorted = true;
	return 0;
}

static int
parse_payload(const json_t *j, struct manifest *m, struct late *late, struct err *e)
{
	own_mem struct step *steps = NULL;
	json_t *layers, *history;
	size_t n, have = 0;
	int r = 0;

	/* What could be read as a newer manifest too is neither (as CVE-2021-41190). */
	if (json_object_get(j, "layers") != NULL || json_object_get(j, "config") != NULL ||
	    json_object_get(j, "manifests") != NULL)
		return err_set(e, ERR_FORMAT, "it has fields of schema 1 and of newer manifests");
	if (json_need_arr(j, "fsLayers", &layers, e) < 0 ||
	    json_need_arr(j, "history", &history, e) < 0)
		return -1;
	n = json_array_size(layers);
	if (n == 0)
		return err_set(e, ERR_FORMAT, "no FSLayers in manifest");
	if (n != json_array_size(history))
		return err_set(e, ERR_FORMAT, "length of history not equal to number of layers");
	if (n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_LIMIT, "%zu layers are more than %d", n, MANIFEST_LAYERS_MAX);
	steps = xcalloc(n, sizeof(*steps));
	for (size_t k = 0; k < n && r == 0; k++, have++)
		r = read_step(json_array_get(history, k), json_array_get(layers, k), &steps[k], e);
	if (r == 0)
		r = check_chain(steps, &have, e);
	if (r == 0)
		r = take_steps(steps, have, m, late, e);
	for (size_t k = 0; k < have; k++)
		json_decref(steps[k].v1);
	return r;
}

int
schema1_parse(const char *bytes, size_t n, struct manifest *out, struct late *late, struct err *e)
{
	own_strbuf struct strbuf payload = {0};
	own_json json_t *j = NULL;
	own_manifest struct manifest m = {.media_type = MANIFEST_TYPE_DOCKER,
	    .artifact_type = "",
	    .config = {.media_type = MANIFEST_TYPE_DOCKER_CONFIG, .digest = ""}};
	own_late struct late l = {0};

	if (schema1_payload(bytes, n, &payload, e) < 0)
		return -1;
	j = read_document(payload.s != NULL ? payload.s : "", payload.n, e);
	if (j == NULL || parse_payload(j, &m, &l, e) < 0)
		return err_wrap(e, "parsing manifest");
	*out = m;
	*late = l;
	memset(&m, 0, sizeof(m));
	memset(&l, 0, sizeof(l));
	return 0;
}

int
schema1_or_newer(const struct document *d, struct manifest *out, struct late *late, struct err *e)
{
	struct bytes b = document_bytes(d);
	const char *bytes = (const char *)b.p;

	if (!schema1_is(bytes, b.n))
		return manifest_parse(bytes, b.n, d->media_type, out, e);
	if (d->media_type != NULL && manifest_type_is_known(d->media_type))
		return err_set(e, ERR_FORMAT,
		    "parsing manifest: it is of schema 1, the Content-Type says otherwise");
	return schema1_parse(bytes, b.n, out, late, e);
}
