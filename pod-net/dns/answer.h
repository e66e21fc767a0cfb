/* SPDX-License-Identifier: ISC */
/*
 * What a query is answered: no I/O, only the names of the zone and who asks.
 *
 * An address that asks belongs to a container of the network it asks in, and sees the names of every network
 * of that container.  The host, which asks from the address the network listens on, sees that network.  All
 * others are refused.
 */
#ifndef POD_DNS_ANSWER_H
#define POD_DNS_ANSWER_H

#include "pod-net/dns/message.h"
#include "pod-net/dns/zone.h"

enum answer_kind {
	ANSWER_NOTHING, /* no reply at all */
	ANSWER_READY,	/* out holds n bytes */
	ANSWER_FORWARD, /* to be asked of servers, in their order */
};

#define ANSWER_SERVERS 8

struct answer {
	enum answer_kind kind;
	size_t n;
	struct addr servers[ANSWER_SERVERS];
	size_t nservers;
	struct dns_query query;
};

struct answer_request {
	const struct zone *zone;
	const struct zone_network *network; /* asked on an address of this one */
	struct addr client;
	struct zone_addrs resolvers; /* the host's */
	bool forwards;		     /* false: never ask others */
	const char *domain;	     /* in lower case with a dot in front; NULL: ZONE_DOMAIN */
	const uint8_t *p;	     /* the query */
	size_t n;
	bool stream; /* TCP: the size of the answer is not limited by the client */
};

/* True if the address is not refused on this network. */
bool answer_serves(const struct zone_network *n, const struct addr *client);

/* out holds max bytes, at least DNS_UDP_MAX. */
void answer_make(const struct answer_request *r, struct answer *a, uint8_t *out, size_t max);

/* An answer without records to a query that answer_make has parsed; returns its size. */
size_t answer_code(
    const struct answer *a, const uint8_t *query, enum dns_rcode rcode, uint8_t *out, size_t max);

#endif
