/* SPDX-License-Identifier: ISC */
/*
 * Our nftables table.  Its chains and rules are fixed; networks and published ports are elements of its
 * sets and maps, so that a container costs a few microseconds and "nft list ruleset" shows what
 * belongs to whom (the comment of a port names the container).
 *
 * The table is called "pod" for the default run root and "pod_" with eight digits for another one, so
 * that run roots never touch one another's.  Elements of ports carry the token of their set-up: only
 * whoever made one removes it.
 */
#ifndef POD_FIREWALL_H
#define POD_FIREWALL_H

#include "pod-net/netlink.h"
#include "pod-net/plan.h"
#include "pod-net/port.h"

enum firewall_driver {
	FIREWALL_NFTABLES,
	FIREWALL_NONE,
	FIREWALL_FIREWALLD, /* as nftables, but firewalld must run */
};

/* "nftables", "none", "firewalld" or "" for the default. */
int firewall_driver_find(const char *word, enum firewall_driver *out, struct err *e);

struct firewall {
	enum firewall_driver driver;
	struct netlink nl; /* opened when first needed */
	char table[32];
	int dir;	     /* RUNROOT/net, borrowed */
	uint16_t names_port; /* where name servers of networks listen instead of 53; 0: 53 */
	bool alone;	     /* in a namespace that no firewalld looks after */
	bool changed;	     /* something was removed: close late */
};

/*
 * dir is RUNROOT/net; run_root_default tells whether it is the default one.
 * Touches nothing.
 */
void firewall_init(struct firewall *f, int dir, const char *run_root, bool run_root_default);

/*
 * Removing leaves work for the kernel that the closing of any netfilter socket waits for (one grace
 * period, 10 ms); it is done after a moment by itself, so the socket is closed then.
 */
void firewall_close(struct firewall *f);

/*
 * Makes sure that the network's subnets are masqueraded and that its bridge is known, also to a firewalld that
 * runs.  What the kernel has is looked at each time, as anybody may have flushed it; again: it is put there anew.
 */
int firewall_network(struct firewall *f, const struct rec_net_hold *h, bool again, struct err *e);

struct firewall_target {
	struct addr to4, to6;  /* the container's addresses, or none */
	const char *id, *name; /* container; name may be NULL */
	const char *token;
};

/*
 * Publishes all the ports or none.  Their host ports are reserved by the caller, so an element with the
 * same key is a leftover and is replaced.
 */
int firewall_publish(struct firewall *f, const struct port_list *ports,
    const struct firewall_target *t, struct err *e);

/* Removes those of the ports' elements that carry the token. */
int firewall_withdraw(struct firewall *f, const struct port_list *ports,
    const struct firewall_target *t, struct err *e);

/*
 * Removes the elements of ports whose token is not among those that tokens tells.  It is asked after the
 * elements have been listed: an element is made after its token was recorded, so one that is unknown then
 * belongs to nobody.
 */
typedef int firewall_tokens_fn(void *arg, struct strv *tokens, struct err *e);
int firewall_sweep(struct firewall *f, firewall_tokens_fn *tokens, void *arg, struct err *e);

/* Forgets a network whose bridge is gone. */
int firewall_forget(struct firewall *f, const struct rec_net_hold *h, struct err *e);

/* Removes the table.  The caller sees to it that nobody adds to it meanwhile. */
int firewall_remove(struct firewall *f, struct err *e);

#endif
