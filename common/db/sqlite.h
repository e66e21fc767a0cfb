/* SPDX-License-Identifier: ISC */
/*
 * What the databases of the suite (SQLite in WAL mode) share: waiting for another writer, and folding
 * the log back.
 */
#ifndef POD_SQLITE_H
#define POD_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Before a database is opened: no locks between threads, of which no program of the suite has two, no counting of
 * memory, no change of a log's owner to what it is, and no new room for the index of a log that has room.
 */
void sqlite_single(void);

/*
 * How long a statement waits for other writers before it fails.  Transactions take a fraction of a
 * millisecond, so it looks again that soon; SQLite's own handler sleeps up to 100 ms at a time, and
 * many commands at once then wait for nobody.
 */
void sqlite_wait(sqlite3 *h, int limit_ms);

/* Does the database no longer stand at its path? */
bool sqlite_has_moved(sqlite3 *h);

/*
 * From now on nothing is committed to a database that no longer stands at its path, as a repair put another one there
 * (salvage.h).  sqlite_was_replaced: is that why the last statement failed?
 */
void sqlite_guard(sqlite3 *h);
bool sqlite_was_replaced(sqlite3 *h);
#define SQLITE_REPLACED "it was repaired or removed meanwhile: try again"

/*
 * Folds the log back into the database and empties it, since the first one to open the database reads
 * the whole log.  For the time after the answer; failure does not matter.  The slow part keeps no
 * writer out.  Done for a log of at least worth bytes only, and at most once a second unless it is long or was never
 * done before, because each time waits for the disk, and so does the next that writes.
 */
void sqlite_fold_log(sqlite3 *h, int64_t worth, int limit_ms);

/*
 * What is worth it.  Reading takes 0.12 ms for each ten pages (40 KB), folding 2 ms of CPU time: small for what is
 * read far more often than it is written, large for what each command writes to.
 */
#define SQLITE_FOLD_SMALL (64 * 1024)
#define SQLITE_FOLD_LARGE (256 * 1024)

/* Would it be done now? */
bool sqlite_fold_is_due(sqlite3 *h, int64_t worth);

/*
 * Takes room on the disk for the log, which stays as long as it is, and for what it is folded into: so that things can
 * still be removed when the disk is full.  For a fresh database; sqlite_fold_log does it again as the log grows.  Failure does not matter.
 */
void sqlite_reserve_log(sqlite3 *h);

/*
 * Before each write: where the disk is full and the log's room is getting short, folds the log back, so that this room
 * serves again.  False if it could not.
 */
bool sqlite_make_room(sqlite3 *h);

/*
 * Before something new is recorded: false if the disk is full and the last of that room is needed for removals.
 */
bool sqlite_may_grow(sqlite3 *h);

/* Bytes in the log's file. */
int64_t sqlite_log_size(sqlite3 *h);

#endif
