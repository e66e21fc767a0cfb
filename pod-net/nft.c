/* SPDX-License-Identifier: ISC */
#include "pod-net/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"

#define COMMENT_MAX 120

/* Types of user data, from libnftnl/udata.h: what nft(8) shows and the kernel only keeps. */
#define UDATA_COMMENT 0u /* of tables, chains, rules and elements */
#define UDATA_SET_KEY_ORDER 0u
#define UDATA_SET_COMMENT 7u
#define ORDER_HOST 1u
#define ORDER_BIG_ENDIAN 2u

static void
begin(struct netlink_batch *b, uint8_t message, uint16_t flags, const char *what, int accept)
{
	struct nfgenmsg g = {.nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};

	netlink_begin(
	    b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | message), flags, &g, sizeof g, what, accept);
}

static void
mark(struct netlink_batch *b, uint16_t type)
{
	struct nfgenmsg g = {.nfgen_family = AF_UNSPEC,
	    .version = NFNETLINK_V0,
	    .res_id = htons(NFNL_SUBSYS_NFTABLES)};

	netlink_begin(b, type, 0, &g, sizeof g, "changing nftables", 0);
	netlink_end(b);
}

void
nft_begin(struct netlink_batch *b, struct netlink *s)
{
	netlink_reset(b, s);
	mark(b, NFNL_MSG_BATCH_BEGIN);
}

int
nft_commit(struct netlink *s, struct netlink_batch *b, struct err *e)
{
	mark(b, NFNL_MSG_BATCH_END);
	return netlink_run(s, b, e);
}

/* Adds one type-length-value of user data. */
static size_t
udata(uint8_t *to, uint8_t type, const void *p, size_t n)
{
	to[0] = type;
	to[1] = (uint8_t)n;
	memcpy(to + 2, p, n);
	return n + 2;
}

static void
put_comment(struct netlink_batch *b, uint16_t attribute, uint8_t type, const char *comment)
{
	uint8_t data[COMMENT_MAX + 4];

	if (comment != NULL && strlen(comment) < COMMENT_MAX)
		netlink_put(b, attribute, data, udata(data, type, comment, strlen(comment) + 1));
}

void
nft_put_table(struct netlink_batch *b, const char *table, const char *comment)
{
	begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, "creating an nftables table", 0);
	netlink_put_str(b, NFTA_TABLE_NAME, table);
	netlink_put_be32(b, NFTA_TABLE_FLAGS, 0);
	put_comment(b, NFTA_TABLE_USERDATA, UDATA_COMMENT, comment);
	netlink_end(b);
}

void
nft_put_delete_table(struct netlink_batch *b, const char *table)
{
	begin(b, NFT_MSG_DELTABLE, 0, "removing an nftables table", ENOENT);
	netlink_put_str(b, NFTA_TABLE_NAME, table);
	netlink_end(b);
}

static void
put_fields(struct netlink_batch *b, const struct nft_set *s)
{
	size_t desc = netlink_nest(b, NFTA_SET_DESC),
	       concat = netlink_nest(b, NFTA_SET_DESC_CONCAT);

	for (size_t i = 0; i < sizeof s->fields && s->fields[i] != 0; i++) {
		size_t field = netlink_nest(b, NFTA_LIST_ELEM);

		netlink_put_be32(b, NFTA_SET_FIELD_LEN, s->fields[i]);
		netlink_nest_end(b, field);
	}
	netlink_nest_end(b, concat);
	netlink_nest_end(b, desc);
}

void
nft_put_set(struct netlink_batch *b, const char *table, const struct nft_set *s, uint32_t id)
{
	uint32_t order = s->key_type == NFT_T_IFNAME ? ORDER_HOST : ORDER_BIG_ENDIAN;
	uint8_t data[COMMENT_MAX + 16];
	size_t n;

	begin(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "creating an nftables set", 0);
	netlink_put_str(b, NFTA_SET_TABLE, table);
	netlink_put_str(b, NFTA_SET_NAME, s->name);
	netlink_put_be32(b, NFTA_SET_FLAGS, s->flags | (s->data_size != 0 ? NFT_SET_MAP : 0u));
	netlink_put_be32(b, NFTA_SET_KEY_TYPE, s->key_type);
	netlink_put_be32(b, NFTA_SET_KEY_LEN, s->key_size);
	if (s->data_size != 0) {
		netlink_put_be32(b, NFTA_SET_DATA_TYPE, s->data_type);
		netlink_put_be32(b, NFTA_SET_DATA_LEN, s->data_size);
	}
	netlink_put_be32(b, NFTA_SET_ID, id);
	if (s->fields[0] != 0)
		put_fields(b, s);
	n = udata(data, UDATA_SET_KEY_ORDER, &order, sizeof order);
	if (s->comment != NULL && strlen(s->comment) < COMMENT_MAX)
		n += udata(data + n, UDATA_SET_COMMENT, s->comment, strlen(s->comment) + 1);
	netlink_put(b, NFTA_SET_USERDATA, data, n);
	netlink_end(b);
}

