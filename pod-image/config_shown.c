/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/manifest.h"
#include "pod-image/config_shown.h"

struct key {
	const char *name;
	bool always; /* even if it is empty */
	bool sorted; /* a map */
};

static const struct key top_keys[] = {{"created"}, {"author"}, {"architecture", true}, {"variant"},
    {"os", true}, {"os.version"}, {"os.features"}};
static const struct key config_keys[] = {{"User"}, {"ExposedPorts", .sorted = true}, {"Env"},
    {"Entrypoint"}, {"Cmd"}, {"Volumes", .sorted = true}, {"WorkingDir"},
    {"Labels", .sorted = true}, {"StopSignal"}, {"ArgsEscaped"}};
static const struct key rootfs_keys[] = {{"type", true}, {"diff_ids"}};
static const struct key history_keys[] = {
    {"created"}, {"created_by"}, {"author"}, {"comment"}, {"empty_layer"}};

static bool
is_empty(const json_t *v)
{
	return json_is_null(v) || json_is_false(v) ||
	       (json_is_string(v) && json_string_length(v) == 0) ||
	       (json_is_array(v) && json_array_size(v) == 0) ||
	       (json_is_object(v) && json_object_size(v) == 0);
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
sorted(json_t *map)
{
	size_t n = 0;
	own_mem const char **keys = xcalloc(json_object_size(map) + 1, sizeof(*keys));
	json_t *out = json_obj(), *v;
	const char *key;

	json_object_foreach (map, key, v)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < n; i++)
		json_put_take(out, keys[i], json_incref(json_object_get(map, keys[i])));
	return out;
}

static void
put_keys(json_t *out, const json_t *from, const struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(from, keys[i].name);

		if (v != NULL && !is_empty(v))
			json_put_take(out, keys[i].name,
			    keys[i].sorted && json_is_object(v) ? sorted(v) : json_incref(v));
		else if (keys[i].always)
			json_put_str(out, keys[i].name, "");
	}
}

json_t *
config_shown(struct bytes config, struct err *e)
{
	own_json json_t *j =
	    json_read_max((const char *)config.p, config.n, MANIFEST_MAX, JSON_DEPTH_DEFAULT, e);
	json_t *out, *rootfs, *history, *step, *list;
	size_t i;

	if (j == NULL)
		return NULL;
	out = json_obj();
	put_keys(out, j, top_keys, COUNTOF(top_keys));
	put_keys(json_put_obj(out, "config"), json_object_get(j, "config"), config_keys,
	    COUNTOF(config_keys));
	rootfs = json_put_obj(out, "rootfs");
	put_keys(rootfs, json_object_get(j, "rootfs"), rootfs_keys, COUNTOF(rootfs_keys));
	if (json_object_get(rootfs, "diff_ids") == NULL)
		json_put_arr(rootfs, "diff_ids");
	history = json_object_get(j, "history");
	if (json_array_size(history) == 0)
		return out;
	list = json_put_arr(out, "history");
	json_array_foreach (history, i, step)
		put_keys(json_add_obj(list), step, history_keys, COUNTOF(history_keys));
	return out;
}
