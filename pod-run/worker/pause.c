/* SPDX-License-Identifier: ISC */
/*
 * pod-run-pause: keeps a user namespace and its mount namespace alive until it is killed.  Started by
 * pod-run in them, with nothing but /dev/null open; it does nothing, so it needs no role.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

int
main(void)
{
	/* Children of others may become ours when their parents die. */
	signal(SIGCHLD, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	prctl(PR_SET_NAME, "pod pause");
	for (;;)
		pause();
}
