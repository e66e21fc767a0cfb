/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/opt.h"
#include "common/cli/value.h"

bool
opt_in_list(const char *list, const char *name, size_t n)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == n && memcmp(list, name, n) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

const struct opt *
opt_find(const struct opt *rows, const char *name, size_t n)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++)
		if ((strncmp(o->name, name, n) == 0 && o->name[n] == '\0') ||
		    opt_in_list(o->alias, name, n))
			return o;
	return NULL;
}

const struct opt *
opt_find_letter(const struct opt *rows, char letter)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

bool
opt_takes_value(const struct opt *o)
{
	return o->none == NULL && o->type != OPT_TYPE_BOOL && o->type != OPT_TYPE_TRISTATE &&
	       o->type != OPT_TYPE_NO_BOOL;
}

/*
 * Elements of a list as encoding/csv reads one record: commas separate, an element that begins with
 * a quote ends at the closing one, "" inside it is a quote.
 */
static int
store_comma(struct strv *l, const char *s, struct err *e)
{
	if (*s == '\0')
		return 0;
	for (;;) {
		own_strbuf struct strbuf b = {0};

		if (*s == '"') {
			for (s++; *s != '\0' && (*s != '"' || s[1] == '"'); s++)
				strbuf_addc(&b, *s == '"' ? *s++ : *s);
			if (*s != '"' || (s[1] != ',' && s[1] != '\0'))
				return err_set(e, ERR_USAGE,
				    "parse error on line 1: extraneous or missing \" in "
				    "quoted-field");
			s++;
		} else {
			size_t n = strcspn(s, ",");

			if (memchr(s, '"', n) != NULL)
				return err_set(e, ERR_USAGE,
				    "parse error on line 1: bare \" in non-quoted-field");
			strbuf_addn(&b, s, n);
			s += n;
		}
		strv_take(l, strbuf_take(&b));
		if (*s == '\0')
			return 0;
		s++;
	}
}

static int
store_bool(const struct opt *o, void *at, const char *value, struct err *e)
{
	bool v;

	if (value_bool(value, &v, e) == -1)
		return -1;
	if (o->type == OPT_TYPE_BOOL)
		*(bool *)at = v;
	else if (o->type == OPT_TYPE_TRISTATE)
		*(int *)at = v;
	return 0;
}

int
opt_store(const struct opt *o, void *opts, const char *value, bool first, struct err *e)
{
	void *at = (char *)opts + o->at;
	int bits = o->bits == 32 ? 32 : 64;
	bool blank = (o->flags & OPT_BLANK) != 0 && *value == '\0';

	switch ((enum opt_type)o->type) {
	case OPT_TYPE_BOOL:
	case OPT_TYPE_TRISTATE:
	case OPT_TYPE_NO_BOOL:
		return store_bool(o, at, value, e);
	case OPT_TYPE_STRING:
		*(const char **)at = blank ? NULL : value;
		return 0;
	case OPT_TYPE_LIST:
		if (first)
			strv_free(at);
		if (!blank)
			strv_add(at, value);
		return 0;
	case OPT_TYPE_COMMA:
		if (first)
			strv_free(at);
		return store_comma(at, value, e);
	case OPT_TYPE_INT:
		return value_int(value, bits, at, e);
	case OPT_TYPE_UINT:
		return value_uint(value, bits, at, e);
	case OPT_TYPE_FLOAT:
		return value_float(value, at, e);
	case OPT_TYPE_SIZE:
		return value_size(value, at, e);
	case OPT_TYPE_DURATION:
		return value_duration(value, at, e);
	case OPT_TYPE_CALL:
		return o->call(at, value, e);
	case OPT_TYPE_NO_STRING:
		return 0;
	}
	abort();
}

void
opt_defaults_rows(const struct opt *rows, void *opts)
{
	struct err e = {0};

	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if (o->type == OPT_TYPE_TRISTATE)
			*(int *)((char *)opts + o->at) = -1;
		/* A default that does not parse is a mistake in the table. */
		if (o->def != NULL && opt_store(o, opts, o->def, true, &e) == -1) {
			err_print(&e, stderr);
			abort();
		}
	}
}

void
opt_defaults(const struct opt_group *groups, void *opts)
{
	for (size_t i = 0; i < OPT_GROUPS_MAX && groups[i].rows != NULL; i++)
		opt_defaults_rows(groups[i].rows, (char *)opts + groups[i].base);
}

void
opt_free_rows(const struct opt *rows, void *opts)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++)
		if (o->type == OPT_TYPE_LIST || o->type == OPT_TYPE_COMMA)
			strv_free((struct strv *)(void *)((char *)opts + o->at));
}

void
opt_free(const struct opt_group *groups, void *opts)
{
	for (size_t i = 0; i < OPT_GROUPS_MAX && groups[i].rows != NULL; i++)
		opt_free_rows(groups[i].rows, (char *)opts + groups[i].base);
}

void
opt_done(struct opt_parse *p)
{
	free(p->operands);
	free(p->given);
	*p = (struct opt_parse){0};
}

