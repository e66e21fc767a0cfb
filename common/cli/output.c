/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "common/cli/table.h"
#include "common/cli/template.h"

static int
flush(const struct strbuf *b, FILE *f, struct err *e)
{
	if ((b->n > 0 && fwrite(b->s, 1, b->n, f) != b->n) || fflush(f) != 0)
		return err_sys(e, "writing to standard output");
	return 0;
}

bool
output_is_json(const char *format)
{
	char squeezed[32];
	size_t n = 0;

	for (; format != NULL && *format != '\0'; format++) {
		if (isspace((unsigned char)*format))
			continue;
		if (n + 1 == sizeof(squeezed))
			return false;
		squeezed[n++] = *format;
	}
	squeezed[n] = '\0';
	return strcmp(squeezed, "json") == 0 || strcmp(squeezed, "{{json.}}") == 0;
}

int
output_json(const json_t *j, FILE *f, struct err *e)
{
	own_strbuf struct strbuf b = {0};

	json_go(j, "    ", &b);
	strbuf_addc(&b, '\n');
	return flush(&b, f, e);
}

/*
 * The user's format as Podman reads it: \t and \n are what they say.  In a table, blanks between
 * the actions separate columns; table tells so.
 */
static char *
normalise(const char *format, bool table)
{
	own_strbuf struct strbuf b = {0};
	bool action = false;

	for (const char *s = format; *s != '\0'; s++) {
		if (text_has_prefix(s, "{{"))
			action = true;
		else if (s > format && text_has_prefix(s - 1, "}}"))
			action = false;
		if (*s == '\\' && (s[1] == 't' || s[1] == 'n') && !action)
			strbuf_addc(&b, *++s == 't' ? '\t' : '\n');
		else
			strbuf_addc(&b, table && !action && *s == ' ' ? '\t' : *s);
	}
	if (b.n == 0 || b.s[b.n - 1] != '\n')
		strbuf_addc(&b, '\n');
	return strbuf_take(&b);
}

/* "CreatedAt" becomes "CREATED AT"; a run of capitals is one word. */
static char *
heading(const struct output *o, const char *field)
{
	own_strbuf struct strbuf b = {0};

	for (const struct output_heading *h = o->headings; h != NULL && h->field != NULL; h++)
		if (strcmp(h->field, field) == 0)
			return xstrdup(h->heading);
	for (const char *s = field; *s != '\0'; s++) {
		bool upper = isupper((unsigned char)*s);

		if (s > field && upper &&
		    (!isupper((unsigned char)s[-1]) || islower((unsigned char)s[1])))
			strbuf_addc(&b, ' ');
		strbuf_addc(&b, (char)toupper((unsigned char)*s));
	}
	return strbuf_take(&b);
}

/* chain: "Namespaces.MNT" has the heading of MNT, where the template will look for it. */
static void
put_heading(const struct output *o, json_t *dot, const char *chain)
{
	own_mem char *text = NULL;

	for (const char *end; (end = strchr(chain, '.')) != NULL; chain = end + 1) {
		own_mem char *name = xstrndup(chain, (size_t)(end - chain));
		json_t *inner = json_object_get(dot, name);

		dot = json_is_object(inner) ? inner : json_put_obj(dot, name);
	}
	text = heading(o, chain);
	if (json_object_get(dot, chain) == NULL)
		json_put_str(dot, chain, text);
}

/* The heading is the row's template filled with the names of the fields. */
static int
add_heading(const struct output *o, const struct template *t, struct strbuf *out, struct err *e)
{
	own_strv struct strv chains = {0};
	own_json json_t *dot = json_obj();

	template_chains(t, &chains);
	for (size_t i = 0; i < chains.n; i++)
		put_heading(o, dot, chains.v[i]);
	return template_run(t, dot, NULL, NULL, out, e);
}

/*
 * All rows at once, for JSON and templates that range by themselves.  told gets what is told of each;
 * NULL: it is not asked for.
 */
static json_t *
make_all(const struct output_rows *rows, json_t *told, struct err *e)
{
	own_json json_t *list = json_arr();

	if (rows->want != NULL)
		rows->want(rows->arg, NULL);
	for (size_t i = 0; i < rows->n; i++) {
		json_t *one = NULL, *row;

		if (told != NULL && (one = rows->tell(rows->arg, i, e)) == NULL)
			return NULL;
		if (one != NULL)
			json_add_take(told, one);
		if ((row = rows->make(rows->arg, i, e)) == NULL)
			return NULL;
		json_add_take(list, row);
	}
	return ptr_take(&list);
}

static void
tell_keys(const struct template *t, const struct output_rows *rows)
{
	own_strv struct strv keys = {0};

	if (rows->want == NULL)
		return;
	template_fields(t, &keys);
	rows->want(rows->arg, template_takes_dot(t) ? NULL : &keys);
}

