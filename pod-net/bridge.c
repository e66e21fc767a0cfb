/* SPDX-License-Identifier: ISC */
#include "pod-net/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "pod-net/child.h"
#include "pod-net/netns.h"

#define SAME_MAC_WAIT_NS 20000000
#define SAME_MAC_TRIES 500
#define IPV6_MIN_MTU 1280 /* RFC 8200, section 5: the kernel has no IPv6 on an interface below it */

struct sysctl {
	const char *key; /* %s: the interface */
	const char *value;
	int family;	  /* only for networks with addresses of it; 0: always */
	bool optional;	  /* where IPv6 is off, its keys are missing */
	unsigned setting; /* IPV4_DEVCONF_…, where the interface's description tells the value */
};

/* Of the host, for every network that leads out. */
static const struct sysctl host_sysctls[] = {
    {"ipv6/conf/all/forwarding", "1", AF_INET6, false},
    {0},
};

static const struct sysctl localnet_sysctls[] = {
    {"ipv4/conf/%s/route_localnet", "1", 0, false, IPV4_DEVCONF_ROUTE_LOCALNET},
    {0},
};

/* accept_ra: the bridge is a router, not a host. */
static const struct sysctl bridge_sysctls[] = {
    {"ipv4/conf/%s/rp_filter", "2", 0, false, IPV4_DEVCONF_RP_FILTER},
    {"ipv6/conf/%s/accept_dad", "0", AF_INET6, true},
    {"ipv6/conf/%s/accept_ra", "0", AF_INET6, true},
    {0},
};

static const struct sysctl internal_sysctls[] = {
    {"ipv4/conf/%s/forwarding", "0", 0, false, IPV4_DEVCONF_FORWARDING},
    {"ipv6/conf/%s/forwarding", "0", AF_INET6, true},
    {"ipv6/conf/%s/accept_dad", "0", AF_INET6, true},
    {"ipv6/conf/%s/accept_ra", "0", AF_INET6, true},
    {0},
};

/* accept_ra: on a network of IPv4 as well, where another container would be the only router (CVE-2020-10749). */
static const struct sysctl container_sysctls[] = {
    {"ipv6/conf/%s/accept_ra", "0", 0, true},
    {"ipv6/conf/%s/autoconf", "0", AF_INET6, true},
    {"ipv6/conf/%s/accept_dad", "0", AF_INET6, true},
    {0},
};

/* now: what is known of the interface, or NULL.  1: a key that is optional is missing. */
static int
set_sysctls(const struct sysctl *table, const struct plan_attach *a, const char *interface,
    const struct link *now, struct err *e)
{
	char key[128];
	int rc, missing = 0;

	for (const struct sysctl *s = table; s->key != NULL; s++) {
		if (s->family != 0 && !plan_has_family(a, s->family))
			continue;
		if (now != NULL && link_has_setting(now, s->setting, (uint32_t)*s->value - '0'))
			continue;
		snprintf(key, sizeof key, s->key, interface);
		rc = netns_sysctl(key, s->value, s->optional, e);
		if (rc < 0)
			return -1;
		missing |= rc;
	}
	return missing;
}

static int
find_vrf(struct netlink *host, const struct plan_attach *a, int *index, struct err *e)
{
	struct link l;
	int found;

	if (a->set.vrf[0] == '\0')
		return 0;
	found = link_find(host, a->set.vrf, &l, e);
	if (found < 0)
		return -1;
	if (found == 0 || strcmp(l.kind, "vrf") != 0)
		return err_set(
		    e, ERR_NOTFOUND, "network %s: %s is not a vrf", a->network->name, a->set.vrf);
	*index = l.index;
	return 0;
}

/* Finds or makes the bridge; nothing else of it is looked at. */
static int
find_bridge(struct netlink *host, const struct plan_attach *a, struct link *out, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	const char *name = a->network->interface;
	int found = link_find(host, name, out, e);

	if (found == 0) {
		struct link_bridge new = {
		    .name = name, .mtu = a->set.mtu, .vlans = a->set.vlan != 0};

		if (a->set.unmanaged)
			return err_set(e, ERR_NOTFOUND,
			    "network %s: in unmanaged mode, the bridge must already exist: %s",
			    a->network->name, name);
		if (find_vrf(host, a, &new.master, e) != 0)
			return -1;
		netlink_reset(&b, host);
		link_put_bridge(&b, &new);
		if (netlink_run(host, &b, e) != 0)
			return err_wrap(e, "network %s: %s", a->network->name, name);
		found = link_find(host, name, out, e);
	}
	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(
		    e, ERR_STATE, "network %s: bridge %s vanished", a->network->name, name);
	if (strcmp(out->kind, "bridge") != 0)
		return err_set(e, ERR_EXISTS, "network %s: interface %s exists and is not a bridge",
		    a->network->name, name);
	return 0;
}

static int
forward_on_host(struct netlink *host, const struct plan_attach *a, struct err *e)
{
	if (!link_forwards(host) && netns_sysctl("ipv4/ip_forward", "1", false, e) < 0)
		return -1;
	return set_sysctls(host_sysctls, a, "", NULL, e);
}

