/* SPDX-License-Identifier: ISC */
// objs: pod-net/dhcp/message.o
#include <criterion/criterion.h>
#include <string.h>

#include "pod-net/dhcp/message.h"

#define OPTIONS (28 + 240)

/* An ACK from 10.0.0.1 with the given options; returns its size. */
static size_t
reply(uint8_t p[DHCP_PACKET_MAX], const uint8_t *options, size_t n)
{
	struct dhcp_out o = {.type = DHCP_REQUEST, .xid = 0x01020304, .mac = {2, 0, 0, 0, 0, 9}};
	size_t size = OPTIONS + n;

	dhcp_build(&o, p);
	p[2] = (uint8_t)(size >> 8);
	p[3] = (uint8_t)size;
	/* From the server's port to the client's. */
	p[21] = 67;
	p[23] = 68;
	p[24] = (uint8_t)((size - 20) >> 8);
	p[25] = (uint8_t)(size - 20);
	p[28] = 2;
	memcpy(p + 28 + 16, "\x0a\x00\x00\x05", 4);
	memcpy(p + OPTIONS, options, n);
	return size;
}

static const uint8_t whole[] = {53, 1, 5, 54, 4, 10, 0, 0, 1, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0,
    0, 1, 6, 8, 10, 0, 0, 53, 10, 0, 0, 54, 51, 4, 0, 0, 14, 16, 58, 4, 0, 0, 7, 8, 255};

Test(dhcp, what_is_written_can_be_read)
{
	uint8_t p[DHCP_PACKET_MAX];
	struct dhcp_in in;
	size_t n = reply(p, whole, sizeof whole);

	cr_assert_eq(dhcp_parse(p, n, &in), 0);
	cr_assert_eq(in.type, DHCP_ACK);
	cr_assert_eq(in.xid, 0x01020304);
	cr_assert_eq(memcmp(in.address, "\x0a\x00\x00\x05", 4), 0);
	cr_assert_eq(memcmp(in.server, "\x0a\x00\x00\x01", 4), 0);
	cr_assert_eq(memcmp(in.router, "\x0a\x00\x00\x01", 4), 0);
	cr_assert_eq(memcmp(in.mac, "\x02\x00\x00\x00\x00\x09", 6), 0);
	cr_assert_eq(dhcp_mask_bits(in.mask), 24);
	cr_assert_eq(in.nresolvers, 2);
	cr_assert_eq(in.lease_s, 3600);
	cr_assert_eq(in.renew_s, 1800);
}

Test(dhcp, each_cut_is_refused_or_harmless)
{
	uint8_t p[DHCP_PACKET_MAX];
	struct dhcp_in in;
	size_t n = reply(p, whole, sizeof whole);

	for (size_t i = 0; i < n; i++) {
		uint8_t copy[DHCP_PACKET_MAX];

		memcpy(copy, p, i);
		cr_assert_eq(dhcp_parse(copy, i, &in), -1, "%zu", i);
	}
}

Test(dhcp, refused)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
	} rows[] = {{"IPv6", 0, 0x65}, {"a short header", 0, 0x44}, {"TCP", 9, 6},
	    {"a fragment", 6, 0x20}, {"another port", 23, 69}, {"from another port", 21, 68},
	    {"a request", 28, 1}, {"no Ethernet", 29, 6}, {"a long hardware address", 30, 16},
	    {"no cookie", 28 + 236, 0}, {"no type", OPTIONS, 200},
	    {"an unknown type", OPTIONS + 2, 9}, {"an option beyond the end", OPTIONS + 1, 250},
	    {"more than there is", 2, 9}, {"a datagram beyond the packet", 24, 9}};
	uint8_t p[DHCP_PACKET_MAX];
	struct dhcp_in in;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = reply(p, whole, sizeof whole);

		p[rows[i].at] = rows[i].value;
		cr_assert_eq(dhcp_parse(p, n, &in), -1, "%s", rows[i].what);
	}
}

/* RFC 2132, section 9.3: options in the fields of the server's name and the boot file. */
Test(dhcp, overload)
{
	static const uint8_t options[] = {53, 1, 2, 52, 1, 3, 255};
	uint8_t p[DHCP_PACKET_MAX];
	struct dhcp_in in;
	size_t n = reply(p, options, sizeof options);

	memcpy(p + 28 + 44, "\x01\x04\xff\xff\x00\x00\xff", 7);
	memcpy(p + 28 + 108, "\x36\x04\x0a\x00\x00\x01\xff", 7);
	cr_assert_eq(dhcp_parse(p, n, &in), 0);
	cr_assert_eq(dhcp_mask_bits(in.mask), 16);
	cr_assert_eq(in.server[0], 10);
	p[28 + 108 + 1] = 200;
	cr_assert_eq(dhcp_parse(p, n, &in), -1);
}

Test(dhcp, masks)
{
	cr_assert_eq(dhcp_mask_bits((const uint8_t[]){255, 255, 255, 255}), 32);
	cr_assert_eq(dhcp_mask_bits((const uint8_t[]){255, 254, 0, 0}), 15);
	cr_assert_eq(dhcp_mask_bits((const uint8_t[]){0, 0, 0, 0}), 0);
	cr_assert_eq(dhcp_mask_bits((const uint8_t[]){255, 0, 255, 0}), -1);
}
