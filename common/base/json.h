/* SPDX-License-Identifier: ISC */
/*
 * JSON from elsewhere, read strictly and within bounds, and helpers to take it apart and to make
 * it. Errors of the getters are of class FORMAT and name the key; callers that descend add where
 * they are (err_wrap(e, "layers[%zu]", i)).
 */
#ifndef POD_JSON_H
#define POD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

static inline void
json_release_(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}
#define own_json own(json_release_)

#define JSON_SIZE_DEFAULT ((size_t)4 << 20)
#define JSON_DEPTH_DEFAULT 64
#define JSON_NODES_MAX \
	(1u << 20) /* lists and objects: what they cost in memory is no matter of their bytes */

/*
 * Reads one document: at most JSON_SIZE_DEFAULT bytes, JSON_DEPTH_DEFAULT levels, JSON_NODES_MAX lists and objects, no
 * doubled keys, no NUL in strings, nothing but white space behind it.  Any value may be at the top.  NULL on
 * error.
 */
json_t *json_read(const char *bytes, size_t n, struct err *e);

/* The same with other limits. */
json_t *json_read_max(
    const char *bytes, size_t n, size_t max_bytes, unsigned max_depth, struct err *e);

/* Reads from fd until its end, at most max_bytes; what names the document in errors. */
json_t *json_read_fd(int fd, size_t max_bytes, const char *what, struct err *e);

/*
 * json_need_X: the key must be there with that type.  json_want_X: absent or null leaves *out as it
 * is; another type is an error.  Strings, objects and arrays are borrowed from obj.
 */
int json_need_str(const json_t *obj, const char *key, const char **out, struct err *e);
int json_need_int(
    const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e);
int json_need_obj(const json_t *obj, const char *key, json_t **out, struct err *e);
int json_need_arr(const json_t *obj, const char *key, json_t **out, struct err *e);

int json_want_str(const json_t *obj, const char *key, const char **out, struct err *e);
int json_want_int(
    const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e);
int json_want_bool(const json_t *obj, const char *key, bool *out, struct err *e);
int json_want_obj(const json_t *obj, const char *key, json_t **out, struct err *e);
int json_want_arr(const json_t *obj, const char *key, json_t **out, struct err *e);

/* Appends the strings of the array at key to out; absent or null adds nothing. */
int json_want_strv(const json_t *obj, const char *key, struct strv *out, struct err *e);
/* Appends "key=value" of the object of strings at key to out; absent or null adds nothing. */
int json_want_map(const json_t *obj, const char *key, struct strv *out, struct err *e);

/* True if j is an object with no key but those of the NULL-terminated list; names the other one. */
int json_only_keys(const json_t *obj, const char *const *keys, struct err *e);

/*
 * Makers.  They abort when memory is gone.  A string that is not UTF-8 has each foreign byte
 * replaced by U+FFFD.  The take forms own value afterwards.
 */
json_t *json_obj(void);
json_t *json_arr(void);
json_t *json_str(const char *s); /* NULL gives null */
json_t *json_strn(const char *s, size_t n);
json_t *json_strv(const struct strv *l);     /* array of strings */
json_t *json_strv_map(const struct strv *l); /* object from "key=value" */
void json_put_take(json_t *obj, const char *key, json_t *value);
void json_put_str(json_t *obj, const char *key, const char *s);
void json_put_int(json_t *obj, const char *key, int64_t v);
void json_put_bool(json_t *obj, const char *key, bool v);
void json_put_strv(json_t *obj, const char *key, const struct strv *l);
json_t *json_put_obj(json_t *obj, const char *key); /* a new empty object at key, borrowed */
json_t *json_put_arr(json_t *obj, const char *key);
void json_add_take(json_t *arr, json_t *value);
void json_add_str(json_t *arr, const char *s);
json_t *json_add_obj(json_t *arr);

/* Compact text in the order of insertion, for storing; owned by the caller. */
char *json_text(const json_t *j);

/*
 * Whether the bytes are one object as far as strings and brackets tell: whoever writes them into a document
 * as they are writes one value, whatever stands in them.
 */
bool json_is_one_object(const char *s, size_t n);

/*
 * As Go's encoder writes it (without HTML escapes): "key": value, [] and {} for empty ones, floats
 * in Go's shortest form.  indent is what one level adds, "" for a single line without spaces.
 */
void json_go(const json_t *j, const char *indent, struct strbuf *out);

#endif
