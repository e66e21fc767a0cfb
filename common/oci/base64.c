/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/oci/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_encode(const void *p, size_t n)
{
	const uint8_t *b = p;
	struct strbuf out = {0};

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)b[i] << 16 | (i + 1 < n ? (uint32_t)b[i + 1] << 8 : 0) |
			     (i + 2 < n ? b[i + 2] : 0);

		strbuf_addc(&out, alphabet[v >> 18]);
		strbuf_addc(&out, alphabet[v >> 12 & 63]);
		strbuf_addc(&out, i + 1 < n ? alphabet[v >> 6 & 63] : '=');
		strbuf_addc(&out, i + 2 < n ? alphabet[v & 63] : '=');
	}
	return strbuf_take(&out);
}

/* -1: foreign. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

char *
base64_decode_n(const char *s, size_t len, size_t *n)
{
	size_t pad = 0, at = 0;
	char *out = xmalloc(len / 4 * 3 + 1);

	while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
		pad++;
	if (len % 4 != 0)
		goto bad;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t v = 0;

		for (size_t k = i; k < i + 4; k++) {
			int c = value_of(s[k]);

			if (k >= len - pad)
				v <<= 6;
			else if (c == -1)
				goto bad;
			else
				v = v << 6 | (uint32_t)c;
		}
		out[at++] = (char)(v >> 16);
		out[at++] = (char)(v >> 8);
		out[at++] = (char)v;
	}
	*n = at - pad;
	out[*n] = '\0';
	return out;
bad:
	free(out);
	return NULL;
}

char *
base64_decode(const char *s, size_t *n)
{
	return base64_decode_n(s, strlen(s), n);
}

char *
base64_url_encode(const void *p, size_t n)
{
	char *s = base64_encode(p, n);

	for (char *c = s; *c != '\0'; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
	return s;
}

char *
base64_url_decode(const char *s, size_t *n)
{
	size_t len = strlen(s);
	char *padded, *out;

	if (strpbrk(s, "+/=") != NULL || len % 4 == 1)
		return NULL;
	padded = xasprintf("%s%s", s, len % 4 == 2 ? "==" : len % 4 == 3 ? "=" : "");
	for (char *c = padded; *c != '\0'; c++)
		*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
	out = base64_decode(padded, n);
	free(padded);
	return out;
}
