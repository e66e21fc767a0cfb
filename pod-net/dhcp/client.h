/* SPDX-License-Identifier: ISC */
/*
 * A DHCPv4 client for one interface: gets a lease, keeps it, gives it back (RFC 2131, section 4.4).
 */
#ifndef POD_DHCP_CLIENT_H
#define POD_DHCP_CLIENT_H

#include "common/base/err.h"
#include "pod-net/dhcp/message.h"

struct dhcp_client {
	int socket; /* packets of one interface: AF_PACKET, SOCK_DGRAM; not blocking */
	int end;    /* something to be read here: it is time to go */
	int index;  /* of the interface */
	uint8_t mac[6];
	uint8_t wanted[4]; /* asked for first; zero: any */
	char host_name[DHCP_NAME_MAX];

	struct dhcp_in lease; /* after dhcp_client_get */
	uint8_t server_mac[6];
	uint32_t xid;
	int64_t began_ms, leased_ms;
};

/* Gets a lease within so many milliseconds. */
int dhcp_client_get(struct dhcp_client *c, int limit_ms, struct err *e);

/*
 * Renews the lease until it is time to go, and gives it back then.  A lease that has run out is asked for again;
 * another address is not taken, as the container has the old one.
 */
void dhcp_client_keep(struct dhcp_client *c);

#endif
