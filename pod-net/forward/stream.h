/* SPDX-License-Identifier: ISC */
/*
 * TCP connections to a published port.
 */
#ifndef POD_FORWARD_STREAM_H
#define POD_FORWARD_STREAM_H

#include <event2/event.h>

#include "common/base/err.h"
#include "pod-net/forward/client.h"

struct stream_listener;

/* Takes the bound socket fd; target, which may change, outlives it.  NULL with e. */
struct stream_listener *stream_listen(struct event_base *base, int fd,
    const struct client_target *target, uint16_t port, struct err *e);

/* Ends it and its connections; NULL is fine. */
void stream_free(struct stream_listener *l);

#endif
