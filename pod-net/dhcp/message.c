/* SPDX-License-Identifier: ISC */
#include "pod-net/dhcp/message.h"

#include <string.h>

#define IP_HEADER 20
#define UDP_HEADER 8
#define SERVER_PORT 67
#define CLIENT_PORT 68
#define PROTOCOL_UDP 17

/* RFC 2131, section 2: the fixed part, the cookie, then options. */
#define AT_XID 4
#define AT_SECS 8
#define AT_FLAGS 10
#define AT_CIADDR 12
#define AT_YIADDR 16
#define AT_CHADDR 28
#define AT_SNAME 44
#define AT_FILE 108
#define AT_COOKIE 236
#define AT_OPTIONS 240
#define SNAME_SIZE 64
#define FILE_SIZE 128
#define PADDED_SIZE \
	300 /* what the oldest servers and relays expect at least (RFC 1542, section 2.1) */

enum option {
	OPT_PAD = 0,
	OPT_MASK = 1,
	OPT_ROUTER = 3,
	OPT_RESOLVERS = 6,
	OPT_HOST_NAME = 12,
	OPT_WANTED = 50,
	OPT_LEASE = 51,
	OPT_OVERLOAD = 52,
	OPT_TYPE = 53,
	OPT_SERVER = 54,
	OPT_LIST = 55,
	OPT_SIZE = 57,
	OPT_RENEW = 58,
	OPT_REBIND = 59,
	OPT_CLIENT_ID = 61,
	OPT_END = 255
};

static const uint8_t cookie[] = {99, 130, 83, 99};

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

/* --- Reading -------------------------------------------------------------------------------------- */

static void
take_resolvers(struct dhcp_in *m, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 4 <= n && m->nresolvers < DHCP_SERVERS_MAX; i += 4)
		memcpy(m->resolvers[m->nresolvers++], p + i, 4);
}

/* An option of a wrong length is passed over (RFC 2132 gives each a least length). */
static void
take_option(struct dhcp_in *m, uint8_t code, const uint8_t *p, size_t n, uint8_t *overload)
{
	if (code == OPT_TYPE && n == 1)
		m->type = (enum dhcp_type)p[0];
	if (code == OPT_OVERLOAD && n == 1)
		*overload = p[0];
	if (code == OPT_RESOLVERS)
		take_resolvers(m, p, n);
	if (code == OPT_ROUTER && n >= 4)
		memcpy(m->router, p, 4);
	if (n != 4)
		return;
	if (code == OPT_MASK)
		memcpy(m->mask, p, 4);
	if (code == OPT_SERVER)
		memcpy(m->server, p, 4);
	if (code == OPT_LEASE)
		m->lease_s = get32(p);
	if (code == OPT_RENEW)
		m->renew_s = get32(p);
	if (code == OPT_REBIND)
		m->rebind_s = get32(p);
}

/* 0, or -1 if an option goes beyond the end. */
static int
take_options(struct dhcp_in *m, const uint8_t *p, size_t n, uint8_t *overload)
{
	size_t at = 0;

	while (at < n && p[at] != OPT_END) {
		size_t len;

		if (p[at] == OPT_PAD) {
			at++;
			continue;
		}
		if (n - at < 2 || (len = p[at + 1]) > n - at - 2)
			return -1;
		take_option(m, p[at], p + at + 2, len, overload);
		at += 2 + len;
	}
	return 0;
}

/*
 * The datagram of an IP packet to the client's port.  The checksum is not looked at: what a server on this
 * host sends has none yet.
 */
static const uint8_t *
unwrap(const uint8_t *p, size_t *n)
{
	size_t header, total, length;

	if (*n < IP_HEADER || p[0] >> 4 != 4)
		return NULL;
	header = (size_t)(p[0] & 15) * 4;
	total = get16(p + 2);
	/* No fragments: they would have to be put together first. */
	if (header < IP_HEADER || total > *n || total < header + UDP_HEADER ||
	    p[9] != PROTOCOL_UDP || (get16(p + 6) & 0x3fff) != 0)
		return NULL;
	p += header;
	length = get16(p + 4);
	if (get16(p) != SERVER_PORT || get16(p + 2) != CLIENT_PORT || length < UDP_HEADER ||
	    length > total - header)
		return NULL;
	*n = length - UDP_HEADER;
	return p + UDP_HEADER;
}

int
dhcp_parse(const uint8_t *packet, size_t n, struct dhcp_in *out)
{
	const uint8_t *p = unwrap(packet, &n);
	struct dhcp_in m = {0};
	uint8_t overload = 0, none = 0;

	/* A reply to an Ethernet client. */
	if (p == NULL || n < AT_OPTIONS || p[0] != 2 || p[1] != 1 || p[2] != 6 ||
	    memcmp(p + AT_COOKIE, cookie, sizeof cookie) != 0)
		return -1;
	m.xid = get32(p + AT_XID);
	memcpy(m.address, p + AT_YIADDR, 4);
	memcpy(m.mac, p + AT_CHADDR, 6);
	if (take_options(&m, p + AT_OPTIONS, n - AT_OPTIONS, &overload) != 0 ||
	    ((overload & 1) && take_options(&m, p + AT_FILE, FILE_SIZE, &none) != 0) ||
	    ((overload & 2) && take_options(&m, p + AT_SNAME, SNAME_SIZE, &none) != 0))
		return -1;
	if (m.type != DHCP_OFFER && m.type != DHCP_ACK && m.type != DHCP_NAK)
		return -1;
	*out = m;
	return 0;
}

