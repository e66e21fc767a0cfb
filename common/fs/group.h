/* SPDX-License-Identifier: ISC */
/*
 * Cgroups of our own processes that outlive a command, beside those of the containers.  Who ends everything in the
 * cgroup of the command, a session or a service that is over, is not to end them too.
 */
#ifndef POD_GROUP_H
#define POD_GROUP_H

#include <sys/types.h>

/*
 * Moves the process pid (0: ourselves) into the cgroup path of cgroup v2, which is made if need be.  Best effort: an
 * ordinary user may not be allowed to, and what runs there runs as well without.  May wait for a grace period of the
 * kernel, some 10 ms.
 */
void group_join(const char *path, pid_t pid);

/*
 * Moves us, before we start what serves several commands, to GROUP_HELPERS below the uppermost cgroup above ours that
 * we may change: root's is the hierarchy's own, a user's that of the user's systemd.  Nothing happens where only our
 * own is ours, or on cgroup v1.
 */
#define GROUP_HELPERS "/libpod_parent/net"
void group_leave_caller(void);

#endif
