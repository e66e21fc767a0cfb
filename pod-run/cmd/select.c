/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/sync.h"

#define CIDFILE_MAX 4096

/* One error is printed when the next comes, so that the last is left for main. */
static void
note(struct select *s, struct err *last, const struct err *now)
{
	if (err_is_set(last) && !s->silent)
		err_print(last, stderr);
	*last = *now;
	if (now->class == ERR_NOTFOUND)
		s->missing++;
	else if (now->class == ERR_INUSE)
		s->in_use++;
	else
		s->failed++;
}

static void
each_word(
    struct ctx *x, struct select *s, const char *word, select_fn *fn, void *arg, struct err *last)
{
	char id[NAMES_ID_LEN + 1];
	struct err e = {0};
	struct db *db = ctx_db(x, &e);

	if (db == NULL || ctr_find(db, word, id, &e) == -1) {
		if (e.class != ERR_NOTFOUND || !s->ignore)
			note(s, last, &e);
	} else if (fn(x, id, word, arg, &e) == -1) {
		if (e.class != ERR_NOTFOUND || !s->ignore)
			note(s, last, &e);
	} else {
		s->done++;
	}
}

/* What the files hold, before any container is touched. */
static int
read_cidfiles(struct select *s, struct strv *ids, struct err *e)
{
	for (size_t i = 0; s->cidfiles != NULL && i < s->cidfiles->n; i++) {
		char *id = select_read_cidfile(s->cidfiles->v[i], e);

		if (id != NULL)
			strv_take(ids, id);
		else if (e->no != ENOENT || !s->ignore)
			return s->failed++, -1;
	}
	err_clear(e);
	return 0;
}

/* fn for a row of the list that is in one of the states and matches. */
static int
each_row(struct ctx *x, struct select *s, const struct filter *f, struct ctr *c, const char *word,
    select_fn *fn, void *arg, struct err *last, struct err *e)
{
	struct err one = {0};
	bool match;

	if (s->states != 0 && (s->states & 1u << c->status) == 0)
		return 0;
	if (filter_match(f, c, &match, e) == -1)
		return -1;
	if (!match)
		return 0;
	if (fn(x, c->id, word, arg, &one) == 0)
		s->done++;
	else if (one.class != ERR_NOTFOUND)
		note(s, last, &one);
	return 0;
}

/* The row that a word stands for, or NULL, which is noted. */
static struct ctr *
row_of(struct ctx *x, struct select *s, const char *word, struct ctr_list *l, struct err *last)
{
	struct err e = {0};
	struct db *db = ctx_db(x, &e);
	char id[NAMES_ID_LEN + 1];

	if (db == NULL || ctr_find(db, word, id, &e) == -1) {
		note(s, last, &e);
		return NULL;
	}
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].id, id) == 0)
			return &l->v[i];
	return NULL;
}

static int
each_match(
    struct ctx *x, struct select *s, select_fn *fn, void *arg, struct err *last, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	own_filter struct filter f = {0};

	if ((s->filters != NULL && filter_parse(x, s->filters, &f, e) == -1) ||
	    sync_list(x, &l, e) == -1)
		return -1;
	for (int i = 0; i < s->argc; i++) {
		struct ctr *c = row_of(x, s, s->argv[i], &l, last);

		if (c != NULL && each_row(x, s, &f, c, s->argv[i], fn, arg, last, e) == -1)
			return -1;
	}
	for (size_t i = 0; i < l.n && s->argc == 0; i++)
		if (each_row(x, s, &f, &l.v[i], l.v[i].id, fn, arg, last, e) == -1)
			return -1;
	return 0;
}

