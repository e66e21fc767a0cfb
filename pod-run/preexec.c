/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "pod-run/preexec.h"

#define SWITCH "/etc/containers/podman_preexec_hooks.txt"
#define CONFIGURED "/etc/containers/pre-exec-hooks"
#define SHIPPED "../libexec/podman/pre-exec-hooks"
#define VARIABLE "PODMAN_PREEXEC_HOOKS_DIR"
#define CANNOT_RUN 127

extern char **environ;

static int
run_one(const char *path, int argc, char **argv)
{
	own_strv struct strv words = {0};
	int status, no;
	pid_t pid;

	strv_add(&words, path);
	for (int i = 1; i < argc; i++)
		strv_add(&words, argv[i]);
	no = posix_spawn(&pid, path, NULL, NULL, words.v, environ);
	if (no != 0) {
		fprintf(stderr, "Error: starting pre-exec hook %s: %s\n", path, strerror(no));
		return CANNOT_RUN;
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return CANNOT_RUN;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Regular files that can be executed, in order of their names. */
static int
run_dir(const char *dir, int argc, char **argv)
{
	own_strv struct strv names = {0};
	own_dir DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		strv_add(&names, e->d_name);
	strv_sort(&names);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		own_mem char *path = xasprintf("%s/%s", dir, names.v[i]);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0)
			r = run_one(path, argc, argv);
	}
	return r;
}

int
preexec_run(int argc, char **argv)
{
	const char *more = getenv(VARIABLE);
	own_mem char *shipped = NULL;
	int r;

	if (access(SWITCH, F_OK) == -1)
		return 0;
	shipped = xasprintf("%s/" SHIPPED, spawn_bin_dir());
	r = run_dir(shipped, argc, argv);
	if (r == 0)
		r = run_dir(CONFIGURED, argc, argv);
	if (r == 0 && more != NULL && *more != '\0')
		r = run_dir(more, argc, argv);
	return r;
}
