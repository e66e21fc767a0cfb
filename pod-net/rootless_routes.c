/* SPDX-License-Identifier: ISC */
#include "pod-net/rootless_routes.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "common/base/own.h"
#include "pod-net/netns.h"
#include "pod-net/nft.h"

#define TABLE "pod_forward"
#define ROUTES 100 /* number of the routing table */
#define LOOPBACK 1

static const struct nft_chain chains[] = {
    {"mark", "connections in the name of clients", "filter", NF_INET_LOCAL_OUT, -150},
    {"answer", "their answers come back here", "filter", NF_INET_PRE_ROUTING, -150},
};

#define EQUAL_MARK                                                            \
	{                                                                     \
		NFT_CMP, {NFT_CMP_EQ, NFT_REG_1},                             \
		    .data = {ROOTLESS_MARK & 0xff, ROOTLESS_MARK >> 8 & 0xff, \
			ROOTLESS_MARK >> 16 & 0xff, ROOTLESS_MARK >> 24},     \
		    .size = 4                                                 \
	}

static const struct nft_expr to_connection[] = {{NFT_META, {NFT_META_MARK, NFT_REG_1}}, EQUAL_MARK,
    {NFT_CT_SET, {NFT_CT_MARK, NFT_REG_1}}, {0}};
static const struct nft_expr from_connection[] = {{NFT_CT, {NFT_CT_MARK, NFT_REG_1}}, EQUAL_MARK,
    {NFT_AND, {NFT_REG_1}, .data = {0xff, 0xff}}, {NFT_META_SET, {NFT_META_MARK, NFT_REG_1}}, {0}};

static int
make_rules(struct netlink *s, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};

	nft_begin(&b, s);
	nft_put_table(&b, TABLE, "made by pod-net(1)");
	for (size_t i = 0; i < COUNTOF(chains); i++)
		nft_put_chain(&b, TABLE, &chains[i]);
	nft_put_rule(&b, TABLE, "mark", to_connection, NULL);
	nft_put_rule(&b, TABLE, "answer", from_connection, NULL);
	return nft_commit(s, &b, e) == 0 ? 0 : err_wrap(e, "table inet " TABLE);
}

static void
put_rule(struct netlink_batch *b, uint8_t family)
{
	struct fib_rule_hdr h = {.family = family, .table = ROUTES, .action = FR_ACT_TO_TBL};

	/* A kernel without IPv6 has no rules of it either. */
	netlink_begin(b, RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &h, sizeof h,
	    "adding a routing rule", family == AF_INET6 ? EAFNOSUPPORT : 0);
	netlink_put_u32(b, FRA_FWMARK, ROOTLESS_ANSWER);
	netlink_put_u32(b, FRA_PRIORITY, ROUTES);
	netlink_end(b);
}

static void
put_route(struct netlink_batch *b, uint8_t family)
{
	struct rtmsg m = {.rtm_family = family,
	    .rtm_table = ROUTES,
	    .rtm_protocol = RTPROT_STATIC,
	    .rtm_scope = RT_SCOPE_HOST,
	    .rtm_type = RTN_LOCAL};

	netlink_begin(b, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &m, sizeof m,
	    "adding a route", family == AF_INET6 ? EAFNOSUPPORT : 0);
	netlink_put_u32(b, RTA_OIF, LOOPBACK);
	netlink_end(b);
}

int
rootless_routes_make(int netns, struct err *e)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	own_netlink struct netlink s = {.fd = -1}, filter = {.fd = -1};
	own_netlink_batch struct netlink_batch b = {0};

	if (netns_socket(netns, NETLINK_ROUTE, &s, e) != 0 ||
	    netns_socket(netns, NETLINK_NETFILTER, &filter, e) != 0)
		return -1;
	netlink_reset(&b, &s);
	for (size_t i = 0; i < COUNTOF(families); i++) {
		put_rule(&b, families[i]);
		put_route(&b, families[i]);
	}
	return netlink_run(&s, &b, e) != 0 ? -1 : make_rules(&filter, e);
}

int
rootless_routes_mend(struct netlink *s, struct err *e)
{
	int there = nft_get_table(s, TABLE, e);

	if (there != 0)
		return there < 0 ? -1 : 0;
	if (make_rules(s, e) == 0)
		return 0;
	/* Another was quicker. */
	if (e->no != EEXIST)
		return -1;
	err_clear(e);
	return 0;
}
