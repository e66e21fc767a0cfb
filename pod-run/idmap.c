/* SPDX-License-Identifier: ISC */
#include "pod-run/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"

#define FILE_MAX ((size_t)16 << 20)

int
idmap_read(const char *path, struct idmap *m, struct err *e)
{
	own_file FILE *f = fopen(path, "re");
	unsigned inside, outside, count;

	if (f == NULL)
		return err_sys(e, "open %s", path);
	for (m->n = 0; m->n < IDMAP_MAX && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3;
	     m->n++) {
		m->v[m->n].inside = inside;
		m->v[m->n].outside = outside;
		m->v[m->n].count = count;
	}
	return 0;
}

bool
idmap_is_whole(const struct idmap *m)
{
	return m->n == 1 && m->v[0].inside == 0 && m->v[0].outside == 0 &&
	       m->v[0].count == UINT32_MAX;
}

uint64_t
idmap_count(const struct idmap *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n; i++)
		sum += m->v[i].count;
	return sum;
}

uint32_t
idmap_outside(const struct idmap *m, uint32_t inside)
{
	for (size_t i = 0; i < m->n; i++)
		if (inside >= m->v[i].inside && inside - m->v[i].inside < m->v[i].count)
			return m->v[i].outside + (inside - m->v[i].inside);
	return UINT32_MAX;
}

/* --- Subordinate ids -----------------------------------------------------------------------------*/

static void
parse_line(char *line, const char *name, uid_t uid, struct idmap *m)
{
	char *owner = strsep(&line, ":"), *first = strsep(&line, ":"), *count = line;
	uint64_t number, from, size, inside = idmap_count(m);

	if (first == NULL || count == NULL || m->n == IDMAP_MAX)
		return;
	count[strcspn(count, " \t\r")] = '\0';
	if (strcmp(owner, name) != 0 &&
	    (text_to_u64(owner, UINT32_MAX, &number) < 0 || number != uid))
		return;
	if (text_to_u64(first, UINT32_MAX - 1, &from) < 0 ||
	    text_to_u64(count, UINT32_MAX, &size) < 0 || size == 0 || from == 0 ||
	    from + size > UINT32_MAX || inside + size > UINT32_MAX)
		return;
	m->v[m->n].inside = (uint32_t)inside;
	m->v[m->n].outside = (uint32_t)from;
	m->v[m->n].count = (uint32_t)size;
	m->n++;
}

void
idmap_parse(const char *text, const char *name, uid_t uid, struct idmap *m)
{
	own_mem char *copy = xstrdup(text);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (*line != '\0' && *line != '#')
			parse_line(line, name, uid, m);
}

int
idmap_subordinate(const char *path, const char *name, uid_t uid, struct idmap *m, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	own_mem char *text = NULL;
	size_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	if (file_slurp(fd, FILE_MAX, path, &text, &n, e) < 0)
		return -1;
	idmap_parse(text, name, uid, m);
	return 0;
}

/* --- Installing ----------------------------------------------------------------------------------*/

/* newuidmap PID INSIDE OUTSIDE COUNT …; -1 with e if it is missing or refuses. */
static int
run_tool(const char *tool, pid_t pid, const struct idmap *m, struct err *e)
{
	own_strv struct strv argv = {0};
	char *const env[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	pid_t child;
	int status, rc;

	strv_add(&argv, tool);
	strv_addf(&argv, "%d", (int)pid);
	for (size_t i = 0; i < m->n; i++) {
		strv_addf(&argv, "%u", m->v[i].inside);
		strv_addf(&argv, "%u", m->v[i].outside);
		strv_addf(&argv, "%u", m->v[i].count);
	}
	rc = posix_spawnp(&child, tool, NULL, NULL, argv.v, env);
	if (rc != 0) {
		errno = rc;
		err_sys(e, "command required for rootless mode with multiple IDs: %s", tool);
		return err_hint(e, "Debian has it in the package uidmap.");
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "waiting for %s", tool);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(e, ERR_DENIED,
		    "cannot set up namespace using \"%s\": should have setuid or have filecaps "
		    "setuid, and the ranges must be those of /etc/subuid and /etc/subgid",
		    tool);
	return 0;
}

static int
write_proc(pid_t pid, const char *name, const char *text, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/%s", (int)pid, name);
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || file_put(fd, text, strlen(text)) < 0)
		return err_sys(e, "writing %s", path);
	return 0;
}

static int
install_single(pid_t pid, uid_t uid, gid_t gid, struct err *e)
{
	own_mem char *uids = xasprintf("0 %u 1\n", (unsigned)uid);
	own_mem char *gids = xasprintf("0 %u 1\n", (unsigned)gid);

	if (write_proc(pid, "uid_map", uids, e) < 0 || write_proc(pid, "setgroups", "deny", e) < 0)
		return -1;
	return write_proc(pid, "gid_map", gids, e);
}

/* --- The user's name -----------------------------------------------------------------------------*/

/* The first field of the answer of getent(1); NULL if it does not know the user. */
static char *
ask_getent(uid_t uid)
{
	char number[16], line[1024];
	char *const argv[] = {
	    (char *)(uintptr_t) "getent", (char *)(uintptr_t) "passwd", number, NULL};
	char *const env[] = {(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	posix_spawn_file_actions_t actions;
	own_fd int in = -1, out = -1;
	int fds[2], no;
	ssize_t n;
	pid_t child;

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (pipe2(fds, O_CLOEXEC) == -1)
		return NULL;
	in = fds[0];
	out = fds[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	no = posix_spawnp(&child, argv[0], &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	if (no != 0)
		return NULL;
	fd_close(&out);
	n = file_get(in, line, sizeof(line) - 1);
	fd_close(&in);
	waitpid(child, NULL, 0);
	line[n > 0 ? n : 0] = '\0';
	return strchr(line, ':') != NULL ? xstrndup(line, strcspn(line, ":")) : NULL;
}

/*
 * By hand, because this program is linked statically, which keeps a millisecond off each command, and
 * the C library's own look-up would load shared libraries.  Users of a directory are found by getent.
 */
static char *
name_of(uid_t uid)
{
	own_file FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw;
	char *name;

	while (f != NULL && (pw = fgetpwent(f)) != NULL)
		if (pw->pw_uid == uid)
			return xstrdup(pw->pw_name);
	name = ask_getent(uid);
	return name != NULL ? name : xstrdup("");
}

int
idmap_install(pid_t pid, uid_t uid, gid_t gid, bool *single, struct err *e)
{
	struct idmap uids = {.v[0] = {0, uid, 1}, .n = 1}, gids = {.v[0] = {0, gid, 1}, .n = 1};
	own_mem char *name = name_of(uid);

	if (idmap_subordinate("/etc/subuid", name, uid, &uids, e) < 0 ||
	    idmap_subordinate("/etc/subgid", name, uid, &gids, e) < 0)
		return -1;
	*single = uids.n == 1 || gids.n == 1;
	if (*single) {
		log_warn(
		    "no subordinate ids for user \"%s\" in /etc/subuid and /etc/subgid: only the "
		    "user's own id is mapped into the namespace, images whose files have other "
		    "owners may not work",
		    name);
		return install_single(pid, uid, gid, e);
	}
	if (run_tool("newuidmap", pid, &uids, e) < 0)
		return -1;
	return run_tool("newgidmap", pid, &gids, e);
}
