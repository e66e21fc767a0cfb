/* SPDX-License-Identifier: ISC */
/*
 * Starting foreign programs: the OCI runtime and the exit command.
 */
#ifndef POD_MONITOR_PROC_H
#define POD_MONITOR_PROC_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"

#define PROC_EXTRA_MAX 192

struct proc {
	const char *path;
	char *const *argv, *const *envp; /* envp NULL: our own environment */
	int stdio[3];			 /* 0 or less: /dev/null */
	const int *extra;		 /* become 3, 4, …; -1: /dev/null */
	size_t extra_n;			 /* at most PROC_EXTRA_MAX */
	int pass;			 /* passed on under its own number; -1: none */
	const int *inherited;		 /* the same for these */
	size_t inherited_n;
	char *listen_pid; /* JOB_LISTEN_PID_DIGITS bytes of envp that get the process ID; or NULL */
	int mount_ns;	  /* entered first; -1: ours */
	bool die_with_us; /* SIGKILL when this process dies */
};

/*
 * Protects this process from the kernel's search for memory, best effort; what proc_start starts gets the
 * value back that was there before.
 */
void proc_protect(void);

/*
 * Starts the program with default signals, nothing blocked and no other descriptors.  Nothing is
 * allocated.  Returns its process ID.
 */
pid_t proc_start(const struct proc *p, struct err *e);

#endif
