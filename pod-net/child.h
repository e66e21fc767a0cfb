/* SPDX-License-Identifier: ISC */
/*
 * Interfaces that stand on one of the host's: macvlan and ipvlan.
 */
#ifndef POD_CHILD_H
#define POD_CHILD_H

#include "pod-net/netlink.h"
#include "pod-net/plan.h"

/*
 * Makes the container's interface in netns.  The parent is the network's, or that of the default route.
 * It goes with the namespace; nothing of it is to be seen on the host.
 */
int child_attach(struct netlink *host, int netns, const struct plan_attach *a, struct err *e);

#endif
