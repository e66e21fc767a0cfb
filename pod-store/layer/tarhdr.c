/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "pod-store/layer/tarhdr.h"

enum tarhdr_format
tarhdr_format(const struct tarhdr *h)
{
	if (memcmp(h->magic, "ustar\0", 6) == 0)
		return memcmp(h->end + 8, "tar\0", 4) == 0 ? TARHDR_STAR : TARHDR_USTAR;
	return memcmp(h->magic, "ustar  \0", 8) == 0 ? TARHDR_GNU : TARHDR_V7;
}

static void
add_up(const struct tarhdr *h, int64_t *as_unsigned, int64_t *as_signed)
{
	const unsigned char *b = (const unsigned char *)h;
	const size_t from = offsetof(struct tarhdr, checksum), to = from + sizeof(h->checksum);

	*as_unsigned = *as_signed = 0;
	for (size_t i = 0; i < sizeof(*h); i++) {
		unsigned char c = i >= from && i < to ? ' ' : b[i];

		*as_unsigned += c;
		*as_signed += (signed char)c;
	}
}

bool
tarhdr_checksum_ok(const struct tarhdr *h)
{
	int64_t want, u, s;

	if (tarhdr_number(h->checksum, sizeof(h->checksum), &want) == -1)
		return false;
	add_up(h, &u, &s);
	return want == u || want == s;
}

void
tarhdr_set_checksum(struct tarhdr *h)
{
	int64_t u, s;

	add_up(h, &u, &s);
	tarhdr_put_number(h->checksum, 7, (uint64_t)u);
	h->checksum[7] = ' ';
}

static int
base256(const unsigned char *b, size_t n, int64_t *out)
{
	bool minus = (b[0] & 0x40) != 0;
	/* Two's complement; the top bit of the field is the mark and does not count. */
	uint64_t v = minus ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = i == 0 ? (b[0] & 0x7f) | (minus ? 0x80 : 0) : b[i];

		if ((v >> 56) != (minus ? 0xff : 0))
			return -1;
		v = v << 8 | c;
	}
	if ((v >> 63) != (minus ? 1 : 0))
		return -1;
	*out = (int64_t)v;
	return 0;
}

int
tarhdr_number(const char *field, size_t n, int64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;

	if ((unsigned char)field[0] & 0x80)
		return base256((const unsigned char *)field, n, out);
	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	for (; i < n; i++)
		if (field[i] != ' ' && field[i] != '\0')
			return -1;
	*out = (int64_t)v; /* at most 12 digits of 3 bits */
	return 0;
}

void
tarhdr_put_number(char *field, size_t n, uint64_t value)
{
	size_t digits = n - 1;

	if (digits * 3 >= 64 || value < 1ull << (digits * 3)) {
		field[digits] = '\0';
		for (size_t i = digits; i-- > 0; value >>= 3)
			field[i] = (char)('0' + (value & 7));
		return;
	}
	for (size_t i = n; i-- > 0; value >>= 8)
		field[i] = (char)(value & 0xff);
	field[0] = (char)0x80;
}

int
tarhdr_pax_number(const char *s, size_t n, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned char)s[i] - (unsigned)'0';

		if (d > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
			return -1;
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

int
tarhdr_pax_time(const char *s, size_t n, int64_t *sec, uint32_t *nsec)
{
	const bool minus = n > 0 && s[0] == '-';
	const char *dot;
	uint64_t whole = 0;
	uint32_t ns = 0, unit = 100000000;

	s += minus;
	n -= minus;
	dot = memchr(s, '.', n);
	if (tarhdr_pax_number(s, dot != NULL ? (size_t)(dot - s) : n, INT64_MAX, &whole) == -1)
		return -1;
	for (const char *p = dot != NULL ? dot + 1 : s + n; p < s + n; p++, unit /= 10) {
		if (*p < '0' || *p > '9')
			return -1;
		ns += (uint32_t)(*p - '0') * unit;
	}
	*sec = minus ? -(int64_t)whole : (int64_t)whole;
	if (minus && ns > 0) {
		*sec -= 1;
		ns = 1000000000 - ns;
	}
	*nsec = ns;
	return 0;
}

int
tarhdr_pax_next(char **p, size_t *n, char **key, char **value, size_t *value_n)
{
	char *space, *equals;
	uint64_t len;

	if (*n == 0)
		return 0;
	space = memchr(*p, ' ', *n < 12 ? *n : 12);
	if (space == NULL || tarhdr_pax_number(*p, (size_t)(space - *p), *n, &len) == -1)
		return -1;
	/* "5 a=\n" is the least there can be after the digits and the space. */
	if (len < (size_t)(space - *p) + 4 || (*p)[len - 1] != '\n')
		return -1;
	*key = space + 1;
	equals = memchr(*key, '=', len - (size_t)(*key - *p) - 1);
	if (equals == NULL || equals == *key || memchr(*key, '\0', (size_t)(equals - *key)) != NULL)
		return -1;
	*equals = '\0';
	*value = equals + 1;
	*value_n = len - (size_t)(*value - *p) - 1;
	*p += len;
	*n -= len;
	return 1;
}
