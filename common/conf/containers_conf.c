/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/containers_conf.h"
#include "common/conf/toml.h"

#define SHARE_DIR "/usr/share/containers"
#define ETC_DIR "/etc/containers"
#define MODULES_DIR "containers.conf.modules"

/* What is known about an array, beside its elements. */
#define ARRAY_APPENDS \
	1 /* {append=true} was there; it holds for later files too, as upstream has it */
#define ARRAY_ON_DEFAULT 2 /* the built-in elements come first */

/* The array's {append=…}, which is taken out: 0, 1, or -1 if there is none. */
static int
take_append(json_t *array)
{
	int append = -1;

	for (size_t i = json_array_size(array); i-- > 0;) {
		const json_t *flag = json_object_get(json_array_get(array, i), "append");

		if (flag == NULL)
			continue;
		append = json_is_true(flag);
		json_array_remove(array, i);
	}
	return append;
}

static void
merge_array(json_t *base, const char *key, json_t *v, json_t *state)
{
	json_t *old = json_object_get(base, key);
	json_int_t known = json_integer_value(json_object_get(state, key));
	int append = take_append(v);

	if (append != -1)
		known = append == 1 ? known | ARRAY_APPENDS : 0;
	if ((known & ARRAY_APPENDS) == 0)
		known = 0;
	else if (old == NULL)
		known |= ARRAY_ON_DEFAULT;
	json_put_int(state, key, known);
	if ((known & ARRAY_APPENDS) != 0 && json_is_array(old))
		json_array_extend(old, v);
	else
		json_put_take(base, key, json_incref(v));
}

/*
 * Lays over on top of base, down to the keys of tables.  The depth is bounded by the reader's.
 * state has the same tables, with what is known about the arrays.
 */
static void
merge(json_t *base, json_t *over, json_t *state)
{
	const char *key;
	json_t *v;

	json_object_foreach (over, key, v) {
		json_t *below = json_object_get(state, key);

		if (json_is_object(v)) {
			if (!json_is_object(json_object_get(base, key)))
				json_put_obj(base, key);
			if (!json_is_object(below))
				below = json_put_obj(state, key);
			merge(json_object_get(base, key), v, below);
		} else if (json_is_array(v)) {
			merge_array(base, key, v, state);
		} else {
			json_put_take(base, key, json_incref(v));
		}
	}
}

/* Merges one file; an absent or unreadable-by-us file is skipped unless it must be there. */
static int
add_file(struct containers_conf *c, const char *path, bool must, json_t *state, struct err *e)
{
	struct err why = {0};
	own_json json_t *j = toml_read_file(path, &why);

	if (j == NULL) {
		if (!must && (why.no == ENOENT || why.no == ENOTDIR || why.no == EACCES))
			return 0;
		*e = why;
		return err_wrap(e, "reading containers.conf");
	}
	merge(c->tree, j, state);
	strv_add(&c->files, path);
	return 0;
}

/* The *.conf files of a directory in the order of their names. */
static int
add_dir(struct containers_conf *c, const char *dir, json_t *state, struct err *e)
{
	own_dir DIR *d = opendir(dir);
	own_strv struct strv names = {0};
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (text_has_suffix(entry->d_name, ".conf"))
			strv_addf(&names, "%s/%s", dir, entry->d_name);
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++)
		if (add_file(c, names.v[i], false, state, e) == -1)
			return -1;
	return 0;
}

static int
add_place(struct containers_conf *c, const char *path, json_t *state, struct err *e)
{
	own_mem char *dir = xasprintf("%s.d", path);

	if (add_file(c, path, false, state, e) == -1)
		return -1;
	return add_dir(c, dir, state, e);
}

/* The user's configuration directory, or NULL if there is no home. */
static char *
user_dir(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (xdg != NULL && *xdg == '/')
		return xasprintf("%s/containers", xdg);
	return home != NULL && *home == '/' ? xasprintf("%s/.config/containers", home) : NULL;
}

static int
add_places(struct containers_conf *c, uid_t uid, json_t *state, struct err *e)
{
	own_mem char *user = uid != 0 ? user_dir() : NULL;
	own_mem char *by_uid = NULL, *path = NULL;

	if (add_place(c, SHARE_DIR "/containers.conf", state, e) == -1 ||
	    add_place(c, ETC_DIR "/containers.conf", state, e) == -1)
		return -1;
	if (uid == 0)
		return 0;
	if (add_place(c, ETC_DIR "/containers.rootless.conf", state, e) == -1)
		return -1;
	by_uid = xasprintf(ETC_DIR "/containers.rootless.conf.d/%u", (unsigned)uid);
	if (add_dir(c, by_uid, state, e) == -1)
		return -1;
	if (user == NULL)
		return 0;
	path = xasprintf("%s/containers.conf", user);
	return add_place(c, path, state, e);
}

/* A module is looked for in the user's, the host's and the distribution's directory. */
static int
add_module(struct containers_conf *c, uid_t uid, const char *name, json_t *state, struct err *e)
{
	own_mem char *user = uid != 0 ? user_dir() : NULL;
	const char *const dirs[] = {user, ETC_DIR, SHARE_DIR};

	if (*name == '/')
		return add_file(c, name, true, state, e);
	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		own_mem char *path = NULL;

		if (dirs[i] == NULL)
			continue;
		path = xasprintf("%s/" MODULES_DIR "/%s", dirs[i], name);
		if (access(path, R_OK) == 0)
			return add_file(c, path, true, state, e);
	}
	return err_set(e, ERR_NOTFOUND, "could not resolve module \"%s\"", name);
}

static int
add_all(
    struct containers_conf *c, uid_t uid, const struct strv *modules, json_t *state, struct err *e)
{
	const char *instead = getenv("CONTAINERS_CONF"), *over = getenv("CONTAINERS_CONF_OVERRIDE");

