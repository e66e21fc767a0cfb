/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "common/conf/containers_conf.h"
#include "common/conf/toml.h"
#include "common/oci/attach.h"

#define SHARE_DIR "/usr/share/containers"
#define ETC_DIR "/etc/containers"
#define MODULES_DIR "containers.conf.modules"

#define LOG_SIZE_MIN 8192 /* what a monitor reads at a time */

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

		if (!json_is_boolean(flag))
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

static bool
is_known(const char *section, const char *key)
{
	static const struct {
		const char *section, *key;
	} known[] = {
#define CONF_STR(section, key, def, doc) {#section, #key},
#define CONF_WORD(section, key, def, words, doc) {#section, #key},
#define CONF_PATH(section, key, def, doc) {#section, #key},
#define CONF_BOOL(section, key, def, doc) {#section, #key},
#define CONF_INT(section, key, def, min, max, doc) {#section, #key},
#define CONF_LIST(section, key, def, doc) {#section, #key},
#define CONF_TREE(section, key, kind, doc) {#section, #key},
#include "common/conf/containers_conf.def"
	};

	for (size_t i = 0; i < COUNTOF(known); i++)
		if (strcmp(known[i].section, section) == 0 && strcmp(known[i].key, key) == 0)
			return true;
	return false;
}

/* Other versions have other keys: an unknown one is no error, but one that is misspelt shall be found. */
static void
report_unknown(const char *path, const json_t *file)
{
	const char *section, *key;
	const json_t *table, *v;

	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	json_object_foreach ((json_t *)file, section, table) {
		if (!json_is_object(table))
			log_debug("Failed to decode the keys [\"%s\"] from \"%s\"", section, path);
		json_object_foreach ((json_t *)table, key, v)
			if (!is_known(section, key))
				log_debug("Failed to decode the keys [\"%s.%s\"] from \"%s\"",
				    section, key, path);
	}
}

/* A value in the place of a table would take all of its keys away. */
static int
check_sections(const char *path, const json_t *file, struct err *e)
{
	static const char *const sections[] = {
	    "containers", "secrets", "network", "engine", "farms", "podmansh"};

	for (size_t i = 0; i < COUNTOF(sections); i++) {
		const json_t *table = json_object_get(file, sections[i]);

		if (table != NULL && !json_is_object(table))
			return err_set(e, ERR_INVALID, "containers.conf: %s must be a table (%s)",
			    sections[i], path);
	}
	return 0;
}

