/* SPDX-License-Identifier: ISC */
#include "pod-net/firewall_table.h"

#include <linux/rtnetlink.h>

#include "common/base/own.h"
#include "pod-net/nft.h"

#define PROTO_SERVICE NFT_T_2(NFT_T_PROTO, NFT_T_SERVICE)

static const struct nft_set sets[] = {
    {.name = "subnets4",
	.comment = "subnets of networks that lead out",
	.key_type = NFT_T_IPV4,
	.key_size = 4,
	.flags = NFT_SET_INTERVAL},
    {.name = "subnets6",
	.comment = "subnets of networks that lead out",
	.key_type = NFT_T_IPV6,
	.key_size = 16,
	.flags = NFT_SET_INTERVAL},
    {.name = "same4",
	.comment = "from a subnet to itself",
	.key_type = NFT_T_2(NFT_T_IPV4, NFT_T_IPV4),
	.key_size = 8,
	.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
	.fields = {4, 4}},
    {.name = "same6",
	.comment = "from a subnet to itself",
	.key_type = NFT_T_2(NFT_T_IPV6, NFT_T_IPV6),
	.key_size = 32,
	.flags = NFT_SET_INTERVAL | NFT_SET_CONCAT,
	.fields = {16, 16}},
    {.name = "bridges",
	.comment = "networks that lead out",
	.key_type = NFT_T_IFNAME,
	.key_size = 16},
    {.name = "same_bridge",
	.comment = "from a network to itself",
	.key_type = NFT_T_2(NFT_T_IFNAME, NFT_T_IFNAME),
	.key_size = 32},
    {.name = "isolated",
	.comment = "networks with isolate=true or strict",
	.key_type = NFT_T_IFNAME,
	.key_size = 16},
    {.name = "strict",
	.comment = "networks with isolate=strict",
	.key_type = NFT_T_IFNAME,
	.key_size = 16},
    {.name = "internal",
	.comment = "networks that lead nowhere else",
	.key_type = NFT_T_IFNAME,
	.key_size = 16},
    {.name = "outbound4",
	.comment = "subnets that leave with an address of their own choice",
	.key_type = NFT_T_IPV4,
	.key_size = 4,
	.data_type = NFT_T_IPV4,
	.data_size = 4,
	.flags = NFT_SET_INTERVAL},
    {.name = "outbound6",
	.comment = "subnets that leave with an address of their own choice",
	.key_type = NFT_T_IPV6,
	.key_size = 16,
	.data_type = NFT_T_IPV6,
	.data_size = 16,
	.flags = NFT_SET_INTERVAL},
    {.name = "ports4",
	.comment = "published on all addresses",
	.key_type = PROTO_SERVICE,
	.key_size = 8,
	.data_type = NFT_T_2(NFT_T_IPV4, NFT_T_SERVICE),
	.data_size = 8},
    {.name = "ports6",
	.comment = "published on all addresses",
	.key_type = PROTO_SERVICE,
	.key_size = 8,
	.data_type = NFT_T_2(NFT_T_IPV6, NFT_T_SERVICE),
	.data_size = 20},
    {.name = "ports4_at",
	.comment = "published on one address",
	.key_type = NFT_T_3(NFT_T_IPV4, NFT_T_PROTO, NFT_T_SERVICE),
	.key_size = 12,
	.data_type = NFT_T_2(NFT_T_IPV4, NFT_T_SERVICE),
	.data_size = 8},
    {.name = "ports6_at",
	.comment = "published on one address",
	.key_type = NFT_T_3(NFT_T_IPV6, NFT_T_PROTO, NFT_T_SERVICE),
	.key_size = 24,
	.data_type = NFT_T_2(NFT_T_IPV6, NFT_T_SERVICE),
	.data_size = 20},
    {.name = "names4",
	.comment = "name servers that listen on another port",
	.key_type = NFT_T_3(NFT_T_IPV4, NFT_T_PROTO, NFT_T_SERVICE),
	.key_size = 12,
	.data_type = NFT_T_2(NFT_T_IPV4, NFT_T_SERVICE),
	.data_size = 8},
    {.name = "names6",
	.comment = "name servers that listen on another port",
	.key_type = NFT_T_3(NFT_T_IPV6, NFT_T_PROTO, NFT_T_SERVICE),
	.key_size = 24,
	.data_type = NFT_T_2(NFT_T_IPV6, NFT_T_SERVICE),
	.data_size = 20},
};

