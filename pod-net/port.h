/* SPDX-License-Identifier: ISC */
/*
 * Published ports: what was asked for becomes single ports, and each port of the host is reserved by a
 * bound socket, so that it belongs to one program and can be seen in use.
 */
#ifndef POD_PORT_H
#define POD_PORT_H

#include <netinet/in.h>

#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/addr.h"

/* One published range. */
struct port {
	uint8_t protocol; /* IPPROTO_x */
	struct addr host; /* none: all addresses */
	uint16_t host_port, container_port;
	uint16_t count;	 /* at least 1 */
	bool ipv4, ipv6; /* families it concerns */
};

struct port_list {
	struct port *v;
	size_t n;
};

const char *port_protocol_name(uint8_t protocol);

/*
 * Checks the ports and brings them into the form above; memory is a's.  has4 and has6 tell which families
 * the container has addresses of; what no family is left of is dropped.
 */
int port_parse(const struct rec_port_map *v, size_t n, bool has4, bool has6, struct port_list *out,
    struct arena *a, struct err *e);

/*
 * Reserves all of them and puts the sockets into a queue; the returned socket holds them.  Host ports
 * that were 0 are chosen and filled in.  A port in use: ERR_EXISTS with Podman's words.
 * Nothing to reserve: 0.
 */
int port_reserve(struct port_list *l, int *holder, struct err *e);

/* Back to the form of messages; memory is a's. */
struct rec_port_map *port_maps(const struct port_list *l, struct arena *a);

#endif
