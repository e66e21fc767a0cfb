/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <string.h>

#include "common/base/text.h"
#include "pod-net/dns/message.h"

#define HEADER 12u
#define LABEL_MAX 63u
#define FLAG_QR 0x8000u
#define FLAG_AA 0x0400u
#define FLAG_TC 0x0200u
#define FLAG_RD 0x0100u
#define FLAG_RA 0x0080u
#define TO_QUESTION 0xc00cu /* a pointer to the name after the header */

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The question's name; compression has nothing to point to there. */
static int
parse_name(const uint8_t *p, size_t n, size_t *at, struct dns_query *q)
{
	size_t used = 0;

	q->plain = true;
	for (;;) {
		size_t len;

		if (*at >= n)
			return -1;
		len = p[(*at)++];
		if (len == 0)
			break;
		if (len > LABEL_MAX || len > n - *at || used + len + 1 > DNS_NAME_MAX)
			return -1;
		if (used > 0)
			q->name[used++] = '.';
		for (size_t i = 0; i < len; i++) {
			unsigned char c = p[*at + i];

			q->plain = q->plain && (isalnum(c) || c == '-' || c == '_');
			q->name[used++] = (char)tolower(c);
		}
		*at += len;
	}
	q->name[used] = '\0';
	return 0;
}

/* The pseudo record of RFC 6891, 6.1.2, where it is the first one after the question, as clients send it. */
static void
parse_edns(const uint8_t *p, size_t n, size_t at, struct dns_query *q)
{
	q->udp_size = DNS_UDP_MIN;
	if (get16(p + 6) != 0 || get16(p + 8) != 0 || get16(p + 10) == 0 || n - at < 11)
		return;
	if (p[at] != 0 || get16(p + at + 1) != DNS_OPT)
		return;
	q->edns = true;
	q->udp_size = get16(p + at + 3);
	if (q->udp_size < DNS_UDP_MIN)
		q->udp_size = DNS_UDP_MIN;
	if (q->udp_size > DNS_UDP_MAX)
		q->udp_size = DNS_UDP_MAX;
}

int
dns_query_parse(const uint8_t *p, size_t n, struct dns_query *q)
{
	size_t at = HEADER;
	unsigned flags;

	memset(q, 0, sizeof(*q));
	if (n < HEADER || n > DNS_MESSAGE_MAX)
		return -1;
	flags = get16(p + 2);
	if (flags & FLAG_QR)
		return -1;
	q->id = get16(p);
	q->recursion = flags & FLAG_RD;
	q->udp_size = DNS_UDP_MIN;
	if ((flags >> 11 & 15) != 0)
		return DNS_NOTIMP;
	if (get16(p + 4) != 1 || parse_name(p, n, &at, q) == -1 || n - at < 4)
		return DNS_FORMERR;
	q->type = get16(p + at);
	q->class = get16(p + at + 2);
	q->question_end = at + 4;
	parse_edns(p, n, q->question_end, q);
	return DNS_OK;
}

void
dns_reply_begin(
    struct dns_reply *r, uint8_t *out, size_t max, const uint8_t *query, const struct dns_query *q)
{
	*r = (struct dns_reply){.p = out, .n = HEADER, .max = max, .edns = q->edns};
	memset(out, 0, HEADER);
	put16(out, q->id);
	put16(out + 2, FLAG_QR | FLAG_AA | FLAG_RA | (q->recursion ? FLAG_RD : 0));
	if (r->edns)
		r->max -= 11;
	if (q->question_end == 0)
		return;
	put16(out + 4, 1);
	memcpy(out + HEADER, query + HEADER, q->question_end - HEADER);
	r->n = q->question_end;
}

/* The fixed part of a record; NULL if size more bytes do not fit. */
static uint8_t *
add_record(struct dns_reply *r, enum dns_type type, size_t size)
{
	uint8_t *p = r->p + r->n;

	if (r->cut || r->max - r->n < 12 + size || r->answers == UINT16_MAX) {
		r->cut = true;
		return NULL;
	}
	put16(p, TO_QUESTION);
	put16(p + 2, type);
	put16(p + 4, DNS_IN);
	/* Containers come and go: nobody shall remember an answer. */
	put16(p + 6, 0);
	put16(p + 8, 0);
	put16(p + 10, (unsigned)size);
	r->n += 12 + size;
	r->answers++;
	return p + 12;
}

