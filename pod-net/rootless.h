/* SPDX-License-Identifier: ISC */
/*
 * The shared network namespace of an ordinary user, where the bridges of all the user's containers are.
 *
 * It is made for the first container on a network.  The worker pod-net-forward keeps it, publishes ports, and
 * ends it when the last container has gone; pasta is its way out and leaves with it.
 * RUNROOT/net/rootless.sock is where the worker listens; who has a connection keeps the namespace.
 * RUNROOT/net/rootless.ns is the namespace, for the next worker should this one be killed.
 */
#ifndef POD_ROOTLESS_H
#define POD_ROOTLESS_H

#include "pod-net/net.h"
#include "pod-net/plan.h"

#define ROOTLESS_HELPER "rootless-netns" /* the name of its pasta */

/*
 * Joins the namespace for the rest of this process: n's sockets for links and the packet filter belong to
 * it afterwards.  make: it is made if there is none, else that is ERR_STATE.
 */
int rootless_enter(struct net *n, bool make, struct err *e);
void rootless_leave(struct net *n);

/* Calls fn in a child inside the namespace; what it changes in memory is lost. */
int rootless_call(struct net *n, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);
/* The same in another network namespace. */
int rootless_call_in(int netns, int (*fn)(void *arg, struct err *e), void *arg, struct err *e);

/*
 * The namespace stays as long as that of a container, which has no link here by which it would be known.
 */
int rootless_keep_for(struct net *n, int netns, struct err *e);

/* As bridge_join. */
int rootless_join(struct net *n, int netns, const struct plan *p, struct err *e);

/* Descriptors of the namespace and of what keeps it; the caller closes them. */
int rootless_share(struct net *n, int *netns, int *life, struct err *e);

/*
 * Publishes the ports of a state.  sockets: the queue of port_reserve, or -1 to give the ports another
 * target; it stays the caller's.  *life, if asked for, is closed to end it.
 */
int rootless_publish(
    struct net *n, const struct rec_net_state *st, int sockets, int *life, struct err *e);
int rootless_withdraw(struct net *n, const char *token, struct err *e);

/* What leads to the host's resolver, even one on its loopback, from the namespace; NULL if nothing does. */
const char *rootless_resolver(const struct net *n);

/* Where the host is for containers of bridge networks; NULL if nowhere.  Memory is a's. */
const char *rootless_host_address(struct arena *a);

#endif
