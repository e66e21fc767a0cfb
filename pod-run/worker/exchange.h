/* SPDX-License-Identifier: ISC */
/* One question to a service and its answer, in HTTP; what the service says becomes messages. */
#ifndef POD_WORKER_EXCHANGE_H
#define POD_WORKER_EXCHANGE_H

#include "common/wire/http.h"
#include "common/wire/peer.h"

/* The connection, which lasts for several questions. */
struct service {
	struct http *h;
	int fd; /* -1: none yet */
};

/* Handles remote_ask; arg is a struct service. */
int exchange_on_ask(struct peer *p, struct peer_in *in, void *arg, struct err *e);

#endif
