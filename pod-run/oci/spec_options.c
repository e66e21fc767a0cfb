/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_options.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "common/fs/file.h"
#include "common/role/spawn.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/spec_env.h"
#include "pod-run/oci/spec_limits.h"
#include "pod-run/oci/spec_logging.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mount_opts.h"
#include "pod-run/oci/spec_mounts.h"
#include "pod-run/oci/spec_network.h"
#include "pod-run/oci/spec_ports.h"
#include "pod-run/oci/spec_secret.h"
#include "pod-run/oci/spec_security.h"
#include "pod-run/oci/spec_systemd.h"

#define RECORD_MAX ((size_t)8 << 20) /* packed; far above any real container */

extern char **environ;

/* --- What the host contributes
 * -------------------------------------------------------------------*/

/* Number of ids that our namespace maps, from /proc/self/uid_map or gid_map. */
static int
count_ids(const char *path, uint32_t *out, struct err *e)
{
	own_file FILE *f = fopen(path, "re");
	unsigned long long inside, outside, count, sum = 0;

	if (f == NULL)
		return err_sys(e, "open %s", path);
	while (fscanf(f, "%llu %llu %llu", &inside, &outside, &count) == 3)
		sum += count;
	*out = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
	return 0;
}

int
spec_defaults_host(
    struct spec_defaults *d, bool rootless, uid_t uid, gid_t gid, struct arena *a, struct err *e)
{
	enum cgroup_layout layout = cgroup_layout();
	own_mem char *cwd = getcwd(NULL, 0);

	d->rootless = rootless;
	d->uid = uid;
	d->gid = gid;
	d->cgroup_v2 = layout == CGROUP_V2;
	d->cgroup_usable = cgroup_usable(layout, d->cgroup_manager, rootless, NULL);
	d->cgroup_delegated = cgroup_delegated(layout);
	d->cwd = arena_strdup(a, cwd != NULL ? cwd : "/");
	d->environ = (const char *const *)environ;
	d->uids = d->gids = UINT32_MAX;
	if (!rootless)
		return 0;
	return count_ids("/proc/self/uid_map", &d->uids, e) < 0 ||
		       count_ids("/proc/self/gid_map", &d->gids, e) < 0
		   ? -1
		   : 0;
}

/* --- Identity
 * ------------------------------------------------------------------------------------*/

static int
read_name(const struct spec_options *o, struct rec_ctr_config *c, struct err *e)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const char *s = o->name;

	if (o->replace && (s == NULL || *s == '\0'))
		return err_set(e, ERR_INVALID, "cannot replace container without --name being set");
	if (s == NULL || *s == '\0')
		return 0;
	if (strchr("_.-", *s) != NULL || s[strspn(s, set)] != '\0' || strlen(s) > 255)
		return err_set(e, ERR_INVALID,
		    "running container create option: names must match "
		    "[a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument");
	c->name = s;
	return 0;
}

static int
add_label(struct rec_ctr_config *c, const char *word, struct arena *a, struct err *e)
{
	size_t n = strcspn(word, "=");

	if (n == 0)
		return err_set(e, ERR_INVALID, "invalid label format: \"%s\"", word);
	spec_list_kv_set(a, &c->labels.v, &c->labels.n, arena_strndup(a, word, n),
	    word[n] == '=' ? word + n + 1 : "");
	return 0;
}

static int
read_labels(const struct spec_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < o->label_file.n; i++) {
		struct strs lines = {0};

		if (spec_env_file(o->label_file.v[i], NULL, a, &lines, e) < 0)
			return err_wrap(e, "unable to process labels");
		for (size_t k = 0; k < lines.n; k++)
			if (add_label(c, lines.v[k], a, e) < 0)
				return -1;
	}
	for (size_t i = 0; i < o->label.n; i++)
		if (add_label(c, o->label.v[i], a, e) < 0)
			return err_wrap(e, "unable to process labels");
	return 0;
}

static int
read_annotations(const struct strv *l, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t n = strcspn(l->v[i], "=");

		if (l->v[i][n] == '\0' || n == 0)
			return err_set(e, ERR_INVALID, "annotations must be formatted KEY=VALUE");
		spec_list_kv_set(a, &c->annotations.v, &c->annotations.n,
		    arena_strndup(a, l->v[i], n), l->v[i] + n + 1);
	}
	return 0;
}

