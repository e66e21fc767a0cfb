/* SPDX-License-Identifier: ISC */
#include "pod-net/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "common/base/own.h"

#ifndef IFLA_MACVLAN_BC_CUTOFF
#define IFLA_MACVLAN_BC_CUTOFF 9 /* since Linux 6.4 */
#endif

static void
copy_kind(const struct nlattr *info, char kind[IFNAMSIZ])
{
	const struct nlattr *at[IFLA_INFO_KIND + 1];
	size_t n;

	kind[0] = '\0';
	if (info == NULL)
		return;
	netlink_attrs(netlink_data(info), netlink_size(info), at, IFLA_INFO_KIND);
	if (at[IFLA_INFO_KIND] == NULL)
		return;
	n = netlink_size(at[IFLA_INFO_KIND]);
	if (n >= IFNAMSIZ)
		n = IFNAMSIZ - 1;
	memcpy(kind, netlink_data(at[IFLA_INFO_KIND]), n);
	kind[n] = '\0';
}

/* The kernel's array begins with the setting whose number is 1. */
static void
copy_settings(const struct nlattr *spec, struct link *out)
{
	const struct nlattr *family[AF_INET6 + 1], *inet[IFLA_INET_CONF + 1];
	size_t n;

	if (spec == NULL)
		return;
	netlink_attrs(netlink_data(spec), netlink_size(spec), family, AF_INET6);
	out->ipv6 = family[AF_INET6] != NULL;
	if (family[AF_INET] == NULL)
		return;
	netlink_attrs(
	    netlink_data(family[AF_INET]), netlink_size(family[AF_INET]), inet, IFLA_INET_CONF);
	if (inet[IFLA_INET_CONF] == NULL)
		return;
	n = netlink_size(inet[IFLA_INET_CONF]) / sizeof out->settings[0];
	out->nsettings = (uint32_t)(n < LINK_SETTINGS ? n : LINK_SETTINGS);
	memcpy(out->settings, netlink_data(inet[IFLA_INET_CONF]),
	    out->nsettings * sizeof out->settings[0]);
}

static int
read_link(const struct nlmsghdr *h, void *arg, struct err *e)
{
	struct link *out = arg;
	const struct ifinfomsg *i = NLMSG_DATA(h);
	const struct nlattr *at[IFLA_AF_SPEC + 1];

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof *i))
		return err_set(e, ERR_INTERNAL, "unexpected answer about a network interface");
	netlink_attrs(IFLA_RTA(i), IFLA_PAYLOAD(h), at, IFLA_AF_SPEC);
	out->index = i->ifi_index;
	out->flags = i->ifi_flags;
	out->mtu = netlink_u32(at[IFLA_MTU]);
	if (at[IFLA_ADDRESS] != NULL && netlink_size(at[IFLA_ADDRESS]) == LINK_MAC_SIZE)
		memcpy(out->mac, netlink_data(at[IFLA_ADDRESS]), LINK_MAC_SIZE);
	copy_kind(at[IFLA_LINKINFO], out->kind);
	copy_settings(at[IFLA_AF_SPEC], out);
	return 0;
}

int
link_find(struct netlink *s, const char *name, struct link *out, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};

	*out = (struct link){0};
	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETLINK, 0, &i, sizeof i, "looking at a network interface", ENODEV);
	netlink_put_str(&b, IFLA_IFNAME, name);
	netlink_put_u32(&b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	netlink_end(&b);
	if (netlink_ask(s, &b, read_link, out, e) != 0)
		return -1;
	return out->index != 0;
}

bool
link_has_setting(const struct link *l, unsigned key, uint32_t value)
{
	return key > 0 && key <= l->nsettings && l->settings[key - 1] == value;
}