void
nft_put_chain(struct netlink_batch *b, const char *table, const struct nft_chain *c)
{
	begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, "creating an nftables chain", 0);
	netlink_put_str(b, NFTA_CHAIN_TABLE, table);
	netlink_put_str(b, NFTA_CHAIN_NAME, c->name);
	if (c->type != NULL) {
		size_t hook;

		netlink_put_str(b, NFTA_CHAIN_TYPE, c->type);
		netlink_put_be32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
		hook = netlink_nest(b, NFTA_CHAIN_HOOK);
		netlink_put_be32(b, NFTA_HOOK_HOOKNUM, c->hook);
		netlink_put_be32(b, NFTA_HOOK_PRIORITY, (uint32_t)c->priority);
		netlink_nest_end(b, hook);
	}
	put_comment(b, NFTA_CHAIN_USERDATA, UDATA_COMMENT, c->comment);
	netlink_end(b);
}

/* --- Expressions ---------------------------------------------------------------------------------- */

static void
put_data(struct netlink_batch *b, uint16_t attribute, const void *p, size_t n)
{
	size_t nest = netlink_nest(b, attribute);

	netlink_put(b, NFTA_DATA_VALUE, p, n);
	netlink_nest_end(b, nest);
}

static void
expr_meta(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_META_KEY, x->arg[0]);
	netlink_put_be32(b, NFTA_META_DREG, x->arg[1]);
}

static void
expr_ct(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_CT_KEY, x->arg[0]);
	netlink_put_be32(b, NFTA_CT_DREG, x->arg[1]);
}

static void
expr_meta_set(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_META_KEY, x->arg[0]);
	netlink_put_be32(b, NFTA_META_SREG, x->arg[1]);
}

static void
expr_ct_set(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_CT_KEY, x->arg[0]);
	netlink_put_be32(b, NFTA_CT_SREG, x->arg[1]);
}

static void
expr_fib(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_FIB_FLAGS, x->arg[0]);
	netlink_put_be32(b, NFTA_FIB_RESULT, x->arg[1]);
	netlink_put_be32(b, NFTA_FIB_DREG, x->arg[2]);
}

static void
expr_payload(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_PAYLOAD_BASE, x->arg[0]);
	netlink_put_be32(b, NFTA_PAYLOAD_OFFSET, x->arg[1]);
	netlink_put_be32(b, NFTA_PAYLOAD_LEN, x->arg[2]);
	netlink_put_be32(b, NFTA_PAYLOAD_DREG, x->arg[3]);
}

static void
expr_cmp(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_CMP_OP, x->arg[0]);
	netlink_put_be32(b, NFTA_CMP_SREG, x->arg[1]);
	put_data(b, NFTA_CMP_DATA, x->data, x->size);
}

static void
expr_and(struct netlink_batch *b, const struct nft_expr *x)
{
	static const uint8_t zero[4];

	netlink_put_be32(b, NFTA_BITWISE_SREG, x->arg[0]);
	netlink_put_be32(b, NFTA_BITWISE_DREG, x->arg[0]);
	netlink_put_be32(b, NFTA_BITWISE_LEN, 4);
	put_data(b, NFTA_BITWISE_MASK, x->data, 4);
	put_data(b, NFTA_BITWISE_XOR, zero, 4);
}

static void
expr_lookup(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_str(b, NFTA_LOOKUP_SET, x->name);
	netlink_put_be32(b, NFTA_LOOKUP_SREG, x->arg[0]);
	if (x->arg[1] != 0)
		netlink_put_be32(b, NFTA_LOOKUP_DREG, x->arg[1]);
}

static void
expr_nat(struct netlink_batch *b, const struct nft_expr *x)
{
	netlink_put_be32(b, NFTA_NAT_TYPE, x->arg[3]);
	netlink_put_be32(b, NFTA_NAT_FAMILY, x->arg[0]);
	netlink_put_be32(b, NFTA_NAT_REG_ADDR_MIN, x->arg[1]);
	if (x->arg[2] != 0)
		netlink_put_be32(b, NFTA_NAT_REG_PROTO_MIN, x->arg[2]);
}

static void
expr_masq(struct netlink_batch *b, const struct nft_expr *x)
{
	(void)b;
	(void)x;
}

