/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <msgpack.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/scan.h"
#include "common/wire/wire.h"

/* The layout shared by every generated list of records. */
struct list {
	void *v;
	size_t n;
};

static int
sink(void *to, const char *p, size_t n)
{
	strbuf_addn(to, p, n);
	return 0;
}

static const void *
at(const void *rec, const struct wire_field *f)
{
	return (const char *)rec + f->offset;
}

/* Zero, empty or NULL: such an optional field is not sent. */
static bool
is_absent(const struct wire_field *f, const void *rec)
{
	const void *p = at(rec, f);

	switch (f->type) {
	case WIRE_STR:
		return *(const char *const *)p == NULL;
	case WIRE_BIN:
		return ((const struct bytes *)p)->n == 0;
	case WIRE_U64:
		return *(const uint64_t *)p == 0;
	case WIRE_I64:
		return *(const int64_t *)p == 0;
	case WIRE_BOOL:
		return !*(const bool *)p;
	case WIRE_STRS:
		return ((const struct strs *)p)->n == 0;
	case WIRE_REC:
		return *(void *const *)p == NULL;
	case WIRE_RECS:
		return ((const struct list *)p)->n == 0;
	case WIRE_FD:
		return true;
	}
	return true;
}

static void pack_rec(msgpack_packer *pk, const struct wire_desc *d, const void *rec);

static void
pack_str(msgpack_packer *pk, const char *s)
{
	size_t n = s != NULL ? strlen(s) : 0;

	msgpack_pack_str(pk, n);
	msgpack_pack_str_body(pk, s != NULL ? s : "", n);
}

static void
pack_value(msgpack_packer *pk, const struct wire_field *f, const void *p)
{
	const struct list *l = p;
	const struct strs *s = p;
	const struct bytes *b = p;

	switch (f->type) {
	case WIRE_STR:
		pack_str(pk, *(const char *const *)p);
		break;
	case WIRE_BIN:
		msgpack_pack_bin(pk, b->n);
		msgpack_pack_bin_body(pk, b->p, b->n);
		break;
	case WIRE_U64:
		msgpack_pack_uint64(pk, *(const uint64_t *)p);
		break;
	case WIRE_I64:
		msgpack_pack_int64(pk, *(const int64_t *)p);
		break;
	case WIRE_BOOL:
		*(const bool *)p ? msgpack_pack_true(pk) : msgpack_pack_false(pk);
		break;
	case WIRE_STRS:
		msgpack_pack_array(pk, s->n);
		for (size_t i = 0; i < s->n; i++)
			pack_str(pk, s->v[i]);
		break;
	case WIRE_REC:
		pack_rec(pk, f->rec, *(void *const *)p);
		break;
	case WIRE_RECS:
		msgpack_pack_array(pk, l->n);
		for (size_t i = 0; i < l->n; i++)
			pack_rec(pk, f->rec, (const char *)l->v + i * f->rec->size);
		break;
	case WIRE_FD:
		break;
	}
}

static bool
is_packed(const struct wire_field *f, const void *rec)
{
	if (f->type == WIRE_FD || (f->type == WIRE_REC && is_absent(f, rec)))
		return false;
	return (f->attr & REQ) || !is_absent(f, rec);
}

static void
pack_rec(msgpack_packer *pk, const struct wire_desc *d, const void *rec)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nfields; i++)
		n += is_packed(&d->fields[i], rec);
	msgpack_pack_map(pk, n);
	for (size_t i = 0; i < d->nfields; i++) {
		const struct wire_field *f = &d->fields[i];

		if (!is_packed(f, rec))
			continue;
		pack_str(pk, f->name);
		pack_value(pk, f, at(rec, f));
	}
}

void
wire_pack(const struct wire_desc *d, const void *rec, struct strbuf *out)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, out, sink);
	pack_rec(&pk, d, rec);
}

/* --- Text --------------------------------------------------------------------------------------- */

static int
too_long(const struct wire_field *f, const char *s, uint64_t max, struct err *e)
{
	unsigned long long most = max;

	return f->attr & SECRET
		   ? err_set(e, ERR_INVALID, "the %s is longer than %llu bytes", f->name, most)
		   : err_set(e, ERR_INVALID, "%s \"%.40s...\" is longer than %llu bytes", f->name,
			 s, most);
}

static int
check_str(const struct wire_field *f, const char *s, uint64_t max, struct err *e)
{
	size_t n = s != NULL ? strlen(s) : 0;

	if (n > max)
		return too_long(f, s, max, e);
	if (n == 0 || text_is_utf8(s, n))
		return 0;
	return f->attr & SECRET ? err_set(e, ERR_INVALID, "the %s is not UTF-8", f->name)
				: err_set(e, ERR_INVALID, "\"%.300s\" is not UTF-8", s);
}