	if (instead != NULL && *instead != '\0') {
		if (add_file(c, instead, true, state, e) == -1)
			return -1;
	} else if (add_places(c, uid, state, e) == -1) {
		return -1;
	}
	for (size_t i = 0; modules != NULL && i < modules->n; i++)
		if (add_module(c, uid, modules->v[i], state, e) == -1)
			return -1;
	if (over != NULL && *over != '\0')
		return add_file(c, over, true, state, e);
	return 0;
}

/* The value of a key, NULL if no file has it. */
static json_t *
find(const struct containers_conf *c, const char *section, const char *key)
{
	json_t *v = json_object_get(json_object_get(c->tree, section), key);

	return json_is_null(v) ? NULL : v;
}

static int
wrong(const char *section, const char *key, const char *expected, struct err *e)
{
	return err_set(
	    e, ERR_INVALID, "containers.conf: %s in table [%s] must be %s", key, section, expected);
}

static int
fill_list(struct strv *out, const json_t *v, const char *def, bool on_default)
{
	size_t i;
	const json_t *s;

	if ((v == NULL || on_default) && *def != '\0')
		strv_split(out, def, '|');
	if (v == NULL)
		return 0;
	if (!json_is_array(v))
		return -1;
	json_array_foreach (v, i, s) {
		if (!json_is_string(s))
			return -1;
		strv_add(out, json_string_value(s));
	}
	return 0;
}

static bool
on_default(const json_t *state, const char *section, const char *key)
{
	const json_t *known = json_object_get(json_object_get(state, section), key);

	return (json_integer_value(known) & ARRAY_ON_DEFAULT) != 0;
}

static int
fill(struct containers_conf *c, const json_t *state, struct err *e)
{
	json_t *v;

#define CONF_STR(section, key, def, doc)                               \
	v = find(c, #section, #key);                                   \
	if (v != NULL && !json_is_string(v))                           \
		return wrong(#section, #key, "a string", e);           \
	c->section##_##key = v != NULL ? json_string_value(v) : (def); \
	c->section##_##key##_set = v != NULL;
#define CONF_BOOL(section, key, def, doc)                         \
	v = find(c, #section, #key);                              \
	if (v != NULL && !json_is_boolean(v))                     \
		return wrong(#section, #key, "true or false", e); \
	c->section##_##key = v != NULL ? json_is_true(v) : (def); \
	c->section##_##key##_set = v != NULL;
#define CONF_INT(section, key, def, doc)                                \
	v = find(c, #section, #key);                                    \
	if (v != NULL && !json_is_integer(v))                           \
		return wrong(#section, #key, "an integer", e);          \
	c->section##_##key = v != NULL ? json_integer_value(v) : (def); \
	c->section##_##key##_set = v != NULL;
#define CONF_LIST(section, key, def, doc)                                                    \
	v = find(c, #section, #key);                                                         \
	if (fill_list(&c->section##_##key, v, def, on_default(state, #section, #key)) == -1) \
		return wrong(#section, #key, "an array of strings", e);                      \
	c->section##_##key##_set = v != NULL;
#define CONF_TREE(section, key, doc)                  \
	c->section##_##key = find(c, #section, #key); \
	c->section##_##key##_set = c->section##_##key != NULL;
#include "common/conf/containers_conf.def"
#undef CONF_STR
#undef CONF_BOOL
#undef CONF_INT
#undef CONF_LIST
#undef CONF_TREE
	return 0;
}

/* What other engines need told, and this one has no use for: whoever sets it shall be able to find out. */
static void
report_idle(const struct containers_conf *c)
{
	const struct {
		bool set;
		const char *key;
	} idle[] = {{c->containers_label_users_set, "containers.label_users"},
	    {c->engine_conmon_path_set, "engine.conmon_path"},
	    {c->engine_conmon_env_vars_set, "engine.conmon_env_vars"},
	    {c->engine_database_backend_set, "engine.database_backend"},
	    {c->engine_exit_command_delay_set, "engine.exit_command_delay"},
	    {c->engine_image_default_transport_set, "engine.image_default_transport"},
	    {c->engine_lock_type_set, "engine.lock_type"},
	    {c->engine_namespace_set, "engine.namespace"},
	    {c->engine_num_locks_set, "engine.num_locks"},
	    {c->engine_runtime_supports_json_set, "engine.runtime_supports_json"},
	    {c->engine_runtime_supports_kvm_set, "engine.runtime_supports_kvm"},
	    {c->engine_static_dir_set, "engine.static_dir"}};

	for (size_t i = 0; i < COUNTOF(idle); i++)
		if (idle[i].set)
			log_info("containers.conf: %s has no effect here", idle[i].key);
}

int
containers_conf_load(
    struct containers_conf *c, uid_t uid, const struct strv *modules, struct err *e)
{
	own_json json_t *state = json_obj();

	*c = (struct containers_conf){.tree = json_obj()};
	if (add_all(c, uid, modules, state, e) == -1 || fill(c, state, e) == -1) {
		containers_conf_free(c);
		return -1;
	}
	report_idle(c);
	return 0;
}

void
containers_conf_free(struct containers_conf *c)
{
#define CONF_STR(section, key, def, doc)
#define CONF_BOOL(section, key, def, doc)
#define CONF_INT(section, key, def, doc)
#define CONF_LIST(section, key, def, doc) strv_free(&c->section##_##key);
#define CONF_TREE(section, key, doc)
#include "common/conf/containers_conf.def"
#undef CONF_STR
#undef CONF_BOOL
#undef CONF_INT
#undef CONF_LIST
#undef CONF_TREE
	strv_free(&c->files);
	json_decref(c->tree);
	*c = (struct containers_conf){0};
}