static int
read_forwarding(const struct nlmsghdr *h, void *arg, struct err *e)
{
	const struct nlattr *at[NETCONFA_FORWARDING + 1];
	size_t head = NLMSG_SPACE(sizeof(struct netconfmsg));

	(void)e;
	if (h->nlmsg_type != RTM_NEWNETCONF || h->nlmsg_len < head)
		return 0;
	netlink_attrs((const uint8_t *)h + head, h->nlmsg_len - head, at, NETCONFA_FORWARDING);
	*(bool *)arg = netlink_u32(at[NETCONFA_FORWARDING]) == 1;
	return 0;
}

bool
link_forwards(struct netlink *s)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct netconfmsg m = {.ncm_family = AF_INET};
	struct err e = {0};
	bool forwards = false;

	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETNETCONF, 0, &m, sizeof m, "asking for settings of IPv4", 0);
	netlink_put_u32(&b, NETCONFA_IFINDEX, (uint32_t)NETCONFA_IFINDEX_ALL);
	netlink_end(&b);
	return netlink_ask(s, &b, read_forwarding, &forwards, &e) == 0 && forwards;
}

bool
link_exists(const struct netlink *s, const char *name)
{
	struct err e = {0};

	return link_index(s, name, &e) >= 0;
}

int
link_index(const struct netlink *s, const char *name, struct err *e)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
	return ioctl(s->fd, SIOCGIFINDEX, &r) == 0 ? r.ifr_ifindex
						   : err_sys(e, "finding interface %s", name);
}

static int
count_link(const struct nlmsghdr *h, void *arg, struct err *e)
{
	(void)e;
	if (h->nlmsg_type == RTM_NEWLINK)
		++*(int *)arg;
	return 0;
}

int
link_count_ports(struct netlink *s, int bridge, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	int n = 0;

	netlink_reset(&b, s);
	netlink_begin(
	    &b, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i, "listing the ports of a bridge", 0);
	netlink_put_u32(&b, IFLA_MASTER, (uint32_t)bridge);
	netlink_put_u32(&b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	netlink_end(&b);
	return netlink_ask(s, &b, count_link, &n, e) != 0 ? -1 : n;
}

struct kind_count {
	const char *kind;
	int n;
};

static int
count_kind(const struct nlmsghdr *h, void *arg, struct err *e)
{
	struct kind_count *c = arg;
	struct link l;

	if (read_link(h, &l, e) != 0)
		return -1;
	c->n += strcmp(l.kind, c->kind) == 0;
	return 0;
}

int
link_count_kind(struct netlink *s, const char *kind, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct kind_count c = {kind, 0};

	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i, "listing interfaces", 0);
	netlink_put_u32(&b, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	netlink_end(&b);
	return netlink_ask(s, &b, count_kind, &c, e) != 0 ? -1 : c.n;
}

static int
count_id(const struct nlmsghdr *h, void *arg, struct err *e)
{
	(void)e;
	if (h->nlmsg_type == RTM_NEWNSID)
		++*(int *)arg;
	return 0;
}

int
link_count_namespaces(struct netlink *s, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct rtgenmsg m = {.rtgen_family = AF_UNSPEC};
	int n = 0;

	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETNSID, NLM_F_DUMP, &m, sizeof m, "listing network namespaces", 0);
	netlink_end(&b);
	return netlink_ask(s, &b, count_id, &n, e) != 0 ? -1 : n;
}

void
link_put_namespace(struct netlink_batch *b, int netns)
{
	struct rtgenmsg m = {.rtgen_family = AF_UNSPEC};

	netlink_begin(
	    b, RTM_NEWNSID, NLM_F_ACK, &m, sizeof m, "numbering a network namespace", EEXIST);
	netlink_put_u32(b, NETNSA_NSID, UINT32_MAX);
	netlink_put_u32(b, NETNSA_FD, (uint32_t)netns);
	netlink_end(b);
}

struct address_list {
	struct link_address *v;
	size_t n, max;
};

