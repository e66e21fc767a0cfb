/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/list.h"

#define INDENT "    "

json_t *
list_new(void)
{
	json_t *j = json_obj();

	json_put_int(j, "schemaVersion", 2);
	json_put_str(j, "mediaType", MANIFEST_TYPE_DOCKER_LIST);
	json_put_arr(j, "manifests");
	return j;
}

json_t *
list_parse(struct bytes b, const char *media_type, struct err *e)
{
	own_manifest struct manifest m = {0};
	json_t *j;

	if (manifest_parse((const char *)b.p, b.n, media_type, &m, e) < 0)
		return NULL;
	if (!m.is_index) {
		err_set(e, ERR_INVALID, "image is not a manifest list");
		return NULL;
	}
	j = json_read_max((const char *)b.p, b.n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	if (j != NULL && json_object_get(j, "mediaType") == NULL)
		json_put_str(j, "mediaType", m.media_type);
	return j;
}

/* --- Entries ---------------------------------------------------------------------------------- */

static void
put_word(json_t *o, const char *key, const char *value)
{
	if (value != NULL && *value != '\0')
		json_put_str(o, key, value);
}

static void
put_descriptor(json_t *o, const struct manifest_desc *d)
{
	json_put_str(o, "mediaType", d->media_type);
	json_put_int(o, "size", (int64_t)d->size);
	json_put_str(o, "digest", d->digest);
}

json_t *
list_entry(const struct manifest_desc *desc, const struct rec_image_config *platform,
    const char *artifact_type)
{
	json_t *o = json_obj(), *p;

	put_descriptor(o, desc);
	if (platform != NULL) {
		p = json_put_obj(o, "platform");
		json_put_str(p, "architecture",
		    platform->architecture != NULL ? platform->architecture : "");
		json_put_str(p, "os", platform->os != NULL ? platform->os : "");
		put_word(p, "variant", platform->variant);
	}
	put_word(o, "artifactType", artifact_type);
	return o;
}

static const char *
word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static size_t
position(const json_t *list, const char *digest)
{
	const json_t *entries = json_object_get(list, "manifests");
	size_t i = 0;

	while (i < json_array_size(entries) &&
	       strcmp(word(json_array_get(entries, i), "digest"), digest) != 0)
		i++;
	return i;
}

json_t *
list_find(const json_t *list, const char *digest)
{
	return json_array_get(json_object_get(list, "manifests"), position(list, digest));
}

int
list_add(json_t *list, json_t *entry, struct err *e)
{
	json_t *entries = json_object_get(list, "manifests");
	size_t at = position(list, word(entry, "digest"));

	if (at < json_array_size(entries))
		json_array_remove(entries, at);
	if (json_array_size(entries) >= MANIFEST_ENTRIES_MAX) {
		json_decref(entry);
		return err_set(
		    e, ERR_LIMIT, "a manifest list holds at most %d entries", MANIFEST_ENTRIES_MAX);
	}
	json_add_take(entries, entry);
	return 0;
}

int
list_remove(json_t *list, const char *digest, struct err *e)
{
	json_t *entries = json_object_get(list, "manifests");
	size_t at = position(list, digest);

	if (at == json_array_size(entries))
		return err_set(e, ERR_NOTFOUND,
		    "no instance matching digest \"%s\" found in manifest list: file does not "
		    "exist",
		    digest);
	json_array_remove(entries, at);
	return 0;
}

/* --- Changes ---------------------------------------------------------------------------------- */

/* An object or array at key; what else stands there is replaced. */
static json_t *
object_at(json_t *o, const char *key)
{
	json_t *j = json_object_get(o, key);

	return json_is_object(j) ? j : json_put_obj(o, key);
}

static void
add_words(json_t *o, const char *key, const struct strs *words)
{
	json_t *a = json_object_get(o, key);

	if (words->n == 0)
		return;
	if (!json_is_array(a))
		a = json_put_arr(o, key);
	for (size_t i = 0; i < words->n; i++) {
		size_t k = 0;

		while (k < json_array_size(a) &&
		       (!json_is_string(json_array_get(a, k)) ||
			   strcmp(json_string_value(json_array_get(a, k)), words->v[i]) != 0))
			k++;
		if (k == json_array_size(a))
			json_add_str(a, words->v[i]);
	}
}

static void
add_annotations(json_t *o, const struct rec_list_change *c)
{
	json_t *a;

	if (c->annotations.n == 0)
		return;
	a = object_at(o, "annotations");
	for (size_t i = 0; i < c->annotations.n; i++)
		json_put_str(a, c->annotations.v[i].key, c->annotations.v[i].value);
}

/* The order in which Podman writes the words of a platform. */
static json_t *
in_order(const json_t *platform)
{
	static const char *const keys[] = {
	    "architecture", "os", "os.version", "os.features", "variant", "features"};
	json_t *out = json_obj();

	for (size_t i = 0; i < COUNTOF(keys); i++) {
		json_t *v = json_object_get(platform, keys[i]);

		if (v != NULL)
			json_put_take(out, keys[i], json_incref(v));
	}
	json_object_update_missing(out, (json_t *)(uintptr_t)platform);
	return out;
}

static bool
says_platform(const struct rec_list_change *c)
{
	return c->os != NULL || c->architecture != NULL || c->variant != NULL ||
	       c->os_version != NULL || c->os_features.n > 0 || c->features.n > 0;
}

void
list_change_entry(json_t *entry, const struct rec_list_change *c)
{
	json_t *p;

	if (says_platform(c)) {
		p = object_at(entry, "platform");
		put_word(p, "architecture", c->architecture);
		put_word(p, "os", c->os);
		put_word(p, "os.version", c->os_version);
		put_word(p, "variant", c->variant);
		add_words(p, "os.features", &c->os_features);
		add_words(p, "features", &c->features);
		json_put_take(entry, "platform", in_order(p));
	}
	add_annotations(entry, c);
}

void
list_change(json_t *list, const struct rec_list_change *c)
{
	add_annotations(list, c);
}

void
list_set_subject(json_t *list, const struct manifest_desc *desc)
{
	json_t *o = json_obj();

	put_descriptor(o, desc);
	json_put_take(list, "subject", o);
}

/* --- Kinds ------------------------------------------------------------------------------------ */

/* Fields that Docker's manifest list does not have. */
static const char *const oci_fields[] = {"annotations", "subject", "artifactType"};

static bool
has_oci_fields(const json_t *o)
{
	for (size_t i = 0; i < COUNTOF(oci_fields); i++)
		if (json_object_get(o, oci_fields[i]) != NULL)
			return true;
	return false;
}

static bool
needs_oci(const json_t *list)
{
	const json_t *entries = json_object_get(list, "manifests");

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *x = json_array_get(entries, i);

		if (has_oci_fields(x) || strcmp(word(x, "mediaType"), MANIFEST_TYPE_DOCKER) != 0)
			return true;
	}
	return has_oci_fields(list);
}

