/* SPDX-License-Identifier: ISC */
/*
 * DHCPv4 messages in their UDP datagrams (RFC 2131, RFC 2132), without I/O.
 */
#ifndef POD_DHCP_MESSAGE_H
#define POD_DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_SERVERS_MAX 8
#define DHCP_NAME_MAX 64
#define DHCP_PACKET_MAX 1500

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RELEASE = 7
};

/* Addresses are four bytes as on the wire; zero: none.  Times are seconds; zero: not told. */
struct dhcp_in {
	enum dhcp_type type;
	uint32_t xid;
	uint8_t mac[6];
	uint8_t address[4], server[4], mask[4], router[4];
	uint8_t resolvers[DHCP_SERVERS_MAX][4];
	size_t nresolvers;
	uint32_t lease_s, renew_s, rebind_s;
};

/* An IP packet from a server's port to a client's.  0, or -1 if it is anything else or malformed. */
int dhcp_parse(const uint8_t *packet, size_t n, struct dhcp_in *out);

struct dhcp_out {
	enum dhcp_type type;
	uint32_t xid;
	uint16_t elapsed_s;
	uint8_t mac[6];
	uint8_t client[4]; /* the address that is ours already */
	uint8_t wanted[4]; /* the address asked for */
	uint8_t server[4]; /* the server's identifier */
	uint8_t to[4];	   /* where the packet goes; zero: to all */
	char host_name[DHCP_NAME_MAX];
};

/* Builds the IP packet; returns its size. */
size_t dhcp_build(const struct dhcp_out *m, uint8_t packet[DHCP_PACKET_MAX]);

/* The prefix length of a mask, or -1 if it is none. */
int dhcp_mask_bits(const uint8_t mask[4]);

#endif
