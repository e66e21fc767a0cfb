/* SPDX-License-Identifier: ISC */
/*
 * Which containers a command is about: words, --all, --latest, --cidfile, --filter; and doing
 * something with each of them.
 */
#ifndef POD_SELECT_H
#define POD_SELECT_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct select {
	int argc;
	char **argv;
	bool all, latest;
	bool ignore; /* a missing one is no error */
	bool silent; /* errors are counted, not printed */
	bool narrow; /* filters choose among the words; else words and filters exclude each other */
	const struct strv *cidfiles, *filters; /* may be NULL */
	unsigned states; /* with all or filters: mask of 1 << ctr_status, 0: any */

	size_t done, missing, in_use, failed; /* out: how many ended which way */
};

/*
 * Does one; word is what the user typed, or the full ID.  An error of class NOTFOUND counts as
 * missing, INUSE as in use.
 */
typedef int select_fn(struct ctx *x, const char *id, const char *word, void *arg, struct err *e);

/*
 * Calls fn for each container chosen, goes on after failures, and prints all errors but the last,
 * which is returned in e (-1).  Nothing is done if one of several words stands for no container, or if a
 * file cannot be read.
 */
int select_each(struct ctx *x, struct select *s, select_fn *fn, void *arg, struct err *e);

/*
 * The same for a first pass over several containers, whose failures the second pass will meet again;
 * nothing is done if there is only one word.
 */
void select_before(struct ctx *x, const struct select *s, select_fn *fn, void *arg);

/* The one container of commands that take exactly one word or --latest. */
int select_one(
    struct ctx *x, const char *word, bool latest, char id[NAMES_ID_LEN + 1], struct err *e);

/* The error of a command that was given no container at all. */
int select_none(const struct cli_ctx *cli, struct err *e);

/* Exit status of rm and its like: 0, 1 only missing ones, 2 in use, 125. */
int select_status(const struct select *s);

/* The first line of a --cidfile. */
char *select_read_cidfile(const char *path, struct err *e);

#endif
