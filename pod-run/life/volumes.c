/* SPDX-License-Identifier: ISC */
#include "pod-run/life/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/volume_plugin.h"
#include "pod-run/life/volumes.h"
#include "pod-run/state/ctr.h"

#define MESSAGE_MAX 2048

static const char *
option(const struct rec_volume *v, const char *key)
{
	for (size_t i = 0; i < v->options.n; i++)
		if (strcasecmp(v->options.v[i].key, key) == 0)
			return v->options.v[i].value;
	return NULL;
}

static bool
is_driver(const struct rec_volume *v, const char *name)
{
	const char *driver = v->driver != NULL && *v->driver != '\0' ? v->driver : "local";

	return strcmp(driver, name) == 0;
}

bool
volumes_is_image(const struct rec_volume *v)
{
	return is_driver(v, "image");
}

bool
volumes_is_plugin(const struct rec_volume *v)
{
	return !is_driver(v, "local") && !is_driver(v, "image");
}

/* What o= says about the store's own directory; the other words are mount(8)'s. */
static bool
is_own_word(const char *word)
{
	static const char *const own[] = {
	    "uid", "gid", "size", "inodes", "noquota", "copy", "nocopy"};
	size_t n = strcspn(word, "=,");

	for (size_t i = 0; i < COUNTOF(own); i++)
		if (strlen(own[i]) == n && strncasecmp(own[i], word, n) == 0)
			return true;
	return false;
}

/* With neither type nor device there is something to mount only if no word of o= is ours, as Podman has it. */
bool
volumes_is_plain(const struct rec_volume *v)
{
	const char *o = option(v, "o");

	if (!is_driver(v, "local") || option(v, "type") != NULL || option(v, "device") != NULL)
		return false;
	for (const char *word = o; word != NULL; word = strchr(word, ',')) {
		word += *word == ',';
		if (is_own_word(word))
			return true;
	}
	return o == NULL || *o == '\0';
}

/* --- Making ------------------------------------------------------------------------------------------*/

static int
owner(const char *value, uint64_t *out, struct rec_volume *v, struct err *e)
{
	if (text_to_u64(value, UINT32_MAX - 1, out) == -1)
		return err_set(e, ERR_INVALID,
		    "cannot convert UID/GID %s to integer: invalid argument", value);
	v->owned = true;
	return 0;
}

/* One word of o=, or an option whose name means the same. */
static int
check_word(struct rec_volume *v, const char *key, const char *value, struct err *e)
{
	if (strcasecmp(key, "uid") == 0)
		return owner(value, &v->uid, v, e);
	if (strcasecmp(key, "gid") == 0)
		return owner(value, &v->gid, v, e);
	if (strcasecmp(key, "nocopy") == 0)
		v->no_copy = true;
	if ((strcasecmp(key, "size") == 0 || strcasecmp(key, "inodes") == 0) &&
	    option(v, "type") == NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "volume options size and inodes not supported. Filesystem does not support "
		    "Project Quota");
	if (strcasecmp(key, "timeout") == 0)
		return err_set(e, ERR_INVALID,
		    "running volume create option: Volume driver timeout can only be used with "
		    "non-local volume drivers: invalid argument");
	return 0;
}

static int
check_o(struct rec_volume *v, const char *value, struct err *e)
{
	own_mem char *copy = xstrdup(value);
	char *rest = copy;

	for (char *o; (o = strsep(&rest, ",")) != NULL;) {
		char *eq = strchr(o, '=');

		if (eq != NULL)
			*eq++ = '\0';
		if (check_word(v, o, eq != NULL ? eq : "", e) == -1)
			return -1;
	}
	return 0;
}

static int
check_local(struct rec_volume *v, struct err *e)
{
	for (size_t i = 0; i < v->options.n; i++) {
		const char *key = v->options.v[i].key, *value = v->options.v[i].value;
		int r;

		if (strcasecmp(key, "o") == 0)
			r = check_o(v, value, e);
		else if (is_own_word(key))
			r = check_word(v, key, value, e);
		else if (strcasecmp(key, "type") == 0 || strcasecmp(key, "device") == 0)
			r = 0;
		else
			r = err_set(e, ERR_INVALID,
			    "invalid mount option %s for driver 'local': invalid argument", key);
		if (r == -1)
			return -1;
	}
	return 0;
}

int
volumes_check(struct ctx *x, struct rec_volume *v, struct arena *a, struct err *e)
{
	(void)a;
	if (is_driver(v, "local"))
		return check_local(v, e);
	if (!is_driver(v, "image"))
		return volume_plugin_check(x, v->driver, e);
	if (option(v, "image") == NULL || *option(v, "image") == '\0')
		return err_set(e, ERR_INVALID,
		    "must provide an image for volumes of the image driver: invalid argument");
	return 0;
}

static json_t *
request(const struct rec_volume *v, const char *user)
{
	json_t *j = json_obj();

	json_put_str(j, "Name", v->name);
	if (user != NULL)
		json_put_str(j, "ID", user);
	return j;
}

int
volumes_plugin_create(struct ctx *x, const struct rec_volume *v, struct err *e)
{
	json_t *j = request(v, NULL), *options = json_put_obj(j, "Opts");

	for (size_t i = 0; i < v->options.n; i++)
		json_put_str(options, v->options.v[i].key, v->options.v[i].value);
	return volume_plugin_call(x, v->driver, "Create", j, NULL, e);
}

