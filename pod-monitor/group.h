/* SPDX-License-Identifier: ISC */
/*
 * The monitor's own cgroup, beside those of the containers.  Who ends everything in the cgroup of its caller, a
 * session or a service that is over, is not to end the monitor too.
 */
#ifndef POD_MONITOR_GROUP_H
#define POD_MONITOR_GROUP_H

#include <sys/types.h>

/*
 * Moves us, and the process worker unless that is 0, into the cgroup path of cgroup v2, which is made if need be.
 * Best effort: an ordinary user may not be allowed to, and the container runs as well without.  May wait for a grace
 * period of the kernel, some 10 ms.
 */
void group_join(const char *path, pid_t worker);

#endif
