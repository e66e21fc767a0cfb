/* SPDX-License-Identifier: ISC */
/*
 * Where networks are defined and who makes them: one interface, which our own backend and that of CNI fill.
 * Nothing is read before one of these functions is called.
 */
#ifndef POD_BACKEND_H
#define POD_BACKEND_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/network.h"

struct net;
struct attach;

struct backend {
	const char *name;
	const char *config_dir; /* of definitions, as root */
	const char *user_dir; /* of an ordinary user, in the directory of configuration; or NULL */
	const char *prefix;   /* of names and bridges that are chosen */
	bool ports_by_themselves; /* it publishes ports itself */

	/* Definitions: list, inspect, create, remove; drivers of new ones. */
	int (*list)(struct net *n, const char *dir, struct network_list *out, struct err *e);
	int (*find)(struct net *n, const char *dir, const char *name, struct rec_network *out,
	    struct arena *a, struct err *e);
	/* The same, not out of what was read a moment ago; name is exact.  0: there; -1 with e. */
	int (*check)(struct net *n, const char *dir, const char *name, struct err *e);
	int (*write)(struct net *n, const char *dir, const struct rec_network *x, struct err *e);
	int (*remove)(struct net *n, const char *dir, const char *name, struct err *e);
	void (*drivers)(struct strv *out);

	/*
	 * Set-up of a container, in this order: plan touches nothing; take, under the lock of the leases,
	 * enters what is held into the state; links does the work; give undoes take.  Tear-down of one network:
	 * leave, before its leases are given back; netns may be -1.
	 */
	int (*plan)(struct attach *t, struct err *e);
	int (*take)(struct attach *t, struct err *e);
	int (*links)(struct attach *t, struct err *e);
	void (*give)(struct attach *t);
	int (*leave)(
	    struct net *n, const char *id, int netns, const struct rec_net_hold *h, struct err *e);
};

extern const struct backend backend_native, backend_cni;

/* By the word of containers.conf: "cni", else ours ("netavark" or nothing). */
int backend_find(const char *word, const struct backend **out, struct err *e);

#endif
