/* SPDX-License-Identifier: ISC */
/*
 * The coordinator's database GRAPHROOT/pod.db: containers, exec sessions, exit codes.  SQLite in
 * WAL mode, opened once in a command's life; statements are prepared once.
 */
#ifndef POD_DB_H
#define POD_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/wire/wire.h"

struct db;

/*
 * Opens (makes) the database below graph_root, which must exist.  The run root is recorded at the
 * first opening; another one later is refused, since state would be split.
 */
int db_open(const char *graph_root, const char *run_root, struct db **out, struct err *e);

/* Makes an empty one at path. */
int db_make(const char *path, const char *run_root, struct err *e);

/*
 * Folds the log back into the database, unless somebody uses it now.  The first one to open the
 * database reads the whole log, so processes that nobody waits for call this at their end.
 */
void db_checkpoint(struct db *db);

/*
 * After the last use: should the log be folded now?  Also where nothing was changed, or each of many commands that only
 * read would read all of a long log.  If not, room is kept for what was added to it (sqlite.h).
 */
bool db_wants_folding(struct db *db);

/* Fails if the disk is full, and the last room in the database is kept for removals; act is for the message. */
int db_may_grow(struct db *db, const char *act, struct err *e);

/*
 * Does it in a process of its own that nobody waits for.  Only when the database is closed: a connection does not
 * survive a fork.
 */
void db_fold_later(const char *graph_root);

void db_close(struct db *db); /* rolls back what was not committed; NULL is fine */

/*
 * A write transaction.  It nests: only the outermost commit writes, and a rollback inside makes the
 * outermost commit fail.
 */
int db_begin(struct db *db, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);

/*
 * The statement for sql, a string literal (its address is the key), reset and without bindings.
 * Owned by db; two uses of one statement must not overlap.
 */
sqlite3_stmt *db_stmt(struct db *db, const char *sql, struct err *e);

/* One step. 1: a row; 0: done; -1: error, which names act. The statement is reset unless a row
 * came. */
int db_step(struct db *db, sqlite3_stmt *s, const char *act, struct err *e);

/* prepare, bind, step once, reset. fmt: s text, i int64, b struct bytes; NULL text binds NULL. */
int db_exec(struct db *db, const char *act, struct err *e, const char *sql, const char *fmt, ...);

/* Binds as db_exec; arguments are copied. */
void db_bind(sqlite3_stmt *s, const char *fmt, ...);

/* Columns; texts and blobs live until the next step. A NULL text is "". */
const char *db_text(sqlite3_stmt *s, int column);
struct bytes db_blob(sqlite3_stmt *s, int column);

/* Rows changed by the last statement. */
int db_changes(struct db *db);

#endif
