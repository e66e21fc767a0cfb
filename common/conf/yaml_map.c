/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/yaml_map.h"

#define DEPTH_MAX 8

struct level {
	size_t indent;
	json_t *map;
	bool open; /* its last key has no value yet: a deeper line may give it one */
	char *key; /* that key */
};

struct reader {
	const char *name;
	unsigned line;
	struct level levels[DEPTH_MAX];
	size_t depth; /* levels in use */
};

static int
fault(const struct reader *r, struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "%s:%u: %s", r->name, r->line, what);
}

/* Reads a quoted or plain scalar at *p; a plain one ends at ": ", " #" or the end of the line. */
static char *
scalar(const struct reader *r, const char **p, struct err *e)
{
	own_strbuf struct strbuf out = {0};
	char quote = **p == '"' || **p == '\'' ? *(*p)++ : '\0';
	const char *s = *p;

	if (quote == '\0') {
		const char *end = s;

		if (strchr("[]{}&*!|>%@`,?", *s) != NULL && *s != '\0') {
			fault(r, e, "this form of YAML is not supported here");
			return NULL;
		}
		while (*s != '\0' && !(*s == ':' && (s[1] == ' ' || s[1] == '\0')) &&
		       !(*s == '#' && (s == *p || s[-1] == ' '))) {
			s++;
			if (s[-1] != ' ')
				end = s;
		}
		strbuf_addn(&out, *p, (size_t)(end - *p));
		*p = s;
		return strbuf_take(&out);
	}
	for (; *s != quote || (quote == '\'' && s[1] == '\''); s++) {
		if (*s == '\0') {
			fault(r, e, "a quote is not closed");
			return NULL;
		}
		if (quote == '\'' && *s == '\'')
			s++;
		else if (quote == '"' && *s == '\\' && s[1] != '\0' &&
			 strchr("\"\\/", s[1]) != NULL)
			s++;
		else if (quote == '"' && *s == '\\') {
			fault(r, e, "this escape is not supported here");
			return NULL;
		}
		strbuf_addc(&out, *s);
	}
	*p = s + 1;
	return strbuf_take(&out);
}

static void
skip_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t')
		(*p)++;
}

static bool
at_end(const char *p)
{
	return *p == '\0' || *p == '#';
}

/* Finds or opens the level of this indentation. */
static struct level *
level_for(struct reader *r, size_t indent, struct err *e)
{
	struct level *top = &r->levels[r->depth - 1];
	json_t *map;

	while (r->depth > 1 && indent < top->indent)
		top = &r->levels[--r->depth - 1];
	if (indent == top->indent)
		return top;
	if (indent < top->indent || !top->open || r->depth == DEPTH_MAX) {
		fault(r, e, "wrong indentation");
		return NULL;
	}
	map = json_obj();
	json_put_take(top->map, top->key, map);
	top->open = false;
	top = &r->levels[r->depth++];
	free(top->key);
	*top = (struct level){.indent = indent, .map = map};
	return top;
}

static int
take_line(struct reader *r, const char *line, struct err *e)
{
	const char *p = line + strspn(line, " ");
	struct level *level;
	own_mem char *key = NULL, *value = NULL;
	bool quoted;

	if (at_end(p) || strcmp(line, "---") == 0 || strcmp(line, "...") == 0)
		return 0;
	if (*p == '\t' || (*p == '-' && (p[1] == ' ' || p[1] == '\0')))
		return fault(r, e, "this form of YAML is not supported here");
	level = level_for(r, (size_t)(p - line), e);
	if (level == NULL || (key = scalar(r, &p, e)) == NULL)
		return -1;
	skip_blanks(&p);
	if (*p++ != ':')
		return fault(r, e, "a key and a colon are expected");
	if (json_object_get(level->map, key) != NULL)
		return fault(r, e, "a key stands there twice");
	skip_blanks(&p);
	quoted = *p == '"' || *p == '\'';
	free(level->key);
	level->key = xstrdup(key);
	level->open = at_end(p);
	if (level->open) {
		json_put_take(level->map, key, json_null());
		return 0;
	}
	if (strncmp(p, "{}", 2) == 0) {
		p += 2;
		json_put_obj(level->map, key);
	} else if ((value = scalar(r, &p, e)) == NULL) {
		return -1;
	} else if (!quoted && (strcmp(value, "null") == 0 || strcmp(value, "~") == 0)) {
		json_put_take(level->map, key, json_null());
	} else {
		json_put_str(level->map, key, value);
	}
	skip_blanks(&p);
	return at_end(p) ? 0 : fault(r, e, "text behind a value");
}

json_t *
yaml_map_read(const char *text, size_t n, const char *name, struct err *e)
{
	struct reader r = {.name = name, .depth = 1};
	json_t *top = json_obj();
	int result = 0;

	r.levels[0].map = top;
	if (!text_is_utf8(text, n) || memchr(text, '\0', n) != NULL)
		result = err_set(e, ERR_INVALID, "%s: it is no text", name);
	for (const char *p = text, *end = text + n; result == 0 && p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((stop != NULL ? stop : end) - p);
		own_mem char *line = xstrndup(p, len);

		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		r.line++;
		result = take_line(&r, line, e);
		p += len + 1;
	}
	for (size_t i = 0; i < DEPTH_MAX; i++)
		free(r.levels[i].key);
	if (result == 0)
		return top;
	json_decref(top);
	return NULL;
}
