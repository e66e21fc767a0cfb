/* SPDX-License-Identifier: ISC */
/*
 * Setting up the network of one container, all or nothing.
 */
#ifndef POD_SETUP_H
#define POD_SETUP_H

#include "pod-net/net.h"

/*
 * The request net_setup.  netns: an existing namespace, borrowed, or -1 to make one.  Strings of *r live in a;
 * the descriptors in it are the caller's.  On failure everything is undone.
 */
int setup_container(struct net *n, const struct msg_net_setup *m, int netns,
    struct msg_net_setup_r *r, struct arena *a, struct err *e);

#endif