static int
add_address(const struct nlmsghdr *h, void *arg, struct err *e)
{
	struct address_list *l = arg;
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	const struct nlattr *at[IFA_LOCAL + 1], *a;
	struct link_address *x = &l->v[l->n];

	(void)e;
	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof *m) ||
	    m->ifa_scope != RT_SCOPE_UNIVERSE || l->n == l->max)
		return 0;
	netlink_attrs(IFA_RTA(m), IFA_PAYLOAD(h), at, IFA_LOCAL);
	a = at[IFA_LOCAL] != NULL ? at[IFA_LOCAL] : at[IFA_ADDRESS];
	*x = (struct link_address){.index = (int)m->ifa_index};
	x->address.bits = m->ifa_prefixlen;
	x->address.addr.family = m->ifa_family;
	x->address.addr.len = m->ifa_family == AF_INET ? 4 : 16;
	if (a == NULL || netlink_size(a) != x->address.addr.len)
		return 0;
	memcpy(x->address.addr.b, netlink_data(a), netlink_size(a));
	l->n++;
	return 0;
}

static int
add_name(const struct nlmsghdr *h, void *arg, struct err *e)
{
	struct address_list *l = arg;
	const struct ifinfomsg *m = NLMSG_DATA(h);
	const struct nlattr *at[IFLA_IFNAME + 1];

	(void)e;
	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
		return 0;
	netlink_attrs(IFLA_RTA(m), IFLA_PAYLOAD(h), at, IFLA_IFNAME);
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].index != m->ifi_index)
			continue;
		if (at[IFLA_IFNAME] != NULL)
			snprintf(l->v[i].name, sizeof l->v[i].name, "%.*s",
			    (int)netlink_size(at[IFLA_IFNAME]),
			    (const char *)netlink_data(at[IFLA_IFNAME]));
		if (at[IFLA_ADDRESS] != NULL && netlink_size(at[IFLA_ADDRESS]) == LINK_MAC_SIZE)
			memcpy(l->v[i].mac, netlink_data(at[IFLA_ADDRESS]), LINK_MAC_SIZE);
	}
	return 0;
}

int
link_list_addresses(struct netlink *s, struct link_address *v, size_t max, size_t *n, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct address_list l = {.v = v, .max = max};
	struct ifaddrmsg a = {.ifa_family = AF_UNSPEC};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};

	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETADDR, NLM_F_DUMP, &a, sizeof a, "listing addresses", 0);
	netlink_end(&b);
	if (netlink_ask(s, &b, add_address, &l, e) != 0)
		return -1;
	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i, "listing interfaces", 0);
	netlink_end(&b);
	if (netlink_ask(s, &b, add_name, &l, e) != 0)
		return -1;
	*n = l.n;
	return 0;
}

struct route_walk {
	link_route_fn *fn;
	void *arg;
	uint32_t metric;
	int index; /* of the best default route */
	bool v4;
};

static int
read_route(const struct nlmsghdr *h, void *arg, struct err *e)
{
	struct route_walk *w = arg;
	const struct rtmsg *m = NLMSG_DATA(h);
	const struct nlattr *at[RTA_PRIORITY + 1];
	struct prefix to = {0};
	uint32_t metric;
	bool v4;

	(void)e;
	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof *m) ||
	    m->rtm_table != RT_TABLE_MAIN || m->rtm_type != RTN_UNICAST ||
	    (m->rtm_flags & RTM_F_CLONED))
		return 0;
	netlink_attrs(RTM_RTA(m), RTM_PAYLOAD(h), at, RTA_PRIORITY);
	v4 = m->rtm_family == AF_INET;
	to.addr = (struct addr){.family = m->rtm_family, .len = v4 ? 4 : 16};
	to.bits = m->rtm_dst_len;
	if (at[RTA_DST] != NULL && netlink_size(at[RTA_DST]) == to.addr.len)
		memcpy(to.addr.b, netlink_data(at[RTA_DST]), to.addr.len);
	metric = netlink_u32(at[RTA_PRIORITY]);
	if (to.bits == 0 && at[RTA_OIF] != NULL &&
	    (w->index == 0 || (v4 && !w->v4) || (v4 == w->v4 && metric < w->metric))) {
		w->index = (int)netlink_u32(at[RTA_OIF]);
		w->metric = metric;
		w->v4 = v4;
	}
	/* Link-local and multicast routes are on every interface. */
	if (w->fn == NULL || (!v4 && (to.addr.b[0] == 0xff || to.addr.b[0] == 0xfe)))
		return 0;
	return w->fn(&to, w->arg);
}