static int
check_field(const struct wire_field *f, const void *p, struct err *e)
{
	const struct list *l = p;
	const struct strs *s = p;

	if (f->type == WIRE_STR)
		return check_str(f, *(const char *const *)p, f->max, e);
	if ((f->type == WIRE_STRS && s->n > f->max) || (f->type == WIRE_RECS && l->n > f->max))
		return err_set(
		    e, ERR_INVALID, "more than %llu %s", (unsigned long long)f->max, f->name);
	if (f->type == WIRE_REC && *(void *const *)p != NULL)
		return wire_check_text(f->rec, *(void *const *)p, e);
	for (size_t i = 0; f->type == WIRE_STRS && i < s->n; i++)
		if (check_str(f, s->v[i], WIRE_STR_MAX, e) == -1)
			return -1;
	for (size_t i = 0; f->type == WIRE_RECS && i < l->n; i++)
		if (wire_check_text(f->rec, (const char *)l->v + i * f->rec->size, e) == -1)
			return -1;
	return 0;
}

int
wire_check_text(const struct wire_desc *d, const void *rec, struct err *e)
{
	for (size_t i = 0; i < d->nfields; i++)
		if (check_field(&d->fields[i], at(rec, &d->fields[i]), e) == -1)
			return -1;
	return 0;
}

static int unpack_rec(
    const struct wire_desc *d, const msgpack_object *o, void *rec, struct arena *a, struct err *e);

static int
refuse(struct err *e, const struct wire_field *f, const char *what)
{
	return err_set(e, ERR_FORMAT, "%s: %s", f->name, what);
}

static int
unpack_str(const struct wire_field *f, const msgpack_object *o, uint64_t max, const char **out,
    struct arena *a, struct err *e)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return refuse(e, f, "is no string");
	if (o->via.str.size > max)
		return refuse(e, f, "is too long");
	if (o->via.str.size > 0 && memchr(o->via.str.ptr, '\0', o->via.str.size) != NULL)
		return refuse(e, f, "holds a NUL");
	if (!text_is_utf8(o->via.str.ptr, o->via.str.size))
		return refuse(e, f, "is not UTF-8");
	*out = arena_strndup(a, o->via.str.ptr, o->via.str.size);
	return 0;
}

static int
unpack_number(const struct wire_field *f, const msgpack_object *o, void *p, struct err *e)
{
	if (f->type == WIRE_U64) {
		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return refuse(e, f, "is no unsigned number");
		if (o->via.u64 > f->max)
			return refuse(e, f, "is too large");
		*(uint64_t *)p = o->via.u64;
	} else if (f->type == WIRE_BOOL) {
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return refuse(e, f, "is no truth value");
		*(bool *)p = o->via.boolean;
	} else {
		if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
			*(int64_t *)p = (int64_t)o->via.u64;
		else if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
			*(int64_t *)p = o->via.i64;
		else
			return refuse(e, f, "is no number");
	}
	return 0;
}

static int
unpack_bin(const struct wire_field *f, const msgpack_object *o, struct bytes *b, struct arena *a,
    struct err *e)
{
	uint8_t *copy;

	if (o->type != MSGPACK_OBJECT_BIN)
		return refuse(e, f, "is no byte string");
	if (o->via.bin.size > f->max)
		return refuse(e, f, "is too long");
	copy = arena_alloc(a, o->via.bin.size + 1);
	if (o->via.bin.size > 0)
		memcpy(copy, o->via.bin.ptr, o->via.bin.size);
	*b = (struct bytes){copy, o->via.bin.size};
	return 0;
}

static int
unpack_list(
    const struct wire_field *f, const msgpack_object *o, void *p, struct arena *a, struct err *e)
{
	struct list *l = p;
	size_t n;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return refuse(e, f, "is no list");
	n = o->via.array.size;
	if (n > f->max)
		return refuse(e, f, "has too many members");
	if (f->type == WIRE_STRS) {
		const char **v = arena_array(a, n + 1, sizeof(*v));

		for (size_t i = 0; i < n; i++)
			if (unpack_str(f, &o->via.array.ptr[i], WIRE_STR_MAX, &v[i], a, e) == -1)
				return -1;
		*(struct strs *)p = (struct strs){v, n};
		return 0;
	}
	l->v = arena_array(a, n, f->rec->size);
	for (size_t i = 0; i < n; i++)
		if (unpack_rec(
			f->rec, &o->via.array.ptr[i], (char *)l->v + i * f->rec->size, a, e) == -1)
			return err_wrap(e, "%s", f->name);
	l->n = n;
	return 0;
}

static int
unpack_value(
    const struct wire_field *f, const msgpack_object *o, void *p, struct arena *a, struct err *e)
{
	switch (f->type) {
	case WIRE_STR:
		return unpack_str(f, o, f->max, p, a, e);
	case WIRE_BIN:
		return unpack_bin(f, o, p, a, e);
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_BOOL:
		return unpack_number(f, o, p, e);
	case WIRE_STRS:
	case WIRE_RECS:
		return unpack_list(f, o, p, a, e);
	case WIRE_REC: {
		void *sub = arena_alloc(a, f->rec->size);

		if (unpack_rec(f->rec, o, sub, a, e) == -1)
			return err_wrap(e, "%s", f->name);
		*(void **)p = sub;
		return 0;
	}
	case WIRE_FD:
		break;
	}
	return refuse(e, f, "must come as a descriptor");
}

