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
#include "pod-monitor/job.h"
#include "pod-monitor/logs.h"
#include "pod-monitor/report.h"

/*
 * The coordinator's input and output are not ours: "x=$(pod run -d …)" waits until nobody has them
 * open.
 */
void monitor_leave_streams(void);

/* The same for diagnostics, once nobody is left to read them. */
void monitor_leave_stderr(void);

/* The other half of the monitor. */
struct monitor_half {
	struct peer *peer;
	pid_t pid;
};

/* Starts it with the connection on its descriptor 3. */
int monitor_start_worker(struct monitor_half *out, struct err *e);

/*
 * Serves one coordinator and its container to the end.  coordinator and worker are taken over;
 * host_ns is the mount namespace for the exit command.  Returns the exit status of the program.
 */
int monitor_serve(struct peer *coordinator, const struct monitor_half *worker, int host_ns);

/* How a foreign manager and we keep in step; -1: absent. */
struct monitor_pipes {
	struct report sync;
	int attach; /* gets a line when clients may attach */
	int start;  /* then read once before the process is started */
};

/* Does one job for such a manager, with logs that are open.  Returns the exit status. */
int monitor_do(const struct job *job, const struct logs *logs, const struct monitor_pipes *pipes,
    const struct monitor_half *worker);

#endif
