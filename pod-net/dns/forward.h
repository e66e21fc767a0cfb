/* SPDX-License-Identifier: ISC */
/*
 * Asking other servers, without waiting: UDP by UDP, TCP by TCP, one server after the other.
 *
 * Each query goes out with an ID and from a port that nobody can guess, and only what comes from the server
 * asked, with that ID and the same question, is taken for its answer.
 */
#ifndef POD_DNS_FORWARD_H
#define POD_DNS_FORWARD_H

#include <event2/event.h>

#include "pod-net/dns/answer.h"

/*
 * Queries under way: in all, and for one client, so that none can take the others' places.  Of one network there are at
 * most as many as there are places left.
 */
#define FORWARD_MAX 512
#define FORWARD_CLIENT_MAX 64
#define FORWARD_TIMEOUT_MS 5000 /* for all servers together */

struct forwarder;
struct forward;

struct forwarder *forwarder_new(struct event_base *base);
void forwarder_free(struct forwarder *f); /* without calling done */

/* Called once, after forward_start has returned; p is the answer with the client's ID, or NULL. */
typedef void forward_done(void *arg, const uint8_t *p, size_t n);

/* Who asks; all is borrowed. */
struct forward_query {
	const struct addr *client;
	const void *from; /* tells its network from others */
	bool stream;	  /* over TCP */
	const uint8_t *p; /* parsed by answer_make */
	size_t n;
};

/* NULL: too many are under way. */
struct forward *forward_start(struct forwarder *f, const struct answer *a,
    const struct forward_query *in, forward_done *done, void *arg);

/* The client has gone: done will not be called. */
void forward_cancel(struct forward *q);

#endif
