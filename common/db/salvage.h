/* SPDX-License-Identifier: ISC */
/* Damaged databases: finding out, and saving what can be read. */
#ifndef POD_SALVAGE_H
#define POD_SALVAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

/*
 * 1: the database is whole; 0: it is damaged, as SQLite says in why; -1: it cannot be looked at, h has the reason.
 * quick: without comparing indices with their tables.
 */
int salvage_check(sqlite3 *h, bool quick, char *why, size_t size);

/*
 * Waits for others who renew what is in that directory; the lock goes with the descriptor.  Who renews holds it from the
 * look that finds the damage, as the second of two would take what the first one put there for damaged.
 */
int salvage_lock(const char *dir, struct err *e);

struct salvage {
	const char *path;
	const char *const *tables; /* each after those that it refers to */
	size_t ntables;
	/* Makes an empty database. */
	int (*make)(const char *path, void *arg, struct err *e);
	void *arg;
	/* Of a row of that table: is it worth saving?  NULL: each is. */
	bool (*is_sound)(const char *table, sqlite3_stmt *row);
	const char *finish; /* SQL on what was saved, or NULL */
};

/*
 * Puts a database with the rows that can be read in the place of the one at path, in one step: whoever opens it meanwhile
 * finds the one or the other, and whoever still has the old one open commits nothing to it any more (sqlite_guard).
 * For the moment of the step itself neither can be opened.  The damaged one stays as PATH.damaged, or PATH.damaged.1, …
 * On failure nothing has changed.
 */
int salvage_renew(const struct salvage *s, struct err *e);

/* Removes the damaged ones that stayed of the database of that name in dir. */
int salvage_forget(const char *dir, const char *name, struct err *e);

#endif
