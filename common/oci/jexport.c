/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/oci/jexport.h"

struct field {
	const char *name, *value;
	size_t name_n, value_n;
};

/* One field at *at.  1: there is one; 2: the entry's end; 0: incomplete; -1: wrong. */
static int
next_field(const char *p, size_t n, size_t *at, struct field *f)
{
	const char *line = p + *at, *nl = memchr(line, '\n', n - *at), *equal;
	uint64_t len = 0;
	size_t left;

	if (nl == NULL)
		return n - *at > JEXPORT_ENTRY_MAX ? -1 : 0;
	if (nl == line) {
		(*at)++;
		return 2;
	}
	f->name = line;
	equal = memchr(line, '=', (size_t)(nl - line));
	if (equal != NULL) {
		f->name_n = (size_t)(equal - line);
		f->value = equal + 1;
		f->value_n = (size_t)(nl - f->value);
		*at += (size_t)(nl - line) + 1;
		return 1;
	}
	f->name_n = (size_t)(nl - line);
	left = n - *at - f->name_n - 1;
	if (left < 8)
		return 0;
	for (int i = 7; i >= 0; i--)
		len = len << 8 | (unsigned char)nl[1 + i];
	if (len > JEXPORT_ENTRY_MAX)
		return -1;
	if (left < 8 + len + 1)
		return 0;
	f->value = nl + 9;
	f->value_n = (size_t)len;
	if (f->value[len] != '\n')
		return -1;
	*at += f->name_n + 1 + 8 + (size_t)len + 1;
	return 1;
}

static bool
is(const struct field *f, const char *name)
{
	return f->name_n == strlen(name) && memcmp(f->name, name, f->name_n) == 0;
}

static int64_t
microseconds(const struct field *f)
{
	int64_t v = 0;

	for (size_t i = 0; i < f->value_n && i < 16; i++)
		if (f->value[i] >= '0' && f->value[i] <= '9')
			v = v * 10 + (f->value[i] - '0');
	/* It becomes nanoseconds. */
	return v <= INT64_MAX / 1000 ? v : INT64_MAX / 1000;
}

static void
take(const struct field *f, struct jexport_entry *out)
{
	if (is(f, "MESSAGE")) {
		out->text = f->value;
		out->n = f->value_n;
	} else if (is(f, "PRIORITY")) {
		out->error = f->value_n == 1 && f->value[0] == '3';
	} else if (is(f, "CONTAINER_PARTIAL_MESSAGE")) {
		out->partial = f->value_n == 4 && memcmp(f->value, "true", 4) == 0;
	} else if (is(f, "__REALTIME_TIMESTAMP")) {
		out->time_ns = microseconds(f) * 1000;
	} else if (is(f, "__CURSOR")) {
		out->cursor = f->value;
		out->cursor_n = f->value_n;
	}
}

int
jexport_next(const char *p, size_t n, struct jexport_entry *out, size_t *used)
{
	struct field f;
	size_t at = 0;
	int r;

	*out = (struct jexport_entry){0};
	while (at < n) {
		r = next_field(p, n, &at, &f);
		if (r == 2) {
			*used = at;
			return 1;
		}
		if (r <= 0)
			return r;
		if (at > JEXPORT_ENTRY_MAX)
			return -1;
		take(&f, out);
	}
	return 0;
}
