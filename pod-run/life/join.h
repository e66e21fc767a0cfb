/* SPDX-License-Identifier: ISC */
/*
 * Changing the networks of a container, whether it runs or not.
 */
#ifndef POD_JOIN_H
#define POD_JOIN_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

/* Names of the networks of c, whose configuration is decoded; those of other modes have none. */
void join_networks(const struct ctr *c, const char *default_network, struct strv *out);

/*
 * Adds a network to a container that is locked; if it runs, at once, and its hosts and resolv.conf are
 * changed with it.  at is borrowed, with the network's name in full.
 */
int join_connect(struct ctx *x, struct ctr *c, const struct rec_net_attach *at, struct err *e);

/* The opposite.  force: a container that is not on the network is no error. */
int join_disconnect(struct ctx *x, struct ctr *c, const char *network, bool force, struct err *e);

/* IDs of the containers that have the network in their configuration. */
int join_users(struct ctx *x, const char *network, struct strv *ids, struct err *e);

#endif
