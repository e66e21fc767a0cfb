/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/text.h"
#include "pod-store/layer/jscan.h"

static void
skip_space(struct jscan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
}

static int
take(struct jscan *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return -1;
	s->p++;
	return 0;
}

int
jscan_open(struct jscan *s, char bracket)
{
	s->first = true;
	return take(s, bracket);
}

int
jscan_more(struct jscan *s, char bracket)
{
	bool first = s->first;

	s->first = false;
	if (take(s, bracket) == 0)
		return 0;
	return first || take(s, ',') == 0 ? 1 : -1;
}

int
jscan_string(struct jscan *s, struct jscan_text *out)
{
	if (take(s, '"') == -1)
		return -1;
	*out = (struct jscan_text){.p = s->p};
	for (; s->p < s->end && *s->p != '"'; s->p++) {
		if ((unsigned char)*s->p < 0x20)
			return -1;
		if (*s->p != '\\')
			continue;
		out->escaped = true;
		if (++s->p == s->end)
			return -1;
	}
	out->n = (size_t)(s->p - out->p);
	return take(s, '"');
}

int
jscan_key(struct jscan *s, struct jscan_text *out)
{
	return jscan_string(s, out) == -1 ? -1 : take(s, ':');
}

int
jscan_number(struct jscan *s, uint64_t *out)
{
	uint64_t n = 0;
	const char *from;

	skip_space(s);
	for (from = s->p; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		uint64_t digit = (uint64_t)(*s->p - '0');

		if (n > (INT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	if (s->p == from || (s->p - from > 1 && *from == '0'))
		return -1;
	if (s->p < s->end && strchr(".eE", *s->p) != NULL)
		return -1;
	*out = n;
	return 0;
}

/* A number of any kind, true, false or null: only told from what ends it. */
static int
skip_word(struct jscan *s)
{
	const char *from = s->p;

	while (s->p < s->end && ((*s->p >= '0' && *s->p <= '9') || (*s->p >= 'a' && *s->p <= 'z') ||
				    *s->p == '-' || *s->p == '+' || *s->p == '.' || *s->p == 'E'))
		s->p++;
	return s->p > from ? 0 : -1;
}

/* One step into, over or out of a value; open holds the brackets that are to come. */
static int
skip_step(struct jscan *s, char *open, size_t *depth)
{
	struct jscan_text t;
	char c = *s->p;

	if (c == '{' || c == '[') {
		if (*depth == JSCAN_DEPTH)
			return -1;
		open[(*depth)++] = c == '{' ? '}' : ']';
		return jscan_open(s, c);
	}
	return c == '"' ? jscan_string(s, &t) : skip_word(s);
}

int
jscan_skip(struct jscan *s)
{
	char open[JSCAN_DEPTH];
	struct jscan_text key;
	size_t depth = 0;

	for (;;) {
		int more;

		skip_space(s);
		if (s->p == s->end || skip_step(s, open, &depth) == -1)
			return -1;
		while (depth > 0 && (more = jscan_more(s, open[depth - 1])) != 1) {
			if (more == -1)
				return -1;
			depth--;
		}
		if (depth == 0)
			break;
		if (open[depth - 1] == '}' && jscan_key(s, &key) == -1)
			return -1;
	}
	s->first = false;
	return 0;
}

int
jscan_string_or_null(struct jscan *s, struct jscan_text *out, bool *there)
{
	skip_space(s);
	*there = s->p < s->end && *s->p == '"';
	if (*there)
		return jscan_string(s, out);
	if (s->end - s->p < 4 || memcmp(s->p, "null", 4) != 0)
		return -1;
	s->p += 4;
	return 0;
}

int
jscan_end(struct jscan *s)
{
	skip_space(s);
	return s->p == s->end ? 0 : -1;
}

bool
jscan_is(const struct jscan_text *t, const char *word)
{
	return !t->escaped && t->n == strlen(word) && memcmp(t->p, word, t->n) == 0;
}

/* --- Escapes -------------------------------------------------------------------------------------- */

static int
hex4(const char *p, const char *end, uint32_t *out)
{
	return end - p < 4 ? -1 : text_from_hex(p, 4, out);
}

/* p stands behind the backslash and is moved behind the escape; the bytes it stands for, 0: malformed. */
static size_t
unescape(const char **p, const char *end, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *known = **p != '\0' ? strchr(from, **p) : NULL;
	uint32_t c, low;

	if (known != NULL) {
		(*p)++;
		out[0] = to[known - from];
		return 1;
	}
	if (**p != 'u' || hex4(*p + 1, end, &c) == -1 || c == 0)
		return 0;
	*p += 5;
	if (c >= 0xd800 && c < 0xdc00) {
		if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
		    hex4(*p + 2, end, &low) == -1 || low < 0xdc00 || low > 0xdfff)
			return 0;
		*p += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return 0;
	}
	return text_put_utf8(c, out);
}

int
jscan_copy(const struct jscan_text *t, char *out, size_t size)
{
	const char *p = t->n > 0 ? t->p : "", *end = p + t->n;
	size_t at = 0;

	while (p < end) {
		char bytes[4] = {*p};
		size_t n = 1;

		if (*p++ == '\\')
			n = p < end ? unescape(&p, end, bytes) : 0;
		if (n == 0 || n >= size - at)
			return -1;
		memcpy(out + at, bytes, n);
		at += n;
	}
	out[at] = '\0';
	return 0;
}
