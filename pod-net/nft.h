/* SPDX-License-Identifier: ISC */
/*
 * Requests of nftables by netlink: a transaction is a batch between nft_open and nft_commit, and takes
 * effect entirely or not at all.  Only what our own table needs: named sets and maps, chains, and rules
 * out of the expressions below.  All objects are in family inet.
 */
#ifndef POD_NFT_H
#define POD_NFT_H

#include <netinet/in.h>
/* After netinet/in.h, or their structures clash. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "pod-net/netlink.h"

/* Begins a transaction in b. */
void nft_begin(struct netlink_batch *b, struct netlink *s);
/* Ends and sends it.  e->no is the errno of the first refusal. */
int nft_commit(struct netlink *s, struct netlink_batch *b, struct err *e);

/* Fails the transaction (EEXIST) if the table is there. */
void nft_put_table(struct netlink_batch *b, const char *table, const char *comment);
void nft_put_delete_table(struct netlink_batch *b, const char *table);

/* Types of keys and values, as numbered by nft(8); four bytes of each type are one field. */
#define NFT_T_IPV4 7u
#define NFT_T_IPV6 8u
#define NFT_T_PROTO 12u
#define NFT_T_SERVICE 13u
#define NFT_T_IFNAME 41u
#define NFT_T_2(a, b) ((a) << 6 | (b))
#define NFT_T_3(a, b, c) (NFT_T_2(a, b) << 6 | (c))

struct nft_set {
	const char *name, *comment;
	uint32_t key_type, key_size;
	uint32_t data_type, data_size; /* 0: a set, else a map */
	uint32_t flags;		       /* NFT_SET_INTERVAL, NFT_SET_CONCAT */
	uint8_t fields[4];	       /* sizes, with NFT_SET_CONCAT */
};
void nft_put_set(struct netlink_batch *b, const char *table, const struct nft_set *s, uint32_t id);

struct nft_chain {
	const char *name, *comment;
	const char *type; /* NULL: only jumped to */
	uint32_t hook;
	int priority;
};
void nft_put_chain(struct netlink_batch *b, const char *table, const struct nft_chain *c);

enum nft_kind {
	NFT_END,
	NFT_META,     /* key, register */
	NFT_META_SET, /* the same, from the register */
	NFT_CT,	      /* key, register */
	NFT_CT_SET,
	NFT_FIB,     /* flags, result, register */
	NFT_PAYLOAD, /* base, offset, length, register */
	NFT_CMP,     /* operator, register; data */
	NFT_AND,     /* register; data = mask; result in the same register */
	NFT_LOOKUP,  /* register, result register or 0; name */
	NFT_NAT,     /* family, address register, port register or 0, NFT_NAT_x */
	NFT_MASQ,
	NFT_VERDICT, /* code; name = chain */
};

struct nft_expr {
	enum nft_kind kind;
	uint32_t arg[4];
	const char *name;
	uint8_t data[4], size;
};

/* Registers of four bytes; NFT_REG_1 is the same as NFT_R(0), NFT_REG_2 as NFT_R(4). */
#define NFT_R(n) (NFT_REG32_00 + (n))

void nft_put_rule(struct netlink_batch *b, const char *table, const char *chain,
    const struct nft_expr *exprs, const char *comment);

/* An element.  Unused members are zero. */
struct nft_element {
	uint8_t key[64], end[64], data[64];
	uint8_t key_size, end_size, data_size;
	uint32_t flags;	     /* NFT_SET_ELEM_INTERVAL_END */
	const char *comment; /* at most 120 bytes */
};

#define NFT_ELEMENTS_MAX 200 /* of one request */
enum nft_change {
	NFT_ADD,     /* an equal element is no error */
	NFT_ADD_NEW, /* an element with the same key is (EEXIST) */
	NFT_REMOVE,  /* a missing one is (ENOENT) */
};
void nft_put_elements(struct netlink_batch *b, const char *table, const char *set,
    const struct nft_element *v, size_t n, enum nft_change change);

/* 1: the table is there; 0: not; -1 with e. */
int nft_get_table(struct netlink *s, const char *table, struct err *e);

/* Asks for one element.  1: it is there, and *comment (size bytes) is filled; 0: not; -1 with e. */
int nft_get_element(struct netlink *s, const char *table, const char *set,
    const struct nft_element *key, char *comment, size_t size, struct err *e);

/* Hands each element of the set to fn; no such set is none. */
typedef void nft_element_fn(const struct nft_element *element, void *arg);
int nft_list_elements(struct netlink *s, const char *table, const char *set, nft_element_fn *fn,
    void *arg, struct err *e);

#endif
