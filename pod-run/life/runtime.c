/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "pod-run/life/runtime.h"
#include "pod-run/oci/cgroup.h"

#define MESSAGE_MAX 4096

extern char **environ;

/* In the order in which one is chosen if nothing is configured. */
static const char *const known[] = {"crun", "runc", "youki"};
static const char *const dirs[] = {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
    "/sbin", "/bin", "/run/current-system/sw/bin"};

void
runtime_free(struct runtime *r)
{
	free(r->path);
	strv_free(&r->args);
	*r = (struct runtime){0};
}

static bool
is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

static char *
in_usual_places(const char *name)
{
	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		char *path = xasprintf("%s/%s", dirs[i], name);

		if (is_program(path))
			return path;
		free(path);
	}
	return NULL;
}

static char *
in_search_path(const char *name)
{
	const char *path = getenv("PATH");
	own_strv struct strv parts = {0};

	strv_split(&parts, path != NULL ? path : "", ':');
	for (size_t i = 0; i < parts.n; i++) {
		char *p = xasprintf("%s/%s", parts.v[i], name);

		if (*parts.v[i] == '/' && is_program(p))
			return p;
		free(p);
	}
	return NULL;
}

/* The first program in the configuration's list for the name, or the usual places. */
static char *
locate(const struct containers_conf *conf, const char *name)
{
	const json_t *paths = json_object_get(conf->engine_runtimes, name);
	const json_t *p;
	size_t i;
	char *found;

	json_array_foreach (paths, i, p)
		if (json_is_string(p) && is_program(json_string_value(p)))
			return xstrdup(json_string_value(p));
	found = in_usual_places(name);
	return found != NULL ? found : in_search_path(name);
}

int
runtime_name(struct ctx *x, const char **name, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);

	if (conf == NULL)
		return -1;
	if (x->g->runtime != NULL && *x->g->runtime != '\0') {
		*name = x->g->runtime;
		return 0;
	}
	if (*conf->engine_runtime != '\0') {
		*name = conf->engine_runtime;
		return 0;
	}
	for (size_t i = 0; i < COUNTOF(known); i++) {
		own_mem char *path = locate(conf, known[i]);

		if (path != NULL) {
			*name = known[i];
			return 0;
		}
	}
	return err_set(e, ERR_NOTFOUND, "no OCI runtime found: crun or runc must be installed");
}

/* Flags of the table runtimes_flags, by the runtime's name. */
static void
add_configured(const struct containers_conf *conf, const char *base, struct runtime *r)
{
	const json_t *flag;
	size_t i;

	json_array_foreach (json_object_get(conf->engine_runtimes_flags, base), i, flag)
		if (json_is_string(flag))
			strv_addf(&r->args, "--%s", json_string_value(flag));
}

/* Without cgroups only some runtimes work. */
static int
check_cgroups(const struct containers_conf *conf, const struct rec_ctr_config *c, const char *base,
    struct err *e)
{
	const struct strv *l = &conf->engine_runtime_supports_nocgroups;

	if (cgroup_wanted(c))
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], base) == 0)
			return 0;
	return err_set(e, ERR_INVALID,
	    "requested OCI runtime %s is not compatible with NoCgroups: invalid argument", base);
}

static void
add_options(struct ctx *x, const char *base, const struct rec_ctr_config *c, struct runtime *r)
{
	bool runc = text_has_prefix(base, "runc");
	struct err ignored;

	r->cgroup_usable =
	    cgroup_usable(cgroup_layout(), c->cgroup_manager, x->rootless.user, c->cgroup_parent);
	if (!cgroup_wanted(c))
		r->cgroup_usable = false;
	r->systemd_cgroup = r->cgroup_usable && cgroup_is_systemd(c);
	if (r->is_crun || runc) {
		strv_add(&r->args, "--root");
		strv_addf(&r->args, "%s/oci-%.4s", x->run_root, base);
	}
	if (r->is_crun && !r->systemd_cgroup) {
		strv_add(&r->args, "--cgroup-manager");
		strv_add(&r->args, r->cgroup_usable ? "cgroupfs" : "disabled");
	}
	add_configured(ctx_conf(x, &ignored), base, r);
	for (size_t i = 0; i < x->g->runtime_flag.n; i++)
		strv_addf(&r->args, "--%s", x->g->runtime_flag.v[i]);
}

