/* SPDX-License-Identifier: ISC */
/*
 * UDP datagrams to a published port; each client is a session with a socket of its own inside.
 */
#ifndef POD_FORWARD_DATAGRAM_H
#define POD_FORWARD_DATAGRAM_H

#include <event2/event.h>

#include "common/base/err.h"
#include "pod-net/forward/client.h"

struct datagram_listener;

/* Takes the bound socket fd; target, which may change, outlives it.  NULL with e. */
struct datagram_listener *datagram_listen(struct event_base *base, int fd,
    const struct client_target *target, uint16_t port, struct err *e);

/* Ends it and its sessions; NULL is fine. */
void datagram_free(struct datagram_listener *l);

#endif
