/* SPDX-License-Identifier: ISC */
/*
 * Network drivers: what each can do, and the options of its networks.  One table serves those who
 * create networks and those who set containers up.
 */
#ifndef POD_DRIVER_H
#define POD_DRIVER_H

#include <net/if.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/addr.h"

enum driver_kind { DRIVER_BRIDGE, DRIVER_MACVLAN, DRIVER_IPVLAN, DRIVER_PLUGIN };

struct driver {
	const char *name;
	enum driver_kind kind;
	bool bridge;		  /* has an interface of its own on the host */
	bool parent;		  /* its interface is one that exists */
	bool gateway;		  /* a subnet gets one by itself */
	bool dns, dhcp;		  /* names can be answered; addresses can come from the network */
	const char *ipam_default; /* without subnets; NULL: none of ours */
	unsigned options;	  /* which rows of the table of options */
};

/* NULL if there is none of that name; plugins, which may be NULL, are names of programs. */
const struct driver *driver_find(const char *name, const struct strv *plugins);
void driver_names(struct strv *out);

enum driver_isolate { ISOLATE_NO, ISOLATE_YES, ISOLATE_STRICT };

/* What options say; zero is the default of each, but for metric. */
struct driver_settings {
	uint32_t mtu, metric;
	uint16_t vlan; /* 0: none */
	uint32_t mode; /* of macvlan and ipvlan, as the kernel numbers them */
	int32_t bclim; /* of macvlan; meant if has_bclim */
	bool has_bclim;
	bool no_default_route, unmanaged;
	enum driver_isolate isolate;
	char vrf[IFNAMSIZ];
	char host_name[IFNAMSIZ]; /* of a container's end on the host */
	bool host_named;	  /* by the user */
	struct addr outbound4, outbound6;
};

#define DRIVER_METRIC 100 /* of default routes, as netavark's */

/* The defaults of a driver. */
struct driver_settings driver_defaults(const struct driver *d);

/* Takes the options of a network, or of a container's place in it.  Unknown ones are an error. */
int driver_read(const struct driver *d, const char *network, const struct rec_kv *v, size_t n,
    struct driver_settings *s, struct err *e);
int driver_read_attach(const char *network, const struct rec_kv *v, size_t n,
    struct driver_settings *s, struct err *e);

/*
 * For a new network: checks the options, writes Docker's names as ours, and moves those that are members
 * of a definition (parent, com.docker.network.bridge.name) there.
 */
int driver_options(const struct driver *d, struct rec_network *n, struct arena *a, struct err *e);

/* The kernel's number of a kind of route; NULL is unicast.  False if there is no such kind. */
bool driver_route_type(const char *name, uint8_t *type);

#endif
