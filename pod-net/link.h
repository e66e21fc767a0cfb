/* SPDX-License-Identifier: ISC */
/*
 * Links, addresses and routes: requests for NETLINK_ROUTE.
 */
#ifndef POD_LINK_H
#define POD_LINK_H

#include <net/if.h>

#include "pod-net/addr.h"
#include "pod-net/netlink.h"

#define LINK_MAC_SIZE 6
#define LINK_SETTINGS 64 /* more than the kernel has */

struct link {
	int index;
	unsigned flags; /* IFF_… */
	uint32_t mtu;
	uint8_t mac[LINK_MAC_SIZE];
	char kind[IFNAMSIZ]; /* "bridge", "veth", …; empty for hardware */
	bool ipv6;	     /* it takes part in IPv6 */
	uint32_t nsettings;  /* of IPv4: 0 if the kernel did not tell */
	uint32_t settings[LINK_SETTINGS];
};

/* 1 with *out filled, 0 if there is no such interface, -1 with e. */
int link_find(struct netlink *s, const char *name, struct link *out, struct err *e);

/* True if the interface's setting (IPV4_DEVCONF_…) is known to have that value: its sysctl need not be looked at. */
bool link_has_setting(const struct link *l, unsigned key, uint32_t value);

/* True if the namespace is known to forward IPv4, which is the sysctl ip_forward. */
bool link_forwards(struct netlink *s);

/* The interface's number, or -1.  Unlike link_find it waits for nobody who changes interfaces. */
int link_index(const struct netlink *s, const char *name, struct err *e);

/* True if there is such an interface; it waits for nobody either. */
bool link_exists(const struct netlink *s, const char *name);

/* How many interfaces are ports of the bridge; -1 with e. */
int link_count_ports(struct netlink *s, int bridge, struct err *e);

/* How many interfaces are of that kind; -1 with e. */
int link_count_kind(struct netlink *s, const char *kind, struct err *e);

/*
 * The namespaces that this one has a number for: that of the other end of each veth pair, and those that were
 * given one.  The kernel takes a number back when its namespace has gone.
 */
int link_count_namespaces(struct netlink *s, struct err *e);
void link_put_namespace(struct netlink_batch *b, int netns);

/* Interfaces and their addresses, without the loopback and link-local ones; ends at max. */
struct link_address {
	int index;
	char name[IFNAMSIZ];
	uint8_t mac[LINK_MAC_SIZE];
	struct prefix address;
};
int link_list_addresses(
    struct netlink *s, struct link_address *v, size_t max, size_t *n, struct err *e);

/* Hands each route of the main table to fn; a default route has zero bits.  fn stops with -1. */
typedef int link_route_fn(const struct prefix *to, void *arg);
int link_list_routes(struct netlink *s, link_route_fn *fn, void *arg, struct err *e);

/* The interface of the default route with the smallest metric (IPv4, else IPv6): its index, or 0; -1 with e. */
int link_default_route(struct netlink *s, struct err *e);

/* A random unicast address of local administration. */
void link_random_mac(uint8_t mac[LINK_MAC_SIZE]);
void link_format_mac(const uint8_t mac[LINK_MAC_SIZE], char text[18]);

/*
 * The requests below are added to b.  "Exists already" is success where the same thing would result.
 *
 * The bridge gets its own hardware address at once, as it would otherwise take over that of its first
 * port, and change with it.  mtu 0: the kernel's choice.
 */
struct link_bridge {
	const char *name;
	uint32_t mtu;
	int master; /* a VRF, or 0 */
	bool vlans; /* ports have VLANs */
};
void link_put_bridge(struct netlink_batch *b, const struct link_bridge *x);
void link_put_delete(struct netlink_batch *b, int index);
void link_put_up(struct netlink_batch *b, int index, const char *what);
void link_put_address(struct netlink_batch *b, int index, const struct prefix *p);

struct link_route {
	const char *name; /* for errors, borrowed until the batch has been run; or NULL */
	struct prefix to; /* family and zero bits for the default route */
	struct addr via;  /* or none */
	uint32_t metric;  /* or 0 */
	uint8_t type;	  /* RTN_UNICAST, … */
};
void link_put_route(struct netlink_batch *b, int index, const struct link_route *r);

/* A pair whose one end is a port of the bridge and whose other end is born inside netns. */
struct link_veth {
	char host_name[IFNAMSIZ];
	int bridge;
	int netns;
	const char *name;
	const uint8_t *mac;
	uint32_t mtu;
};
void link_put_veth(struct netlink_batch *b, const struct link_veth *v);

/* A link of its own over parent, born inside netns. */
struct link_child {
	const char *kind; /* macvlan or ipvlan */
	const char *name;
	int parent, netns;
	const uint8_t *mac; /* or NULL */
	uint32_t mtu, mode;
	const int32_t *bclim; /* of macvlan, or NULL */
};
void link_put_child(struct netlink_batch *b, const struct link_child *c);

/* Puts a bridge port (or, if self, the bridge's own) into a VLAN, untagged. */
void link_put_vlan(struct netlink_batch *b, int index, uint16_t vlan, bool self);

/*
 * Settings of a new bridge port.  hairpin: it may send frames back to where they came from.  no_ipv6_address, only
 * where the kernel has IPv6: it gets no address of its own when its link comes up; nobody speaks to a port.
 */
struct link_port {
	const char *name;
	bool hairpin, no_ipv6_address;
};
void link_put_port(struct netlink_batch *b, const struct link_port *p);

/* Sets IPv4 settings of an interface, as their sysctls would; no_ipv6_address as in link_put_port. */
struct link_setting {
	uint16_t key; /* IPV4_DEVCONF_… */
	uint32_t value;
};
void link_put_settings(struct netlink_batch *b, int index, const struct link_setting *v, size_t n,
    bool no_ipv6_address);

#endif
