/* SPDX-License-Identifier: ISC */
/*
 * Hides a grace period.  The first move of a process between cgroups after 20 to 60 ms of quiet
 * waits 9 to 16 ms inside the kernel, and a runtime on cgroup v1 has to move the container.  A move
 * made earlier, by a process that has nothing else to do, takes the wait upon itself.
 */
#ifndef POD_WARM_H
#define POD_WARM_H

/*
 * Starts such a move unless one was started less than 15 ms ago.  Does nothing on pure cgroup v2,
 * when not allowed, or on a machine that has other work to do meanwhile.  The one that makes it is a
 * child; what waits for children of its own asks for it by warm_end.
 */
void warm_start(void);

/* Whoever started this process has just started such a move. */
void warm_started(void);

/* Collects what has ended of the moves started here; waits for nothing. */
void warm_end(void);

#endif