bool
opt_given(const struct opt_parse *p, const char *name)
{
	for (size_t i = 0; i < p->given_n; i++)
		if (strcmp(p->given[i]->name, name) == 0)
			return true;
	return false;
}

/* The row that a long name (n > 0) or a letter means here, and the struct it stores into. */
static const struct opt *
resolve(const struct opt_parse *p, const char *name, size_t n, char letter, void **opts)
{
	const struct opt *o;

	for (size_t i = 0; p->local != NULL && i < OPT_GROUPS_MAX && p->local[i].rows != NULL;
	     i++) {
		const struct opt *rows = p->local[i].rows;

		o = n > 0 ? opt_find(rows, name, n) : opt_find_letter(rows, letter);
		if (o != NULL) {
			*opts = (char *)p->local_opts + p->local[i].base;
			return o;
		}
	}
	o = n > 0 ? opt_find(p->global, name, n) : opt_find_letter(p->global, letter);
	if (o == NULL || ((o->flags & OPT_LOCAL) != 0 && !p->before_command))
		return NULL;
	*opts = p->global_opts;
	return o;
}

static int
store_given(struct opt_parse *p, const struct opt *o, void *opts, const char *value, struct err *e)
{
	bool first = !opt_given(p, o->name);
	char letter[5] = "";
	uint64_t count;

	if (first) {
		p->given = mem_grow(p->given, &p->given_cap, p->given_n + 1, sizeof(*p->given));
		p->given[p->given_n++] = o;
	}
	if (((o->flags & OPT_COUNT) == 0 || value_uint(value, 64, &count, e) == 0) &&
	    opt_store(o, opts, value, first, e) == 0)
		return 0;
	if (o->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	return err_wrap(e, "invalid argument \"%s\" for \"%s--%s\" flag", value, letter, o->name);
}

static const char *
value_if_none(const struct opt *o)
{
	return o->none != NULL ? o->none : "true";
}

/* word is "--name" or "--name=value"; next is the word after it, or NULL.  *used is set to 1 if
 * taken. */
static int
parse_long(struct opt_parse *p, const char *word, const char *next, int *used, struct err *e)
{
	const char *name = word + 2;
	size_t n = strcspn(name, "=");
	const struct opt *o;
	void *opts = NULL;

	if (n == 0 || name[0] == '-')
		return err_set(e, ERR_USAGE, "bad flag syntax: %s", word);
	o = resolve(p, name, n, 0, &opts);
	if (o == NULL && n == 4 && memcmp(name, "help", 4) == 0) {
		p->help = true;
		return 0;
	}
	if (o == NULL)
		return err_set(e, ERR_USAGE, "unknown flag: --%.*s", (int)n, name);
	if (name[n] == '=')
		return store_given(p, o, opts, name + n + 1, e);
	if (!opt_takes_value(o))
		return store_given(p, o, opts, value_if_none(o), e);
	if (next == NULL)
		return err_set(e, ERR_USAGE, "flag needs an argument: %s", word);
	*used = 1;
	return store_given(p, o, opts, next, e);
}

/* word is "-abc", where the first letter that takes an argument has the rest of the word, or next.
 */
static int
parse_letters(struct opt_parse *p, const char *word, const char *next, int *used, struct err *e)
{
	for (const char *at = word + 1; *at != '\0'; at++) {
		void *opts = NULL;
		const struct opt *o = resolve(p, NULL, 0, *at, &opts);
		const char *value;

		if (o == NULL && *at == 'h') {
			p->help = true;
			return 0;
		}
		if (o == NULL)
			return err_set(
			    e, ERR_USAGE, "unknown shorthand flag: '%c' in -%s", *at, at);
		if (at[1] == '=')
			return store_given(p, o, opts, at + 2, e);
		if (!opt_takes_value(o)) {
			if (store_given(p, o, opts, value_if_none(o), e) == -1)
				return -1;
			continue;
		}
		value = at[1] != '\0' ? at + 1 : next;
		if (value == NULL)
			return err_set(
			    e, ERR_USAGE, "flag needs an argument: '%c' in -%s", *at, at);
		*used = at[1] == '\0';
		return store_given(p, o, opts, value, e);
	}
	return 0;
}

int
opt_parse(struct opt_parse *p, int argc, char **argv, struct err *e)
{
	int i;

	p->operands = xcalloc((size_t)(argc > 0 ? argc : 0) + 1, sizeof(*p->operands));
	p->operand_n = 0;
	p->dash_at = -1;
	for (i = 1; i < argc && !p->help; i++) {
		char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
		int used = 0, r;

		if (word[0] != '-' || word[1] == '\0') {
			if (p->stop_at_operand)
				break;
			p->operands[p->operand_n++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			p->dash_at = p->operand_n;
			i++;
			break;
		}
		r = word[1] == '-' ? parse_long(p, word, next, &used, e)
				   : parse_letters(p, word, next, &used, e);
		if (r == -1)
			return -1;
		i += used;
	}
	p->rest = i;
	while (i < argc && !p->help)
		p->operands[p->operand_n++] = argv[i++];
	return 0;
}