static const struct nft_chain chains[] = {
    {"publish", "published ports lead to containers", NULL, 0, 0},
    {"first", "before anything else is looked at", "filter", NF_INET_PRE_ROUTING, -300},
    {"prerouting", NULL, "nat", NF_INET_PRE_ROUTING, -100},
    {"output", NULL, "nat", NF_INET_LOCAL_OUT, -100},
    {"postrouting", NULL, "nat", NF_INET_POST_ROUTING, 100},
    {"forward", NULL, "filter", NF_INET_FORWARD, 0},
};

/* Expressions in the order nft(8) writes them, so that it can show the rules as text. */
#define R1 NFT_REG_1
#define META(key, reg)                      \
	{                                   \
		NFT_META,                   \
		{                           \
			NFT_META_##key, reg \
		}                           \
	}
#define CT_BIT(key, bit)                                                    \
	{NFT_CT, {NFT_CT_##key, R1}}, {NFT_AND, {R1}, .data = {bit}},       \
	{                                                                   \
		NFT_CMP, {NFT_CMP_NEQ, R1}, .data = {0, 0, 0, 0}, .size = 4 \
	}
#define FAMILY(number)                                                 \
	META(NFPROTO, R1),                                             \
	{                                                              \
		NFT_CMP, {NFT_CMP_EQ, R1}, .data = {number}, .size = 1 \
	}
#define NETWORK(offset, length, reg)                                    \
	{                                                               \
		NFT_PAYLOAD,                                            \
		{                                                       \
			NFT_PAYLOAD_NETWORK_HEADER, offset, length, reg \
		}                                                       \
	}
#define SADDR4(reg) NETWORK(12, 4, reg)
#define DADDR4(reg) NETWORK(16, 4, reg)
#define SADDR6(reg) NETWORK(8, 16, reg)
#define DADDR6(reg) NETWORK(24, 16, reg)
#define DPORT(reg)                                              \
	{                                                       \
		NFT_PAYLOAD,                                    \
		{                                               \
			NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg \
		}                                               \
	}
#define IN(set)                                  \
	{                                        \
		NFT_LOOKUP, {R1, 0}, .name = set \
	}
#define MAP(set)                                  \
	{                                         \
		NFT_LOOKUP, {R1, R1}, .name = set \
	}
#define DNAT(family, port)                             \
	{                                              \
		NFT_NAT,                               \
		{                                      \
			family, R1, port, NFT_NAT_DNAT \
		}                                      \
	}
#define SNAT(family)                                \
	{                                           \
		NFT_NAT,                            \
		{                                   \
			family, R1, 0, NFT_NAT_SNAT \
		}                                   \
	}
#define MASQUERADE        \
	{                 \
		NFT_MASQ, \
		{         \
			0 \
		}         \
	}
#define VERDICT(code)                    \
	{                                \
		NFT_VERDICT,             \
		{                        \
			(uint32_t)(code) \
		}                        \
	}
#define TO_LOCAL                                                          \
	{NFT_FIB, {NFTA_FIB_F_DADDR, NFT_FIB_RESULT_ADDRTYPE, R1}},       \
	{                                                                 \
		NFT_CMP, {NFT_CMP_EQ, R1}, .data = {RTN_LOCAL}, .size = 4 \
	}
#define IPS_DST_NAT_BIT 0x20 /* ct status dnat */
#define STATE_INVALID_BIT 0x01

static const struct {
	const char *chain, *comment;
	struct nft_expr exprs[12];
} rules[] = {
    {"first", "ports published on 127.0.0.1 open the host's loopback to bridges",
	{META(IIFNAME, R1), IN("bridges"), FAMILY(NFPROTO_IPV4), NETWORK(16, 1, R1),
	    {NFT_CMP, {NFT_CMP_EQ, R1}, .data = {127}, .size = 1}, VERDICT(NF_DROP)}},
    {"prerouting", "what is addressed to the host",
	{TO_LOCAL, {NFT_VERDICT, {(uint32_t)NFT_JUMP}, .name = "publish"}}},
    {"output", "what the host asks itself",
	{TO_LOCAL, {NFT_VERDICT, {(uint32_t)NFT_JUMP}, .name = "publish"}}},
    {"publish", "dns_bind_port",
	{FAMILY(NFPROTO_IPV4), DADDR4(R1), META(L4PROTO, NFT_R(1)), DPORT(NFT_R(2)), MAP("names4"),
	    DNAT(NFPROTO_IPV4, NFT_R(1))}},
    {"publish", "dns_bind_port",
	{FAMILY(NFPROTO_IPV6), DADDR6(R1), META(L4PROTO, NFT_REG_2), DPORT(NFT_R(5)), MAP("names6"),
	    DNAT(NFPROTO_IPV6, NFT_REG_2)}},
    {"publish", "on one address",
	{FAMILY(NFPROTO_IPV4), DADDR4(R1), META(L4PROTO, NFT_R(1)), DPORT(NFT_R(2)),
	    MAP("ports4_at"), DNAT(NFPROTO_IPV4, NFT_R(1))}},
    {"publish", "on all addresses",
	{FAMILY(NFPROTO_IPV4), META(L4PROTO, R1), DPORT(NFT_R(1)), MAP("ports4"),
	    DNAT(NFPROTO_IPV4, NFT_R(1))}},
    {"publish", "on one address",
	{FAMILY(NFPROTO_IPV6), DADDR6(R1), META(L4PROTO, NFT_REG_2), DPORT(NFT_R(5)),
	    MAP("ports6_at"), DNAT(NFPROTO_IPV6, NFT_REG_2)}},
    {"publish", "on all addresses",
	{FAMILY(NFPROTO_IPV6), META(L4PROTO, R1), DPORT(NFT_R(1)), MAP("ports6"),
	    DNAT(NFPROTO_IPV6, NFT_REG_2)}},
    {"postrouting", "published port asked for from localhost",
	{CT_BIT(STATUS, IPS_DST_NAT_BIT), FAMILY(NFPROTO_IPV4), NETWORK(12, 1, R1),
	    {NFT_CMP, {NFT_CMP_EQ, R1}, .data = {127}, .size = 1}, MASQUERADE}},
    {"postrouting", "published port asked for from its own network",
	{CT_BIT(STATUS, IPS_DST_NAT_BIT), FAMILY(NFPROTO_IPV4), SADDR4(R1), DADDR4(NFT_R(1)),
	    IN("same4"), MASQUERADE}},
    {"postrouting", "published port asked for from its own network",
	{CT_BIT(STATUS, IPS_DST_NAT_BIT), FAMILY(NFPROTO_IPV6), SADDR6(R1), DADDR6(NFT_REG_2),
	    IN("same6"), MASQUERADE}},
    {"postrouting", "within a network",
	{FAMILY(NFPROTO_IPV4), SADDR4(R1), DADDR4(NFT_R(1)), IN("same4"), VERDICT(NF_ACCEPT)}},
    {"postrouting", "within a network",
	{FAMILY(NFPROTO_IPV6), SADDR6(R1), DADDR6(NFT_REG_2), IN("same6"), VERDICT(NF_ACCEPT)}},
    {"postrouting", "outbound_addr4",
	{FAMILY(NFPROTO_IPV4), DADDR4(R1), {NFT_AND, {R1}, .data = {0xf0}},
	    {NFT_CMP, {NFT_CMP_NEQ, R1}, .data = {0xe0, 0, 0, 0}, .size = 4}, SADDR4(R1),
	    MAP("outbound4"), SNAT(NFPROTO_IPV4)}},
    {"postrouting", "outbound_addr6",
	{FAMILY(NFPROTO_IPV6), NETWORK(24, 1, R1),
	    {NFT_CMP, {NFT_CMP_NEQ, R1}, .data = {0xff}, .size = 1}, SADDR6(R1), MAP("outbound6"),
	    SNAT(NFPROTO_IPV6)}},
    {"postrouting", "the way out, multicast excepted",
	{FAMILY(NFPROTO_IPV4), SADDR4(R1), IN("subnets4"), DADDR4(R1),
	    {NFT_AND, {R1}, .data = {0xf0}},
	    {NFT_CMP, {NFT_CMP_NEQ, R1}, .data = {0xe0, 0, 0, 0}, .size = 4}, MASQUERADE}},
    {"postrouting", "the way out, multicast excepted",
	{FAMILY(NFPROTO_IPV6), SADDR6(R1), IN("subnets6"), NETWORK(24, 1, R1),
	    {NFT_CMP, {NFT_CMP_NEQ, R1}, .data = {0xff}, .size = 1}, MASQUERADE}},
    {"forward", "belongs to no connection",
	{FAMILY(NFPROTO_IPV4), SADDR4(R1), IN("subnets4"), CT_BIT(STATE, STATE_INVALID_BIT),
	    VERDICT(NF_DROP)}},
    {"forward", "belongs to no connection",
	{FAMILY(NFPROTO_IPV6), SADDR6(R1), IN("subnets6"), CT_BIT(STATE, STATE_INVALID_BIT),
	    VERDICT(NF_DROP)}},
    {"forward", "within a network",
	{META(IIFNAME, R1), META(OIFNAME, NFT_REG_2), IN("same_bridge"), VERDICT(NF_ACCEPT)}},
    {"forward", "internal", {META(IIFNAME, R1), IN("internal"), VERDICT(NF_DROP)}},
    {"forward", "internal", {META(OIFNAME, R1), IN("internal"), VERDICT(NF_DROP)}},
    {"forward", "published ports are open to all",
	{CT_BIT(STATUS, IPS_DST_NAT_BIT), VERDICT(NF_ACCEPT)}},
    {"forward", "isolate=true",
	{META(IIFNAME, R1), IN("isolated"), META(OIFNAME, R1), IN("isolated"), VERDICT(NF_DROP)}},
    {"forward", "isolate=strict",
	{META(IIFNAME, R1), IN("strict"), META(OIFNAME, R1), IN("bridges"), VERDICT(NF_DROP)}},
    {"forward", "from containers",
	{FAMILY(NFPROTO_IPV4), SADDR4(R1), IN("subnets4"), VERDICT(NF_ACCEPT)}},
    {"forward", "to containers",
	{FAMILY(NFPROTO_IPV4), DADDR4(R1), IN("subnets4"), VERDICT(NF_ACCEPT)}},
    {"forward", "from containers",
	{FAMILY(NFPROTO_IPV6), SADDR6(R1), IN("subnets6"), VERDICT(NF_ACCEPT)}},
    {"forward", "to containers",
	{FAMILY(NFPROTO_IPV6), DADDR6(R1), IN("subnets6"), VERDICT(NF_ACCEPT)}},
};

void
firewall_table_put(struct netlink_batch *b, const char *table)
{
	nft_put_table(b, table, "made by pod-net(1)");
	for (size_t i = 0; i < COUNTOF(sets); i++)
		nft_put_set(b, table, &sets[i], (uint32_t)i + 1);
	for (size_t i = 0; i < COUNTOF(chains); i++)
		nft_put_chain(b, table, &chains[i]);
	for (size_t i = 0; i < COUNTOF(rules); i++)
		nft_put_rule(b, table, rules[i].chain, rules[i].exprs, rules[i].comment);
}
