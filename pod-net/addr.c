/* SPDX-License-Identifier: ISC */
#include "pod-net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

int
addr_parse(const char *s, struct addr *out)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */
	struct addr a = {.family = AF_INET, .len = 4};

	if (s == NULL)
		return -1;
	if (inet_pton(AF_INET, s, a.b) != 1) {
		a = (struct addr){.family = AF_INET6, .len = 16};
		if (inet_pton(AF_INET6, s, a.b) != 1 || memcmp(a.b, mapped, sizeof mapped) == 0)
			return -1;
	}
	*out = a;
	return 0;
}

int
addr_parse_prefix(const char *s, struct prefix *out)
{
	char text[ADDR_TEXT];
	const char *slash = s != NULL ? strchr(s, '/') : NULL;
	struct prefix p;
	uint64_t bits;

	if (slash == NULL || (size_t)(slash - s) >= sizeof text)
		return -1;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (addr_parse(text, &p.addr) != 0 || text_to_u64(slash + 1, p.addr.len * 8u, &bits) != 0)
		return -1;
	p.bits = (unsigned)bits;
	*out = p;
	return 0;
}

int
addr_parse_mac(const char *s, uint8_t mac[6])
{
	static const uint8_t nobody[6];
	uint8_t m[6];

	if (s == NULL || strlen(s) != 17)
		return -1;
	for (size_t i = 0; i < 6; i++) {
		char digits[3] = {s[i * 3], s[i * 3 + 1], '\0'}, *end;

		if (strspn(digits, "0123456789abcdefABCDEF") != 2)
			return -1;
		if (i < 5 && s[i * 3 + 2] != ':' && s[i * 3 + 2] != '-')
			return -1;
		m[i] = (uint8_t)strtoul(digits, &end, 16);
	}
	if ((m[0] & 1) || memcmp(m, nobody, 6) == 0)
		return -1;
	memcpy(mac, m, 6);
	return 0;
}

void
addr_format(const struct addr *a, char text[ADDR_TEXT])
{
	if (a->len == 0 || inet_ntop(a->family, a->b, text, ADDR_TEXT) == NULL)
		text[0] = '\0';
}

void
addr_format_prefix(const struct prefix *p, char text[ADDR_TEXT])
{
	size_t n;

	addr_format(&p->addr, text);
	n = strlen(text);
	snprintf(text + n, ADDR_TEXT - n, "/%u", p->bits);
}

int
addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->b, b->b, a->len);
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t six[16] = {[15] = 1};

	return a->len == 4 ? a->b[0] == 127 : a->len == 16 && memcmp(a->b, six, 16) == 0;
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, sizeof zero) == 0;
}

struct addr
addr_next(const struct addr *a)
{
	struct addr n = *a;

	for (size_t i = n.len; i-- > 0;)
		if (++n.b[i] != 0)
			break;
	return n;
}

static struct addr
fill_host(const struct prefix *p, bool ones)
{
	struct addr a = p->addr;

	for (unsigned i = p->bits; i < a.len * 8u; i++) {
		uint8_t bit = (uint8_t)(0x80 >> (i % 8));

		a.b[i / 8] = (uint8_t)(ones ? a.b[i / 8] | bit : a.b[i / 8] & ~bit);
	}
	return a;
}

struct addr
addr_first(const struct prefix *p)
{
	return fill_host(p, false);
}

struct addr
addr_last(const struct prefix *p)
{
	return fill_host(p, true);
}

bool
addr_in(const struct addr *a, const struct prefix *p)
{
	struct prefix q = {*a, p->bits};
	struct addr x = addr_first(&q), y = addr_first(p);

	return a->len == p->addr.len && addr_compare(&x, &y) == 0;
}

bool
addr_overlap(const struct prefix *a, const struct prefix *b)
{
	return a->bits < b->bits ? addr_in(&b->addr, a) : addr_in(&a->addr, b);
}

socklen_t
addr_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (a->family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->b, 4);
		return sizeof *in;
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->b, 16);
	return sizeof *in6;
}
