/* SPDX-License-Identifier: ISC */
/*
 * Sockets that speak to a container in the name of a client of the host.
 */
#ifndef POD_FORWARD_CLIENT_H
#define POD_FORWARD_CLIENT_H

#include <sys/socket.h>

#include "pod-net/addr.h"

struct client_target {
	struct addr to4, to6;
	struct prefix *near; /* owned: subnets of the container */
	size_t nnear;
};

/*
 * A non-blocking socket of the type, connected or about to be, to the target's port in the family of from.
 * It has the client's address where answers to it can find their way: not for loopback addresses and those
 * of the container's own subnets, where it has the bridge's.  -1 with errno.
 */
int client_connect(
    const struct client_target *t, const struct sockaddr_storage *from, uint16_t port, int type);

/*
 * How many clients one published port may have at a time.  All ports of a user share one process and its
 * descriptors: whoever floods one must not close the others.
 */
size_t client_limit(void);

#endif