static bool
is_named(const struct wire_field *f, const msgpack_object_str *key)
{
	return strnlen(f->name, (size_t)key->size + 1) == key->size &&
	       memcmp(f->name, key->ptr, key->size) == 0;
}

/* Our own encoder writes fields in the order of the table, so the search begins where the last one ended. */
static const struct wire_field *
find_field(const struct wire_desc *d, const msgpack_object *key, size_t from)
{
	if (key->type != MSGPACK_OBJECT_STR)
		return NULL;
	for (size_t i = from; i < d->nfields; i++)
		if (is_named(&d->fields[i], &key->via.str))
			return &d->fields[i];
	for (size_t i = 0; i < from; i++)
		if (is_named(&d->fields[i], &key->via.str))
			return &d->fields[i];
	return NULL;
}

static int
unpack_rec(
    const struct wire_desc *d, const msgpack_object *o, void *rec, struct arena *a, struct err *e)
{
	bool has[WIRE_FIELDS_MAX] = {false};
	size_t next = 0;

	if (o->type != MSGPACK_OBJECT_MAP)
		return err_set(e, ERR_FORMAT, "%s: is no map", d->name);
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];
		const struct wire_field *f = find_field(d, &kv->key, next);

		if (f == NULL)
			return err_set(e, ERR_FORMAT, "%s: unknown field", d->name);
		if (has[f - d->fields])
			return refuse(e, f, "is given twice");
		next = (size_t)(f - d->fields);
		has[next++] = true;
		if (unpack_value(f, &kv->val, (char *)rec + f->offset, a, e) == -1)
			return -1;
	}
	for (size_t i = 0; i < d->nfields; i++)
		if ((d->fields[i].attr & REQ) && d->fields[i].type != WIRE_FD && !has[i])
			return refuse(e, &d->fields[i], "is missing");
	return 0;
}

int
wire_unpack(
    const struct wire_desc *d, const void *p, size_t n, void *rec, struct arena *a, struct err *e)
{
	const char *fault = scan_check(p, n);
	msgpack_unpacked u;
	size_t used = 0;
	int r = -1;

	memset(rec, 0, d->size);
	if (fault != NULL)
		return err_set(e, ERR_FORMAT, "%s: %s", d->name, fault);
	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, p, n, &used) != MSGPACK_UNPACK_SUCCESS || used != n)
		err_set(e, ERR_FORMAT, "not msgpack");
	else
		r = unpack_rec(d, &u.data, rec, a, e);
	msgpack_unpacked_destroy(&u);
	if (r == -1) {
		memset(rec, 0, d->size);
		err_wrap(e, "%s", d->name);
	}
	return r;
}

static void
copy_field(const struct wire_field *f, const void *from, void *to, struct arena *a)
{
	if (f->type == WIRE_STR && *(const char *const *)from != NULL) {
		*(const char **)to = arena_strdup(a, *(const char *const *)from);
	} else if (f->type == WIRE_BIN) {
		const struct bytes *b = from;
		uint8_t *copy = arena_alloc(a, b->n + 1);

		if (b->n > 0)
			memcpy(copy, b->p, b->n);
		*(struct bytes *)to = (struct bytes){copy, b->n};
	} else if (f->type == WIRE_STRS) {
		const struct strs *s = from;
		const char **v = arena_array(a, s->n + 1, sizeof(*v));

		for (size_t i = 0; i < s->n; i++)
			v[i] = arena_strdup(a, s->v[i]);
		*(struct strs *)to = (struct strs){v, s->n};
	} else if (f->type == WIRE_REC && *(void *const *)from != NULL) {
		void *sub = arena_alloc(a, f->rec->size);

		wire_copy(f->rec, *(void *const *)from, sub, a);
		*(void **)to = sub;
	} else if (f->type == WIRE_RECS) {
		const struct list *l = from;
		char *v = arena_array(a, l->n, f->rec->size);

		for (size_t i = 0; i < l->n; i++)
			wire_copy(
			    f->rec, (const char *)l->v + i * f->rec->size, v + i * f->rec->size, a);
		*(struct list *)to = (struct list){v, l->n};
	}
}

void
wire_copy(const struct wire_desc *d, const void *from, void *to, struct arena *a)
{
	memcpy(to, from, d->size);
	for (size_t i = 0; i < d->nfields; i++)
		copy_field(
		    &d->fields[i], at(from, &d->fields[i]), (char *)to + d->fields[i].offset, a);
}

void
wire_close_fds(const struct wire_desc *d, void *rec)
{
	for (size_t i = 0; i < d->nfields; i++) {
		int *fd = (int *)((char *)rec + d->fields[i].offset);

		if (d->fields[i].type == WIRE_FD && *fd > 0)
			fd_close(fd);
	}
}