static void
expr_verdict(struct netlink_batch *b, const struct nft_expr *x)
{
	size_t data, verdict;

	netlink_put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = netlink_nest(b, NFTA_IMMEDIATE_DATA);
	verdict = netlink_nest(b, NFTA_DATA_VERDICT);
	netlink_put_be32(b, NFTA_VERDICT_CODE, x->arg[0]);
	if (x->name != NULL)
		netlink_put_str(b, NFTA_VERDICT_CHAIN, x->name);
	netlink_nest_end(b, verdict);
	netlink_nest_end(b, data);
}

static const struct {
	const char *name;
	void (*put)(struct netlink_batch *b, const struct nft_expr *x);
} kinds[] = {
    [NFT_META] = {"meta", expr_meta},
    [NFT_CT] = {"ct", expr_ct},
    [NFT_META_SET] = {"meta", expr_meta_set},
    [NFT_CT_SET] = {"ct", expr_ct_set},
    [NFT_FIB] = {"fib", expr_fib},
    [NFT_PAYLOAD] = {"payload", expr_payload},
    [NFT_CMP] = {"cmp", expr_cmp},
    [NFT_AND] = {"bitwise", expr_and},
    [NFT_LOOKUP] = {"lookup", expr_lookup},
    [NFT_NAT] = {"nat", expr_nat},
    [NFT_MASQ] = {"masq", expr_masq},
    [NFT_VERDICT] = {"immediate", expr_verdict},
};

void
nft_put_rule(struct netlink_batch *b, const char *table, const char *chain,
    const struct nft_expr *exprs, const char *comment)
{
	size_t list;

	begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "creating an nftables rule", 0);
	netlink_put_str(b, NFTA_RULE_TABLE, table);
	netlink_put_str(b, NFTA_RULE_CHAIN, chain);
	list = netlink_nest(b, NFTA_RULE_EXPRESSIONS);
	for (; exprs->kind != NFT_END; exprs++) {
		size_t one = netlink_nest(b, NFTA_LIST_ELEM), data;

		netlink_put_str(b, NFTA_EXPR_NAME, kinds[exprs->kind].name);
		data = netlink_nest(b, NFTA_EXPR_DATA);
		kinds[exprs->kind].put(b, exprs);
		netlink_nest_end(b, data);
		netlink_nest_end(b, one);
	}
	netlink_nest_end(b, list);
	put_comment(b, NFTA_RULE_USERDATA, UDATA_COMMENT, comment);
	netlink_end(b);
}

/* --- Elements ------------------------------------------------------------------------------------- */

static void
put_element(struct netlink_batch *b, const struct nft_element *x)
{
	size_t one = netlink_nest(b, NFTA_LIST_ELEM);

	if (x->flags != 0)
		netlink_put_be32(b, NFTA_SET_ELEM_FLAGS, x->flags);
	put_data(b, NFTA_SET_ELEM_KEY, x->key, x->key_size);
	if (x->end_size != 0)
		put_data(b, NFTA_SET_ELEM_KEY_END, x->end, x->end_size);
	if (x->data_size != 0)
		put_data(b, NFTA_SET_ELEM_DATA, x->data, x->data_size);
	put_comment(b, NFTA_SET_ELEM_USERDATA, UDATA_COMMENT, x->comment);
	netlink_nest_end(b, one);
}

static void
put_set_name(struct netlink_batch *b, const char *table, const char *set)
{
	netlink_put_str(b, NFTA_SET_ELEM_LIST_TABLE, table);
	netlink_put_str(b, NFTA_SET_ELEM_LIST_SET, set);
}

void
nft_put_elements(struct netlink_batch *b, const char *table, const char *set,
    const struct nft_element *v, size_t n, enum nft_change change)
{
	static const struct {
		uint8_t message;
		uint16_t flags;
		const char *what;
	} changes[] = {
	    [NFT_ADD] = {NFT_MSG_NEWSETELEM, NLM_F_CREATE, "adding to nftables"},
	    [NFT_ADD_NEW] = {NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, "adding to nftables"},
	    [NFT_REMOVE] = {NFT_MSG_DELSETELEM, 0, "removing from nftables"},
	};

	while (n > 0) {
		size_t k = n < NFT_ELEMENTS_MAX ? n : NFT_ELEMENTS_MAX, list;

		begin(b, changes[change].message, changes[change].flags, changes[change].what, 0);
		put_set_name(b, table, set);
		list = netlink_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
		for (size_t i = 0; i < k; i++)
			put_element(b, &v[i]);
		netlink_nest_end(b, list);
		netlink_end(b);
		v += k;
		n -= k;
	}
}