/* Merges one file; an absent or unreadable-by-us file is skipped unless it must be there. */
static int
add_file(struct containers_conf *c, const char *path, bool must, json_t *state, struct err *e)
{
	struct err why = {0};
	own_json json_t *j = toml_read_file(path, &why);

	if (j == NULL) {
		if (!must &&
		    (why.no == ENOENT || why.no == ENOTDIR || why.no == EACCES || why.no == EISDIR))
			return 0;
		*e = why;
		return err_wrap(e, "reading containers.conf");
	}
	if (check_sections(path, j, e) == -1)
		return -1;
	report_unknown(path, j);
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

		if (dirs[i] == NULL || *name == '\0')
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
check_word(const char *section, const char *key, const char *words, const char *s, struct err *e)
{
	own_strv struct strv known = {0};
	own_strbuf struct strbuf list = {0};

	strv_split(&known, words, '|');
	if (*words == '\0' || strv_find(&known, s) < known.n)
		return 0;
	for (size_t i = 0; i < known.n; i++)
		strbuf_addf(&list, "%s%s",
		    i == 0	       ? ""
		    : i + 1 == known.n ? " or "
				       : ", ",
		    known.v[i]);
	return err_set(e, ERR_INVALID, "containers.conf: %s in table [%s] must be %s, not \"%s\"",
	    key, section, list.s, s);
}

static int
check_range(
    const char *section, const char *key, int64_t min, int64_t max, int64_t v, struct err *e)
{
	if (v >= min && v <= max)
		return 0;
	return err_set(e, ERR_INVALID, "containers.conf: %s in table [%s] must be %s%lld, not %lld",
	    key, section, v < min ? "at least " : "at most ", (long long)(v < min ? min : max),
	    (long long)v);
}

static bool
are_strings(const json_t *list)
{
	size_t i;
	const json_t *s;

	json_array_foreach (list, i, s)
		if (!json_is_string(s))
			return false;
	return json_is_array(list);
}

static int
check_tree(const char *section, const char *key, enum conf_tree kind, json_t *v, struct err *e)
{
	const char *name;
	json_t *member;

	if (kind == CONF_TABLES_LIST)
		return json_is_array(v) ? 0 : wrong(section, key, "an array of tables", e);
	if (!json_is_object(v))
		return wrong(section, key, "a table", e);
	json_object_foreach (v, name, member) {
		own_mem char *path = xasprintf("%s.%s", section, key);

		if (kind == CONF_STRINGS && !json_is_string(member))
			return wrong(path, name, "a string", e);
		if (kind == CONF_LISTS && !are_strings(member))
			return wrong(path, name, "an array of strings", e);
		if (kind == CONF_TABLES && !json_is_object(member))
			return wrong(path, name, "a table", e);
	}
	return 0;
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
	if (!are_strings(v))
		return -1;
	json_array_foreach (v, i, s)
		strv_add(out, json_string_value(s));
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
#define CONF_WORD(section, key, def, words, doc)                                              \
	CONF_STR(section, key, def, doc)                                                      \
	if (*c->section##_##key == '\0')                                                      \
		c->section##_##key = (def);                                                   \
	else if (v != NULL && check_word(#section, #key, words, c->section##_##key, e) == -1) \
		return -1;
#define CONF_PATH(section, key, def, doc)                              \
	CONF_STR(section, key, def, doc)                               \
	if (*c->section##_##key != '\0' && *c->section##_##key != '/') \
		return wrong(#section, #key, "an absolute path", e);
#define CONF_BOOL(section, key, def, doc)                         \
	v = find(c, #section, #key);                              \
	if (v != NULL && !json_is_boolean(v))                     \
		return wrong(#section, #key, "true or false", e); \
	c->section##_##key = v != NULL ? json_is_true(v) : (def); \
	c->section##_##key##_set = v != NULL;
#define CONF_INT(section, key, def, min, max, doc)                              \
	v = find(c, #section, #key);                                            \
	if (v != NULL && !json_is_integer(v))                                   \
		return wrong(#section, #key, "an integer", e);                  \
	c->section##_##key = v != NULL ? json_integer_value(v) : (def);         \
	if (check_range(#section, #key, min, max, c->section##_##key, e) == -1) \
		return -1;                                                      \
	c->section##_##key##_set = v != NULL;
#define CONF_LIST(section, key, def, doc)                                                    \
	v = find(c, #section, #key);                                                         \
	if (fill_list(&c->section##_##key, v, def, on_default(state, #section, #key)) == -1) \
		return wrong(#section, #key, "an array of strings", e);                      \
	c->section##_##key##_set = v != NULL;
#define CONF_TREE(section, key, kind, doc)                             \
	v = find(c, #section, #key);                                   \
	if (v != NULL && check_tree(#section, #key, kind, v, e) == -1) \
		return -1;                                             \
	c->section##_##key = v;                                        \
	c->section##_##key##_set = v != NULL;
#include "common/conf/containers_conf.def"
	return 0;
}

/* Values whose bounds are not one range, or words. */
static int
check_rest(const struct containers_conf *c, struct err *e)
{
	const char *ip = c->containers_host_containers_internal_ip;
	const char *tmp = c->engine_image_copy_tmp_dir;
	const char *backend = c->network_network_backend;
	struct detach keys;
	struct in6_addr raw;
	int64_t size;

	/* The words that scripts know. */
	if (*backend != '\0' && strcmp(backend, "netavark") != 0 && strcmp(backend, "cni") != 0)
		return err_set(e, ERR_INVALID,
		    "unsupported network backend \"%s\", check network_backend in containers.conf",
		    backend);
	if (c->containers_log_size_max >= 0 && c->containers_log_size_max < LOG_SIZE_MIN)
		return err_set(e, ERR_INVALID,
		    "containers.conf: log_size_max in table [containers] must be negative or at "
		    "least %d, not %lld",
		    LOG_SIZE_MIN, (long long)c->containers_log_size_max);
	if (detach_parse(&keys, c->engine_detach_keys, e) == -1)
		return err_wrap(e, "containers.conf: detach_keys in table [engine]");
	if (*tmp != '\0' && *tmp != '/' && strcmp(tmp, "storage") != 0)
		return wrong("engine", "image_copy_tmp_dir", "an absolute path or storage", e);
	if (*c->engine_events_logfile_max_size != '\0' &&
	    value_size(c->engine_events_logfile_max_size, &size, e) == -1)
		return err_wrap(e, "containers.conf: events_logfile_max_size in table [engine]");
	if (*ip != '\0' && strcmp(ip, "none") != 0 && inet_pton(AF_INET, ip, &raw) != 1 &&
	    inet_pton(AF_INET6, ip, &raw) != 1)
		return wrong(
		    "containers", "host_containers_internal_ip", "an IP address or none", e);
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
	    {c->engine_compat_api_enforce_docker_hub_set, "engine.compat_api_enforce_docker_hub"},
	    {c->engine_compose_providers_set, "engine.compose_providers"},
	    {c->engine_compose_warning_logs_set, "engine.compose_warning_logs"},
	    {c->engine_infra_command_set, "engine.infra_command"},
	    {c->engine_infra_image_set, "engine.infra_image"},
	    {c->engine_kube_generate_type_set, "engine.kube_generate_type"},
	    {c->engine_pod_exit_policy_set, "engine.pod_exit_policy"},
	    {c->engine_service_timeout_set, "engine.service_timeout"},
	    {c->engine_ssh_config_set, "engine.ssh_config"}, {c->farms_list_set, "farms.list"},
	    {c->farms_default_set, "farms.default"}, {c->podmansh_shell_set, "podmansh.shell"},
	    {c->podmansh_container_set, "podmansh.container"},
	    {c->podmansh_timeout_set, "podmansh.timeout"},
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

/* Says which file it is that a value in e comes from: the last one that is wrong by itself. */
static void
name_file(const struct containers_conf *c, struct err *e)
{
	for (size_t i = c->files.n; i-- > 0;) {
		own_containers_conf struct containers_conf one = {.tree = json_obj()};
		own_json json_t *state = json_obj();
		struct err why = {0}, ignored;
		json_t *j = toml_read_file(c->files.v[i], &ignored);

		if (j == NULL)
			continue;
		merge(one.tree, j, state);
		json_decref(j);
		if (fill(&one, state, &why) == 0 && check_rest(&one, &why) == 0)
			continue;
		err_set(e, why.class, "%s (%s)", why.text, c->files.v[i]);
		return;
	}
}

static int
load(struct containers_conf *c, uid_t uid, const struct strv *modules, json_t *state, struct err *e)
{
	if (add_all(c, uid, modules, state, e) == -1)
		return -1;
	if (fill(c, state, e) == 0 && check_rest(c, e) == 0)
		return 0;
	name_file(c, e);
	return -1;
}

int
containers_conf_load(
    struct containers_conf *c, uid_t uid, const struct strv *modules, struct err *e)
{
	own_json json_t *state = json_obj();

	*c = (struct containers_conf){.tree = json_obj()};
	if (load(c, uid, modules, state, e) == -1) {
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
#define CONF_WORD(section, key, def, words, doc)
#define CONF_PATH(section, key, def, doc)
#define CONF_BOOL(section, key, def, doc)
#define CONF_INT(section, key, def, min, max, doc)
#define CONF_LIST(section, key, def, doc) strv_free(&c->section##_##key);
#define CONF_TREE(section, key, kind, doc)
#include "common/conf/containers_conf.def"
	strv_free(&c->files);
	json_decref(c->tree);
	*c = (struct containers_conf){0};
}