static int
walk_routes(struct netlink *s, struct route_walk *w, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct rtmsg m = {.rtm_family = AF_UNSPEC};

	netlink_reset(&b, s);
	netlink_begin(&b, RTM_GETROUTE, NLM_F_DUMP, &m, sizeof m, "listing routes", 0);
	netlink_end(&b);
	return netlink_ask(s, &b, read_route, w, e);
}

int
link_list_routes(struct netlink *s, link_route_fn *fn, void *arg, struct err *e)
{
	struct route_walk w = {.fn = fn, .arg = arg};

	return walk_routes(s, &w, e);
}

int
link_default_route(struct netlink *s, struct err *e)
{
	struct route_walk w = {0};

	return walk_routes(s, &w, e) != 0 ? -1 : w.index;
}

void
link_random_mac(uint8_t mac[LINK_MAC_SIZE])
{
	if (getrandom(mac, LINK_MAC_SIZE, 0) != LINK_MAC_SIZE)
		abort();
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
}

void
link_format_mac(const uint8_t mac[LINK_MAC_SIZE], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
	    mac[5]);
}

void
link_put_bridge(struct netlink_batch *b, const struct link_bridge *x)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	uint8_t mac[LINK_MAC_SIZE];
	size_t info, data;

	link_random_mac(mac);
	netlink_begin(b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i,
	    "creating the bridge", EEXIST);
	netlink_put_str(b, IFLA_IFNAME, x->name);
	netlink_put(b, IFLA_ADDRESS, mac, sizeof mac);
	if (x->mtu != 0)
		netlink_put_u32(b, IFLA_MTU, x->mtu);
	if (x->master != 0)
		netlink_put_u32(b, IFLA_MASTER, (uint32_t)x->master);
	info = netlink_nest(b, IFLA_LINKINFO);
	netlink_put_str(b, IFLA_INFO_KIND, "bridge");
	if (x->vlans) {
		data = netlink_nest(b, IFLA_INFO_DATA);
		netlink_put_u8(b, IFLA_BR_VLAN_FILTERING, 1);
		netlink_nest_end(b, data);
	}
	netlink_nest_end(b, info);
	netlink_end(b);
}

void
link_put_delete(struct netlink_batch *b, int index)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = index};

	netlink_begin(
	    b, RTM_DELLINK, NLM_F_ACK, &i, sizeof i, "removing a network interface", ENODEV);
	netlink_end(b);
}

