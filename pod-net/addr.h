/* SPDX-License-Identifier: ISC */
/*
 * IP addresses and prefixes of both families, as values.
 */
#ifndef POD_ADDR_H
#define POD_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT 64 /* bytes for an address or a prefix as text */

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or 0: none */
	uint8_t len;	/* 4, 16 or 0 */
	uint8_t b[16];	/* network byte order; what is beyond len is zero */
};

struct prefix {
	struct addr addr; /* as written: bits of the host part may be set */
	unsigned bits;
};

/* "10.88.0.1", "fd00::1"; no zone, no IPv4-mapped form.  Return 0, or -1 with *out untouched. */
int addr_parse(const char *s, struct addr *out);
int addr_parse_prefix(const char *s, struct prefix *out); /* the length is required */

/* "aa:bb:cc:dd:ee:ff"; group addresses are refused. */
int addr_parse_mac(const char *s, uint8_t mac[6]);

void addr_format(const struct addr *a, char text[ADDR_TEXT]);
void addr_format_prefix(const struct prefix *p, char text[ADDR_TEXT]);

int addr_compare(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);

/* The next address, wrapping to zero after the last one. */
struct addr addr_next(const struct addr *a);

struct addr addr_first(const struct prefix *p); /* host part all zero */
struct addr addr_last(const struct prefix *p);	/* host part all ones */
bool addr_in(const struct addr *a, const struct prefix *p);
bool addr_overlap(const struct prefix *a, const struct prefix *b);

/* For bind(2) and connect(2); returns the length of what was filled in. */
socklen_t addr_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out);

#endif
