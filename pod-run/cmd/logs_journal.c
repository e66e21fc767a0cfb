/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/role/role.h"
#include "pod-run/cmd/logs_journal.h"
#include "pod-run/idmap.h"

static void
add_time(struct strv *argv, const char *option, int64_t ns)
{
	if (ns < 0)
		strv_addf(argv, "%s=@0", option);
	else if (ns > 0)
		strv_addf(argv, "%s=@%lld.%06lld", option, (long long)(ns / 1000000000),
		    (long long)(ns % 1000000000 / 1000));
}

static int
spawn(struct strv *argv, int out, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t actions;
	int no;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (out != -1)
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	else
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	no = posix_spawnp(pid, argv->v[0], &actions, NULL, argv->v, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (no == 0)
		return 0;
	errno = no;
	return err_sys(e, "starting journalctl");
}

static void
await(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

/* journald may not have read yet what the monitor sent to it.  Only root may ask it to. */
static void
settle(void)
{
	own_strv struct strv argv = {0};
	struct err ignored;
	pid_t pid;

	strv_add(&argv, "journalctl");
	strv_add(&argv, "--sync");
	if (geteuid() == 0 && spawn(&argv, -1, &pid, &ignored) == 0)
		await(pid);
}

/*
 * What others on the machine write under the container's name is none of its output: journald itself tells who wrote.
 * The monitor's half that does so is nobody of our user namespace, or ourselves where that has no nobody.
 */
static int
add_writers(struct strv *argv, uid_t self, struct err *e)
{
	struct idmap map = {0};
	uint32_t nobody;

	if (idmap_read("/proc/self/uid_map", &map, e) == -1)
		return -1;
	nobody = idmap_outside(&map, ROLE_NOBODY_ID);
	strv_addf(argv, "_UID=%u", (unsigned)self);
	if (nobody != UINT32_MAX)
		strv_addf(argv, "_UID=%u", (unsigned)nobody);
	return 0;
}

int
journal_start(struct journal *j, const struct journal_query *q, bool follow, struct err *e)
{
	own_strv struct strv argv = {0};
	own_fd int in = -1, out = -1;
	int fds[2];

	if (!follow)
		settle();
	strv_add(&argv, "journalctl");
	strv_add(&argv, "--quiet");
	strv_add(&argv, "--output=export");
	strv_add(&argv, "--output-fields=MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE");
	if (q->tail >= 0 && *j->cursor == '\0')
		strv_addf(&argv, "--lines=%lld", (long long)q->tail);
	else
		strv_add(&argv, "--no-tail");
	if (*j->cursor != '\0')
		strv_addf(&argv, "--after-cursor=%s", j->cursor);
	else
		add_time(&argv, "--since", q->since_ns);
	if (follow)
		strv_add(&argv, "--follow");
	add_time(&argv, "--until", q->until_ns);
	strv_addf(&argv, "CONTAINER_ID_FULL=%s", q->id);
	if (add_writers(&argv, q->self, e) == -1)
		return -1;
	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	in = fds[0];
	out = fds[1];
	if (spawn(&argv, out, &j->pid, e) == -1)
		return -1;
	return fd_take(&in);
}

void
journal_stop(struct journal *j)
{
	if (j->pid <= 0)
		return;
	kill(j->pid, SIGTERM);
	await(j->pid);
	j->pid = 0;
}
