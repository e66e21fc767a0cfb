/* SPDX-License-Identifier: ISC */
/*
 * pod-monitor: one for each running container or exec session.  This is the privileged half; the
 * one that reads the container's output is pod-monitor-stdio.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/trace.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/mountns.h"
#include "pod-monitor/proc.h"
#include "pod-monitor/warm.h"

/* Starts the worker with the connection on its descriptor 3. */
static struct peer *
start_worker(struct err *e)
{
	struct spawn s = {.role = ROLE_STDIO, .nfds = PEER_FD + 1, .discard_stderr = !trace_on()};
	int pair[2];
	struct peer *p = NULL;

	if (peer_pair(pair, e) != 0)
		return NULL;
	s.fds[PEER_FD] = pair[1];
	if (spawn_start(&s, e) > 0)
		p = peer_new(fd_take(&pair[0]), ROLE_MONITOR, ROLE_STDIO);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return p;
}

/*
 * The coordinator's input and output are not ours: "x=$(pod run -d …)" waits until nobody has them
 * open.  Standard error goes once the container has started.
 */
static void
leave_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	fd_close(&null);
}

static int
peer_face(struct err *e)
{
	const int keep[] = {PEER_FD};
	struct peer *worker;
	int host_ns;

	trim_init();
	warm_start();
	leave_streams();
	proc_protect();
	/* A terminal's signals are the coordinator's; orphans of the runtime are ours. */
	setsid();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_sys(e, "becoming the reaper of orphans");
	if (role_enter(ROLE_MONITOR, keep, COUNTOF(keep), e) != 0)
		return -1;
	if ((worker = start_worker(e)) == NULL || (host_ns = mountns_enter(e)) < 0)
		return -1;
	return monitor_run(peer_new(PEER_FD, ROLE_MONITOR, ROLE_RUN), worker, host_ns);
}

int
main(int argc, char **argv)
{
	struct err e = {0};
	int r;

	role_start();
	if (argc == 2 && strcmp(argv[1], "--peer") == 0)
		r = peer_face(&e);
	else
		r = err_set(&e, ERR_USAGE, "pod-monitor is started by pod-run only");
	if (r >= 0)
		return r;
	err_print(&e, stderr);
	return err_exit_status(&e);
}
