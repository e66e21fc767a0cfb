/* SPDX-License-Identifier: ISC */
/*
 * pod-monitor: one for each running container or exec session.  This is the privileged half; the
 * one that reads the container's output is pod-monitor-stdio.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/warm.h"
#include "common/role/role.h"
#include "pod-monitor/conmon.h"
#include "pod-monitor/half/trim.h"
#include "pod-monitor/monitor.h"
#include "pod-monitor/mountns.h"
#include "pod-monitor/proc.h"

static int
peer_face(struct err *e)
{
	const int keep[] = {PEER_FD};
	struct monitor_half worker;
	int host_ns;

	trim_init();
	warm_started();
	proc_protect();
	/* A terminal's signals are the coordinator's; orphans of the runtime are ours. */
	setsid();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return err_sys(e, "becoming the reaper of orphans");
	if (role_enter(ROLE_MONITOR, keep, COUNTOF(keep), e) != 0)
		return -1;
	if (monitor_start_worker(&worker, e) != 0 || (host_ns = mountns_enter(e)) < 0)
		return -1;
	return monitor_serve(peer_new(PEER_FD, ROLE_MONITOR, ROLE_RUN), &worker, host_ns);
}

int
main(int argc, char **argv)
{
	struct err e = {0};
	int r;

	role_start();
	if (argc != 2 || strcmp(argv[1], "--peer") != 0)
		return conmon_main(argc, argv);
	r = peer_face(&e);
	if (r >= 0)
		return r;
	err_print(&e, stderr);
	return err_exit_status(&e);
}
