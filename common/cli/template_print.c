/* SPDX-License-Identifier: ISC */
/*
 * Values as Go's fmt prints them.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/template_int.h"

#define WIDTH_MAX 4096

bool
template_truth(const json_t *v)
{
	if (v == NULL)
		return false;
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return json_object_size(v) > 0;
	case JSON_ARRAY:
		return json_array_size(v) > 0;
	case JSON_STRING:
		return json_string_length(v) > 0;
	case JSON_INTEGER:
		return json_integer_value(v) != 0;
	case JSON_REAL:
		return json_real_value(v) != 0;
	default:
		return json_is_true(v);
	}
}

const char *
template_type(const json_t *v)
{
	if (v == NULL)
		return "<nil>";
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return "map[string]interface {}";
	case JSON_ARRAY:
		return "[]interface {}";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
		return "int";
	case JSON_REAL:
		return "float64";
	case JSON_NULL:
		return "<nil>";
	default:
		return "bool";
	}
}

/* %v of a float: the shortest digits that read back, with an exponent below -4 or from 21. */
static void
print_real(double v, struct strbuf *out)
{
	char s[64], *exponent;
	int precision = 1, e;

	do
		snprintf(s, sizeof(s), "%.*e", precision - 1, v);
	while (strtod(s, NULL) != v && ++precision <= 17);
	exponent = strchr(s, 'e');
	e = exponent != NULL ? (int)strtol(exponent + 1, NULL, 10) : 0;
	if (v == 0 || (e >= -4 && e < 21 && !(e >= precision && e >= 6)))
		strbuf_addf(out, "%.*f", precision - 1 - e > 0 ? precision - 1 - e : 0, v);
	else
		strbuf_add(out, s);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_value(const json_t *v, bool quote, struct strbuf *out);

static void
print_object(const json_t *v, bool quote, struct strbuf *out)
{
	const char **keys = xcalloc(json_object_size(v) + 1, sizeof(*keys)), *key;
	json_t *element;
	size_t n = 0;

	json_object_foreach ((json_t *)v, key, element)
		keys[n++] = key;
	qsort(keys, n, sizeof(*keys), by_text);
	strbuf_add(out, "map[");
	for (size_t i = 0; i < n; i++) {
		own_json json_t *name = json_str(keys[i]);

		strbuf_add(out, i > 0 ? " " : "");
		print_value(name, quote, out);
		strbuf_addc(out, ':');
		print_value(json_object_get(v, keys[i]), quote, out);
	}
	strbuf_addc(out, ']');
	free(keys);
}

/* strconv.Quote */
static void
print_quoted(const char *s, struct strbuf *out)
{
	static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";

	strbuf_addc(out, '"');
	for (; *s != '\0'; s++) {
		const char *at = strchr(from, *s);

		if (at != NULL)
			strbuf_addf(out, "\\%c", to[at - from]);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			strbuf_addf(out, "\\x%02x", (unsigned char)*s);
		else
			strbuf_addc(out, *s);
	}
	strbuf_addc(out, '"');
}

static void
print_value(const json_t *v, bool quote, struct strbuf *out)
{
	size_t i;
	const json_t *element;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		print_object(v, quote, out);
		break;
	case JSON_ARRAY:
		strbuf_addc(out, '[');
		json_array_foreach (v, i, element) {
			strbuf_add(out, i > 0 ? " " : "");
			print_value(element, quote, out);
		}
		strbuf_addc(out, ']');
		break;
	case JSON_STRING:
		if (quote)
			print_quoted(json_string_value(v), out);
		else
			strbuf_addn(out, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		strbuf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL:
		print_real(json_real_value(v), out);
		break;
	case JSON_NULL:
		strbuf_add(out, "<nil>");
		break;
	default:
		strbuf_add(out, json_is_true(v) ? "true" : "false");
	}
}

bool
template_time(const char *name, const json_t *v, char *text, size_t size)
{
	static const char *const list[] = {"CheckpointedAt", "Created", "CreatedAt", "FinishedAt",
	    "RestoredAt", "StartedAt", "Time", "UpdatedAt"};
	size_t i = 0;
	int64_t ns;

	while (i < COUNTOF(list) && (name == NULL || strcmp(list[i], name) != 0))
		i++;
	if (i == COUNTOF(list) || !json_is_string(v))
		return false;
	/* The year 1 has no nanoseconds since 1970. */
	if (strcmp(json_string_value(v), "0001-01-01T00:00:00Z") == 0)
		snprintf(text, size, "0001-01-01 00:00:00 +0000 UTC");
	else if (human_parse_rfc3339(json_string_value(v), &ns) == 0)
		human_go_time(ns, text, size);
	else
		return false;
	return true;
}

static void print_struct(const json_t *v, const char *type, struct strbuf *out);

/* before goes first.  False: JSON leaves it out, and it has no value known here, so that it does not exist. */
static bool
print_field(
    const json_t *v, const char *type, const char *name, const char *before, struct strbuf *out)
{
	int levels = 0;
	const char *of = template_type_of_field(type, name, &levels);
	bool embedded = of != NULL && levels == TEMPLATE_EMBEDDED;
	const json_t *field = template_field(v, type, name);
	own_json json_t *zero = NULL;
	char text[80];

	if (field == NULL || json_is_null(field))
		field = (zero = template_zero_field(type, name)) != NULL ? zero : field;
	if (field == NULL && !embedded)
		return false;
	strbuf_add(out, before);
	if (embedded)
		print_struct(v, of, out);
	else if (json_is_integer(field) && template_is_duration(type, name))
		strbuf_add(out, human_go_duration(json_integer_value(field), text, sizeof(text)));
	else if (template_time(name, field, text, sizeof(text)))
		strbuf_add(out, text);
	else if (of != NULL)
		template_print_typed(field, of, levels, out);
	else
		print_value(field, false, out);
	return true;
}

static void
print_struct(const json_t *v, const char *type, struct strbuf *out)
{
	const char *order = template_type_order(type), *key;
	own_strv struct strv names = {0};
	bool any = false;
	json_t *field;

	if (order != NULL)
		strv_split(&names, order, ' ');
	else
		json_object_foreach ((json_t *)v, key, field)
			strv_add(&names, key);
	strbuf_addc(out, '{');
	for (size_t i = 0; i < names.n; i++)
		any = print_field(v, type, names.v[i], any ? " " : "", out) || any;
	strbuf_addc(out, '}');
}

static void
print_map(const json_t *v, const char *type, int levels, struct strbuf *out)
{
	own_strv struct strv keys = {0};
	const char *key;
	json_t *element;

	json_object_foreach ((json_t *)v, key, element)
		strv_add(&keys, key);
	if (keys.n > 1)
		qsort(keys.v, keys.n, sizeof(*keys.v), by_text);
	strbuf_add(out, "map[");
	for (size_t i = 0; i < keys.n; i++) {
		strbuf_addf(out, "%s%s:", i > 0 ? " " : "", keys.v[i]);
		template_print_typed(json_object_get(v, keys.v[i]), type, levels, out);
	}
	strbuf_addc(out, ']');
}

void
template_print_typed(const json_t *v, const char *type, int levels, struct strbuf *out)
{
	size_t i;
	const json_t *element;

	if (json_is_null(v) && levels > 0) {
		strbuf_add(out, "[]");
	} else if (json_is_object(v) && levels > 0) {
		print_map(v, type, levels - 1, out);
	} else if (json_is_object(v)) {
		print_struct(v, type, out);
	} else if (json_is_array(v) && levels > 0) {
		strbuf_addc(out, '[');
		json_array_foreach (v, i, element) {
			strbuf_add(out, i > 0 ? " " : "");
			template_print_typed(element, type, levels - 1, out);
		}
		strbuf_addc(out, ']');
	} else {
		print_value(v, false, out);
	}
}

void
template_print(const json_t *v, struct strbuf *out)
{
	if (v == NULL)
		strbuf_add(out, "<no value>");
	else
		print_value(v, false, out);
}

void
template_sprint(json_t *const *args, size_t n, bool line, struct strbuf *out)
{
	for (size_t i = 0; i < n; i++) {
		bool apart = i > 0 && !json_is_string(args[i]) && !json_is_string(args[i - 1]);

		if (i > 0 && (line || apart))
			strbuf_addc(out, ' ');
		if (args[i] == NULL)
			strbuf_add(out, "<nil>");
		else
			print_value(args[i], false, out);
	}
	if (line)
		strbuf_addc(out, '\n');
}

/* One verb of a format: %[flags][width][.precision]verb */
struct verb {
	bool minus, plus, zero, space, sharp, has_precision;
	unsigned width, precision;
	char letter;
};

static const char *
take_number(const char *s, unsigned *out)
{
	*out = 0;
	for (; *s >= '0' && *s <= '9'; s++)
		*out = *out < WIDTH_MAX ? *out * 10 + (unsigned)(*s - '0') : WIDTH_MAX;
	return s;
}

/* s stands behind '%'; returns what follows the verb. */
static const char *
take_verb(const char *s, struct verb *v)
{
	*v = (struct verb){0};
	for (;; s++) {
		if (*s == '-')
			v->minus = true;
		else if (*s == '+')
			v->plus = true;
		else if (*s == '0')
			v->zero = true;
		else if (*s == ' ')
			v->space = true;
		else if (*s == '#')
			v->sharp = true;
		else
			break;
	}
	s = take_number(s, &v->width);
	if (*s == '.') {
		v->has_precision = true;
		s = take_number(s + 1, &v->precision);
	}
	v->letter = *s;
	return *s != '\0' ? s + 1 : s;
}

/* Pads to the width, counting characters. */
static void
add_padded(const struct verb *v, const char *s, size_t n, struct strbuf *out)
{
	size_t chars = 0, pad;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	pad = v->width > chars ? v->width - chars : 0;
	if (!v->minus && v->zero && n > 0 && (isdigit((unsigned char)s[0]) || strchr("+-", s[0]))) {
		size_t sign = s[0] == '-' || s[0] == '+';

		strbuf_addn(out, s, sign);
		while (pad-- > 0)
			strbuf_addc(out, '0');
		strbuf_addn(out, s + sign, n - sign);
		return;
	}
	for (size_t i = 0; !v->minus && i < pad; i++)
		strbuf_addc(out, ' ');
	strbuf_addn(out, s, n);
	for (size_t i = 0; v->minus && i < pad; i++)
		strbuf_addc(out, ' ');
}

/* Returns false if the verb is not for integers. */
static bool
integer_verb(const struct verb *v, json_int_t i, struct strbuf *b)
{
	unsigned long long u = i < 0 ? 0 - (unsigned long long)i : (unsigned long long)i;
	const char *sign = i < 0 ? "-" : v->plus ? "+" : v->space ? " " : "";
	char bits[65];
	size_t n = sizeof(bits) - 1;

	switch (v->letter) {
	case 'd':
		strbuf_addf(b, "%s%llu", sign, u);
		return true;
	case 'x':
		strbuf_addf(b, v->sharp ? "%s0x%llx" : "%s%llx", sign, u);
		return true;
	case 'X':
		strbuf_addf(b, v->sharp ? "%s0X%llX" : "%s%llX", sign, u);
		return true;
	case 'o':
		strbuf_addf(b, "%s%llo", sign, u);
		return true;
	case 'b':
		bits[n] = '\0';
		do
			bits[--n] = (char)('0' + (u & 1));
		while ((u >>= 1) != 0);
		strbuf_addf(b, "%s%s", sign, bits + n);
		return true;
	case 'c':
		strbuf_addc(b, i > 0 && i < 0x80 ? (char)i : '?');
		return true;
	default:
		return false;
	}
}

static bool
real_verb(const struct verb *v, double d, struct strbuf *b)
{
	int precision = v->has_precision ? (int)v->precision : 6;

	if (v->plus && d >= 0 && strchr("feEgG", v->letter) != NULL)
		strbuf_addc(b, '+');
	if (v->letter == 'f' || v->letter == 'F')
		strbuf_addf(b, "%.*f", precision, d);
	else if (v->letter == 'e' || v->letter == 'E')
		strbuf_addf(b, v->letter == 'e' ? "%.*e" : "%.*E", precision, d);
	else if ((v->letter == 'g' || v->letter == 'G') && v->has_precision)
		strbuf_addf(b, "%.*g", precision, d);
	else if (v->letter == 'g' || v->letter == 'G')
		print_real(d, b);
	else
		return false;
	return true;
}

static bool
string_verb(const struct verb *v, const json_t *arg, struct strbuf *b)
{
	const char *s = json_string_value(arg);
	size_t n = json_string_length(arg);

	if (v->has_precision) {
		/* Cut to characters, not bytes. */
		size_t chars = 0, i = 0;

		while (i < n && chars < v->precision) {
			i += text_utf8_len(s + i, n - i) > 0 ? text_utf8_len(s + i, n - i) : 1;
			chars++;
		}
		n = i;
	}
	switch (v->letter) {
	case 's':
		strbuf_addn(b, s, n);
		return true;
	case 'q': {
		own_mem char *cut = xstrndup(s, n);

		print_quoted(cut, b);
		return true;
	}
	case 'x':
	case 'X':
		for (size_t i = 0; i < n; i++)
			strbuf_addf(b, v->letter == 'x' ? "%02x" : "%02X", (unsigned char)s[i]);
		return true;
	default:
		return false;
	}
}

/* Verbs of an array go to its elements. */
static bool
format_value(const struct verb *v, const json_t *arg, struct strbuf *b)
{
	size_t i;
	const json_t *element;

	if (v->letter == 'v') {
		if (v->sharp && json_is_string(arg))
			print_quoted(json_string_value(arg), b);
		else if (arg == NULL || json_is_null(arg))
			strbuf_add(b, "<nil>");
		else
			print_value(arg, false, b);
		return true;
	}
	if (v->letter == 'T') {
		strbuf_add(b, template_type(arg));
		return true;
	}
	if (json_is_string(arg))
		return string_verb(v, arg, b);
	if (json_is_integer(arg))
		return integer_verb(v, json_integer_value(arg), b);
	if (json_is_real(arg))
		return real_verb(v, json_real_value(arg), b);
	if (json_is_boolean(arg) && v->letter == 't') {
		strbuf_add(b, json_is_true(arg) ? "true" : "false");
		return true;
	}
	if (json_is_object(arg) && (v->letter == 's' || v->letter == 'q')) {
		print_value(arg, v->letter == 'q', b);
		return true;
	}
	if (!json_is_array(arg))
		return false;
	strbuf_addc(b, '[');
	json_array_foreach (arg, i, element) {
		strbuf_add(b, i > 0 ? " " : "");
		if (!json_is_array(element) && !format_value(v, element, b))
			return false;
	}
	strbuf_addc(b, ']');
	return true;
}

static void
add_formatted(const struct verb *v, const json_t *arg, struct strbuf *out)
{
	own_strbuf struct strbuf b = {0};

	strbuf_add(&b, "");
	if (format_value(v, arg, &b)) {
		add_padded(v, b.s, b.n, out);
		return;
	}
	strbuf_addf(out, "%%!%c(", v->letter);
	if (arg == NULL || json_is_null(arg)) {
		strbuf_add(out, "<nil>)");
		return;
	}
	strbuf_addf(out, "%s=", template_type(arg));
	print_value(arg, false, out);
	strbuf_addc(out, ')');
}

void
template_printf(json_t *const *args, size_t n, struct strbuf *out)
{
	const char *s = json_string_value(args[0]);
	size_t next = 1;

	strbuf_add(out, "");
	while (*s != '\0') {
		struct verb v;

		if (*s != '%') {
			strbuf_addc(out, *s++);
			continue;
		}
		s = take_verb(s + 1, &v);
		if (v.letter == '%')
			strbuf_addc(out, '%');
		else if (v.letter == '\0')
			strbuf_add(out, "%!(NOVERB)");
		else if (next >= n)
			strbuf_addf(out, "%%!%c(MISSING)", v.letter);
		else
			add_formatted(&v, args[next++], out);
	}
	if (next >= n)
		return;
	strbuf_add(out, "%!(EXTRA ");
	for (size_t i = next; i < n; i++) {
		strbuf_addf(out, "%s%s=", i > next ? ", " : "", template_type(args[i]));
		if (args[i] != NULL)
			print_value(args[i], false, out);
	}
	strbuf_addc(out, ')');
}
