/* SPDX-License-Identifier: ISC */
/*
 * Making and printing JSON; the declarations stand in json.h.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"

/* jansson returns NULL only for lack of memory where the arguments are valid. */
static json_t *
made(json_t *j)
{
	if (j == NULL) {
		static const char word[] = "Error: out of memory\n";

		(void)!write(STDERR_FILENO, word, sizeof(word) - 1);
		abort();
	}
	return j;
}

json_t *
json_obj(void)
{
	return made(json_object());
}

json_t *
json_arr(void)
{
	return made(json_array());
}

json_t *
json_strn(const char *s, size_t n)
{
	own_strbuf struct strbuf b = {0};

	if (text_is_utf8(s, n))
		return made(json_stringn_nocheck(s, n));
	while (n > 0) {
		size_t len = text_utf8_len(s, n);

		if (len > 0)
			strbuf_addn(&b, s, len);
		else
			strbuf_add(&b, "\xef\xbf\xbd");
		s += len > 0 ? len : 1;
		n -= len > 0 ? len : 1;
	}
	return made(json_stringn_nocheck(b.s, b.n));
}

json_t *
json_str(const char *s)
{
	return s != NULL ? json_strn(s, strlen(s)) : json_null();
}

json_t *
json_strv(const struct strv *l)
{
	json_t *arr = json_arr();

	for (size_t i = 0; i < l->n; i++)
		json_add_str(arr, l->v[i]);
	return arr;
}

json_t *
json_strv_map(const struct strv *l)
{
	json_t *obj = json_obj();

	for (size_t i = 0; i < l->n; i++) {
		size_t n = strcspn(l->v[i], "=");
		own_mem char *key = xstrndup(l->v[i], n);

		json_put_str(obj, key, l->v[i][n] == '=' ? l->v[i] + n + 1 : "");
	}
	return obj;
}

void
json_put_take(json_t *obj, const char *key, json_t *value)
{
	own_mem char *copy = NULL;

	if (!text_is_utf8(key, strlen(key))) {
		json_t *clean = json_str(key);

		copy = xstrdup(json_string_value(clean));
		json_decref(clean);
	}
	if (json_object_set_new_nocheck(obj, copy != NULL ? copy : key, value) == -1)
		made(NULL);
}

void
json_put_str(json_t *obj, const char *key, const char *s)
{
	json_put_take(obj, key, json_str(s));
}

void
json_put_int(json_t *obj, const char *key, int64_t v)
{
	json_put_take(obj, key, made(json_integer(v)));
}

void
json_put_bool(json_t *obj, const char *key, bool v)
{
	json_put_take(obj, key, json_boolean(v));
}

void
json_put_strv(json_t *obj, const char *key, const struct strv *l)
{
	json_put_take(obj, key, json_strv(l));
}

json_t *
json_put_obj(json_t *obj, const char *key)
{
	json_t *j = json_obj();

	json_put_take(obj, key, j);
	return j;
}

json_t *
json_put_arr(json_t *obj, const char *key)
{
	json_t *j = json_arr();

	json_put_take(obj, key, j);
	return j;
}

void
json_add_take(json_t *arr, json_t *value)
{
	if (json_array_append_new(arr, value) == -1)
		made(NULL);
}

void
json_add_str(json_t *arr, const char *s)
{
	json_add_take(arr, json_str(s));
}

json_t *
json_add_obj(json_t *arr)
{
	json_t *j = json_obj();

	json_add_take(arr, j);
	return j;
}

char *
json_text(const json_t *j)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	if (s == NULL)
		made(NULL);
	return s;
}

/* Go escapes control characters and, so that JSON can stand in JavaScript, U+2028 and U+2029. */
static void
go_string(const char *s, size_t n, struct strbuf *out)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";

	strbuf_addc(out, '"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *at = c != '\0' ? strchr(from, c) : NULL;

		if (at != NULL)
			strbuf_addf(out, "\\%c", to[at - from]);
		else if (c < 0x20)
			strbuf_addf(out, "\\u%04x", c);
		else if (c == 0xe2 && n - i > 2 &&
			 (memcmp(s + i, "\xe2\x80\xa8", 3) == 0 ||
			     memcmp(s + i, "\xe2\x80\xa9", 3) == 0))
			strbuf_addf(out, "\\u202%c", s[i += 2] == '\xa8' ? '8' : '9');
		else
			strbuf_addc(out, (char)c);
	}
	strbuf_addc(out, '"');
}

/* encoding/json: the shortest form that reads back, with an exponent only below 1e-6 or from 1e21.
 */
static void
go_real(double v, struct strbuf *out)
{
	char s[64];

	for (int precision = 1; precision <= 17; precision++) {
		snprintf(s, sizeof(s), "%.*e", precision - 1, v);
		if (strtod(s, NULL) == v)
			break;
	}
	if (v == 0 || (fabs(v) >= 1e-6 && fabs(v) < 1e21)) {
		char *exponent = strchr(s, 'e');
		int digits =
		    (int)strspn(s, "-0123456789.") - (s[0] == '-') - (strchr(s, '.') != NULL);
		int places = digits - 1 - (int)strtol(exponent + 1, NULL, 10);

		strbuf_addf(out, "%.*f", places > 0 ? places : 0, v);
		return;
	}
	/* Go writes e-7, not e-07. */
	if (strchr(s, 'e')[2] == '0')
		memmove(strchr(s, 'e') + 2, strchr(s, 'e') + 3, strlen(strchr(s, 'e') + 3) + 1);
	strbuf_add(out, s);
}

static void
newline(const char *indent, unsigned level, struct strbuf *out)
{
	if (*indent == '\0')
		return;
	strbuf_addc(out, '\n');
	while (level-- > 0)
		strbuf_add(out, indent);
}

static void go_value(const json_t *j, const char *indent, unsigned level, struct strbuf *out);

static void
go_object(const json_t *j, const char *indent, unsigned level, struct strbuf *out)
{
	const char *key;
	json_t *v;
	bool first = true;

	strbuf_addc(out, '{');
	json_object_foreach ((json_t *)j, key, v) {
		if (!first)
			strbuf_addc(out, ',');
		first = false;
		newline(indent, level + 1, out);
		go_string(key, strlen(key), out);
		strbuf_add(out, *indent != '\0' ? ": " : ":");
		go_value(v, indent, level + 1, out);
	}
	if (!first)
		newline(indent, level, out);
	strbuf_addc(out, '}');
}

static void
go_array(const json_t *j, const char *indent, unsigned level, struct strbuf *out)
{
	size_t i;
	json_t *v;

	strbuf_addc(out, '[');
	json_array_foreach (j, i, v) {
		if (i > 0)
			strbuf_addc(out, ',');
		newline(indent, level + 1, out);
		go_value(v, indent, level + 1, out);
	}
	if (i > 0)
		newline(indent, level, out);
	strbuf_addc(out, ']');
}

static void
go_value(const json_t *j, const char *indent, unsigned level, struct strbuf *out)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		go_object(j, indent, level, out);
		break;
	case JSON_ARRAY:
		go_array(j, indent, level, out);
		break;
	case JSON_STRING:
		go_string(json_string_value(j), json_string_length(j), out);
		break;
	case JSON_INTEGER:
		strbuf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		break;
	case JSON_REAL:
		go_real(json_real_value(j), out);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		strbuf_add(out, json_is_true(j) ? "true" : "false");
		break;
	default:
		strbuf_add(out, "null");
	}
}

void
json_go(const json_t *j, const char *indent, struct strbuf *out)
{
	go_value(j, indent, 0, out);
}