/* DIR[:OPTION], where the image's name would stand. */
static int
read_rootfs(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	char *rest = arena_strdup(a, in->image), *path = strsep(&rest, ":");
	struct stat st;

	if (*path == '\0')
		return err_set(e, ERR_INVALID,
		    "must set root filesystem source to either image or rootfs: invalid argument");
	if (*path != '/')
		path = arena_printf(a, "%s/%s", in->d->cwd, path);
	c->rootfs = spec_mounts_clean(path, a);
	for (char *o; (o = strsep(&rest, ":,")) != NULL;) {
		if (strcmp(o, "O") == 0)
			c->rootfs_overlay = true;
		else if (strcmp(o, "idmap") == 0 || text_has_prefix(o, "idmap="))
			c->rootfs_idmap = o;
		else
			return err_set(e, ERR_INVALID, "invalid rootfs option \"%s\"", o);
	}
	if (c->rootfs_idmap != NULL && spec_mount_opts_check_idmap(c->rootfs_idmap, e) < 0)
		return -1;
	if (stat(c->rootfs, &st) < 0)
		return err_sys(e, "running container create option: stat %s", c->rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "--rootfs %s: not a directory", c->rootfs);
	return 0;
}

int
spec_options_cidfile(const char *path, struct err *e)
{
	if (path != NULL && access(path, F_OK) == 0)
		return err_set(e, ERR_EXISTS,
		    "container id file exists. Ensure another container is not using it or delete "
		    "%s",
		    path);
	return file_check_place(path, "cidfile", e);
}

static int
read_identity(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;

	if (read_name(o, c, e) < 0 || read_labels(o, c, a, e) < 0 ||
	    read_annotations(&in->d->conf->containers_annotations, c, a, e) < 0 ||
	    read_annotations(&o->annotation, c, a, e) < 0)
		return -1;
	if (spec_options_cidfile(o->cidfile, e) < 0 ||
	    file_check_place(o->pidfile, "pidfile", e) < 0 ||
	    file_check_place(o->conmon_pidfile, "conmon-pidfile", e) < 0)
		return -1;
	c->cid_file = o->cidfile;
	c->pid_file = o->pidfile;
	c->monitor_pid_file = o->conmon_pidfile;
	c->remove = o->rm || o->rmi;
	c->remove_image = o->rmi;
	spec_list_add_all(a, &c->requires, &o->requires);
	for (size_t i = 0; i < in->command_line_n; i++)
		spec_list_add(a, &c->create_command, in->command_line[i]);
	if (o->rootfs)
		return read_rootfs(in, c, a, e);
	c->image_asked = in->image;
	return 0;
}

/* --- The process
 * ---------------------------------------------------------------------------------*/

/* A JSON array of strings, else one word; "" and [] mean none. */
static void
read_entrypoint(const char *word, struct rec_ctr_config *c, struct arena *a)
{
	own_json json_t *j = NULL;
	struct err ignored;
	bool words = true;

	if (word == NULL || *word == '\0')
		return;
	if (*word == '[')
		j = json_read(word, strlen(word), &ignored);
	for (size_t i = 0; i < json_array_size(j); i++)
		words = words && json_is_string(json_array_get(j, i));
	if (!json_is_array(j) || !words)
		spec_list_add(a, &c->entrypoint, word);
	for (size_t i = 0; words && i < json_array_size(j); i++)
		spec_list_add(
		    a, &c->entrypoint, arena_strdup(a, json_string_value(json_array_get(j, i))));
}

