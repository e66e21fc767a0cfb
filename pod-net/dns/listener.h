/* SPDX-License-Identifier: ISC */
/*
 * One address on which names are asked: a UDP socket, a TCP socket and what goes on in them.
 */
#ifndef POD_DNS_LISTENER_H
#define POD_DNS_LISTENER_H

#include <event2/event.h>

#include "pod-net/dns/forward.h"
#include "pod-net/dns/resolvers.h"

#define LISTENER_CONNECTIONS_MAX 128 /* TCP, in all */
#define LISTENER_CLIENT_MAX 16	     /* TCP, of one client */
#define LISTENER_IDLE_S 3

/* What all listeners of a server share. */
struct listen_shared {
	struct event_base *base;
	struct forwarder *forwarder;
	const struct zone *zone;
	struct resolvers *resolvers;
	bool forwards;
	const char *domain;
	/*
	 * Called once a query is there: names that were told before it was asked count.  It may give listeners
	 * networks, and frees none.
	 */
	void (*refresh)(void *arg);
	void *arg;
	struct connection *connections;
	size_t nconnections;
};

struct listener;

/* Listens, also on an address that no interface has yet.  It is idle until listener_serve. */
struct listener *listener_new(
    struct listen_shared *s, const struct addr *a, uint16_t port, struct err *e);

/* The network whose names are answered here, until the zone is loaded again; NULL: idle. */
void listener_serve(struct listener *l, const struct zone_network *n);
bool listener_is_idle(const struct listener *l);
const struct addr *listener_address(const struct listener *l);

/* Ends its connections; answers that are still being waited for are dropped. */
void listener_free(struct listener *l);

#endif