static size_t
copy_data(const struct nlattr *a, uint8_t *to, size_t size)
{
	const struct nlattr *at[NFTA_DATA_VALUE + 1];
	size_t n;

	if (a == NULL)
		return 0;
	netlink_attrs(netlink_data(a), netlink_size(a), at, NFTA_DATA_VALUE);
	if (at[NFTA_DATA_VALUE] == NULL || (n = netlink_size(at[NFTA_DATA_VALUE])) > size)
		return 0;
	memcpy(to, netlink_data(at[NFTA_DATA_VALUE]), n);
	return n;
}

/* The comment among the element's user data; it points into the message. */
static const char *
find_comment(const struct nlattr *a)
{
	const uint8_t *p = a != NULL ? netlink_data(a) : NULL;
	size_t n = a != NULL ? netlink_size(a) : 0;

	while (n >= 2 && n - 2 >= p[1]) {
		if (p[0] == UDATA_COMMENT && p[1] > 0 && p[1 + p[1]] == '\0')
			return (const char *)p + 2;
		n -= 2u + p[1];
		p += 2u + p[1];
	}
	return NULL;
}

struct walk {
	nft_element_fn *fn;
	void *arg;
};

static int
read_elements(const struct nlmsghdr *h, void *arg, struct err *e)
{
	const struct walk *w = arg;
	const struct nlattr *at[NFTA_SET_ELEM_LIST_ELEMENTS + 1], *one[NFTA_SET_ELEM_KEY_END + 1];
	const size_t header = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const uint8_t *p;
	size_t n;

	(void)e;
	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM) ||
	    h->nlmsg_len < header)
		return 0;
	netlink_attrs(
	    (const uint8_t *)h + header, h->nlmsg_len - header, at, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (at[NFTA_SET_ELEM_LIST_ELEMENTS] == NULL)
		return 0;
	p = netlink_data(at[NFTA_SET_ELEM_LIST_ELEMENTS]);
	n = netlink_size(at[NFTA_SET_ELEM_LIST_ELEMENTS]);
	while (n >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)p;
		struct nft_element x = {0};
		size_t step = NLA_ALIGN(a->nla_len);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > n)
			break;
		netlink_attrs(netlink_data(a), netlink_size(a), one, NFTA_SET_ELEM_KEY_END);
		x.key_size = (uint8_t)copy_data(one[NFTA_SET_ELEM_KEY], x.key, sizeof x.key);
		x.data_size = (uint8_t)copy_data(one[NFTA_SET_ELEM_DATA], x.data, sizeof x.data);
		x.comment = find_comment(one[NFTA_SET_ELEM_USERDATA]);
		w->fn(&x, w->arg);
		if (step >= n)
			break;
		p += step;
		n -= step;
	}
	return 0;
}

struct found {
	bool any;
	char *comment;
	size_t size;
};

static void
note_found(const struct nft_element *x, void *arg)
{
	struct found *f = arg;

	f->any = true;
	if (f->size > 0)
		snprintf(f->comment, f->size, "%s", x->comment != NULL ? x->comment : "");
}

static int
note_table(const struct nlmsghdr *h, void *arg, struct err *e)
{
	(void)e;
	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		*(bool *)arg = true;
	return 0;
}

int
nft_get_table(struct netlink *s, const char *table, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	bool any = false;

	netlink_reset(&b, s);
	begin(&b, NFT_MSG_GETTABLE, 0, "looking for an nftables table", ENOENT);
	netlink_put_str(&b, NFTA_TABLE_NAME, table);
	netlink_end(&b);
	return netlink_ask(s, &b, note_table, &any, e) != 0 ? -1 : any;
}

int
nft_get_element(struct netlink *s, const char *table, const char *set,
    const struct nft_element *key, char *comment, size_t size, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct found f = {.comment = comment, .size = size};
	struct walk w = {note_found, &f};
	size_t list;

	netlink_reset(&b, s);
	begin(&b, NFT_MSG_GETSETELEM, 0, "looking into nftables", ENOENT);
	put_set_name(&b, table, set);
	list = netlink_nest(&b, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_element(&b, key);
	netlink_nest_end(&b, list);
	netlink_end(&b);
	return netlink_ask(s, &b, read_elements, &w, e) != 0 ? -1 : f.any;
}

int
nft_list_elements(struct netlink *s, const char *table, const char *set, nft_element_fn *fn,
    void *arg, struct err *e)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct walk w = {fn, arg};

	netlink_reset(&b, s);
	begin(&b, NFT_MSG_GETSETELEM, NLM_F_DUMP, "listing nftables", ENOENT);
	put_set_name(&b, table, set);
	netlink_end(&b);
	return netlink_ask(s, &b, read_elements, &w, e);
}