static int
find_init(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct containers_conf *conf = in->d->conf;
	const char *given =
	    in->o->init_path != NULL ? in->o->init_path : conf->containers_init_path;

	if (strcmp(c->pid_ns, "private") != 0)
		return err_set(e, ERR_INVALID,
		    "cannot add init binary as PID 1 (PID namespace isn't private)");
	if (*given != '\0') {
		if (access(given, X_OK) < 0)
			return err_sys(
			    e, "container-init binary not found on the host: stat %s", given);
		c->init_path = given;
		return 0;
	}
	c->init_path = "/usr/bin/catatonit";
	for (size_t i = 0; i < conf->engine_helper_binaries_dir.n; i++) {
		const char *path =
		    arena_printf(a, "%s/catatonit", conf->engine_helper_binaries_dir.v[i]);

		if (access(path, X_OK) == 0) {
			c->init_path = path;
			break;
		}
	}
	if (access(c->init_path, X_OK) < 0)
		return err_sys(
		    e, "container-init binary not found on the host: stat %s", c->init_path);
	return 0;
}

static int
check_workdir(const char *path, struct err *e)
{
	if (*path != '/')
		return err_set(e, ERR_INVALID,
		    "the working directory \"%s\" is invalid, it needs to be an absolute path",
		    path);
	/* A runtime's own descriptors must not become a way out (CVE-2024-21626). */
	if (text_has_prefix(path, "/proc/") && strstr(path, "/fd") != NULL)
		return err_set(e, ERR_DENIED,
		    "the working directory \"%s\" is invalid: it names a file descriptor", path);
	return 0;
}

static int
check_umask(const char *s, struct err *e)
{
	size_t n = strlen(s);

	if (n < 1 || n > 4 || s[strspn(s, "01234567")] != '\0')
		return err_set(e, ERR_INVALID,
		    "running container create option: invalid umask string %s: invalid argument",
		    s);
	return 0;
}

/* A zone is a name below the host's zoneinfo: no way up, no absolute path. */
static int
check_zone(const char *s, struct err *e)
{
	own_mem char *path = xasprintf("/usr/share/zoneinfo/%s", s);

	if (strcmp(s, "local") == 0)
		return 0;
	if (*s == '/' || strstr(s, "..") != NULL || access(path, R_OK) < 0)
		return err_set(e, ERR_INVALID,
		    "running container create option: finding timezone: unknown time zone %s", s);
	return 0;
}

static int
read_process(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;
	const char *zone = o->tz != NULL ? o->tz : conf->containers_tz;

	read_entrypoint(o->entrypoint, c, a);
	for (size_t i = 0; i < in->words_n; i++)
		spec_list_add(a, &c->command, in->words[i]);
	c->tty = o->tty;
	c->stdin_open = o->interactive;
	if (o->user != NULL && *o->user != '\0')
		c->user = o->user;
	c->init = o->init < 0 ? conf->containers_init : o->init == 1;
	if (c->init && find_init(in, c, a, e) < 0)
		return -1;
	if (o->workdir != NULL && *o->workdir != '\0') {
		if (check_workdir(o->workdir, e) < 0)
			return -1;
		c->workdir = spec_mounts_clean(o->workdir, a);
	}
	c->umask = o->umask != NULL ? o->umask : conf->containers_umask;
	if (check_umask(c->umask, e) < 0 || (*zone != '\0' && check_zone(zone, e) < 0))
		return -1;
	if (*zone != '\0')
		c->tz = zone;
	if (o->personality != NULL) {
		if (strcmp(o->personality, "LINUX") != 0 && strcmp(o->personality, "LINUX32") != 0)
			return err_set(
			    e, ERR_INVALID, "invalid personality \"%s\"", o->personality);
		c->personality = o->personality;
	}
	c->no_passwd = o->passwd == 0;
	if (o->passwd_entry != NULL && strpbrk(o->passwd_entry, "\n\r") != NULL)
		return err_set(e, ERR_INVALID, "--passwd-entry must be one line");
	if (o->group_entry != NULL && strpbrk(o->group_entry, "\n\r") != NULL)
		return err_set(e, ERR_INVALID, "--group-entry must be one line");
	c->passwd_entry = o->passwd_entry;
	c->group_entry = o->group_entry;
	return spec_systemd_read(in, c, e);
}

static bool
host_knows(const char *name)
{
	own_file FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;

	while (f != NULL && (pw = fgetpwent(f)) != NULL)
		if (strcmp(pw->pw_name, name) == 0)
			return true;
	return false;
}

