/* SPDX-License-Identifier: ISC */
/*
 * Whether a container ran out of memory.  Best effort: without a memory cgroup there is nothing to
 * see, and that is no error.
 */
#ifndef POD_MONITOR_OOM_H
#define POD_MONITOR_OOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct oom {
	int counter; /* memory.events, or memory.oom_control on v1; -1: nothing is watched */
	int event;   /* to be watched for the events below; -1: none */
	int above;   /* v2: memory.events of the slice in which systemd made the scope; -1: none */
	unsigned events;
	uint64_t killed_above; /* when the counter was last read */
	uint64_t limit;	       /* v2: in bytes; 0: none */
	bool v2, seen;
	bool full; /* the limit was reached by then, or by what a process had when it ended */
	bool over; /* no further event tells anything */
};

/* Watches the memory cgroup of process pid. */
void oom_watch(struct oom *o, pid_t pid);

/* After event was reported.  Returns true if memory ran out by now. */
bool oom_check(struct oom *o);

/* The same once the container has ended.  peak_kib is the most that one of its processes had; 0: not known. */
bool oom_ended(struct oom *o, long peak_kib);

void oom_close(struct oom *o);

#endif