void
dns_reply_address(struct dns_reply *r, const struct addr *a)
{
	uint8_t *p = add_record(r, a->family == AF_INET ? DNS_A : DNS_AAAA, a->len);

	if (p != NULL)
		memcpy(p, a->b, a->len);
}

/* The wire form of a name; returns its size, or 0 if it is none. */
static size_t
encode_name(const char *name, uint8_t out[DNS_NAME_MAX + 1])
{
	size_t n = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > LABEL_MAX || n + len + 2 > DNS_NAME_MAX)
			return 0;
		out[n++] = (uint8_t)len;
		memcpy(out + n, name, len);
		n += len;
		name += len;
		if (*name == '.')
			name++;
	}
	out[n++] = 0;
	return n;
}

void
dns_reply_name(struct dns_reply *r, const char *name)
{
	uint8_t wire[DNS_NAME_MAX + 1];
	size_t n = encode_name(name, wire);
	uint8_t *p = n > 1 ? add_record(r, DNS_PTR, n) : NULL;

	if (p != NULL)
		memcpy(p, wire, n);
}

size_t
dns_reply_end(struct dns_reply *r, enum dns_rcode rcode)
{
	put16(r->p + 2, (unsigned)get16(r->p + 2) | rcode | (r->cut ? FLAG_TC : 0));
	put16(r->p + 6, r->answers);
	if (r->edns) {
		memset(r->p + r->n, 0, 11);
		put16(r->p + r->n + 1, DNS_OPT);
		put16(r->p + r->n + 3, DNS_UDP_MAX);
		put16(r->p + 10, 1);
		r->n += 11;
	}
	return r->n;
}

bool
dns_is_answer(const uint8_t *p, size_t n, uint16_t id, const uint8_t *query, size_t question_end,
    enum dns_rcode *rcode)
{
	if (n < HEADER || get16(p) != id || !(get16(p + 2) & FLAG_QR))
		return false;
	*rcode = p[3] & 15;
	/* Some servers leave the question out of a refusal. */
	if (get16(p + 4) == 0)
		return *rcode != DNS_OK && *rcode != DNS_NXDOMAIN;
	return n >= question_end && memcmp(p + HEADER, query + HEADER, question_end - HEADER) == 0;
}

static bool
reverse4(const char *name, size_t n, struct addr *out)
{
	uint64_t octet;
	char text[4];

	*out = (struct addr){.family = AF_INET, .len = 4};
	for (int i = 3; i >= 0; i--) {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > 3 || len > n)
			return false;
		memcpy(text, name, len);
		text[len] = '\0';
		if (text_to_u64(text, 255, &octet) == -1)
			return false;
		out->b[i] = (uint8_t)octet;
		name += len;
		n -= len;
		if (i > 0 && (n == 0 || *name != '.'))
			return false;
		name += i > 0;
		n -= i > 0;
	}
	return n == 0;
}

static bool
reverse6(const char *name, size_t n, struct addr *out)
{
	static const char digits[] = "0123456789abcdef";

	*out = (struct addr){.family = AF_INET6, .len = 16};
	if (n != 63)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char *d = memchr(digits, name[2 * i], 16);

		if (d == NULL || (i < 31 && name[2 * i + 1] != '.'))
			return false;
		out->b[15 - i / 2] |= (uint8_t)((d - digits) << (i % 2 == 0 ? 0 : 4));
	}
	return true;
}

bool
dns_reverse(const char *name, struct addr *out)
{
	static const char v4[] = ".in-addr.arpa", v6[] = ".ip6.arpa";
	size_t n = strlen(name);

	if (text_has_suffix(name, v4))
		return reverse4(name, n - (sizeof(v4) - 1), out);
	if (text_has_suffix(name, v6))
		return reverse6(name, n - (sizeof(v6) - 1), out);
	return false;
}
