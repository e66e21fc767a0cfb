/* SPDX-License-Identifier: ISC */
/* Image configurations (OCI image specification, "Image Configuration"; Docker's superset of it).
 */
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"

/* What a field of the document becomes. */
enum field_type {
	F_STR,	/* string: const char * */
	F_STRS, /* array of strings: struct strs */
	F_KEYS, /* object whose keys count: struct strs, sorted */
	F_KVS,	/* object of strings: array of rec_kv */
	F_I64,	/* integer: int64_t */
	F_U64,	/* integer: uint64_t, at most max */
	F_BOOL
};

struct field {
	const char *key;
	enum field_type type;
	size_t at;
	uint64_t max; /* bytes of a string, members of a list, greatest number */
};

/* max is that of the same field in store.def: what fits here fits the message. */
#define FIELD(rec, key, type, field, max)            \
	{                                            \
		key, type, offsetof(rec, field), max \
	}
static const struct field top_fields[] = {
    FIELD(struct rec_image_config, "created", F_STR, created, 64),
    FIELD(struct rec_image_config, "author", F_STR, author, 4096),
    FIELD(struct rec_image_config, "os", F_STR, os, 64),
    FIELD(struct rec_image_config, "architecture", F_STR, architecture, 64),
    FIELD(struct rec_image_config, "variant", F_STR, variant, 64),
    FIELD(struct rec_image_config, "comment", F_STR, comment, 65536),
};
static const struct field config_fields[] = {
    FIELD(struct rec_image_config, "User", F_STR, user, 1024),
    FIELD(struct rec_image_config, "Env", F_STRS, env, 16384),
    FIELD(struct rec_image_config, "Entrypoint", F_STRS, entrypoint, 16384),
    FIELD(struct rec_image_config, "Cmd", F_STRS, cmd, 16384),
    FIELD(struct rec_image_config, "WorkingDir", F_STR, working_dir, 4096),
    FIELD(struct rec_image_config, "Labels", F_KVS, labels, 65536),
    FIELD(struct rec_image_config, "Volumes", F_KEYS, volumes, 4096),
    FIELD(struct rec_image_config, "ExposedPorts", F_KEYS, exposed_ports, 65536),
    FIELD(struct rec_image_config, "StopSignal", F_STR, stop_signal, 64),
    FIELD(struct rec_image_config, "Shell", F_STRS, shell, 1024),
    FIELD(struct rec_image_config, "OnBuild", F_STRS, on_build, 4096),
};
static const struct field health_fields[] = {
    FIELD(struct rec_health, "Test", F_STRS, test, 1024),
    FIELD(struct rec_health, "Interval", F_I64, interval, 0),
    FIELD(struct rec_health, "Timeout", F_I64, timeout, 0),
    FIELD(struct rec_health, "StartPeriod", F_I64, start_period, 0),
    FIELD(struct rec_health, "StartInterval", F_I64, start_interval, 0),
    FIELD(struct rec_health, "Retries", F_U64, retries, UINT32_MAX),
};
static const struct field history_fields[] = {
    FIELD(struct rec_history, "created", F_STR, created, 64),
    FIELD(struct rec_history, "created_by", F_STR, created_by, 262144),
    FIELD(struct rec_history, "author", F_STR, author, 4096),
    FIELD(struct rec_history, "comment", F_STR, comment, 65536),
    FIELD(struct rec_history, "empty_layer", F_BOOL, empty_layer, 0),
};

static int
too_much(const char *key, struct err *e)
{
	return err_set(e, ERR_LIMIT, "%s is too large", key);
}

static int
wrong_type(const char *key, struct err *e)
{
	return err_set(e, ERR_FORMAT, "%s has the wrong type", key);
}

static int
get_strs(const json_t *v, const struct field *f, struct strs *out, struct arena *a, struct err *e)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return wrong_type(f->key, e);
	if (n > f->max)
		return too_much(f->key, e);
	out->v = arena_array(a, n + 1, sizeof(*out->v));
	for (size_t i = 0; i < n; i++) {
		const json_t *s = json_array_get(v, i);

		if (!json_is_string(s))
			return wrong_type(f->key, e);
		if (json_string_length(s) > WIRE_STR_MAX)
			return too_much(f->key, e);
		out->v[i] = arena_strdup(a, json_string_value(s));
	}
	out->n = n;
	return 0;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int
get_keys(json_t *v, const struct field *f, struct strs *out, struct arena *a, struct err *e)
{
	size_t n = json_object_size(v), i = 0;
	const char *key;
	json_t *ignored;

	if (!json_is_object(v))
		return wrong_type(f->key, e);
	if (n > f->max)
		return too_much(f->key, e);
	out->v = arena_array(a, n + 1, sizeof(*out->v));
	json_object_foreach (v, key, ignored) {
		if (strlen(key) > WIRE_STR_MAX)
			return too_much(f->key, e);
		out->v[i++] = arena_strdup(a, key);
	}
	out->n = n;
	qsort(out->v, n, sizeof(*out->v), compare_strings);
	return 0;
}

static int
get_kvs(json_t *v, const struct field *f, void *at, struct arena *a, struct err *e)
{
	struct rec_image_config *shape = NULL;
	__typeof__(shape->labels) *out = at;
	size_t n = json_object_size(v), i = 0;
	const char *key;
	json_t *value;

	if (!json_is_object(v))
		return wrong_type(f->key, e);
	if (n > f->max)
		return too_much(f->key, e);
	out->v = arena_array(a, n + 1, sizeof(*out->v));
	json_object_foreach (v, key, value) {
		if (!json_is_string(value))
			return wrong_type(f->key, e);
		if (strlen(key) > 65536 || json_string_length(value) > WIRE_STR_MAX)
			return too_much(f->key, e);
		out->v[i].key = arena_strdup(a, key);
		out->v[i++].value = arena_strdup(a, json_string_value(value));
	}
	out->n = n;
	return 0;
}