/* What the container's own files get from the host. */
static int
read_files(const struct spec_options *o, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < o->hostuser.n; i++) {
		uint64_t number;

		if (text_to_u64(o->hostuser.v[i], UINT32_MAX, &number) < 0 &&
		    !host_knows(o->hostuser.v[i]))
			return err_set(e, ERR_INVALID, "user: unknown user %s", o->hostuser.v[i]);
		spec_list_add(a, &c->host_users, o->hostuser.v[i]);
	}
	for (size_t i = 0; i < o->chrootdirs.n; i++) {
		const char *path = o->chrootdirs.v[i];

		if (*path != '/')
			path = arena_printf(a, "/%s", path);
		spec_list_add(a, &c->chroot_dirs, spec_mounts_clean(path, a));
	}
	return 0;
}

/* --- Life: stopping, restarting, logging
 * ---------------------------------------------------------*/

int
spec_options_restart(const char *word, bool remove, struct rec_ctr_config *c, struct err *e)
{
	static const char *const known[] = {
	    "no", "never", "on-failure", "always", "unless-stopped"};
	size_t n, i;
	int64_t retries;

	if (word == NULL || *word == '\0')
		return 0;
	n = strcspn(word, ":");
	if (word[n] == ':') {
		if (n != strlen("on-failure") || strncasecmp(word, "on-failure", n) != 0)
			return err_set(e, ERR_INVALID,
			    "restart policy retries can only be specified with on-failure restart "
			    "policy");
		if (strchr(word + n + 1, ':') != NULL)
			return err_set(e, ERR_INVALID,
			    "invalid restart policy: may specify retries at most once");
		if (text_to_i64(word + n + 1, INT32_MIN, INT32_MAX, &retries) < 0)
			return err_set(e, ERR_INVALID,
			    "parsing restart policy retry count: strconv.Atoi: parsing \"%s\": "
			    "invalid syntax",
			    word + n + 1);
		if (retries < 0)
			return err_set(e, ERR_INVALID,
			    "must specify restart policy retry count as a number greater than 0");
		c->restart_max = (uint64_t)retries;
	}
	for (i = 0; i < COUNTOF(known); i++)
		if (strlen(known[i]) == n && strncasecmp(known[i], word, n) == 0)
			break;
	if (i == COUNTOF(known))
		return err_set(e, ERR_INVALID,
		    "running container create option: \"%s\" is not a valid restart policy: "
		    "invalid argument",
		    word);
	c->restart = i < 2 ? "no" : known[i];
	if (remove && i > 2)
		return err_set(e, ERR_INVALID,
		    "the --rm option conflicts with --restart, when the restartPolicy is not \"\" "
		    "and \"no\"");
	return 0;
}

static int
read_stop(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;
	char name[16];
	int number;

	if (o->stop_signal != NULL && *o->stop_signal != '\0') {
		if (sig_parse(o->stop_signal, &number, e) < 0)
			return -1;
		sig_name(number, name, sizeof(name));
		c->stop_signal = arena_strdup(a, name);
	}
	if (o->stop_timeout < -1 || o->stop_timeout > UINT32_MAX)
		return err_set(e, ERR_INVALID, "invalid value %lld for --stop-timeout",
		    (long long)o->stop_timeout);
	c->stop_timeout_s =
	    (uint64_t)(o->stop_timeout >= 0 ? o->stop_timeout : in->d->conf->engine_stop_timeout);
	c->timeout_s = o->timeout;
	return spec_options_restart(o->restart, c->remove, c, e);
}

/* --- The rest
 * ------------------------------------------------------------------------------------*/

static int
check_choice(const char *value, const char *choices, const char *format, struct err *e)
{
	if (value == NULL || opt_in_list(choices, value, strlen(value)))
		return 0;
	return err_set(e, ERR_INVALID, format, value);
}

/* --cgroups=split: below the cgroup that we are in now, whoever starts the container later. */
static int
read_split(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	own_mem char *own = in->d->cgroup_v2 ? cgroup_own() : NULL;

	if (!in->d->cgroup_v2)
		return err_set(
		    e, ERR_UNSUPPORTED, "--cgroups=split is only supported on cgroup v2");
	if (in->o->cgroup_parent != NULL)
		return err_set(e, ERR_INVALID,
		    "cannot set both --cgroups=split and --cgroup-parent: invalid argument");
	if (own == NULL)
		return err_set(e, ERR_UNSUPPORTED, "--cgroups=split: we are in no cgroup");
	c->cgroup_parent = arena_strdup(a, own);
	return 0;
}