int
volumes_plugin_remove(struct ctx *x, const struct rec_volume *v, struct err *e)
{
	return volume_plugin_call(x, v->driver, "Remove", request(v, NULL), NULL, e);
}

/* --- mount(8) ----------------------------------------------------------------------------------------*/

static bool
is_mounted(const char *path)
{
	struct statx sx;

	return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == 0 &&
	       (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Its own words are the reason. */
static int
report(int fd, const struct rec_volume *v, struct err *e)
{
	char text[MESSAGE_MAX], *line = text, *nl;
	ssize_t n = file_get(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	for (n = (ssize_t)strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	nl = strrchr(text, '\n');
	if (nl != NULL && strncmp(nl + 1, "       dmesg", 12) == 0)
		*nl = '\0';
	return err_set(
	    e, ERR_STATE, "mounting volume %s: %s", v->name, *line != '\0' ? line : "mount failed");
}

/*
 * mount(8), since file systems like NFS need its helpers.  Safe because the words are those of whoever made
 * the volume, who may call mount as well as we may, and the place is the store's own directory.
 */
static int
run_mount(const struct rec_volume *v, struct err *e)
{
	const char *type = option(v, "type"), *o = option(v, "o"), *device = option(v, "device");
	char *const env[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	own_strv struct strv argv = {0};
	posix_spawn_file_actions_t actions;
	own_fd int in = -1, out = -1;
	int fds[2], status, no;
	pid_t pid;

	strv_add(&argv, "mount");
	if (o != NULL && *o != '\0') {
		strv_add(&argv, "-o");
		strv_add(&argv, o);
	}
	if (type != NULL && *type != '\0') {
		strv_add(&argv, "-t");
		strv_add(&argv, type);
	}
	strv_add(&argv, "--");
	strv_add(&argv, device != NULL && *device != '\0' ? device : "none");
	strv_add(&argv, v->mountpoint);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	in = fds[0];
	out = fds[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, out, 2);
	no = posix_spawnp(&pid, "mount", &actions, NULL, argv.v, env);
	posix_spawn_file_actions_destroy(&actions);
	fd_close(&out);
	if (no != 0) {
		errno = no;
		return err_sys(e, "starting mount for volume %s", v->name);
	}
	no = report(in, v, e);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_sys(e, "waiting for mount");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return no;
	err_clear(e);
	return 0;
}

/* --- Use -------------------------------------------------------------------------------------------*/

int
volumes_mount(struct ctx *x, const struct rec_volume *v, const char *user, const char **path,
    struct arena *a, struct err *e)
{
	own_json json_t *answer = NULL;
	const char *where = NULL;

	if (!volumes_is_plugin(v)) {
		*path = arena_strdup(a, v->mountpoint);
		if (volumes_is_plain(v) || is_mounted(v->mountpoint))
			return 0;
		return run_mount(v, e);
	}
	if (volume_plugin_call(x, v->driver, "Mount", request(v, user), &answer, e) == -1 ||
	    json_need_str(answer, "Mountpoint", &where, e) == -1)
		return err_wrap(e, "mounting volume %s", v->name);
	if (*where != '/')
		return err_set(e, ERR_PEER,
		    "volume plugin %s: the mount point of volume %s is no absolute path", v->driver,
		    v->name);
	*path = arena_strdup(a, where);
	return 0;
}

/* Does a container other than user that runs use the volume? */
static int
in_use(struct ctx *x, const char *name, const char *user, bool *out, struct err *e)
{
	own_strv struct strv users = {0};
	struct db *db = ctx_db(x, e);

	*out = false;
	if (db == NULL || ctr_using_volume(db, name, &users, e) == -1)
		return -1;
	for (size_t i = 0; i < users.n && !*out; i++) {
		own_ctr struct ctr c = {0};
		struct err gone;

		if (strcmp(users.v[i], user) == 0 || ctr_load(db, users.v[i], &c, &gone) == -1)
			continue;
		*out = c.status == CTR_RUNNING || c.status == CTR_PAUSED;
	}
	return 0;
}

int
volumes_unmount(struct ctx *x, const struct rec_volume *v, const char *user, struct err *e)
{
	bool used;

	if (volumes_is_plugin(v))
		return volume_plugin_call(x, v->driver, "Unmount", request(v, user), NULL, e);
	if (volumes_is_plain(v) || v->mountpoint == NULL || !is_mounted(v->mountpoint))
		return 0;
	if (in_use(x, v->name, user, &used, e) == -1)
		return -1;
	if (!used && umount2(v->mountpoint, UMOUNT_NOFOLLOW) == -1 && errno != EINVAL)
		return err_sys(e, "unmounting volume %s", v->name);
	return 0;
}

int
volumes_find(
    struct ctx *x, const char *name, struct rec_volume *out, struct arena *a, struct err *e)
{
	struct msg_volume_get m = {.name = name, .exact = true};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	if (store == NULL)
		return -1;
	if (peer_call(store, &msg_volume_get_desc, &m, &in, NULL, NULL, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	wire_copy(&rec_volume_desc, MSG_OF(&in, volume_got)->volume, out, a);
	return 1;
}

void
volumes_release(struct ctx *x, const char *id, const struct strs *names)
{
	own_arena struct arena a = {0};

	for (size_t i = 0; i < names->n; i++) {
		struct rec_volume v = {0};
		struct err e = {0};

		if (volumes_find(x, names->v[i], &v, &a, &e) == -1 ||
		    (v.name != NULL && volumes_unmount(x, &v, id, &e) == -1))
			log_warn("giving back volume %s: %s", names->v[i], e.text);
	}
}