/*
 * The bridge is put right each time, as the process that made it may have been killed half-way; it
 * takes a few microseconds, and what is so already counts as success.
 */
static int
prepare_bridge(struct netlink *host, const struct plan_attach *a, struct link *bridge,
    struct netlink_batch *b, struct err *e)
{
	struct prefix gateways[64];
	size_t n;

	if (find_bridge(host, a, bridge, e) != 0)
		return -1;
	netlink_reset(b, host);
	if (a->set.unmanaged)
		return 0;
	if (!a->network->internal && forward_on_host(host, a, e) < 0)
		return -1;
	if (set_sysctls(a->network->internal ? internal_sysctls : bridge_sysctls, a,
		a->network->interface, bridge, e) < 0 ||
	    (a->localnet && !a->network->internal &&
		set_sysctls(localnet_sysctls, a, a->network->interface, bridge, e) < 0))
		return -1;
	if (a->set.vlan != 0)
		link_put_vlan(b, bridge->index, a->set.vlan, true);
	n = plan_gateways(a, gateways, COUNTOF(gateways));
	for (size_t i = 0; i < n; i++)
		link_put_address(b, bridge->index, &gateways[i]);
	if (!(bridge->flags & IFF_UP))
		link_put_up(b, bridge->index, "setting the bridge up");
	return 0;
}

/*
 * With br_netfilter a container reaches its own published port only if its bridge port may send a frame
 * back where it came from.
 */
static bool
bridges_are_filtered(void)
{
	char now = '0';
	own_fd int fd = open("/proc/sys/net/bridge/bridge-nf-call-iptables", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &now, 1) == 1 && now == '1';
}

static int
set_vlan(struct netlink *host, const struct plan_attach *a, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct link port;

	if (link_find(host, a->set.host_name, &port, e) != 1)
		return err_wrap(e, "finding interface %s", a->set.host_name);
	netlink_reset(&b, host);
	link_put_vlan(&b, port.index, a->set.vlan, false);
	return netlink_run(host, &b, e) == 0 ? 0 : err_wrap(e, "network %s", a->network->name);
}

static int
attach_bridge(struct netlink *host, int netns, const struct plan_attach *a, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct link_veth v = {.netns = netns, .name = a->name, .mac = a->mac};
	struct link_port port;
	struct link bridge;

	if (prepare_bridge(host, a, &bridge, &b, e) != 0)
		return -1;
	v.bridge = bridge.index;
	v.mtu = a->set.mtu != 0 ? a->set.mtu : bridge.mtu;
	memcpy(v.host_name, a->set.host_name, sizeof v.host_name);
	link_put_veth(&b, &v);
	port = (struct link_port){.name = a->set.host_name,
	    .hairpin = bridges_are_filtered(),
	    .no_ipv6_address = bridge.ipv6 && (v.mtu == 0 || v.mtu >= IPV6_MIN_MTU)};
	if (port.hairpin || port.no_ipv6_address)
		link_put_port(&b, &port);
	if (netlink_run(host, &b, e) == 0)
		return a->set.vlan != 0 ? set_vlan(host, a, e) : 0;
	if (e->no == EEXIST) {
		struct err ignored = {0};
		struct link other;
		bool ours = link_find(host, a->set.host_name, &other, &ignored) == 1;

		return err_set(e, ERR_EXISTS, "create veth pair: interface %s already exists on %s",
		    ours ? a->set.host_name : a->name, ours ? "the host" : "container namespace");
	}
	return err_wrap(e, "network %s", a->network->name);
}

/* Makes the link; a bridge that was removed a moment ago, as nobody seemed to need it, is made again. */
static int
attach_host(struct netlink *host, int netns, const struct plan_attach *a, struct err *e)
{
	for (int tries = 0;; tries++) {
		if (attach_bridge(host, netns, a, e) == 0)
			return 0;
		if (e->no != ENODEV || tries == 5)
			return -1;
		err_clear(e);
	}
}

static void
put_default_routes(struct netlink_batch *b, int index, const struct plan_attach *a)
{
	bool done4 = false, done6 = false;

	for (size_t i = 0; i < a->naddresses; i++) {
		const struct addr *gw = &a->addresses[i].lease.gateway;
		bool *done = gw->family == AF_INET ? &done4 : &done6;
		struct link_route r = {.to = {.addr = {gw->family, gw->len, {0}}},
		    .via = *gw,
		    .metric = a->set.metric,
		    .type = RTN_UNICAST};

		/* The kernel would divide what leaves among equals. */
		if (gw->family == AF_INET6 && r.metric == DRIVER_METRIC)
			r.metric += a->before;
		if (gw->len != 0 && !*done)
			link_put_route(b, index, &r);
		*done |= gw->len != 0;
	}
}