/* A parent outside of where cgroups are would be an ordinary directory. */
static bool
has_dots(const char *path)
{
	own_strv struct strv parts = {0};

	strv_split(&parts, path, '/');
	return strv_find(&parts, "..") < parts.n;
}

/* systemd's units are in slices only, and slices are systemd's. */
static int
check_parent(const struct rec_ctr_config *c, struct err *e)
{
	const char *p = c->cgroup_parent;
	size_t n = p != NULL ? strlen(p) : 0, suffix = strlen(".slice");
	bool slice = n >= suffix && strcmp(p + n - suffix, ".slice") == 0;

	if (p != NULL && has_dots(p))
		return err_set(e, ERR_INVALID, "invalid cgroup parent %s: invalid argument", p);
	if (p == NULL || !cgroup_wanted(c) || slice == cgroup_is_systemd(c))
		return 0;
	return err_set(e, ERR_INVALID, "%s: invalid argument",
	    slice ? "systemd slice received as cgroup parent when using cgroupfs"
		  : "did not receive systemd slice as cgroup parent when using systemd to manage "
		    "cgroups");
}

/* --cgroups and --cgroup-parent */
static int
read_cgroups(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;

	c->cgroups = o->cgroups != NULL ? o->cgroups : in->d->conf->containers_cgroups;
	if (check_choice(c->cgroups, "enabled,disabled,no-conmon,split",
		"running container create option: invalid cgroup mode \"%s\": invalid argument",
		e) < 0)
		return -1;
	c->cgroup_parent = o->cgroup_parent;
	if (strcmp(c->cgroups, "split") == 0) {
		c->cgroup_manager = "cgroupfs";
		return read_split(in, c, a, e);
	}
	c->cgroup_manager = in->d->cgroup_manager;
	if (check_parent(c, e) < 0)
		return -1;
	/* In the slices of the user's own systemd; root's have their usual place. */
	if (c->cgroup_parent == NULL && in->d->rootless && cgroup_is_systemd(c))
		c->cgroup_parent = "user.slice";
	return 0;
}

/* --storage-opt: the one option that is a container's own. */
static int
read_storage(const struct spec_options *o, struct rec_ctr_config *c, struct err *e)
{
	for (size_t i = 0; i < o->storage_opt.n; i++) {
		const char *word = o->storage_opt.v[i];
		int64_t n;

		if (!text_has_prefix(word, "size="))
			return err_set(e, ERR_USAGE,
			    "invalid storage option \"%s\": only size is known", word);
		if (value_size(word + strlen("size="), &n, e) == -1)
			return err_wrap(e, "--storage-opt size");
		if (n <= 0)
			return err_set(e, ERR_USAGE, "--storage-opt size must be more than 0");
		c->storage_size = (uint64_t)n;
	}
	return 0;
}