static int
get_str(const json_t *v, const struct field *f, const char **out, struct arena *a, struct err *e)
{
	if (!json_is_string(v))
		return wrong_type(f->key, e);
	if (json_string_length(v) > f->max)
		return too_much(f->key, e);
	*out = arena_strdup(a, json_string_value(v));
	return 0;
}

static int
get_field(json_t *v, const struct field *f, void *rec, struct arena *a, struct err *e)
{
	void *at = (char *)rec + f->at;

	switch (f->type) {
	case F_STR:
		return get_str(v, f, at, a, e);
	case F_STRS:
		return get_strs(v, f, at, a, e);
	case F_KEYS:
		return get_keys(v, f, at, a, e);
	case F_KVS:
		return get_kvs(v, f, at, a, e);
	case F_I64:
	case F_U64:
		if (!json_is_integer(v))
			return wrong_type(f->key, e);
		if (f->type == F_U64 &&
		    (json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > f->max))
			return too_much(f->key, e);
		*(int64_t *)at = json_integer_value(v);
		return 0;
	case F_BOOL:
		if (!json_is_boolean(v))
			return wrong_type(f->key, e);
		*(bool *)at = json_is_true(v);
		return 0;
	}
	return wrong_type(f->key, e);
}

static int
get_fields(const json_t *j, const struct field *fields, size_t n, void *rec, struct arena *a,
    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(j, fields[i].key);

		if (v != NULL && !json_is_null(v) && get_field(v, &fields[i], rec, a, e) < 0)
			return -1;
	}
	return 0;
}

static int
get_history(const json_t *j, struct rec_image_config *out, struct arena *a, struct err *e)
{
	json_t *list = NULL;
	size_t n;

	if (json_want_arr(j, "history", &list, e) < 0)
		return -1;
	n = json_array_size(list);
	if (n > 65536)
		return too_much("history", e);
	out->history.v = arena_array(a, n + 1, sizeof(*out->history.v));
	for (size_t i = 0; i < n; i++) {
		const json_t *step = json_array_get(list, i);

		if (!json_is_object(step))
			return wrong_type("history", e);
		if (get_fields(step, history_fields, COUNTOF(history_fields), &out->history.v[i], a,
			e) < 0)
			return err_wrap(e, "history[%zu]", i);
	}
	out->history.n = n;
	return 0;
}

static int
get_diff_ids(
    const json_t *j, size_t nlayers, struct rec_image_config *out, struct arena *a, struct err *e)
{
	static const struct field f = {"diff_ids", F_STRS, 0, MANIFEST_LAYERS_MAX};
	json_t *rootfs, *list;

	if (json_need_obj(j, "rootfs", &rootfs, e) < 0)
		return -1;
	list = json_object_get(rootfs, "diff_ids");
	if (list != NULL && !json_is_null(list) && get_strs(list, &f, &out->diff_ids, a, e) < 0)
		return -1;
	for (size_t i = 0; i < out->diff_ids.n; i++) {
		if (!reference_digest_valid(out->diff_ids.v[i]))
			return err_set(e, ERR_FORMAT, "diff_ids[%zu] is no valid digest", i);
	}
	if (out->diff_ids.n != nlayers)
		return err_set(e, ERR_FORMAT,
		    "the manifest has %zu layers but the configuration has %zu diff_ids", nlayers,
		    out->diff_ids.n);
	return 0;
}

int
manifest_config_members(
    const json_t *config, struct rec_image_config *out, struct arena *a, struct err *e)
{
	json_t *health = NULL;

	if (get_fields(config, config_fields, COUNTOF(config_fields), out, a, e) < 0 ||
	    json_want_obj(config, "Healthcheck", &health, e) < 0)
		return err_wrap(e, "config");
	if (health == NULL)
		return 0;
	out->health = arena_alloc(a, sizeof(*out->health));
	if (get_fields(health, health_fields, COUNTOF(health_fields), out->health, a, e) < 0)
		return err_wrap(e, "config: Healthcheck");
	return 0;
}

static int
get_config(const json_t *j, struct rec_image_config *out, struct arena *a, struct err *e)
{
	json_t *config = NULL;

	if (json_want_obj(j, "config", &config, e) < 0)
		return -1;
	return config == NULL ? 0 : manifest_config_members(config, out, a, e);
}

int
manifest_config(const char *bytes, size_t n, size_t nlayers, struct rec_image_config *out,
    struct arena *a, struct err *e)
{
	own_json json_t *j = json_read_max(bytes, n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	struct rec_image_config c = {0};

	if (j == NULL)
		return err_wrap(e, "parsing image configuration");
	if (!json_is_object(j))
		return err_set(e, ERR_FORMAT, "parsing image configuration: it is no JSON object");
	if (get_fields(j, top_fields, COUNTOF(top_fields), &c, a, e) < 0 ||
	    get_config(j, &c, a, e) < 0 || get_diff_ids(j, nlayers, &c, a, e) < 0 ||
	    get_history(j, &c, a, e) < 0)
		return err_wrap(e, "parsing image configuration");
	*out = c;
	return 0;
}
