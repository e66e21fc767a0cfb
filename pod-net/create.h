/* SPDX-License-Identifier: ISC */
/*
 * A network as its creator described it becomes a whole definition: name, ID, bridge, subnets and gateways
 * are chosen where they were left open, and everything given is checked.  Rules as in Podman's network
 * library.
 */
#ifndef POD_CREATE_H
#define POD_CREATE_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/addr.h"
#include "pod-net/netlink.h"
#include "pod-net/network.h"

struct create_pool {
	struct prefix base;
	unsigned bits; /* of a subnet cut out of it */
};

struct create_rules {
	const char *prefix; /* of names and bridges that are chosen: "podman" */
	const struct create_pool *pools;
	size_t npools;			     /* 0: the usual ones */
	const struct network_list *networks; /* those there are */
	struct netlink *host;		     /* whose addresses and routes are avoided; borrowed */
	struct netlink *parents;	     /* where parents are; NULL: where nothing is yet */
	const struct strv *drivers;	     /* plug-ins; may be NULL */
	bool overlaps;			     /* subnets may be others' too */
	/* Lets the plug-in that is the network's driver fill in what it wants. */
	int (*plugin)(void *arg, struct rec_network *n, struct arena *a, struct err *e);
	void *arg;
};

/*
 * Completes n, whose name and id may be "" and whose strings are borrowed; memory is a's.  A range_start
 * that is a subnet stands for all of it.  ERR_EXISTS: the name is taken.
 */
int create_complete(
    struct rec_network *n, const struct create_rules *r, struct arena *a, struct err *e);

/* Writes and removes the file of a definition; the directory is made. */
int create_write(const char *dir, const struct rec_network *n, struct err *e);
int create_remove(const char *dir, const char *name, struct err *e);

/* Serialises those who change the directory; the descriptor holds the lock. */
int create_lock(const char *dir, struct err *e);

#endif
