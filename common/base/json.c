/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"

struct extent {
	unsigned depth;
	size_t nodes; /* lists and objects */
};

/*
 * jansson descends up to 2048 levels, each of which costs stack, and makes some 200 bytes of the two of "{}"; so both
 * are measured first.  Brackets inside strings do not count.
 */
static struct extent
measure(const char *s, size_t n)
{
	struct extent x = {0};
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = false;
		} else if (s[i] == '"') {
			quoted = true;
		} else if (s[i] == '{' || s[i] == '[') {
			x.nodes++;
			if (++depth > x.depth)
				x.depth = depth;
		} else if ((s[i] == '}' || s[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return x;
}

json_t *
json_read_max(const char *bytes, size_t n, size_t max_bytes, unsigned max_depth, struct err *e)
{
	json_error_t at;
	struct extent x;
	json_t *j;

	if (n > max_bytes) {
		err_set(
		    e, ERR_LIMIT, "JSON document of %zu bytes is larger than %zu", n, max_bytes);
		return NULL;
	}
	x = measure(bytes, n);
	if (x.depth > max_depth) {
		err_set(
		    e, ERR_LIMIT, "JSON document is nested more than %u levels deep", max_depth);
		return NULL;
	}
	if (x.nodes > JSON_NODES_MAX) {
		err_set(e, ERR_LIMIT, "JSON document has more than %u lists and objects",
		    JSON_NODES_MAX);
		return NULL;
	}
	j = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
	if (j == NULL)
		err_set(e, ERR_FORMAT, "malformed JSON, line %d column %d: %s", at.line, at.column,
		    at.text);
	return j;
}

json_t *
json_read(const char *bytes, size_t n, struct err *e)
{
	return json_read_max(bytes, n, JSON_SIZE_DEFAULT, JSON_DEPTH_DEFAULT, e);
}

json_t *
json_read_fd(int fd, size_t max_bytes, const char *what, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	char chunk[16384];
	json_t *j;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			err_sys(e, "reading %s", what);
			return NULL;
		}
		if ((size_t)n > max_bytes - b.n) {
			err_set(e, ERR_LIMIT, "%s is larger than %zu bytes", what, max_bytes);
			return NULL;
		}
		strbuf_addn(&b, chunk, (size_t)n);
	}
	j = json_read_max(b.s != NULL ? b.s : "", b.n, max_bytes, JSON_DEPTH_DEFAULT, e);
	if (j == NULL)
		err_wrap(e, "%s", what);
	return j;
}

static const char *
type_name(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "a boolean";
	default:
		return "null";
	}
}

static int
mismatch(const char *key, const char *expected, const json_t *got, struct err *e)
{
	return err_set(e, ERR_FORMAT, "%s: %s is expected, not %s", key, expected, type_name(got));
}

/* Stores in *v the value at key, NULL if it is absent or null. */
static int
lookup(const json_t *obj, const char *key, bool need, json_t **v, struct err *e)
{
	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, "an object with %s is expected, not %s", key,
		    obj != NULL ? type_name(obj) : "nothing");
	*v = json_object_get(obj, key);
	if (json_is_null(*v))
		*v = NULL;
	if (*v == NULL && need)
		return err_set(e, ERR_FORMAT, "%s: missing", key);
	return 0;
}

