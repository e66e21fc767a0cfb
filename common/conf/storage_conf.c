/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/host_root.h"
#include "common/conf/storage_conf.h"
#include "common/conf/toml.h"

#define IN_TMP "/tmp/pod-run-"

static char *
home_path(const char *variable, const char *below_home, const char *name)
{
	const char *dir = getenv(variable), *home = getenv("HOME");

	if (dir != NULL && *dir == '/')
		return xasprintf("%s/%s", dir, name);
	return xasprintf("%s/%s/%s", home != NULL && *home == '/' ? home : "", below_home, name);
}

static void
defaults(struct storage_conf *c, uid_t uid)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char guess[64];
	struct stat st;

	c->driver = xstrdup("");
	if (uid == 0) {
		c->graphroot = xstrdup("/var/lib/pod");
		c->runroot = xstrdup("/run/pod");
		return;
	}
	c->graphroot = home_path("XDG_DATA_HOME", ".local/share", "pod");
	snprintf(guess, sizeof(guess), "/run/user/%u", (unsigned)uid);
	if (run != NULL && *run == '/')
		c->runroot = xasprintf("%s/pod", run);
	/* In the user's namespace both are 0. */
	else if (stat(guess, &st) == 0 && st.st_uid == geteuid())
		c->runroot = xasprintf("%s/pod", guess);
	else
		c->runroot = xasprintf(IN_TMP "%u", (unsigned)uid);
}

int
storage_conf_own_runroot(const char *runroot, struct err *e)
{
	const size_t len = strlen(IN_TMP);
	struct stat st;

	if (strncmp(runroot, IN_TMP, len) != 0 || strchr(runroot + len, '/') != NULL)
		return 0;
	if (mkdir(runroot, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making the run root %s", runroot);
	/* Safe because nobody else can take it away from /tmp, which is sticky, once it is ours. */
	if (lstat(runroot, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    (st.st_mode & 0022) == 0)
		return 0;
	err_set(e, ERR_DENIED,
	    "the run root %s is not a directory of ours that is closed to others", runroot);
	return err_hint(e, "Set XDG_RUNTIME_DIR to a directory of your own with mode 0700.");
}

/* Replaces $HOME, $UID, $USER and ${…} of them; nothing else is special. */
static char *
expand(const char *s, uid_t uid)
{
	own_strbuf struct strbuf b = {0};
	char number[16];

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	while (*s != '\0') {
		static const char *const names[] = {"HOME", "UID", "USER"};
		size_t n = 0;

		for (size_t i = 0; *s == '$' && i < COUNTOF(names) && n == 0; i++) {
			const char *value = getenv(names[i]);
			bool brace = s[1] == '{';
			size_t len = strlen(names[i]);

			if (strncmp(s + 1 + brace, names[i], len) != 0 ||
			    (brace && s[2 + len] != '}'))
				continue;
			n = 1 + len + 2 * (size_t)brace;
			strbuf_add(&b, strcmp(names[i], "UID") == 0 ? number
				       : value != NULL		    ? value
								    : "");
		}
		if (n == 0)
			strbuf_addc(&b, *s);
		s += n > 0 ? n : 1;
	}
	return strbuf_take(&b);
}

/* Takes a path over, unless it is the one that other engines use by default. */
static int
set_path(char **member, const json_t *table, const char *key, const char *foreign, uid_t uid,
    struct err *e)
{
	own_mem char *path = NULL;
	const char *s = "";

	if (json_want_str(table, key, &s, e) == -1)
		return -1;
	path = expand(s, uid);
	if (*path == '\0' || (foreign != NULL && strcmp(path, foreign) == 0))
		return 0;
	free(*member);
	*member = ptr_take(&path);
	return 0;
}

static int
set_roots(struct storage_conf *c, const json_t *t, uid_t uid, struct err *e)
{
	own_mem char *graph =
	    uid == 0 ? xstrdup("/var/lib/containers/storage")
		     : home_path("XDG_DATA_HOME", ".local/share", "containers/storage");
	own_mem char *run = uid == 0 ? xstrdup("/run/containers/storage")
				     : xasprintf("/run/user/%u/containers", (unsigned)uid);

	if (set_path(&c->graphroot, t, "graphroot", graph, uid, e) == -1)
		return -1;
	return set_path(&c->runroot, t, "runroot", run, uid, e);
}

/* [storage.options] and its table for the driver, as --storage-opt would give them. */
static void
add_table(struct strv *out, const char *driver, const json_t *table)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)table, key, v) {
		if (json_is_boolean(v))
			strv_addf(out, "%s.%s=%s", driver, key, json_is_true(v) ? "true" : "false");
		else if (json_is_string(v) && *json_string_value(v) != '\0')
			strv_addf(out, "%s.%s=%s", driver, key, json_string_value(v));
	}
}