void
link_put_up(struct netlink_batch *b, int index, const char *what)
{
	struct ifinfomsg i = {
	    .ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

	netlink_begin(b, RTM_NEWLINK, NLM_F_ACK, &i, sizeof i, what, 0);
	netlink_end(b);
}

void
link_put_address(struct netlink_batch *b, int index, const struct prefix *p)
{
	struct ifaddrmsg a = {.ifa_family = p->addr.family,
	    .ifa_prefixlen = (uint8_t)p->bits,
	    .ifa_index = (uint32_t)index,
	    .ifa_scope = RT_SCOPE_UNIVERSE};
	struct addr last = addr_last(p);

	/* Addresses come from our own leases, so duplicate detection would only delay IPv6. */
	if (p->addr.family == AF_INET6)
		a.ifa_flags = IFA_F_NODAD;
	netlink_begin(b, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &a, sizeof a,
	    "adding an address", EEXIST);
	netlink_put(b, IFA_LOCAL, p->addr.b, p->addr.len);
	netlink_put(b, IFA_ADDRESS, p->addr.b, p->addr.len);
	if (p->addr.family == AF_INET && p->bits < 31)
		netlink_put(b, IFA_BROADCAST, last.b, last.len);
	netlink_end(b);
}

void
link_put_route(struct netlink_batch *b, int index, const struct link_route *r)
{
	struct rtmsg m = {.rtm_family = r->to.addr.family,
	    .rtm_dst_len = (uint8_t)r->to.bits,
	    .rtm_table = RT_TABLE_MAIN,
	    .rtm_protocol = RTPROT_STATIC,
	    .rtm_scope = RT_SCOPE_UNIVERSE,
	    .rtm_type = r->type};

	/* After those that lead there by another network, which is the way when they go. */
	netlink_begin(b, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, &m, sizeof m,
	    r->name != NULL ? "adding the route" : "adding the default route", EEXIST);
	netlink_about(b, r->name);
	if (r->to.bits > 0)
		netlink_put(b, RTA_DST, r->to.addr.b, r->to.addr.len);
	if (r->via.len > 0)
		netlink_put(b, RTA_GATEWAY, r->via.b, r->via.len);
	if (r->type == RTN_UNICAST)
		netlink_put_u32(b, RTA_OIF, (uint32_t)index);
	if (r->metric != 0)
		netlink_put_u32(b, RTA_PRIORITY, r->metric);
	netlink_end(b);
}

/*
 * One queue each way is what a pair uses.  Unless told, the kernel makes one for each possible CPU, then turns
 * all but one off, which waits a grace period under the lock that all links share.
 */
static void
put_veth_end(struct netlink_batch *b, uint32_t mtu)
{
	netlink_put_u32(b, IFLA_NUM_TX_QUEUES, 1);
	netlink_put_u32(b, IFLA_NUM_RX_QUEUES, 1);
	if (mtu != 0)
		netlink_put_u32(b, IFLA_MTU, mtu);
}

void
link_put_veth(struct netlink_batch *b, const struct link_veth *v)
{
	struct ifinfomsg host = {
	    .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	/* Not IFF_UP: the kernel refuses to set the inner end up before the pair is complete. */
	struct ifinfomsg peer = {.ifi_family = AF_UNSPEC};
	size_t info, data, end;

	netlink_begin(b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &host, sizeof host,
	    "creating the veth pair", 0);
	netlink_put_str(b, IFLA_IFNAME, v->host_name);
	netlink_put_u32(b, IFLA_MASTER, (uint32_t)v->bridge);
	put_veth_end(b, v->mtu);
	info = netlink_nest(b, IFLA_LINKINFO);
	netlink_put_str(b, IFLA_INFO_KIND, "veth");
	data = netlink_nest(b, IFLA_INFO_DATA);
	end = netlink_nest(b, VETH_INFO_PEER);
	netlink_put_raw(b, &peer, sizeof peer);
	netlink_put_str(b, IFLA_IFNAME, v->name);
	netlink_put_u32(b, IFLA_NET_NS_FD, (uint32_t)v->netns);
	netlink_put(b, IFLA_ADDRESS, v->mac, LINK_MAC_SIZE);
	put_veth_end(b, v->mtu);
	netlink_nest_end(b, end);
	netlink_nest_end(b, data);
	netlink_nest_end(b, info);
	netlink_end(b);
}

void
link_put_child(struct netlink_batch *b, const struct link_child *c)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	bool macvlan = strcmp(c->kind, "macvlan") == 0;
	size_t info, data;

	netlink_begin(b, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &i, sizeof i,
	    macvlan ? "creating the macvlan interface" : "creating the ipvlan interface", 0);
	netlink_put_str(b, IFLA_IFNAME, c->name);
	netlink_put_u32(b, IFLA_LINK, (uint32_t)c->parent);
	netlink_put_u32(b, IFLA_NET_NS_FD, (uint32_t)c->netns);
	if (c->mac != NULL)
		netlink_put(b, IFLA_ADDRESS, c->mac, LINK_MAC_SIZE);
	if (c->mtu != 0)
		netlink_put_u32(b, IFLA_MTU, c->mtu);
	info = netlink_nest(b, IFLA_LINKINFO);
	netlink_put_str(b, IFLA_INFO_KIND, c->kind);
	data = netlink_nest(b, IFLA_INFO_DATA);
	if (macvlan)
		netlink_put_u32(b, IFLA_MACVLAN_MODE, c->mode);
	else
		netlink_put_u16(b, IFLA_IPVLAN_MODE, (uint16_t)c->mode);
	if (macvlan && c->bclim != NULL)
		netlink_put_u32(b, IFLA_MACVLAN_BC_CUTOFF, (uint32_t)*c->bclim);
	netlink_nest_end(b, data);
	netlink_nest_end(b, info);
	netlink_end(b);
}

void
link_put_vlan(struct netlink_batch *b, int index, uint16_t vlan, bool self)
{
	struct ifinfomsg i = {.ifi_family = AF_BRIDGE, .ifi_index = index};
	struct bridge_vlan_info v = {
	    .flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED, .vid = vlan};
	size_t spec;

	netlink_begin(b, RTM_SETLINK, NLM_F_ACK, &i, sizeof i, "putting a port into a VLAN", 0);
	spec = netlink_nest(b, IFLA_AF_SPEC);
	netlink_put_u16(b, IFLA_BRIDGE_FLAGS, self ? BRIDGE_FLAGS_SELF : BRIDGE_FLAGS_MASTER);
	netlink_put(b, IFLA_BRIDGE_VLAN_INFO, &v, sizeof v);
	netlink_nest_end(b, spec);
	netlink_end(b);
}

static void
put_no_ipv6_address(struct netlink_batch *b)
{
	size_t family = netlink_nest(b, AF_INET6);

	netlink_put_u8(b, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(b, family);
}

void
link_put_port(struct netlink_batch *b, const struct link_port *p)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	size_t info, data, spec;

	netlink_begin(b, RTM_NEWLINK, NLM_F_ACK, &i, sizeof i, "changing a bridge port", 0);
	netlink_put_str(b, IFLA_IFNAME, p->name);
	if (p->hairpin) {
		info = netlink_nest(b, IFLA_LINKINFO);
		netlink_put_str(b, IFLA_INFO_SLAVE_KIND, "bridge");
		data = netlink_nest(b, IFLA_INFO_SLAVE_DATA);
		netlink_put_u8(b, IFLA_BRPORT_MODE, 1);
		netlink_nest_end(b, data);
		netlink_nest_end(b, info);
	}
	if (p->no_ipv6_address) {
		spec = netlink_nest(b, IFLA_AF_SPEC);
		put_no_ipv6_address(b);
		netlink_nest_end(b, spec);
	}
	netlink_end(b);
}

void
link_put_settings(struct netlink_batch *b, int index, const struct link_setting *v, size_t n,
    bool no_ipv6_address)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	size_t spec, family, settings;

	netlink_begin(
	    b, RTM_NEWLINK, NLM_F_ACK, &i, sizeof i, "changing an interface's settings", 0);
	spec = netlink_nest(b, IFLA_AF_SPEC);
	family = netlink_nest(b, AF_INET);
	settings = netlink_nest(b, IFLA_INET_CONF);
	for (size_t k = 0; k < n; k++)
		netlink_put_u32(b, v[k].key, v[k].value);
	netlink_nest_end(b, settings);
	netlink_nest_end(b, family);
	if (no_ipv6_address)
		put_no_ipv6_address(b);
	netlink_nest_end(b, spec);
	netlink_end(b);
}
