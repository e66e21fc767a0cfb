/* SPDX-License-Identifier: ISC */
/*
 * Published ports of containers: bound sockets of the host and where they lead.
 */
#ifndef POD_FORWARD_PUBLISH_H
#define POD_FORWARD_PUBLISH_H

#include <event2/event.h>

#include "common/wire/msg.h"
#include "pod-net/forward/client.h"

struct publish_list {
	struct event_base *base;
	struct publication *first;
};

/* Does what forward_publish says, entirely or not at all; takes its descriptors. */
int publish_set(struct publish_list *l, struct msg_forward_publish *m, struct err *e);

/* Ends what was published under the token, connections included. */
void publish_drop(struct publish_list *l, const char *token);

#endif
