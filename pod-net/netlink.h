/* SPDX-License-Identifier: ISC */
/*
 * Netlink: requests are put into a batch, a batch goes to the kernel in one send, and every request's
 * answer is looked at.  Used for links, addresses and routes (NETLINK_ROUTE) and for nftables
 * (NETLINK_NETFILTER).
 *
 * The kernel works on a batch inside send(2), so all answers wait when it returns.
 */
#ifndef POD_NETLINK_H
#define POD_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct netlink {
	int fd; /* belongs to the network namespace in which it was made; -1: not open */
	uint32_t seq;
};

/* What one request of a batch is called in errors, and the errno that counts as success. */
struct netlink_label {
	uint32_t seq;
	int accept; /* or 0 */
	const char *network, *what,
	    *object; /* "network NETWORK: WHAT OBJECT"; the outer two or NULL */
};

struct netlink_batch {
	uint8_t *b;
	size_t n, cap;
	size_t at; /* where the present request begins */
	uint32_t seq;
	const char *network; /* whose requests are put from now on, for errors; borrowed, or NULL */
	struct netlink_label *labels;
	size_t nlabels, labels_cap;
};

int netlink_open(struct netlink *s, int protocol, struct err *e);
void netlink_close(struct netlink *s);
#define own_netlink own(netlink_close)

/* Starts with a fresh sequence; what was in the batch is forgotten. */
void netlink_reset(struct netlink_batch *b, struct netlink *s);
void netlink_free(struct netlink_batch *b);
#define own_netlink_batch own(netlink_free)

/*
 * Begins a request: type, flags beside NLM_F_REQUEST (with NLM_F_ACK an answer is awaited), and the
 * fixed header of its family.  what is borrowed until the batch has been run; accept is an errno that
 * means "already so", or 0.
 */
void netlink_begin(struct netlink_batch *b, uint16_t type, uint16_t flags, const void *header,
    size_t header_size, const char *what, int accept);
void netlink_end(struct netlink_batch *b);
/* What the present request is about, for errors; borrowed like what. */
void netlink_about(struct netlink_batch *b, const char *object);

void netlink_put(struct netlink_batch *b, uint16_t type, const void *p, size_t n);
void netlink_put_u8(struct netlink_batch *b, uint16_t type, uint8_t v);
void netlink_put_u16(struct netlink_batch *b, uint16_t type, uint16_t v);
void netlink_put_u32(struct netlink_batch *b, uint16_t type, uint32_t v);
void netlink_put_be32(struct netlink_batch *b, uint16_t type, uint32_t v);
void netlink_put_str(struct netlink_batch *b, uint16_t type, const char *s);
/* Bytes without a header of their own, inside a nest. */
void netlink_put_raw(struct netlink_batch *b, const void *p, size_t n);
size_t netlink_nest(struct netlink_batch *b, uint16_t type);
void netlink_nest_end(struct netlink_batch *b, size_t nest);

/*
 * Sends the batch and checks the answers.  The first refusal becomes e: "WHAT: REASON", e->no is its
 * errno.  Requests of NETLINK_ROUTE before and after a refused one are carried out all the same.
 */
int netlink_run(struct netlink *s, struct netlink_batch *b, struct err *e);

/*
 * Sends the batch, which holds one request without NLM_F_ACK, and hands each message of the answer to
 * fn until the end; fn returns 0 to go on, -1 to fail.  An errno of accept ends it with success.
 */
typedef int netlink_fn(const struct nlmsghdr *h, void *arg, struct err *e);
int netlink_ask(
    struct netlink *s, struct netlink_batch *b, netlink_fn *fn, void *arg, struct err *e);

/* Attributes 0..max of a message or nest, NULL where absent; what is malformed is left out. */
void netlink_attrs(const void *p, size_t n, const struct nlattr **at, size_t max);
const void *netlink_data(const struct nlattr *a);
size_t netlink_size(const struct nlattr *a);
uint32_t netlink_u32(const struct nlattr *a); /* 0 if absent or short */

#endif
