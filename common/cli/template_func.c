/* SPDX-License-Identifier: ISC */
/*
 * The functions that templates can call: those of text/template, and those Podman and Docker add.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/cli/template_int.h"

#define MANY 64

static int
bad(struct err *e, const char *text)
{
	return err_set(e, ERR_USAGE, "%s", text);
}

static int
give_text(struct strbuf *b, json_t **out)
{
	*out = json_strn(b->s != NULL ? b->s : "", b->n);
	strbuf_free(b);
	return 0;
}

static bool
is_nothing(const json_t *v)
{
	return v == NULL || json_is_null(v);
}

/* A string argument; nil counts as an empty one, since our null may be Go's "". */
static int
text_arg(const json_t *v, const char **out, struct err *e)
{
	if (!json_is_string(v) && !is_nothing(v))
		return err_set(e, ERR_USAGE, "wrong type for value; expected string; got %s",
		    template_type(v));
	*out = is_nothing(v) ? "" : json_string_value(v);
	return 0;
}

static int
int_arg(const json_t *v, json_int_t *out, struct err *e)
{
	if (!json_is_integer(v))
		return err_set(
		    e, ERR_USAGE, "wrong type for value; expected int; got %s", template_type(v));
	*out = json_integer_value(v);
	return 0;
}

/* What the argument prints as, for functions that take anything. */
static void
print_args(json_t *const *args, size_t n, struct strbuf *b)
{
	if (n == 1)
		template_print(args[0], b);
	else
		template_sprint(args, n, false, b);
	strbuf_add(b, "");
}

static int
fn_not(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	(void)n, (void)e;
	*out = json_boolean(!template_truth(args[0]));
	return 0;
}

static int
fn_len(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	const json_t *v = args[0];

	(void)n;
	if (json_is_string(v))
		*out = json_integer((json_int_t)json_string_length(v));
	else if (json_is_array(v) || is_nothing(v))
		*out = json_integer((json_int_t)json_array_size(v));
	else if (json_is_object(v))
		*out = json_integer((json_int_t)json_object_size(v));
	else
		return err_set(e, ERR_USAGE, "len of type %s", template_type(v));
	return 0;
}

/* Go returns the zero value of the map's element type; if all are strings, that is "". */
static json_t *
absent_element(const json_t *map)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)map, key, v)
		if (!json_is_string(v))
			return NULL;
	return json_str("");
}

static int
index_one(json_t *v, const json_t *key, json_t **out, struct err *e)
{
	json_int_t i;

	if (is_nothing(v) || json_is_object(v)) {
		if (!json_is_string(key))
			return err_set(e, ERR_USAGE, "value has type %s; should be string",
			    template_type(key));
		*out = json_incref(json_object_get(v, json_string_value(key)));
		if (*out == NULL)
			*out = absent_element(v);
		return 0;
	}
	if (!json_is_array(v) && !json_is_string(v))
		return err_set(e, ERR_USAGE, "can't index item of type %s", template_type(v));
	if (!json_is_integer(key))
		return err_set(
		    e, ERR_USAGE, "cannot index slice/array with type %s", template_type(key));
	i = json_integer_value(key);
	if (i < 0 ||
	    i >= (json_int_t)(json_is_array(v) ? json_array_size(v) : json_string_length(v)))
		return err_set(e, ERR_USAGE, "index out of range: %lld", (long long)i);
	*out = json_is_array(v) ? json_incref(json_array_get(v, (size_t)i))
				: json_integer((unsigned char)json_string_value(v)[i]);
	return 0;
}

static int
fn_index(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	own_json json_t *v = json_incref(args[0]);

	for (size_t i = 1; i < n; i++) {
		json_t *next = NULL;

		if (index_one(v, args[i], &next, e) == -1)
			return -1;
		json_decref(v);
		v = next;
	}
	*out = ptr_take(&v);
	return 0;
}

static int
fn_slice(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	const json_t *v = args[0];
	json_int_t size, from = 0, to;

	if (!json_is_array(v) && !json_is_string(v))
		return err_set(e, ERR_USAGE, "can't slice item of type %s", template_type(v));
	size = (json_int_t)(json_is_array(v) ? json_array_size(v) : json_string_length(v));
	to = size;
	if ((n > 1 && int_arg(args[1], &from, e) == -1) ||
	    (n > 2 && int_arg(args[2], &to, e) == -1))
		return -1;
	if (from < 0 || from > size || to < 0 || to > size)
		return err_set(e, ERR_USAGE, "index out of range: %lld",
		    (long long)(from < 0 || from > size ? from : to));
	if (from > to)
		return err_set(e, ERR_USAGE, "invalid slice index: %lld > %lld", (long long)from,
		    (long long)to);
	if (json_is_string(v)) {
		*out = json_strn(json_string_value(v) + from, (size_t)(to - from));
		return 0;
	}
	*out = json_arr();
	for (json_int_t i = from; i < to; i++)
		json_add_take(*out, json_incref(json_array_get(v, (size_t)i)));
	return 0;
}

