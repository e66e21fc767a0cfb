/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "pod-run/cmd/yaml.h"

/* --- Strings ------------------------------------------------------------------------------------*/

/* Words that a reader would take for another type (YAML 1.1, which most of them still accept). */
static bool
is_keyword(const char *s)
{
	static const char *const words[] = {
	    "", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf"};

	for (size_t i = 0; i < COUNTOF(words); i++)
		if (strcasecmp(words[i], s) == 0)
			return true;
	return false;
}

static bool
is_number(const char *s)
{
	char *end;

	if (!isdigit((unsigned char)*s) && strchr("+-.", *s) == NULL)
		return false;
	strtod(s, &end);
	return end != s && *end == '\0';
}

static bool
is_plain(const char *s)
{
	size_t n = strlen(s);

	if (is_keyword(s) || is_number(s) || strchr("-?:,[]{}#&*!|>'\"%@` ", *s) != NULL)
		return false;
	if (s[n - 1] == ' ' || s[n - 1] == ':' || strstr(s, ": ") != NULL ||
	    strstr(s, " #") != NULL)
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == '\177')
			return false;
	return true;
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == '\177')
			return true;
	return false;
}

static void
add_single(const char *s, struct strbuf *out)
{
	strbuf_addc(out, '\'');
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			strbuf_addc(out, '\'');
		strbuf_addc(out, *s);
	}
	strbuf_addc(out, '\'');
}

static void
add_double(const char *s, struct strbuf *out)
{
	strbuf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_addf(out, "\\%c", *s);
		else if ((unsigned char)*s < ' ' || *s == '\177')
			strbuf_addf(out, "\\x%02x", (unsigned char)*s);
		else
			strbuf_addc(out, *s);
	}
	strbuf_addc(out, '"');
}

static void
indent(struct strbuf *out, unsigned level)
{
	for (; level > 0; level--)
		strbuf_add(out, "  ");
}

/* Several lines as a literal block, where every line is plain text. */
static bool
add_block(const char *s, unsigned level, struct strbuf *out)
{
	size_t n = strlen(s);

	if (strchr(s, '\n') == NULL || *s == ' ' || *s == '\n')
		return false;
	for (const char *c = s; *c != '\0'; c++)
		if (*c != '\n' && ((unsigned char)*c < ' ' || *c == '\177'))
			return false;
	strbuf_add(out, s[n - 1] == '\n' ? "|" : "|-");
	for (;;) {
		n = strcspn(s, "\n");
		strbuf_addc(out, '\n');
		indent(out, level);
		strbuf_addn(out, s, n);
		if (s[n] == '\0' || s[n + 1] == '\0')
			return true;
		s += n + 1;
	}
}

static void
add_string(const char *s, unsigned level, struct strbuf *out)
{
	if (is_plain(s))
		strbuf_add(out, s);
	else if (!add_block(s, level, out)) {
		if (is_keyword(s) || is_number(s) || has_control(s))
			add_double(s, out);
		else
			add_single(s, out);
	}
}

/* --- Values -------------------------------------------------------------------------------------*/

static bool
is_block(const json_t *j)
{
	return (json_is_object(j) && json_object_size(j) > 0) ||
	       (json_is_array(j) && json_array_size(j) > 0);
}

static void
add_scalar(const json_t *j, unsigned level, struct strbuf *out)
{
	switch (json_typeof(j)) {
	case JSON_STRING:
		add_string(json_string_value(j), level, out);
		break;
	case JSON_INTEGER:
		strbuf_addf(out, "%lld", (long long)json_integer_value(j));
		break;
	case JSON_REAL:
		strbuf_addf(out, "%.10g", json_real_value(j));
		break;
	case JSON_NULL:
		strbuf_add(out, "null");
		break;
	case JSON_OBJECT:
		strbuf_add(out, "{}");
		break;
	case JSON_ARRAY:
		strbuf_add(out, "[]");
		break;
	default:
		strbuf_add(out, json_is_true(j) ? "true" : "false");
	}
}

static void add_value(const json_t *j, unsigned level, bool continued, struct strbuf *out);

static void
add_object(const json_t *j, unsigned level, bool continued, struct strbuf *out)
{
	own_strv struct strv keys = {0};
	const char *key;
	const json_t *value;

	/* The lists of a value stand under their key, at its own depth. */
	for (void *i = json_object_iter((json_t *)(uintptr_t)j); i != NULL;
	     i = json_object_iter_next((json_t *)(uintptr_t)j, i))
		strv_add(&keys, json_object_iter_key(i));
	strv_sort(&keys);
	for (size_t i = 0; i < keys.n; i++) {
		key = keys.v[i];
		value = json_object_get(j, key);
		if (i > 0 || !continued)
			indent(out, level);
		add_string(key, level + 1, out);
		strbuf_addc(out, ':');
		if (is_block(value)) {
			strbuf_addc(out, '\n');
			add_value(value, json_is_array(value) ? level : level + 1, false, out);
		} else {
			strbuf_addc(out, ' ');
			add_scalar(value, level + 1, out);
			strbuf_addc(out, '\n');
		}
	}
}

/* continued: the cursor stands behind "- " already. */
static void
add_value(const json_t *j, unsigned level, bool continued, struct strbuf *out)
{
	size_t i;
	const json_t *one;

	if (json_is_object(j) && json_object_size(j) > 0) {
		add_object(j, level, continued, out);
	} else if (json_is_array(j) && json_array_size(j) > 0) {
		json_array_foreach (j, i, one) {
			if (i > 0 || !continued)
				indent(out, level);
			strbuf_add(out, "- ");
			add_value(one, level + 1, true, out);
		}
	} else {
		add_scalar(j, level, out);
		strbuf_addc(out, '\n');
	}
}

void
yaml_add(const json_t *j, struct strbuf *out)
{
	add_value(j, 0, false, out);
}