static int
read_misc(const struct spec_input *in, struct rec_ctr_config *c, struct err *e)
{
	const struct spec_options *o = in->o;
	const struct containers_conf *conf = in->d->conf;
	const char *shm = o->shm_size != NULL ? o->shm_size : conf->containers_shm_size;

	if (check_choice(o->pull,
		"always,Always,missing,never,Never,newer,true,false,ifnewer,ifmissing,"
		"ifnotpresent,IfNotPresent",
		"unsupported pull policy \"%s\"", e) < 0 ||
	    check_choice(o->image_volume, "bind,anonymous,tmpfs,ignore",
		"invalid image volume mode \"%s\" required value: bind, tmpfs, ignore", e) < 0)
		return -1;
	for (size_t i = 0; i < o->attach.n; i++)
		if (strcasecmp(o->attach.v[i], "stdin") != 0 &&
		    strcasecmp(o->attach.v[i], "stdout") != 0 &&
		    strcasecmp(o->attach.v[i], "stderr") != 0)
			return err_set(e, ERR_INVALID,
			    "invalid stream \"%s\" for --attach - must be one of stdin, stdout, or "
			    "stderr: invalid argument",
			    o->attach.v[i]);
	if (read_storage(o, c, e) == -1)
		return -1;
	if (value_size(shm, &c->shm_size, e) < 0)
		return err_wrap(e, "unable to translate --shm-size");
	if (c->shm_size < 0 || (o->shm_size != NULL && strcmp(c->ipc_ns, "host") == 0))
		return err_set(e, ERR_INVALID,
		    "invalid config provided: cannot set shmsize when running in the {%s } IPC "
		    "Namespace",
		    c->ipc_ns);
	if (o->rdt_class != NULL && access("/sys/fs/resctrl/schemata", F_OK) < 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "--rdt-class %s: no resctrl file system is mounted on /sys/fs/resctrl",
		    o->rdt_class);
	c->rdt_class = o->rdt_class;
	c->runtime = in->d->runtime;
	if (o->oom_score_adj < -1000 || o->oom_score_adj > 1000)
		return err_set(e, ERR_INVALID,
		    "invalid value %lld for --oom-score-adj: must be between -1000 and 1000",
		    (long long)o->oom_score_adj);
	c->oom_score_adj = o->oom_score_adj;
	c->oom_score_adj_set = o->oom_score_adj != 0;
	if (!c->oom_score_adj_set && conf->containers_oom_score_adj_set) {
		c->oom_score_adj = conf->containers_oom_score_adj;
		c->oom_score_adj_set = true;
	}
	return 0;
}

/* Bounds and encoding of every field, by the table that will read the record again. */
static int
check_record(const struct rec_ctr_config *c, struct err *e)
{
	own_strbuf struct strbuf packed = {0};
	own_arena struct arena a = {0};
	struct rec_ctr_config copy;

	if (wire_check_text(&rec_ctr_config_desc, c, e) < 0)
		return -1;
	wire_pack(&rec_ctr_config_desc, c, &packed);
	if (packed.n > RECORD_MAX)
		return err_set(e, ERR_LIMIT, "the container's configuration is too large");
	if (wire_unpack(&rec_ctr_config_desc, packed.s, packed.n, &copy, &a, e) < 0) {
		e->class = ERR_INVALID;
		return err_wrap(e, "a value is too long");
	}
	return 0;
}

int
spec_options_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct spec_platform p;

	if (read_identity(in, c, a, e) < 0 || spec_network_read(in, c, a, e) < 0 ||
	    spec_security_read(in, c, a, e) < 0 || spec_ports_read(in, c, a, e) < 0 ||
	    read_process(in, c, a, e) < 0 || read_files(in->o, c, a, e) < 0 ||
	    spec_env_read(in, c, a, e) < 0 || spec_mounts_read(in, c, a, e) < 0 ||
	    read_cgroups(in, c, a, e) < 0 || spec_limits_read(in, c, a, e) < 0 ||
	    read_stop(in, c, a, e) < 0 || spec_logging(in, c, a, e) < 0 ||
	    read_misc(in, c, e) < 0 || spec_secret_read(&in->o->secret, c, a, e) < 0 ||
	    spec_options_platform(in->o, &p, a, e) < 0)
		return -1;
	return check_record(c, e);
}

/* --- Merging the image
 * ---------------------------------------------------------------------------*/

/* The image's labels are below the user's. */
static void
merge_labels(const struct rec_image_config *image, struct rec_ctr_config *c, struct arena *a)
{
	for (size_t i = 0; i < image->labels.n; i++) {
		const struct rec_kv *kv = &image->labels.v[i];

		if (spec_list_kv_get(c->labels.v, c->labels.n, kv->key) == NULL)
			spec_list_kv_set(a, &c->labels.v, &c->labels.n, kv->key, kv->value);
	}
}

static void
copy_words(struct arena *a, struct strs *to, const struct strs *from)
{
	for (size_t i = 0; i < from->n; i++)
		spec_list_add(a, to, from->v[i]);
}

