/* SPDX-License-Identifier: ISC */
/*
 * What lets a worker speak to containers with the addresses of others: packets of such connections carry a
 * mark, which conntrack remembers, and answers with the mark come to the worker instead of being routed.
 */
#ifndef POD_ROOTLESS_ROUTES_H
#define POD_ROOTLESS_ROUTES_H

#include "pod-net/netlink.h"

#define ROOTLESS_MARK 0x706f64u
/* On answers; another one, as the mark of a socket decides about its own route too. */
#define ROOTLESS_ANSWER (ROOTLESS_MARK & 0xffffu)

/* Makes rules and routes in the fresh namespace. */
int rootless_routes_make(int netns, struct err *e);

/* The rules again if somebody has removed them; s is a netfilter socket of the namespace. */
int rootless_routes_mend(struct netlink *s, struct err *e);

#endif