const char *
list_settle(json_t *list)
{
	const char *type = needs_oci(list) ? MANIFEST_TYPE_OCI_INDEX : MANIFEST_TYPE_DOCKER_LIST;

	json_put_str(list, "mediaType", type);
	return type;
}

void
list_convert(json_t *list, bool docker)
{
	json_t *entries = json_object_get(list, "manifests");

	json_put_str(
	    list, "mediaType", docker ? MANIFEST_TYPE_DOCKER_LIST : MANIFEST_TYPE_OCI_INDEX);
	for (size_t k = 0; docker && k < COUNTOF(oci_fields); k++) {
		json_object_del(list, oci_fields[k]);
		for (size_t i = 0; i < json_array_size(entries); i++)
			json_object_del(json_array_get(entries, i), oci_fields[k]);
	}
	/* OCI keeps the word for later. */
	for (size_t i = 0; !docker && i < json_array_size(entries); i++)
		json_object_del(
		    json_object_get(json_array_get(entries, i), "platform"), "features");
}

void
list_show(const json_t *list, struct strbuf *out)
{
	own_json json_t *shown = json_copy((json_t *)(uintptr_t)list);

	if (!has_oci_fields(list))
		json_put_str(shown, "mediaType", MANIFEST_TYPE_DOCKER_LIST);
	if (json_array_size(json_object_get(list, "manifests")) == 0)
		json_put_take(shown, "manifests", json_null());
	json_go(shown, INDENT, out);
	strbuf_addc(out, '\n');
}
