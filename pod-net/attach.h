/* SPDX-License-Identifier: ISC */
/*
 * Joining one container to networks: what a set-up and a later connect have in common.
 */
#ifndef POD_ATTACH_H
#define POD_ATTACH_H

#include "pod-net/net.h"
#include "pod-net/plan.h"

struct attach {
	struct net *n;
	const char *id; /* container */
	int netns;
	struct arena *a;
	struct plan plan;
	struct rec_net_state *state; /* gets what is held */
	size_t first;		     /* of state's networks, the first of this plan */
	const char *name, *dir;	     /* of the container; definitions */
	const struct rec_net_attach *asked;
	size_t nasked;
	const struct port_list *ports; /* to publish, for backends that do it themselves; or NULL */
	int state_fd;		       /* the locked state file of a set-up, or -1 */
};

/* Plans the joining; t->state tells what the container has already.  dir: definitions. */
int attach_plan(
    struct attach *t, const struct rec_net_attach *v, size_t n, const char *dir, struct err *e);

/* Takes the addresses and enters everything into the state.  Under the lock of the leases. */
int attach_take(struct attach *t, struct err *e);

/* Gives back what attach_take took, and takes it out of the state.  Under the same lock. */
void attach_give(struct attach *t);

/* Makes links, addresses, routes, and the packet filter's share of the networks. */
int attach_links(struct attach *t, struct err *e);

/* Tells the DNS server what the container is called on these networks. */
int attach_names(struct attach *t, struct err *e);

void attach_free(struct attach *t);

/* The same of our own backend. */
int attach_native_plan(struct attach *t, struct err *e);
int attach_native_take(struct attach *t, struct err *e);
int attach_native_links(struct attach *t, struct err *e);
void attach_native_give(struct attach *t);
int attach_native_leave(
    struct net *n, const char *id, int netns, const struct rec_net_hold *h, struct err *e);

/* Writes the state again: addresses are known that were not when it was first written. */
int attach_rewrite(const struct attach *t, struct err *e);

/* A network that is held, as it is reported. */
void attach_interface(const struct rec_net_hold *h, struct rec_net_interface *out, struct arena *a);

/*
 * The host as the container sees it: the first gateway of a network that leads out, or, as bridges of an
 * ordinary user are not on the host, an address of the host's own.  NULL if there is none.
 */
const char *attach_host_address(
    const struct net *n, const struct rec_net_state *st, struct arena *a);

/*
 * Resolvers: our own, where a network's names are answered, which then asks the others; else those the user
 * asked for, else those of the networks.
 */
struct strs attach_resolvers(const struct net *n, const struct rec_net_state *st, struct arena *a);

/* The domain of such names, or none. */
struct strs attach_search(const struct rec_net_state *st, struct arena *a);

/* The first address of the family on a network that leads out, where published ports lead; or NULL. */
void attach_targets(const struct net *n, struct rec_net_state *st, struct arena *a);

#endif
