/* SPDX-License-Identifier: ISC */
/*
 * The timer of health checks: a command of the coordinator's is run now and then, one at a time, and
 * its exit status says what comes next.
 */
#ifndef POD_MONITOR_HEALTH_H
#define POD_MONITOR_HEALTH_H

#include <stdbool.h>
#include <sys/types.h>

#include "pod-monitor/job.h"

struct health {
	int timer;     /* -1: no checks */
	pid_t checker; /* 0: none is under way */
	int host_ns;
};

/* The container runs: the first check is due at once. */
void health_begin(struct health *h, const struct job *j, int host_ns);

/*
 * The times have changed: they are read from the bundle.  True if there is a new timer to be watched; the next
 * check is due at once.
 */
bool health_reload(struct health *h, struct job *j, int bundle);

/* The timer has fired. */
void health_due(struct health *h, const struct job *j);

/*
 * The command has ended: 0, the next check is due after the interval; 1, after that of the start-up
 * check; anything else, never.
 */
void health_checked(struct health *h, const struct job *j, int status);

/* The container has ended.  A check under way goes on. */
void health_end(struct health *h);

#endif