int
dhcp_mask_bits(const uint8_t mask[4])
{
	uint32_t v = get32(mask), rest = ~v;

	/* Ones, then zeros. */
	if ((rest & (rest + 1)) != 0)
		return -1;
	return __builtin_popcount(v);
}

/* --- Writing -------------------------------------------------------------------------------------- */

static bool
is_set(const uint8_t a[4])
{
	return get32(a) != 0;
}

static uint8_t *
put_option(uint8_t *at, uint8_t code, const void *value, size_t n)
{
	at[0] = code;
	at[1] = (uint8_t)n;
	memcpy(at + 2, value, n);
	return at + 2 + n;
}

static uint8_t *
put_options(uint8_t *at, const struct dhcp_out *m)
{
	static const uint8_t list[] = {
	    OPT_MASK, OPT_ROUTER, OPT_RESOLVERS, OPT_LEASE, OPT_RENEW, OPT_REBIND};
	const uint8_t type = (uint8_t)m->type;
	uint8_t id[7] = {1}, size[2];

	at = put_option(at, OPT_TYPE, &type, 1);
	memcpy(id + 1, m->mac, 6);
	at = put_option(at, OPT_CLIENT_ID, id, sizeof id);
	if (is_set(m->wanted))
		at = put_option(at, OPT_WANTED, m->wanted, 4);
	if (is_set(m->server))
		at = put_option(at, OPT_SERVER, m->server, 4);
	if (m->type != DHCP_RELEASE) {
		put16(size, DHCP_PACKET_MAX);
		at = put_option(at, OPT_SIZE, size, 2);
		at = put_option(at, OPT_LIST, list, sizeof list);
		if (m->host_name[0] != '\0')
			at = put_option(
			    at, OPT_HOST_NAME, m->host_name, strnlen(m->host_name, DHCP_NAME_MAX));
	}
	*at++ = OPT_END;
	return at;
}

/* RFC 1071. */
static uint32_t
sum(const uint8_t *p, size_t n, uint32_t so_far)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		so_far += get16(p + i);
	return n % 2 != 0 ? so_far + (uint32_t)(p[n - 1] << 8) : so_far;
}

static uint16_t
fold(uint32_t v)
{
	while (v >> 16 != 0)
		v = (v & 0xffff) + (v >> 16);
	return (uint16_t)~v;
}

static void
put_headers(uint8_t *p, size_t size, const struct dhcp_out *m)
{
	uint8_t *udp = p + IP_HEADER;
	size_t length = size - IP_HEADER;
	uint16_t check;

	p[0] = 0x45;
	put16(p + 2, (uint16_t)size);
	p[8] = 64;
	p[9] = PROTOCOL_UDP;
	memcpy(p + 12, m->client, 4);
	memcpy(p + 16, m->to, 4);
	if (!is_set(m->to))
		memset(p + 16, 255, 4);
	put16(p + 10, fold(sum(p, IP_HEADER, 0)));
	put16(udp, CLIENT_PORT);
	put16(udp + 2, SERVER_PORT);
	put16(udp + 4, (uint16_t)length);
	check = fold(sum(p + 12, 8, sum(udp, length, PROTOCOL_UDP + (uint32_t)length)));
	put16(udp + 6, check != 0 ? check : 0xffff);
}

size_t
dhcp_build(const struct dhcp_out *m, uint8_t packet[DHCP_PACKET_MAX])
{
	uint8_t *p = packet + IP_HEADER + UDP_HEADER;
	size_t n;

	memset(packet, 0, DHCP_PACKET_MAX);
	p[0] = 1; /* a request, by Ethernet */
	p[1] = 1;
	p[2] = 6;
	put32(p + AT_XID, m->xid);
	put16(p + AT_SECS, m->elapsed_s);
	/* Without an address nothing but a broadcast would be let through by the kernel's own stack. */
	if (!is_set(m->client))
		put16(p + AT_FLAGS, 0x8000);
	memcpy(p + AT_CIADDR, m->client, 4);
	memcpy(p + AT_CHADDR, m->mac, 6);
	memcpy(p + AT_COOKIE, cookie, sizeof cookie);
	n = (size_t)(put_options(p + AT_OPTIONS, m) - p);
	if (n < PADDED_SIZE)
		n = PADDED_SIZE;
	n += IP_HEADER + UDP_HEADER;
	put_headers(packet, n, m);
	return n;
}
