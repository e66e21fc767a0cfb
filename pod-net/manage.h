/* SPDX-License-Identifier: ISC */
/*
 * Making, removing and changing the definitions of networks.
 */
#ifndef POD_MANAGE_H
#define POD_MANAGE_H

#include "pod-net/net.h"

/* Each takes the directory's lock.  What *out points to is a's. */

/* With m->ignore a network that is there is returned as it is. */
int manage_create(struct net *n, const struct msg_net_create *m, struct rec_network *out,
    struct arena *a, struct err *e);

/*
 * By name or ID prefix.  Its bridge goes too, unless something is still on it.  Not if a container of this run
 * root is on it (of another one nothing is known here); listed: the caller has looked for those, so that what is left of
 * one that was killed does not count.  Who joins the network at this moment finds it gone, or it is in use.
 */
int manage_remove(struct net *n, const char *dir, const char *name, bool listed, struct err *e);

int manage_update(struct net *n, const struct msg_net_update *m, struct rec_network *out,
    struct arena *a, struct err *e);

#endif
