/* SPDX-License-Identifier: ISC */
#include "pod-net/dhcp.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "common/fs/group.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"
#include "pod-net/bridge.h"
#include "pod-net/helper.h"
#include "pod-net/netns.h"

/* The worker's name among the helpers of containers. */
static char *
helper_name(const char *id, const struct rec_net_hold *h)
{
	return xasprintf("%s.%s", id, h->name);
}

/* UDP to a DHCP client's port; a worker is not woken for all else. */
static int
set_filter(int fd, struct err *e)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 4),
	    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
	    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, 65535),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = {COUNTOF(code), code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0
		   ? 0
		   : err_sys(e, "filtering the packets of an interface");
}

/* The packets of one interface of the container. */
static int
open_packets(const struct attach *t, int index, struct err *e)
{
	const struct sockaddr_ll to = {
	    .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
	own_fd int fd = netns_packet(t->netns, t->n->home, e);

	if (fd < 0 || set_filter(fd, e) != 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		return err_sys(e, "listening on an interface");
	return fd_take(&fd);
}

/* The worker's answer lives in a. */
static int
ask_worker(const struct attach *t, const struct rec_net_hold *h, int index,
    struct msg_dhcp_got *got, struct err *e)
{
	own_mem char *name = helper_name(t->id, h);
	own_mem char *mode = xasprintf("--lease=/helpers/%s", name);
	struct msg_dhcp_get m = {.mac = h->mac, .host_name = t->name, .index = (uint64_t)index};
	own_peer_in struct peer_in in = {0};
	own_fd int packets = open_packets(t, index, e);
	struct peer *p;
	pid_t pid;
	int rc;

	if (packets < 0)
		return -1;
	helper_end(t->n->dir, name);
	group_leave_caller();
	p = spawn_peer_mode(ROLE_NET, ROLE_DHCP, mode, &pid, e);
	if (p == NULL)
		return -1;
	m.socket = packets;
	/* Before it is asked: one that has a lease can be found again. */
	rc = helper_note(t->n->dir, name, pid, e);
	if (rc == 0)
		rc = peer_call(p, &msg_dhcp_get_desc, &m, &in, NULL, NULL, e);
	if (rc == 0)
		wire_copy(&msg_dhcp_got_desc, MSG_OF(&in, dhcp_got), got, t->a);
	peer_free(p);
	return rc;
}

/* The worker reads what the network sends: its answer becomes routes and lines of resolv.conf. */
static int
check(const struct msg_dhcp_got *got, struct err *e)
{
	struct prefix p;
	struct addr a;
	bool good = addr_parse_prefix(got->ipnet, &p) == 0 &&
		    (got->gateway == NULL || addr_parse(got->gateway, &a) == 0);

	for (size_t i = 0; i < got->dns_servers.n; i++)
		good &= addr_parse(got->dns_servers.v[i], &a) == 0;
	return good ? 0 : err_set(e, ERR_PEER, "what came by DHCP is no address");
}

static int
apply(struct netlink *inside, int index, const struct plan_attach *at,
    const struct msg_dhcp_got *got, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct link_route r = {
	    .to = {.addr = {AF_INET, 4, {0}}}, .metric = at->set.metric, .type = RTN_UNICAST};
	struct prefix p;

	if (check(got, e) != 0 || addr_parse_prefix(got->ipnet, &p) != 0)
		return -1;
	netlink_reset(&b, inside);
	link_put_address(&b, index, &p);
	if (got->gateway != NULL && addr_parse(got->gateway, &r.via) == 0 &&
	    !at->set.no_default_route && !at->network->internal)
		link_put_route(&b, index, &r);
	if (bridge_put_routes(&b, index, at, e) != 0)
		return -1;
	return netlink_run(inside, &b, e);
}

static void
fill(struct rec_net_hold *h, const struct msg_dhcp_got *got, struct arena *a)
{
	h->addresses.v = arena_alloc(a, sizeof *h->addresses.v);
	h->addresses.n = 1;
	h->addresses.v[0] = (struct rec_net_address){got->ipnet, got->gateway};
	if (h->dns_servers.n == 0)
		h->dns_servers = got->dns_servers;
}

static int
join_one(struct attach *t, const struct plan_attach *at, struct rec_net_hold *h, struct err *e)
{
	own_netlink struct netlink inside = {.fd = -1};
	struct msg_dhcp_got got;
	struct link l;

	if (netns_netlink(t->netns, t->n->home, &inside, e) != 0)
		return -1;
	if (link_find(&inside, h->name, &l, e) != 1)
		return err_wrap(e, "finding interface %s of the container", h->name);
	if (ask_worker(t, h, l.index, &got, e) != 0 || apply(&inside, l.index, at, &got, e) != 0)
		return -1;
	fill(h, &got, t->a);
	return 0;
}

int
dhcp_join(struct attach *t, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < t->plan.nattach; i++) {
		struct rec_net_hold *h = &t->state->networks.v[t->first + i];

		if (h->dhcp && join_one(t, &t->plan.attach[i], h, e) != 0)
			return err_wrap(e, "network %s", h->network);
		any |= h->dhcp;
	}
	return any ? attach_rewrite(t, e) : 0;
}

void
dhcp_end(const struct net *n, const char *id, const struct rec_net_hold *h)
{
	own_mem char *name = helper_name(id, h);

	if (h->dhcp)
		helper_end(n->dir, name);
}