static int
add_row(const struct output *o, const struct template *t, const struct output_rows *rows, size_t i,
    struct strbuf *out, struct err *e)
{
	own_json json_t *told = NULL, *dot = NULL;

	if (rows->tell != NULL && template_takes_whole(t, o->type) &&
	    (told = rows->tell(rows->arg, i, e)) == NULL)
		return -1;
	dot = rows->make(rows->arg, i, e);
	return dot == NULL ? -1 : template_run(t, dot, told, o->type, out, e);
}

/* A template that ranges over dot by itself, "{{range .}}", gets the whole list. */
static bool
ranges_over_list(const char *row)
{
	const char *s = row, *end;

	if (!text_has_prefix(s, "{{"))
		return false;
	s += s[2] == '-' ? 3 : 2;
	s += strspn(s, " ");
	if (!text_has_prefix(s, "range") || (end = strstr(s, "}}")) == NULL)
		return false;
	while (end > s && (end[-1] == ' ' || end[-1] == '-'))
		end--;
	return end[-1] == '.' && (end[-2] == ' ' || end[-2] == '=');
}

static int
add_rows(const struct output *o, const char *row, bool headed, const struct output_rows *rows,
    struct strbuf *out, struct err *e)
{
	own_template struct template *t = template_parse("list", row, e);

	if (t == NULL)
		return -1;
	if (ranges_over_list(row)) {
		own_json json_t *told = rows->tell != NULL ? json_arr() : NULL;
		own_json json_t *all = make_all(rows, told, e);

		return all == NULL ? -1 : template_run(t, all, told, o->type, out, e);
	}
	if (headed && add_heading(o, t, out, e) == -1)
		return -1;
	tell_keys(t, rows);
	for (size_t i = 0; i < rows->n; i++)
		if (add_row(o, t, rows, i, out, e) == -1)
			return -1;
	return 0;
}

int
output_made(const struct output *o, const struct output_rows *rows, FILE *f, struct err *e)
{
	own_strbuf struct strbuf text = {0}, aligned = {0};
	own_mem char *row = NULL;
	const char *format = o->format;
	bool table = true;

	if (output_is_json(format)) {
		own_json json_t *all = make_all(rows, NULL, e);

		return all == NULL ? -1 : output_json(all, f, e);
	}
	if (format != NULL && strcmp(format, "table") == 0)
		format = NULL;
	if (o->quiet != NULL && format == NULL) {
		row = normalise(o->quiet, false);
		table = false;
	} else if (format == NULL) {
		row = normalise(o->table, false);
	} else if (text_has_prefix(format, "table ")) {
		row = normalise(format + strlen("table "), true);
	} else {
		row = normalise(format, false);
		table = false;
	}
	if (add_rows(o, row, table && !o->noheading, rows, &text, e) == -1)
		return -1;
	/* As in Podman, tabs of a format without "table" are left alone. */
	if (!table)
		return flush(&text, f, e);
	if (text.n > 0)
		table_align(text.s, &aligned);
	return flush(&aligned, f, e);
}

struct lists {
	json_t *rows, *told;
};

static json_t *
row_of(void *arg, size_t i, struct err *e)
{
	const struct lists *l = arg;

	(void)e;
	return json_incref(json_array_get(l->rows, i));
}

static json_t *
told_of(void *arg, size_t i, struct err *e)
{
	const struct lists *l = arg;

	(void)e;
	return json_incref(json_array_get(l->told, i));
}

int
output_list(const struct output *o, json_t *rows, json_t *told, FILE *f, struct err *e)
{
	struct lists l = {told != NULL && output_is_json(o->format) ? told : rows, told};
	struct output_rows all = {.n = json_array_size(rows),
	    .tell = told != NULL ? told_of : NULL,
	    .make = row_of,
	    .arg = &l};

	return output_made(o, &all, f, e);
}

int
output_inspect(const char *format, const json_t *array, const char *type, FILE *f, struct err *e)
{
	own_template struct template *t = NULL;
	own_strbuf struct strbuf b = {0}, aligned = {0};
	own_mem char *row = NULL;
	size_t i;
	const json_t *dot;
	bool table;

	if (format == NULL || *format == '\0' || strcmp(format, "json") == 0)
		return output_json(array, f, e);
	table = text_has_prefix(format, "table ");
	row = normalise(table ? format + strlen("table ") : format, table);
	t = template_parse("inspect", row, e);
	if (t == NULL)
		return -1;
	json_array_foreach (array, i, dot)
		if (template_run(t, dot, NULL, type, &b, e) == -1)
			return -1;
	if (!table)
		return flush(&b, f, e);
	if (b.n > 0)
		table_align(b.s, &aligned);
	return flush(&aligned, f, e);
}
