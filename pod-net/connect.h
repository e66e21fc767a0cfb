/* SPDX-License-Identifier: ISC */
/*
 * Changing the networks of a container that runs, and making its packet filter anew.
 */
#ifndef POD_CONNECT_H
#define POD_CONNECT_H

#include "pod-net/net.h"

/* Joins further networks, all or none.  *r tells all that the container has then; memory is a's. */
int connect_container(struct net *n, const struct msg_net_connect *m, struct msg_net_connected *r,
    struct arena *a, struct err *e);

/*
 * Takes the container off one network; netns may be -1 if the namespace is gone.  ERR_NOTFOUND if it is not
 * on it.  Followed by net_tidy.
 */
int connect_leave(struct net *n, const char *id, int netns, const char *network,
    struct msg_net_connected *r, struct arena *a, struct err *e);

/* Everything that should be in the packet filter for these containers is there afterwards. */
int connect_reload(struct net *n, const struct strs *ids, struct err *e);
/* The same for all there are. */
int connect_reload_all(struct net *n, struct err *e);

/* The container is called otherwise from now on; one without networks is no error. */
int connect_rename(struct net *n, const char *id, const char *name, struct err *e);

#endif