static int
get_str(const json_t *obj, const char *key, bool need, const char **out, struct err *e)
{
	json_t *v;

	if (lookup(obj, key, need, &v, e) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (!json_is_string(v))
		return mismatch(key, "a string", v, e);
	*out = json_string_value(v);
	return 0;
}

static int
get_int(const json_t *obj, const char *key, bool need, int64_t min, int64_t max, int64_t *out,
    struct err *e)
{
	json_t *v;
	int64_t i;

	if (lookup(obj, key, need, &v, e) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (!json_is_integer(v))
		return mismatch(key, "an integer", v, e);
	i = json_integer_value(v);
	if (i < min || i > max)
		return err_set(e, ERR_FORMAT,
		    "%s: %" PRId64 " is not between %" PRId64 " and %" PRId64, key, i, min, max);
	*out = i;
	return 0;
}

static int
get_kind(const json_t *obj, const char *key, bool need, json_type type, json_t **out, struct err *e)
{
	json_t *v;

	if (lookup(obj, key, need, &v, e) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (json_typeof(v) != type)
		return mismatch(key, type == JSON_OBJECT ? "an object" : "an array", v, e);
	*out = v;
	return 0;
}

int
json_need_str(const json_t *obj, const char *key, const char **out, struct err *e)
{
	return get_str(obj, key, true, out, e);
}

int
json_want_str(const json_t *obj, const char *key, const char **out, struct err *e)
{
	return get_str(obj, key, false, out, e);
}

int
json_need_int(
    const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	return get_int(obj, key, true, min, max, out, e);
}

int
json_want_int(
    const json_t *obj, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	return get_int(obj, key, false, min, max, out, e);
}

int
json_want_bool(const json_t *obj, const char *key, bool *out, struct err *e)
{
	json_t *v;

	if (lookup(obj, key, false, &v, e) == -1)
		return -1;
	if (v == NULL)
		return 0;
	if (!json_is_boolean(v))
		return mismatch(key, "a boolean", v, e);
	*out = json_is_true(v);
	return 0;
}

int
json_need_obj(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return get_kind(obj, key, true, JSON_OBJECT, out, e);
}

int
json_want_obj(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return get_kind(obj, key, false, JSON_OBJECT, out, e);
}

int
json_need_arr(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return get_kind(obj, key, true, JSON_ARRAY, out, e);
}

int
json_want_arr(const json_t *obj, const char *key, json_t **out, struct err *e)
{
	return get_kind(obj, key, false, JSON_ARRAY, out, e);
}

int
json_want_strv(const json_t *obj, const char *key, struct strv *out, struct err *e)
{
	json_t *arr = NULL, *v;
	size_t i;

	if (json_want_arr(obj, key, &arr, e) == -1)
		return -1;
	json_array_foreach (arr, i, v)
		if (!json_is_string(v))
			return err_set(e, ERR_FORMAT, "%s[%zu]: a string is expected, not %s", key,
			    i, type_name(v));
	json_array_foreach (arr, i, v)
		strv_add(out, json_string_value(v));
	return 0;
}

int
json_want_map(const json_t *obj, const char *key, struct strv *out, struct err *e)
{
	json_t *map = NULL, *v;
	const char *k;

	if (json_want_obj(obj, key, &map, e) == -1)
		return -1;
	json_object_foreach (map, k, v)
		if (!json_is_string(v))
			return err_set(e, ERR_FORMAT, "%s.%s: a string is expected, not %s", key, k,
			    type_name(v));
	json_object_foreach (map, k, v)
		strv_addf(out, "%s=%s", k, json_string_value(v));
	return 0;
}

int
json_only_keys(const json_t *obj, const char *const *keys, struct err *e)
{
	const char *k;
	json_t *v;

	if (!json_is_object(obj))
		return err_set(e, ERR_FORMAT, "an object is expected, not %s",
		    obj != NULL ? type_name(obj) : "nothing");
	json_object_foreach ((json_t *)obj, k, v) {
		size_t i = 0;

		while (keys[i] != NULL && strcmp(keys[i], k) != 0)
			i++;
		if (keys[i] == NULL)
			return err_set(e, ERR_FORMAT, "%s: unknown key", k);
	}
	return 0;
}

bool
json_is_one_object(const char *s, size_t n)
{
	uint64_t arrays = 0; /* bit d: what is open at depth d + 1 is an array */
	unsigned depth = 0;
	bool quoted = false;

	if (n == 0 || s[0] != '{')
		return false;
	for (size_t i = 0; i < n; i++) {
		bool array = s[i] == '[' || s[i] == ']';

		if ((unsigned char)s[i] < ' ' && (quoted || strchr("\t\r\n", s[i]) == NULL))
			return false;
		if (quoted && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s[i] == '{' || s[i] == '[')) {
			if (depth == 64)
				return false;
			arrays = (arrays & ~(1ull << depth)) | (uint64_t)array << depth;
			depth++;
		} else if (!quoted && (s[i] == '}' || s[i] == ']')) {
			if ((arrays >> --depth & 1) != array)
				return false;
			if (depth == 0)
				return i + 1 == n;
		}
	}
	return false;
}