static int
check_words(const struct select *s, struct err *e)
{
	bool filters = s->filters != NULL && s->filters->n > 0;
	bool files = s->cidfiles != NULL && s->cidfiles->n > 0;

	if (s->all && s->argc > 0)
		return err_set(e, ERR_USAGE, "no arguments are needed with --all");
	if (s->latest && s->argc > 0)
		return err_set(e, ERR_USAGE, "--latest and containers cannot be used together");
	if (s->all && s->latest)
		return err_set(e, ERR_USAGE, "--all and --latest cannot be used together");
	if (filters && s->argc > 0 && !s->narrow)
		return err_set(e, ERR_USAGE, "--filter takes no arguments");
	if (files && s->argc > 0)
		return err_set(e, ERR_USAGE, "no arguments are needed with --latest or --cidfile");
	if (files && (s->all || s->latest))
		return err_set(
		    e, ERR_USAGE, "--all, --latest, and --cidfile cannot be used together");
	if (s->argc == 0 && !s->all && !s->latest && !filters && !files)
		return err_set(e, ERR_USAGE, "you must provide at least one name or id");
	return 0;
}

/* Of several, a name that stands for none keeps all of them from being touched. */
static int
check_names(struct ctx *x, struct select *s, struct err *e)
{
	struct db *db = s->argc > 1 ? ctx_db(x, e) : NULL;
	char id[NAMES_ID_LEN + 1];

	if (s->argc <= 1)
		return 0;
	if (db == NULL)
		return -1;
	for (int i = 0; i < s->argc; i++) {
		if (ctr_find(db, s->argv[i], id, e) == 0)
			continue;
		if (e->class != ERR_NOTFOUND || !s->ignore) {
			*(e->class == ERR_NOTFOUND ? &s->missing : &s->failed) += 1;
			return -1;
		}
		err_clear(e);
	}
	return 0;
}

int
select_each(struct ctx *x, struct select *s, select_fn *fn, void *arg, struct err *e)
{
	struct err last = {0};
	own_strv struct strv files = {0};
	char id[NAMES_ID_LEN + 1];

	if (check_words(s, e) == -1 || read_cidfiles(s, &files, e) == -1 ||
	    check_names(x, s, e) == -1)
		return -1;
	if (s->latest) {
		struct db *db = ctx_db(x, e);

		if (db == NULL || ctr_find_latest(db, id, e) == -1) {
			*(e->class == ERR_NOTFOUND ? &s->missing : &s->failed) += 1;
			return -1;
		}
		each_word(x, s, id, fn, arg, &last);
	} else if (s->all || (s->filters != NULL && s->filters->n > 0)) {
		if (each_match(x, s, fn, arg, &last, e) == -1)
			return -1;
	} else {
		for (int i = 0; i < s->argc; i++)
			each_word(x, s, s->argv[i], fn, arg, &last);
	}
	for (size_t i = 0; i < files.n; i++)
		each_word(x, s, files.v[i], fn, arg, &last);
	if (!err_is_set(&last))
		return 0;
	*e = last;
	return -1;
}

void
select_before(struct ctx *x, const struct select *s, select_fn *fn, void *arg)
{
	struct select first = *s;
	struct err ignored = {0};

	first.silent = true;
	if (s->all || s->argc > 1 || (s->filters != NULL && s->filters->n > 0))
		select_each(x, &first, fn, arg, &ignored);
}

int
select_one(struct ctx *x, const char *word, bool latest, char id[NAMES_ID_LEN + 1], struct err *e)
{
	struct db *db = ctx_db(x, e);

	if (db == NULL)
		return -1;
	if (latest && word != NULL)
		return err_set(e, ERR_USAGE, "--latest and containers cannot be used together");
	if (latest)
		return ctr_find_latest(db, id, e);
	if (word == NULL)
		return err_set(e, ERR_USAGE, "you must provide at least one name or id");
	return ctr_find(db, word, id, e);
}

int
select_none(const struct cli_ctx *cli, struct err *e)
{
	return err_set(e, ERR_USAGE, "\"%s %s\" requires a name, id, or the \"--latest\" flag",
	    cli->prog, cli->cmd->name);
}

int
select_status(const struct select *s)
{
	if (s->failed > 0)
		return 125;
	return s->in_use > 0 ? 2 : s->missing > 0 ? 1 : 0;
}

char *
select_read_cidfile(const char *path, struct err *e)
{
	char *text;
	size_t n;

	if (file_read(AT_FDCWD, path, CIDFILE_MAX, &text, &n, e) == -1) {
		err_wrap(e, "reading CIDFile");
		/* It is no container that is missing. */
		e->class = ERR_INVALID;
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}
