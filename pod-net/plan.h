/* SPDX-License-Identifier: ISC */
/*
 * What is to be done for a container, worked out before anything is touched: networks found, options
 * understood, names and hardware addresses chosen.  Addresses are filled in when they are leased.
 */
#ifndef POD_PLAN_H
#define POD_PLAN_H

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/lease.h"
#include "pod-net/link.h"

#define PLAN_METRIC 100 /* of default routes, as netavark's */

enum plan_isolate { ISOLATE_NO, ISOLATE_YES, ISOLATE_STRICT };

/* One subnet of a network and the container's place in it. */
struct plan_address {
	struct lease_request lease;
	struct prefix given; /* leased address with the subnet's length */
	char key[LEASE_KEY];
};

struct plan_attach {
	const struct rec_network *network;
	char name[IFNAMSIZ];	  /* in the container */
	char host_name[IFNAMSIZ]; /* the other end */
	uint8_t mac[LINK_MAC_SIZE];
	uint32_t mtu, metric; /* mtu 0: the bridge's */
	enum plan_isolate isolate;
	bool no_default_route;
	struct plan_address *addresses;
	size_t naddresses;
};

struct plan {
	struct arena arena;
	struct plan_attach *attach;
	size_t nattach;
};

/* network_dir is where definitions are read.  Nothing is touched; on failure *p is empty. */
int plan_make(
    struct plan *p, const struct msg_net_setup *m, const char *network_dir, struct err *e);
void plan_free(struct plan *p);

/* The gateway addresses of the attachment's network, as the bridge carries them. */
size_t plan_gateways(const struct plan_attach *a, struct prefix *out, size_t max);

/* The container's first address of the family on networks that are not internal, or none. */
struct addr plan_address_of(const struct plan *p, int family);

bool plan_has_family(const struct plan_attach *a, int family);

#endif
