/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/text.h"

size_t
text_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t c, least;
	size_t len;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] < 0xe0) {
		len = 2, c = u[0] & 0x1f, least = 0x80;
	} else if (u[0] >= 0xe0 && u[0] < 0xf0) {
		len = 3, c = u[0] & 0x0f, least = 0x800;
	} else if (u[0] >= 0xf0 && u[0] < 0xf5) {
		len = 4, c = u[0] & 0x07, least = 0x10000;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	return c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

bool
text_is_utf8(const char *s, size_t n)
{
	while (n > 0) {
		size_t len;

		if (n >= sizeof(uint64_t)) {
			uint64_t eight;

			memcpy(&eight, s, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				s += sizeof(eight);
				n -= sizeof(eight);
				continue;
			}
		}
		len = (unsigned char)*s < 0x80 ? 1 : text_utf8_len(s, n);

		if (len == 0)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

size_t
text_put_utf8(uint32_t c, char out[4])
{
	const size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xf0) | c);
	return n;
}

/* One source character as it shall be printed; returns how many source bytes it took. */
static size_t
escape_one(const char *s, size_t n, char out[8])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char c = (unsigned char)s[0];
	size_t len = text_utf8_len(s, n);

	/* C1 controls are two bytes in UTF-8, and terminals obey them. */
	if (len == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0)
		len = 0;
	if (c == '\n' || c == '\t' || c == '\r') {
		out[0] = '\\';
		out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
		out[2] = '\0';
		return 1;
	}
	if (len == 0 || c < 0x20 || c == 0x7f) {
		out[0] = '\\', out[1] = 'x', out[2] = digits[c >> 4], out[3] = digits[c & 15];
		out[4] = '\0';
		return 1;
	}
	memcpy(out, s, len);
	out[len] = '\0';
	return len;
}

void
text_escape(const char *src, char *dst, size_t size)
{
	size_t n = strlen(src), used = 0;

	while (n > 0 && size > 0) {
		char one[8];
		size_t took = escape_one(src, n, one), len = strlen(one);

		if (used + len + 1 > size)
			break;
		memcpy(dst + used, one, len);
		used += len;
		src += took;
		n -= took;
	}
	if (size > 0)
		dst[used] = '\0';
}

int
text_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		unsigned d = (unsigned char)*s - '0';

		if (d > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
			return -1;
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

int
text_to_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	bool minus = *s == '-';
	uint64_t v;
	int64_t r;

	if (text_to_u64(s + minus, (uint64_t)INT64_MAX + minus, &v) == -1)
		return -1;
	r = minus ? (int64_t)(0 - v) : (int64_t)v;
	if (r < min || r > max)
		return -1;
	*out = r;
	return 0;
}

bool
text_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
text_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool
text_is_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	return s[n] == '\0';
}

int
text_from_hex(const char *s, size_t n, uint32_t *out)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)s[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v << 4 | (lower - 'a' + 10);
		else
			return -1;
	}
	*out = v;
	return 0;
}

void
text_hex(const uint8_t *src, size_t n, char *dst)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[src[i] >> 4];
		dst[2 * i + 1] = digits[src[i] & 15];
	}
	dst[2 * n] = '\0';
}