int
runtime_find(struct ctx *x, const struct rec_ctr_config *c, struct runtime *out, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	const char *name = c->runtime, *base;
	own_runtime struct runtime r = {0};

	if (conf == NULL || ((name == NULL || *name == '\0') && runtime_name(x, &name, e) == -1))
		return -1;
	r.path = strchr(name, '/') != NULL ? xstrdup(name) : locate(conf, name);
	if (r.path == NULL || !is_program(r.path))
		return err_set(
		    e, ERR_INVALID, "default OCI runtime \"%s\" not found: invalid argument", name);
	base = strrchr(r.path, '/') + 1;
	r.is_crun = text_has_prefix(base, "crun") || strcmp(base, "krun") == 0;
	if (check_cgroups(conf, c, base, e) == -1)
		return -1;
	add_options(x, base, c, &r);
	*out = r;
	r = (struct runtime){0};
	return 0;
}

char *
runtime_state_dir(struct ctx *x, const struct runtime *r, const char *id)
{
	if (strcmp(strrchr(r->path, '/') + 1, "crun") != 0 || r->systemd_cgroup ||
	    x->g->runtime_flag.n > 0 || (x->rootless.user && r->cgroup_usable))
		return NULL;
	return xasprintf("%s/oci-crun/%s", x->run_root, id);
}

/* In the child.  Returns only if the runtime cannot be started. */
static void
become(const struct runtime *r, char *const *argv, int err_fd, int mnt)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if ((mnt != -1 && setns(mnt, CLONE_NEWNS) == -1) || dup2(null, 0) == -1 ||
	    dup2(null, 1) == -1 || dup2(err_fd, 2) == -1)
		return;
	execve(r->path, argv, environ);
}

/* monitor: whose mount namespace; 0: ours. */
static int
start(const struct runtime *r, char *const *argv, int err_fd, pid_t monitor, pid_t *pid,
    struct err *e)
{
	posix_spawn_file_actions_t actions;
	own_fd int mnt = -1;
	char path[64];
	int no;

	if (monitor > 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)monitor);
		mnt = open(path, O_RDONLY | O_CLOEXEC);
		if (mnt == -1)
			return err_sys(e, "opening the mount namespace of the container's monitor");
		*pid = fork();
		if (*pid == 0) {
			become(r, argv, err_fd, mnt);
			dprintf(err_fd, "starting %s: %s\n", r->path, strerror(errno));
			_exit(127);
		}
		return *pid == -1 ? err_sys(e, "starting %s", r->path) : 0;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, err_fd, 2);
	no = posix_spawn(pid, r->path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (no == 0)
		return 0;
	errno = no;
	return err_sys(e, "starting %s", r->path);
}

/* The last line the runtime wrote: its own are the reason, those before it are remarks. */
static int
report(const char *text, size_t n, const char *command, const char *id, struct err *e)
{
	own_mem char *copy = xstrndup(text, n);
	char *line = copy, *nl;

	while (n > 0 && (copy[n - 1] == '\n' || copy[n - 1] == '\r'))
		copy[--n] = '\0';
	nl = strrchr(copy, '\n');
	if (nl != NULL)
		line = nl + 1;
	return err_set(e, ERR_RUNTIME, "OCI runtime: %s of container %s failed: %s", command, id,
	    *line != '\0' ? line : "no message");
}

/*
 * The end of what is said: the reason comes last.  All of it is read, for who cannot get rid of his words would wait
 * for us, and we for him.
 */
static size_t
read_end(int fd, char text[MESSAGE_MAX])
{
	char more[MESSAGE_MAX / 2];
	size_t n = 0;
	ssize_t got;

	while ((got = file_get(fd, more, sizeof(more))) > 0) {
		size_t keep = MESSAGE_MAX - (size_t)got;

		if (n > keep) {
			memmove(text, text + n - keep, keep);
			n = keep;
		}
		memcpy(text + n, more, (size_t)got);
		n += (size_t)got;
	}
	return n;
}

int
runtime_call(
    const struct runtime *r, const char *command, const char *option, const char *id, struct err *e)
{
	own_strv struct strv words = {0};

	strv_add(&words, command);
	if (option != NULL)
		strv_add(&words, option);
	strv_add(&words, id);
	return runtime_run(r, &words, 0, command, id, e);
}

int
runtime_run(const struct runtime *r, const struct strv *words, pid_t monitor, const char *act,
    const char *id, struct err *e)
{
	own_strv struct strv argv = {0};
	own_fd int out = -1, in = -1;
	char text[MESSAGE_MAX];
	int fds[2], status;
	size_t n;
	pid_t pid;

	strv_add(&argv, r->path);
	strv_add_all(&argv, (const char *const *)r->args.v, r->args.n);
	strv_add_all(&argv, (const char *const *)words->v, words->n);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	in = fds[0];
	out = fds[1];
	if (start(r, argv.v, out, monitor, &pid, e) == -1)
		return -1;
	fd_close(&out);
	n = read_end(in, text);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_sys(e, "waiting for %s", r->path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return report(text, n, act, id, e);
}
