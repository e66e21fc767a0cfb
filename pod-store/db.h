/* SPDX-License-Identifier: ISC */
/*
 * The store's index: SQLite in write-ahead mode, so that readers never wait for a writer; one open,
 * prepared statements, no checkpoint when the last user closes.
 *
 *	sqlite3_stmt *q = db_query(d, SQL_NAMES_OF, e, "t", image);
 *	while ((r = db_step(d, q, e)) == 1)
 *		strv_add(&names, db_text(q, 0));
 */
#ifndef POD_STORE_DB_H
#define POD_STORE_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

#define DB_VERSION 3
#define DB_BUSY_MS 20000 /* how long a writer waits for another one */

enum db_sql {
#define SQL(name, text) SQL_##name,
#include "pod-store/sql.def"
#undef SQL
	SQL_COUNT
};

struct db {
	sqlite3 *h;
	sqlite3_stmt *stmt[SQL_COUNT];
	bool in_tx;
};

/*
 * Opens path, making it if make is true; the caller must then hold a lock against others who make it.
 * *fresh (may be NULL) tells whether there was no index.  An older schema is brought up to ours, a newer
 * one is an error.
 */
int db_open(struct db *d, const char *path, bool make, bool *fresh, struct err *e);
void db_close(struct db *d);

/*
 * A statement with its parameters bound: t const char * (NULL: null), i int64_t, b const void * and
 * size_t.  Valid until the next db_query of the same statement.  NULL with e set on failure.  Text
 * and blobs must stay until the statement has run.
 */
sqlite3_stmt *db_query(struct db *d, enum db_sql which, struct err *e, const char *types, ...);

/* 1: a row; 0: no more, the statement is reset; -1: failed.  NULL is let through as failed. */
int db_step(struct db *d, sqlite3_stmt *q, struct err *e);

/* Runs a statement that gives no rows.  NULL is let through. */
int db_run(struct db *d, sqlite3_stmt *q, struct err *e);

/* Ends a statement before its last row. */
void db_done(sqlite3_stmt *q);

const char *db_text(sqlite3_stmt *q, int column); /* "" for null */
int64_t db_int(sqlite3_stmt *q, int column);

/* One column of one row; 1 found, 0 none, -1 failed. */
int db_one_int(struct db *d, sqlite3_stmt *q, int64_t *out, struct err *e);

/* A writing transaction: waits for other writers.  db_end with ok false undoes everything. */
int db_begin(struct db *d, struct err *e);
/* The same for what adds to the index: refused where a full disk has only the room left that is kept for removals. */
int db_grow(struct db *d, struct err *e);
int db_end(struct db *d, bool ok, struct err *e);

/*
 * Empties the write-ahead log into the index if nobody else is using it: the next process to open it
 * would have to read the whole log first, also after one that only reads.  For the time after the answer; failure does
 * not matter.
 */
void db_tidy(struct db *d);

/* The same now, and failure matters: afterwards all is in the index itself.  For one that nobody else has open. */
int db_fold(struct db *d, struct err *e);

/*
 * Does the index hold together?  1: yes; 0: no, and why tells the first fault; -1: it could not be looked at.
 */
int db_check(struct db *d, bool quick, char *why, size_t size, struct err *e);

/*
 * Puts a new index in the place of the one at path, with what can still be read of that; nothing may be.  The old one
 * stays as PATH.damaged, see salvage.h.
 */
int db_salvage(const char *path, struct err *e);

/* One view of the index for several statements that only read. */
int db_view(struct db *d, struct err *e);
void db_view_end(struct db *d);

#endif