static int
fn_print(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};

	(void)e;
	template_sprint(args, n, false, &b);
	return give_text(&b, out);
}

static int
fn_println(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};

	(void)e;
	template_sprint(args, n, true, &b);
	return give_text(&b, out);
}

static int
fn_printf(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};
	const char *format;

	if (text_arg(args[0], &format, e) == -1)
		return -1;
	if (is_nothing(args[0]))
		return give_text(&b, out);
	template_printf(args, n, &b);
	return give_text(&b, out);
}

/* Writes what the arguments print, with some characters replaced. */
static int
replaced(json_t *const *args, size_t n, const char *from, const char *const *to, json_t **out)
{
	own_strbuf struct strbuf plain = {0};
	struct strbuf b = {0};

	print_args(args, n, &plain);
	for (const char *s = plain.s; *s != '\0'; s++) {
		const char *at = strchr(from, *s);

		if (at != NULL)
			strbuf_add(&b, to[at - from]);
		else
			strbuf_addc(&b, *s);
	}
	return give_text(&b, out);
}

static int
fn_html(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	static const char *const to[] = {"&#34;", "&#39;", "&amp;", "&lt;", "&gt;"};

	(void)e;
	return replaced(args, n, "\"'&<>", to, out);
}

static int
fn_js(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	static const char *const to[] = {"\\\\", "\\'", "\\\"", "\\u003C", "\\u003E", "\\u0026",
	    "\\u003D", "\\u000A", "\\u000D", "\\u0009"};

	(void)e;
	return replaced(args, n, "\\'\"<>&=\n\r\t", to, out);
}

static int
fn_urlquery(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	own_strbuf struct strbuf plain = {0};
	struct strbuf b = {0};

	(void)e;
	print_args(args, n, &plain);
	for (const char *s = plain.s; *s != '\0'; s++) {
		if (isalnum((unsigned char)*s) || strchr("-_.~", *s) != NULL)
			strbuf_addc(&b, *s);
		else if (*s == ' ')
			strbuf_addc(&b, '+');
		else
			strbuf_addf(&b, "%%%02X", (unsigned char)*s);
	}
	return give_text(&b, out);
}

/* Order of two values of a kind: negative, 0, positive; 2 if they differ; or an error. */
static int
compare(const json_t *a, const json_t *b, bool order, int *out, struct err *e)
{
	if (json_is_string(a) && json_is_string(b))
		*out = strcmp(json_string_value(a), json_string_value(b));
	else if (json_is_number(a) && json_is_number(b) && json_is_integer(a) == json_is_integer(b))
		*out = json_is_integer(a) ? (json_integer_value(a) > json_integer_value(b)) -
						(json_integer_value(a) < json_integer_value(b))
					  : (json_real_value(a) > json_real_value(b)) -
						(json_real_value(a) < json_real_value(b));
	else if (!order && json_is_boolean(a) && json_is_boolean(b))
		*out = json_is_true(a) != json_is_true(b);
	else if (!order && (is_nothing(a) || is_nothing(b)))
		*out = is_nothing(a) != is_nothing(b);
	else if (json_is_object(a) || json_is_array(a) || (order && json_is_boolean(a)))
		return bad(e, "invalid type for comparison");
	else
		return bad(e, "incompatible types for comparison");
	return 0;
}

static int
fn_eq(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	bool equal = false;

	for (size_t i = 1; i < n && !equal; i++) {
		int c;

		if (compare(args[0], args[i], false, &c, e) == -1)
			return -1;
		equal = c == 0;
	}
	*out = json_boolean(equal);
	return 0;
}

static int
fn_ne(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	int c;

	(void)n;
	if (compare(args[0], args[1], false, &c, e) == -1)
		return -1;
	*out = json_boolean(c != 0);
	return 0;
}

#define ORDER(name, test)                                                                \
	static int fn_##name(json_t *const *args, size_t n, json_t **out, struct err *e) \
	{                                                                                \
		int c;                                                                   \
                                                                                         \
		(void)n;                                                                 \
		if (compare(args[0], args[1], true, &c, e) == -1)                        \
			return -1;                                                       \
		*out = json_boolean(c test 0);                                           \
		return 0;                                                                \
	}
ORDER(lt, <)
ORDER(le, <=)
ORDER(gt, >)
ORDER(ge, >=)
#undef ORDER

static int
fn_json(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};

	(void)n, (void)e;
	if (args[0] == NULL)
		strbuf_add(&b, "null");
	else
		json_go(args[0], "", &b);
	return give_text(&b, out);
}

