/* SPDX-License-Identifier: ISC */
#include "common/conf/yaml_json.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"

struct reader {
	yaml_document_t *doc;
	const char *name;
	size_t values;
	bool texts; /* scalars are what stands there */
	struct err *e;
};

static json_t *convert(struct reader *r, int index, unsigned depth);

static bool
is_null(const char *s)
{
	return *s == '\0' || strcmp(s, "~") == 0 || strcmp(s, "null") == 0 ||
	       strcmp(s, "Null") == 0 || strcmp(s, "NULL") == 0;
}

/* YAML 1.2's core schema, which is what people mean; the words of 1.1 (yes, on) stay words. */
static json_t *
plain(const char *s)
{
	int64_t n;
	char *end;

	if (strcasecmp(s, "true") == 0)
		return json_true();
	if (strcasecmp(s, "false") == 0)
		return json_false();
	if (text_to_i64(s, INT64_MIN, INT64_MAX, &n) == 0)
		return json_integer(n);
	if (text_has_prefix(s, "0o") || text_has_prefix(s, "0x")) {
		long long v = strtoll(s + 2, &end, s[1] == 'o' ? 8 : 16);

		if (s[2] != '\0' && *end == '\0')
			return json_integer(v);
	}
	if (strchr("+-.0123456789", *s) != NULL && strpbrk(s, "0123456789") != NULL) {
		double v = strtod(s, &end);

		if (*end == '\0')
			return json_real(v);
	}
	return json_string(s);
}

static json_t *
scalar(struct reader *r, const yaml_node_t *node)
{
	const char *s = (const char *)node->data.scalar.value;
	json_t *j;

	if (strlen(s) != node->data.scalar.length) {
		err_set(r->e, ERR_FORMAT, "%s: a value holds a NUL byte", r->name);
		return NULL;
	}
	if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		j = json_string(s);
	else if (is_null(s))
		j = json_null();
	else
		j = r->texts ? json_string(s) : plain(s);
	if (j == NULL)
		err_set(r->e, ERR_FORMAT, "%s: a value is not UTF-8", r->name);
	return j;
}

static json_t *
sequence(struct reader *r, const yaml_node_t *node, unsigned depth)
{
	own_json json_t *list = json_arr();

	for (const yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++) {
		json_t *one = convert(r, *i, depth);

		if (one == NULL)
			return NULL;
		json_add_take(list, one);
	}
	return json_incref(list);
}

static json_t *
mapping(struct reader *r, const yaml_node_t *node, unsigned depth)
{
	own_json json_t *map = json_obj();

	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
		json_t *one;

		if (key == NULL || key->type != YAML_SCALAR_NODE) {
			err_set(r->e, ERR_FORMAT, "%s: a key is not a scalar", r->name);
			return NULL;
		}
		if (json_object_get(map, (const char *)key->data.scalar.value) != NULL) {
			err_set(r->e, ERR_FORMAT, "%s:%zu: a key stands there twice", r->name,
			    key->start_mark.line + 1);
			return NULL;
		}
		one = convert(r, p->value, depth);
		if (one == NULL)
			return NULL;
		if (json_object_set_new(map, (const char *)key->data.scalar.value, one) < 0) {
			err_set(r->e, ERR_FORMAT, "%s: a key is not UTF-8", r->name);
			return NULL;
		}
	}
	return json_incref(map);
}

/* Aliases are followed as often as they occur, so the bounds also end circles. */
static json_t *
convert(struct reader *r, int index, unsigned depth)
{
	const yaml_node_t *node = yaml_document_get_node(r->doc, index);

	if (node == NULL || depth > YAML_JSON_DEPTH_MAX || ++r->values > YAML_JSON_VALUES_MAX) {
		err_set(r->e, ERR_LIMIT, "%s: too deep or too many values", r->name);
		return NULL;
	}
	if (node->type == YAML_SCALAR_NODE)
		return scalar(r, node);
	if (node->type == YAML_SEQUENCE_NODE)
		return sequence(r, node, depth + 1);
	return mapping(r, node, depth + 1);
}

static json_t *
read_document(const char *text, size_t n, const char *name, bool texts, struct err *e)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct reader r = {.doc = &doc, .name = name, .texts = texts, .e = e};
	json_t *out = NULL;

	if (n > YAML_JSON_SIZE_MAX || !yaml_parser_initialize(&parser)) {
		err_set(e, ERR_LIMIT, "%s: too large", name);
		return NULL;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	if (!yaml_parser_load(&parser, &doc)) {
		err_set(e, ERR_FORMAT, "%s:%zu: %s", name, parser.problem_mark.line + 1,
		    parser.problem != NULL ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return NULL;
	}
	if (yaml_document_get_root_node(&doc) == NULL && texts)
		out = json_null();
	else if (yaml_document_get_root_node(&doc) == NULL)
		err_set(e, ERR_FORMAT, "%s: empty", name);
	else
		out = convert(&r, 1, 0);
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	return out;
}

json_t *
yaml_json_read(const char *text, size_t n, const char *name, struct err *e)
{
	return read_document(text, n, name, false, e);
}

json_t *
yaml_json_read_texts(const char *text, size_t n, const char *name, struct err *e)
{
	return read_document(text, n, name, true, e);
}
