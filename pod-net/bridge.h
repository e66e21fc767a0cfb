/* SPDX-License-Identifier: ISC */
/*
 * A container on bridges: everything that is done with links, addresses, routes and sysctls.
 */
#ifndef POD_BRIDGE_H
#define POD_BRIDGE_H

#include "pod-net/netlink.h"
#include "pod-net/plan.h"

/*
 * Joins the namespace netns to the networks of the plan, whose addresses are leased.  host is a
 * NETLINK_ROUTE socket of the host's namespace, home that namespace; the process is in it before and
 * afterwards.  On failure links may stay; they go with the namespace.
 */
int bridge_join(struct netlink *host, int home, int netns, const struct plan *p, struct err *e);

/* Only the loopback interface. */
int bridge_loopback(int home, int netns, struct err *e);

/*
 * Removes the bridge if it has no port.  The caller holds the lock of the leases and has seen that
 * no address of the bridge's subnets is in use, so that nobody joins it meanwhile.
 * 1: gone, 0: still has ports, -1 with e.
 */
int bridge_remove(struct netlink *host, const char *name, struct err *e);

/* Adds the network's routes for the interface to b. */
struct plan_attach;
int bridge_put_routes(
    struct netlink_batch *b, int index, const struct plan_attach *a, struct err *e);

#endif
