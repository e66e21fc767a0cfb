/* SPDX-License-Identifier: ISC */
/*
 * The peer face: connections, their staging areas and the jobs (workers) that run for them, in one loop.
 */
#ifndef POD_STORE_SERVER_H
#define POD_STORE_SERVER_H

#include <event2/event.h>

#include "common/wire/peer.h"
#include "pod-store/stage.h"
#include "pod-store/store.h"

#define SERVER_PHASE_HELLO 1u
#define SERVER_PHASE_OPEN 2u
#define SERVER_PHASE_FAILED 4u /* the store could not be opened */

struct conn;
struct job;

struct server {
	struct event_base *base;
	struct store store;
	struct conn *conns;
	bool opened;
	struct err why; /* it could not be */
};

struct conn {
	struct server *srv;
	struct peer *peer;
	struct event *ev;
	struct conn *next;
	uint64_t done; /* see peer_serve */
	unsigned phase;
	struct stages stages;
	struct job *jobs;
};

/* Serves fd, spoken by role, until every connection has ended; then cleans up and returns. */
int server_run(int fd, struct err *e);

/* One more connection; takes fd. */
int server_add(struct server *srv, int fd, enum role other, unsigned phase, struct err *e);

#endif
