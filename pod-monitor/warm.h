/* SPDX-License-Identifier: ISC */
/*
 * Hides a grace period.  The first move of a process between cgroups after 20 to 60 ms of quiet
 * waits 9 to 16 ms inside the kernel, and a runtime on cgroup v1 has to move the container.  A move
 * made earlier, by a process that has nothing else to do, takes the wait upon itself.
 */
#ifndef POD_MONITOR_WARM_H
#define POD_MONITOR_WARM_H

/*
 * Starts such a move unless one was started less than 15 ms ago.  Does nothing on pure cgroup v2,
 * when not allowed, or on a machine that has other work to do meanwhile.  The helper is a child that
 * nobody needs to wait for.
 */
void warm_start(void);

#endif
