/* SPDX-License-Identifier: ISC */
/*
 * What is to be done for a container, worked out before anything is touched: networks found, options
 * understood, names and hardware addresses chosen.  Addresses are filled in when they are leased.
 */
#ifndef POD_PLAN_H
#define POD_PLAN_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/driver.h"
#include "pod-net/lease.h"
#include "pod-net/link.h"

/* An address of the container; each subnet of a network has at least one. */
struct plan_address {
	struct lease_request lease;
	struct prefix given; /* leased address with the subnet's length */
	char key[LEASE_KEY];
	bool again; /* a further one of the same subnet */
};

struct plan_attach {
	const struct rec_network *network;
	const struct driver *driver;
	const struct rec_net_attach *asked;
	struct driver_settings set; /* host_name is the other end of the link */
	char name[IFNAMSIZ];	    /* in the container */
	uint8_t mac[LINK_MAC_SIZE];
	bool has_mac; /* it was asked for */
	bool dhcp;    /* addresses come from a server */
	bool
	    localnet; /* it has ports, which from 127.0.0.1 may lead to its bridge, as a filter guards the loopback */
	uint32_t before; /* how many networks the container joins or has joined before */
	struct plan_address *addresses;
	size_t naddresses;
};

struct plan {
	struct arena arena;
	struct plan_attach *attach;
	size_t nattach;
};

/* Where definitions come from. */
typedef int plan_find_fn(
    void *arg, const char *name, struct rec_network *out, struct arena *a, struct err *e);

struct plan_request {
	const struct rec_net_attach *attach;
	size_t n;
	plan_find_fn *find;
	void *arg;
	/* Names of interfaces that the container has already, and of networks it is on. */
	const struct strv *names, *networks;
	const struct strv *plugins;
	bool localnet; /* see plan_attach */
	bool
	    device_names; /* those without a name of their own get that of the network's interface */
};

/* Nothing is touched; on failure *p is empty. */
int plan_make(struct plan *p, const struct plan_request *r, struct err *e);
void plan_free(struct plan *p);

/* The gateway addresses of the attachment's network, as the bridge carries them. */
size_t plan_gateways(const struct plan_attach *a, struct prefix *out, size_t max);

bool plan_has_family(const struct plan_attach *a, int family);

#endif
