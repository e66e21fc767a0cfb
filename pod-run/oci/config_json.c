/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/config_json.h"

#include <string.h>

#include "common/base/text.h"

/* The text of a string value; what is not UTF-8 becomes U+FFFD. */
static void
add_text(struct strbuf *b, const char *s)
{
	size_t left = strlen(s);

	strbuf_addc(b, '"');
	while (left > 0) {
		size_t plain = 0, n;

		while (plain < left && (unsigned char)s[plain] >= 0x20 &&
		       (unsigned char)s[plain] < 0x7f && s[plain] != '"' && s[plain] != '\\')
			plain++;
		strbuf_addn(b, s, plain);
		s += plain;
		left -= plain;
		if (left == 0)
			break;
		n = text_utf8_len(s, left);
		if (*s == '"' || *s == '\\') {
			strbuf_addc(b, '\\');
			strbuf_addc(b, *s);
		} else if (n == 0) {
			strbuf_add(b, "\\ufffd");
		} else if (n == 1) {
			strbuf_addf(b, "\\u%04x", (unsigned)(unsigned char)*s);
		} else {
			strbuf_addn(b, s, n);
		}
		s += n > 0 ? n : 1;
		left -= n > 0 ? n : 1;
	}
	strbuf_addc(b, '"');
}

static void
begin(struct strbuf *b, const char *key)
{
	if (b->n > 0 && strchr("{[:", b->s[b->n - 1]) == NULL)
		strbuf_addc(b, ',');
	if (key != NULL) {
		add_text(b, key);
		strbuf_addc(b, ':');
	}
}

void
config_json_open(struct strbuf *b, const char *key, char bracket)
{
	begin(b, key);
	strbuf_addc(b, bracket);
}

void
config_json_close(struct strbuf *b, char bracket)
{
	strbuf_addc(b, bracket);
}

void
config_json_str(struct strbuf *b, const char *key, const char *s)
{
	begin(b, key);
	add_text(b, s);
}

static void
add_digits(struct strbuf *b, uint64_t n)
{
	char digits[24];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	strbuf_addn(b, digits + at, sizeof(digits) - at);
}

void
config_json_int(struct strbuf *b, const char *key, int64_t n)
{
	begin(b, key);
	if (n < 0)
		strbuf_addc(b, '-');
	add_digits(b, n < 0 ? -(uint64_t)n : (uint64_t)n);
}

void
config_json_uint(struct strbuf *b, const char *key, uint64_t n)
{
	begin(b, key);
	add_digits(b, n);
}

void
config_json_bool(struct strbuf *b, const char *key, bool v)
{
	begin(b, key);
	strbuf_add(b, v ? "true" : "false");
}

void
config_json_strs(struct strbuf *b, const char *key, const char *const *v, size_t n)
{
	config_json_open(b, key, '[');
	for (size_t i = 0; i < n; i++)
		config_json_str(b, NULL, v[i]);
	config_json_close(b, ']');
}

void
config_json_raw(struct strbuf *b, const char *key, const char *json)
{
	begin(b, key);
	strbuf_add(b, json);
}
