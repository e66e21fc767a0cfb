/* SPDX-License-Identifier: ISC */
#include <math.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/wire/document.h"

/* --- Out ----------------------------------------------------------------------------------------*/

static void
put_number(struct strbuf *out, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		strbuf_addc(out, (char)(v >> (8 * i) & 0xff));
}

static void
put_text(struct strbuf *out, const char *s, size_t n)
{
	put_number(out, n, 4);
	strbuf_addn(out, s, n);
}

static int put_value(struct strbuf *out, const json_t *j, unsigned depth, struct err *e);

static int
put_members(struct strbuf *out, const json_t *j, unsigned depth, struct err *e)
{
	const char *key;
	json_t *v;
	size_t i;

	if (json_is_array(j)) {
		strbuf_addc(out, '[');
		put_number(out, json_array_size(j), 4);
		json_array_foreach (j, i, v)
			if (put_value(out, v, depth, e) == -1)
				return -1;
		return 0;
	}
	strbuf_addc(out, '{');
	put_number(out, json_object_size(j), 4);
	json_object_foreach ((json_t *)(uintptr_t)j, key, v) {
		put_text(out, key, strlen(key));
		if (put_value(out, v, depth, e) == -1)
			return -1;
	}
	return 0;
}

static void
put_real(struct strbuf *out, double d)
{
	uint64_t v;

	memcpy(&v, &d, sizeof(v));
	strbuf_addc(out, 'd');
	put_number(out, v, 8);
}

static int
put_value(struct strbuf *out, const json_t *j, unsigned depth, struct err *e)
{
	if (depth == 0 || out->n > DOCUMENT_MAX)
		return err_set(
		    e, ERR_LIMIT, "the document is too %s", depth == 0 ? "deep" : "long");
	switch (json_typeof(j)) {
	case JSON_NULL:
		strbuf_addc(out, 'n');
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		strbuf_addc(out, json_is_true(j) ? 't' : 'f');
		return 0;
	case JSON_INTEGER:
		strbuf_addc(out, 'i');
		put_number(out, (uint64_t)json_integer_value(j), 8);
		return 0;
	case JSON_REAL:
		put_real(out, json_real_value(j));
		return 0;
	case JSON_STRING:
		strbuf_addc(out, 's');
		put_text(out, json_string_value(j), json_string_length(j));
		return 0;
	default:
		return put_members(out, j, depth - 1, e);
	}
}

int
document_pack(const json_t *j, struct strbuf *out, struct err *e)
{
	if (put_value(out, j, DOCUMENT_DEPTH_MAX, e) == -1)
		return -1;
	return out->n > DOCUMENT_MAX ? err_set(e, ERR_LIMIT, "the document is too long") : 0;
}

/* --- In -----------------------------------------------------------------------------------------*/

struct reader {
	const uint8_t *p, *end;
	size_t nodes; /* lists and objects so far */
};

static bool
take_number(struct reader *r, size_t bytes, uint64_t *out)
{
	uint64_t v = 0;

	if ((size_t)(r->end - r->p) < bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)r->p[i] << (8 * i);
	r->p += bytes;
	*out = v;
	return true;
}

/* Text that is UTF-8 without NUL; what it points to are the message's bytes. */
static bool
take_text(struct reader *r, const char **s, size_t *n)
{
	uint64_t length;

	if (!take_number(r, 4, &length) || length > (uint64_t)(r->end - r->p))
		return false;
	*s = (const char *)r->p;
	*n = (size_t)length;
	r->p += length;
	return memchr(*s, '\0', *n) == NULL && text_is_utf8(*s, *n);
}

static json_t *take_value(struct reader *r, unsigned depth);

static json_t *
take_array(struct reader *r, uint64_t count, unsigned depth)
{
	json_t *a = json_arr();

	for (uint64_t i = 0; i < count; i++) {
		json_t *v = take_value(r, depth);

		if (v == NULL) {
			json_decref(a);
			return NULL;
		}
		json_add_take(a, v);
	}
	return a;
}

static json_t *
take_object(struct reader *r, uint64_t count, unsigned depth)
{
	json_t *o = json_obj();

	for (uint64_t i = 0; i < count; i++) {
		const char *key;
		size_t n;
		json_t *v = take_text(r, &key, &n) ? take_value(r, depth) : NULL;
		char *name = v != NULL ? xstrndup(key, n) : NULL;
		bool fresh = v != NULL && json_object_get(o, name) == NULL;

		if (fresh)
			json_put_take(o, name, v);
		else
			json_decref(v);
		free(name);
		if (!fresh) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
take_real(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return isfinite(d) ? json_real(d) : NULL;
}

/* NULL if it is malformed. */
static json_t *
take_value(struct reader *r, unsigned depth)
{
	const char *s;
	uint64_t v;
	size_t n;
	char kind;

	if (depth == 0 || r->p == r->end)
		return NULL;
	kind = (char)*r->p++;
	switch (kind) {
	case 'n':
		return json_null();
	case 't':
	case 'f':
		return json_boolean(kind == 't');
	case 'i':
		return take_number(r, 8, &v) ? json_integer((json_int_t)v) : NULL;
	case 'd':
		return take_number(r, 8, &v) ? take_real(v) : NULL;
	case 's':
		return take_text(r, &s, &n) ? json_strn(s, n) : NULL;
	case '[':
	case '{':
		if (++r->nodes > JSON_NODES_MAX || !take_number(r, 4, &v))
			return NULL;
		return kind == '[' ? take_array(r, v, depth - 1) : take_object(r, v, depth - 1);
	default:
		return NULL;
	}
}

json_t *
document_unpack(const struct bytes *b, struct err *e)
{
	struct reader r = {.p = b->p, .end = b->p + b->n};
	json_t *j = b->n <= DOCUMENT_MAX ? take_value(&r, DOCUMENT_DEPTH_MAX) : NULL;

	if (j != NULL && r.p == r.end)
		return j;
	json_decref(j);
	err_set(e, ERR_PEER, "a document of a worker is malformed");
	return NULL;
}
