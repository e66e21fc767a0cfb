/* SPDX-License-Identifier: ISC */
/*
 * The life of one monitor: waits for its job, starts the runtime, waits for the container, records
 *its end, and sees to it that somebody cleans up.  It never reads a byte of the container's output.
 *
 *	IDLE -> STARTING -> RUNNING -> DRAINING -> DELETING -> LINGERING -> CLEANING
 *
 * LINGERING waits for the coordinator, if it is still there, to say monitor_cleaned; CLEANING runs
 * the exit command if it did not.
 */
#ifndef POD_MONITOR_MONITOR_H
#define POD_MONITOR_MONITOR_H

#include "common/base/err.h"
#include "common/wire/peer.h"

/*
 * Serves one coordinator and its container to the end.  coordinator and worker are taken over;
 * host_ns is the mount namespace for the exit command.  Returns the exit status of the program.
 */
int monitor_run(struct peer *coordinator, struct peer *worker, int host_ns);

#endif