int
bridge_put_routes(struct netlink_batch *b, int index, const struct plan_attach *a, struct err *e)
{
	if (a->network->internal)
		return 0;
	if (!a->set.no_default_route)
		put_default_routes(b, index, a);
	for (size_t i = 0; i < a->network->routes.n; i++) {
		const struct rec_net_route *in = &a->network->routes.v[i];
		struct link_route r = {.name = in->destination,
		    .metric = in->metric != 0 ? (uint32_t)in->metric : a->set.metric,
		    .type = RTN_UNSPEC};

		if (!driver_route_type(in->type, &r.type))
			return err_set(e, ERR_INVALID, "network %s: invalid route type %s",
			    a->network->name, in->type);
		(void)addr_parse_prefix(in->destination, &r.to);
		r.to.addr = addr_first(&r.to);
		(void)addr_parse(in->gateway, &r.via);
		link_put_route(b, index, &r);
	}
	return 0;
}

/*
 * On a network of ours for IPv4 a container would have its link-local address only.  For each such address all
 * containers of the network are sent several messages, so the more there are, the dearer is each start.
 */
static bool
is_ipv4_only(const struct plan_attach *a)
{
	return a->driver->bridge && !a->set.unmanaged && plan_has_family(a, AF_INET) &&
	       !plan_has_family(a, AF_INET6);
}

/* In the container's namespace: one interface. */
static int
put_inner(struct netlink *s, struct netlink_batch *b, const struct plan_attach *a, struct err *e)
{
	/* By netlink, as the first look into /proc/sys of a new namespace is dear. */
	static const struct link_setting settings[] = {
	    {IPV4_DEVCONF_ARP_NOTIFY, 1}, {IPV4_DEVCONF_RP_FILTER, 2}};
	int index, missing = set_sysctls(container_sysctls, a, a->name, NULL, e);

	b->network = a->network->name;
	if (missing < 0)
		return -1;
	index = link_index(s, a->name, e);
	if (index < 0)
		return err_wrap(e, "in the container");
	link_put_settings(b, index, settings, COUNTOF(settings), missing == 0 && is_ipv4_only(a));
	for (size_t i = 0; i < a->naddresses; i++)
		link_put_address(b, index, &a->addresses[i].given);
	link_put_up(b, index, "setting the container's interface up");
	/* By DHCP the addresses come later, and routes after them. */
	return a->dhcp ? 0 : bridge_put_routes(b, index, a, e);
}

/* In the container's namespace. */
static int
configure_once(struct netlink *s, const struct plan *p, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	netlink_reset(&b, s);
	link_put_up(&b, 1, "setting the loopback interface up");
	for (size_t i = 0; i < p->nattach; i++)
		if (p->attach[i].driver->kind != DRIVER_PLUGIN &&
		    put_inner(s, &b, &p->attach[i], e) != 0)
			return -1;
	return netlink_run(s, &b, e);
}

/*
 * Two interfaces of one parent cannot be up with one hardware address, and the kernel takes down a dead namespace by
 * and by: a container that starts again may find its own old interface there.  What was set already is set again.
 */
static int
configure_inner(struct netlink *s, const struct plan *p, struct err *e)
{
	const struct timespec wait = {.tv_nsec = SAME_MAC_WAIT_NS};

	for (int tries = 0; configure_once(s, p, e) != 0; tries++) {
		if (e->no != EADDRINUSE || tries == SAME_MAC_TRIES)
			return -1;
		err_clear(e);
		nanosleep(&wait, NULL);
	}
	return 0;
}

static int
attach_one(struct netlink *host, int netns, const struct plan_attach *a, struct err *e)
{
	if (a->driver->kind == DRIVER_PLUGIN)
		return 0;
	return a->driver->parent ? child_attach(host, netns, a, e) : attach_host(host, netns, a, e);
}

int
bridge_join(struct netlink *host, int home, int netns, const struct plan *p, struct err *e)
{
	own_netlink struct netlink inside = {.fd = -1};
	struct err back = {0};
	int rc;

	for (size_t i = 0; i < p->nattach; i++)
		if (attach_one(host, netns, &p->attach[i], e) != 0)
			return -1;
	if (netns_enter(netns, e) != 0)
		return -1;
	rc = netlink_open(&inside, NETLINK_ROUTE, e) == 0 ? configure_inner(&inside, p, e) : -1;
	/* Going on in the wrong namespace would change the container instead of the host. */
	if (netns_enter(home, &back) != 0)
		abort();
	return rc;
}

int
bridge_loopback(int home, int netns, struct err *e)
{
	own_netlink struct netlink s = {.fd = -1};
	own_netlink_batch struct netlink_batch b = {0};

	if (netns_netlink(netns, home, &s, e) != 0)
		return -1;
	netlink_reset(&b, &s);
	link_put_up(&b, 1, "setting the loopback interface up");
	return netlink_run(&s, &b, e);
}

int
bridge_remove(struct netlink *host, const char *name, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct link l;
	int found = link_find(host, name, &l, e), ports;

	if (found <= 0)
		return found < 0 ? -1 : 1;
	if (strcmp(l.kind, "bridge") != 0)
		return 0;
	ports = link_count_ports(host, l.index, e);
	if (ports != 0)
		return ports < 0 ? -1 : 0;
	netlink_reset(&b, host);
	link_put_delete(&b, l.index);
	return netlink_run(host, &b, e) == 0 ? 1 : -1;
}
