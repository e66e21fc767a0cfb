/* SPDX-License-Identifier: ISC */
/*
 * pod-net-forward: keeps an ordinary user's shared network namespace and carries what arrives on published
 * ports of the host into it.
 *
 * Started by pod-net as "pod-net-forward --serve": descriptor 3 is a listening socket for requests
 * (forward_x of net.def), 4 the directory RUNROOT/net, 5 the namespace.
 */
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/role/role.h"
#include "pod-net/forward/serve.h"

/* As many descriptors as the user may have: each client takes two. */
static void
raise_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

int
main(int argc, char **argv)
{
	const int keep[] = {SERVE_LISTENER, ROLE_VIEW_FD_NUMBER, SERVE_NETNS};
	struct err e = {0};

	role_start();
	if (argc != 2 || strcmp(argv[1], "--serve") != 0) {
		err_set(&e, ERR_USAGE, "pod-net-forward is started by pod-net");
	} else if (setns(SERVE_NETNS, CLONE_NEWNET) != 0) {
		err_sys(&e, "entering the network namespace");
	} else {
		setsid();
		raise_limit();
		if (role_enter(ROLE_FORWARD, keep, COUNTOF(keep), &e) == 0 && serve_run(&e) == 0)
			return 0;
	}
	err_print(&e, stderr);
	return err_exit_status(&e);
}
