/* SPDX-License-Identifier: ISC */
#include "pod-run/life/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"

static int
write_map(pid_t pid, const char *kind, const struct rec_id_range *v, size_t n, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/%s_map", (int)pid, kind);
	own_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	own_strbuf struct strbuf text = {0};

	for (size_t i = 0; i < n; i++)
		strbuf_addf(&text, "%llu %llu %llu\n", (unsigned long long)v[i].inside,
		    (unsigned long long)v[i].outside, (unsigned long long)v[i].count);
	if (fd == -1 || file_put(fd, text.s, text.n) == -1)
		return err_sys(e, "writing the %s map of the user namespace", kind);
	return 0;
}

/* Waits until it is killed; in a copy of our memory, so it may do nothing else. */
static pid_t
start_holder(bool net)
{
	unsigned long flags = CLONE_NEWUSER | (net ? CLONE_NEWNET : 0) | SIGCHLD;
	pid_t parent = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, NULL, NULL, 0);

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		for (;;)
			pause();
	_exit(0);
}

static int
open_namespace(pid_t pid, const char *kind, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/ns/%s", (int)pid, kind);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "opening %s", path);
}

int
userns_hold(struct userns *u, const struct rec_ctr_config *c, bool net, struct err *e)
{
	if (u->pid != 0 || c->uid_map.n == 0 || c->gid_map.n == 0)
		return 0;
	u->pid = start_holder(net);
	if (u->pid == -1) {
		u->pid = 0;
		return err_sys(e, "making a user namespace");
	}
	if (write_map(u->pid, "uid", c->uid_map.v, c->uid_map.n, e) == -1 ||
	    write_map(u->pid, "gid", c->gid_map.v, c->gid_map.n, e) == -1)
		return -1;
	u->user = open_namespace(u->pid, "user", e);
	if (u->user == -1)
		return -1;
	if (net)
		u->net = open_namespace(u->pid, "net", e);
	return net && u->net == -1 ? -1 : 0;
}

void
userns_release(struct userns *u)
{
	fd_close(&u->user);
	fd_close(&u->net);
	if (u->pid == 0)
		return;
	kill(u->pid, SIGKILL);
	while (waitpid(u->pid, NULL, 0) == -1 && errno == EINTR)
		;
	u->pid = 0;
}