static int
merge_process(const struct spec_input *in, const struct rec_image_config *image,
    struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	bool own_entrypoint = in->o->entrypoint != NULL;
	char name[16];
	int number;

	if (!own_entrypoint)
		copy_words(a, &c->entrypoint, &image->entrypoint);
	if (c->command.n == 0 && !own_entrypoint)
		copy_words(a, &c->command, &image->cmd);
	if (c->user == NULL && image->user != NULL && *image->user != '\0')
		c->user = image->user;
	if (image->working_dir != NULL && *image->working_dir != '\0') {
		const char *path = spec_mounts_clean(arena_printf(a, "/%s", image->working_dir), a);

		if (check_workdir(path, e) < 0)
			return err_wrap(e, "image");
		if (c->workdir == NULL)
			c->workdir = path;
		c->make_workdir = strcmp(c->workdir, path) == 0;
	}
	if (c->stop_signal == NULL && image->stop_signal != NULL && *image->stop_signal != '\0') {
		if (sig_parse(image->stop_signal, &number, e) < 0)
			return err_wrap(e, "image");
		sig_name(number, name, sizeof(name));
		c->stop_signal = arena_strdup(a, name);
	}
	c->health = image->health;
	return 0;
}

int
spec_options_merge(const struct spec_input *in, const struct rec_image *image,
    struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct rec_image_config *config = image == NULL ? NULL : image->config;

	if (image != NULL) {
		c->image_id = image->id;
		c->image_digest = image->digest;
		c->image_layers = image->layers;
		if (c->image_name == NULL)
			c->image_name = image->names.n > 0 ? image->names.v[0] : image->id;
	}
	if (config != NULL) {
		merge_labels(config, c, a);
		if (merge_process(in, config, c, a, e) < 0)
			return -1;
	}
	c->health_max_log_count = SPEC_HEALTH_LOG_COUNT;
	c->health_max_log_size = SPEC_HEALTH_LOG_SIZE;
	if (spec_health(&in->o->health, c, a, e) < 0)
		return -1;
	if (c->sdnotify != NULL && strcmp(c->sdnotify, "healthy") == 0 &&
	    !spec_health_has(c->health))
		return err_set(
		    e, ERR_INVALID, "sdnotify policy \"healthy\" requires a healthcheck to be set");
	if (spec_security_merge(in, c, a, e) < 0)
		return -1;
	if (c->workdir == NULL)
		c->workdir = "/";
	spec_systemd_merge(in, c);
	if (c->stop_signal == NULL)
		c->stop_signal = "SIGTERM";
	spec_env_merge(in, config, c, a);
	if (spec_mounts_merge(in, config, c, a, e) < 0 || spec_ports_merge(config, c, a, e) < 0)
		return -1;
	if (c->entrypoint.n + c->command.n == 0)
		return err_set(e, ERR_INVALID,
		    "no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
	return check_record(c, e);
}

size_t
spec_options_volumes(const struct rec_ctr_config *c, struct arena *a, struct rec_volume_use **out)
{
	size_t n = 0;

	*out = arena_array(a, c->mounts.n + 1, sizeof(**out));
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "volume") == 0)
			(*out)[n++] = (struct rec_volume_use){.name = m->source,
			    .target = m->target,
			    .anonymous = m->anonymous,
			    .no_copy = m->no_copy,
			    .no_create = m->no_create};
	}
	return n;
}

int
spec_options_platform(
    const struct spec_options *o, struct spec_platform *p, struct arena *a, struct err *e)
{
	char *rest;

	*p = (struct spec_platform){.os = o->os, .arch = o->arch, .variant = o->variant};
	if (o->platform == NULL || *o->platform == '\0')
		return 0;
	if (o->os != NULL || o->arch != NULL)
		return err_set(
		    e, ERR_INVALID, "--platform option can not be specified with --arch or --os");
	rest = arena_strdup(a, o->platform);
	p->os = strsep(&rest, "/");
	if (rest != NULL)
		p->arch = strsep(&rest, "/");
	if (rest != NULL)
		p->variant = rest;
	if (*p->os == '\0' || (p->arch != NULL && *p->arch == '\0'))
		return err_set(
		    e, ERR_INVALID, "invalid platform syntax for --platform=\"%s\"", o->platform);
	return 0;
}