static int
fn_join(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};
	const char *separator;
	size_t i;
	const json_t *v;

	(void)n;
	if (text_arg(args[1], &separator, e) == -1)
		return -1;
	if (!json_is_array(args[0]) && !is_nothing(args[0]))
		return err_set(e, ERR_USAGE, "wrong type for value; expected []string; got %s",
		    template_type(args[0]));
	json_array_foreach (args[0], i, v) {
		if (i > 0)
			strbuf_add(&b, separator);
		template_print(v, &b);
	}
	return give_text(&b, out);
}

static int
fn_split(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	const char *s, *separator, *at;

	(void)n;
	if (text_arg(args[0], &s, e) == -1 || text_arg(args[1], &separator, e) == -1)
		return -1;
	*out = json_arr();
	/* Into its characters: what follows the first byte of one has the form 10xxxxxx. */
	while (*separator == '\0' && *s != '\0') {
		size_t k = 1;

		while (((unsigned char)s[k] & 0xc0) == 0x80)
			k++;
		json_add_take(*out, json_strn(s, k));
		s += k;
	}
	if (*separator == '\0')
		return 0;
	while ((at = strstr(s, separator)) != NULL) {
		json_add_take(*out, json_strn(s, (size_t)(at - s)));
		s = at + strlen(separator);
	}
	json_add_str(*out, s);
	return 0;
}

static int
changed_case(const json_t *v, bool upper, bool first_only, json_t **out, struct err *e)
{
	struct strbuf b = {0};
	const char *s;
	bool first = true;

	if (text_arg(v, &s, e) == -1)
		return -1;
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (first || !first_only)
			strbuf_addc(&b, (char)(upper ? toupper(c) : tolower(c)));
		else
			strbuf_addc(&b, (char)c);
		first = !isalnum(c) && c != '_' && c != '\'' && c < 0x80;
	}
	return give_text(&b, out);
}

static int
fn_lower(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	(void)n;
	return changed_case(args[0], false, false, out, e);
}

static int
fn_upper(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	(void)n;
	return changed_case(args[0], true, false, out, e);
}

static int
fn_title(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	(void)n;
	return changed_case(args[0], true, true, out, e);
}

/* pad TEXT PREFIX SUFFIX: blanks around a text that is not empty. */
static int
fn_pad(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	struct strbuf b = {0};
	const char *s;
	json_int_t before = 0, after = 0;

	(void)n;
	if (text_arg(args[0], &s, e) == -1 || int_arg(args[1], &before, e) == -1 ||
	    int_arg(args[2], &after, e) == -1)
		return -1;
	if (before < 0 || after < 0 || before > 65536 || after > 65536)
		return bad(e, "the width is out of range");
	if (*s != '\0')
		strbuf_addf(&b, "%*s%s%*s", (int)before, "", s, (int)after, "");
	return give_text(&b, out);
}

static int
fn_truncate(json_t *const *args, size_t n, json_t **out, struct err *e)
{
	const char *s;
	json_int_t size = 0;

	(void)n;
	if (text_arg(args[0], &s, e) == -1 || int_arg(args[1], &size, e) == -1)
		return -1;
	if (size < 0)
		return bad(e, "the length is negative");
	*out = json_strn(s, strnlen(s, (size_t)size));
	return 0;
}

/* "and" and "or" have no function: the interpreter evaluates their arguments one by one. */
static const struct template_function_info functions[] = {
    {"and", 1, MANY, NULL},
    {"eq", 2, MANY, fn_eq},
    {"ge", 2, 2, fn_ge},
    {"gt", 2, 2, fn_gt},
    {"html", 1, MANY, fn_html},
    {"index", 1, MANY, fn_index},
    {"join", 2, 2, fn_join},
    {"js", 1, MANY, fn_js},
    {"json", 1, 1, fn_json},
    {"le", 2, 2, fn_le},
    {"len", 1, 1, fn_len},
    {"lower", 1, 1, fn_lower},
    {"lt", 2, 2, fn_lt},
    {"ne", 2, 2, fn_ne},
    {"not", 1, 1, fn_not},
    {"or", 1, MANY, NULL},
    {"pad", 3, 3, fn_pad},
    {"print", 0, MANY, fn_print},
    {"printf", 1, MANY, fn_printf},
    {"println", 0, MANY, fn_println},
    {"slice", 1, 3, fn_slice},
    {"split", 2, 2, fn_split},
    {"title", 1, 1, fn_title},
    {"truncate", 2, 2, fn_truncate},
    {"upper", 1, 1, fn_upper},
    {"urlquery", 1, MANY, fn_urlquery},
};

const struct template_function_info *
template_function_find(const char *name)
{
	for (size_t i = 0; i < COUNTOF(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}