/* Without a driver, the tables of those that it may turn out to be. */
static int
set_options(struct storage_conf *c, const json_t *options, struct err *e)
{
	static const char *const drivers[] = {"overlay", "vfs"};
	static const char *const common[] = {
	    "size", "inodes", "mount_program", "mountopt", "ignore_chown_errors"};

	if (json_want_strv(options, "additionalimagestores", &c->additional_image_stores, e) == -1)
		return -1;
	for (size_t i = 0; i < COUNTOF(common); i++) {
		const json_t *v = json_object_get(options, common[i]);

		if (json_is_string(v) && *json_string_value(v) != '\0')
			strv_addf(&c->options, "%s=%s", common[i], json_string_value(v));
	}
	if (*c->driver != '\0')
		add_table(&c->options, c->driver, json_object_get(options, c->driver));
	for (size_t i = 0; i < COUNTOF(drivers) && *c->driver == '\0'; i++)
		add_table(&c->options, drivers[i], json_object_get(options, drivers[i]));
	add_table(&c->pull_options, "pull_options", json_object_get(options, "pull_options"));
	return 0;
}

static int
set_priority(struct storage_conf *c, const json_t *t, struct err *e)
{
	own_strv struct strv names = {0};
	own_strbuf struct strbuf list = {0};

	if (json_want_strv(t, "driver_priority", &names, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		strbuf_addf(&list, "%s%s", i > 0 ? "," : "", names.v[i]);
	if (names.n > 0)
		strv_addf(&c->options, "driver_priority=%s", list.s);
	return 0;
}

static int
apply(struct storage_conf *c, const json_t *j, uid_t uid, bool users_own, struct err *e)
{
	json_t *t = NULL, *options = NULL;

	if (json_want_obj(j, "storage", &t, e) == -1)
		return -1;
	if (t == NULL)
		return 0;
	if (set_path(&c->driver, t, "driver", NULL, uid, e) == -1 ||
	    set_path(&c->imagestore, t, "imagestore", NULL, uid, e) == -1 ||
	    json_want_bool(t, "transient_store", &c->transient_store, e) == -1 ||
	    set_priority(c, t, e) == -1 || json_want_obj(t, "options", &options, e) == -1)
		return -1;
	if (users_own ? set_roots(c, t, uid, e) == -1
		      : set_path(&c->graphroot, t, "rootless_storage_path", NULL, uid, e) == -1)
		return -1;
	return options != NULL ? set_options(c, options, e) : 0;
}

/* The first file that exists decides alone.  *users_own: its roots are meant for this user. */
static json_t *
read_first(uid_t uid, bool *users_own, char **file, struct err *e)
{
	const char *instead = getenv("CONTAINERS_STORAGE_CONF");
	own_mem char *user =
	    uid != 0 ? home_path("XDG_CONFIG_HOME", ".config", "containers/storage.conf") : NULL;
	const char *const paths[] = {
	    user, "/etc/containers/storage.conf", "/usr/share/containers/storage.conf"};
	json_t *j = NULL;

	*users_own = true;
	if (instead != NULL && *instead != '\0') {
		*file = xstrdup(instead);
		return toml_read_file(instead, e);
	}
	for (size_t i = 0; i < COUNTOF(paths) && j == NULL; i++) {
		if (paths[i] == NULL)
			continue;
		*users_own = uid == 0 || paths[i] == user;
		j = toml_read_file(paths[i], e);
		if (j == NULL && e->no != ENOENT && e->no != ENOTDIR && e->no != EACCES)
			return NULL;
		if (j == NULL)
			err_clear(e);
		else
			*file = xstrdup(paths[i]);
	}
	return j;
}

int
storage_conf_load(struct storage_conf *c, uid_t uid, struct err *e)
{
	struct err why = {0};
	bool users_own;
	own_mem char *file = NULL;
	own_json json_t *j = read_first(uid, &users_own, &file, &why);

	*c = (struct storage_conf){0};
	if (err_is_set(&why)) {
		*e = why;
		return err_wrap(e, "reading storage.conf");
	}
	defaults(c, uid);
	c->file = ptr_take(&file);
	if (j != NULL && apply(c, j, uid, users_own, e) == -1) {
		storage_conf_free(c);
		return err_wrap(e, "storage.conf");
	}
	return 0;
}

static void
take_variable(char **member, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	free(*member);
	*member = xstrdup(value);
}

int
storage_conf_load_alone(struct storage_conf *c, struct err *e)
{
	const char *graph = host_userns() ? NULL : getenv("CONTAINERS_GRAPHROOT");

	/* Any number but root's tells that the files are a user's. */
	if (storage_conf_load(c, graph != NULL ? 1 : getuid(), e) == -1)
		return -1;
	take_variable(&c->graphroot, graph);
	if (graph != NULL)
		take_variable(&c->runroot, getenv("CONTAINERS_RUNROOT"));
	return 0;
}

void
storage_conf_settings(const struct storage_conf *c, const struct strv *given, struct strv *out)
{
	const struct strv *from = given->n > 0 ? given : &c->options;

	strv_add_all(out, (const char *const *)c->pull_options.v, c->pull_options.n);
	for (size_t i = 0; i < from->n; i++)
		if (*from->v[i] != '\0')
			strv_add(out, from->v[i]);
	for (size_t i = 0; i < c->additional_image_stores.n && given->n == 0; i++)
		strv_addf(out, "additionalimagestore=%s", c->additional_image_stores.v[i]);
}

void
storage_conf_free(struct storage_conf *c)
{
	free(c->graphroot);
	free(c->runroot);
	free(c->imagestore);
	free(c->driver);
	free(c->file);
	strv_free(&c->additional_image_stores);
	strv_free(&c->options);
	strv_free(&c->pull_options);
	*c = (struct storage_conf){0};
}
