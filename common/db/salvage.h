/* SPDX-License-Identifier: ISC */
/* Damaged databases: finding out, and saving what can be read. */
#ifndef POD_SALVAGE_H
#define POD_SALVAGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * 1: the database is whole; 0: it is damaged, as SQLite says in why; -1: it cannot be looked at, h has the reason.
 * quick: without comparing indices with their tables.
 */
int salvage_check(sqlite3 *h, bool quick, char *why, size_t size);

/* Adds the table's rows to the same table of another database, up to the first that cannot be read. */
void salvage_rows(sqlite3 *from, sqlite3 *to, const char *table);

#endif
