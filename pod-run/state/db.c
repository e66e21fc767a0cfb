/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/sqlite.h"
#include "pod-run/state/db.h"

#define SCHEMA_VERSION 2
#define BUSY_MS 100000
#define FOLLOW_TRIES 3
#define STATEMENTS_MAX 64
#define LOG_PAGES_MAX 2000 /* a command that writes folds a longer log back itself */

#define CONFIG_TABLE                                                        \
	"CREATE TABLE container_config ("                                   \
	" id TEXT PRIMARY KEY REFERENCES container (id) ON DELETE CASCADE," \
	" config BLOB NOT NULL);"

static const char schema[] =
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    /* Times are nanoseconds since 1970; pid_start is field 22 of /proc/PID/stat. */
    "CREATE TABLE container ("
    " id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
    " status INTEGER NOT NULL, pid INTEGER NOT NULL DEFAULT 0,"
    " pid_start INTEGER NOT NULL DEFAULT 0, monitor_pid INTEGER NOT NULL DEFAULT 0,"
    " started INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0,"
    " exit_code INTEGER NOT NULL DEFAULT 0, oom INTEGER NOT NULL DEFAULT 0,"
    " restarts INTEGER NOT NULL DEFAULT 0, stopped_by_user INTEGER NOT NULL DEFAULT 0,"
    " error TEXT NOT NULL DEFAULT '', image TEXT NOT NULL DEFAULT '',"
    /* summary is NULL in rows that were made before there was one. */
    " summary BLOB, run BLOB NOT NULL);"
    /* Apart from what lists show, so that these need not read it. */
    CONFIG_TABLE "CREATE INDEX container_image ON container (image);"
    "CREATE TABLE dependency ("
    " id TEXT NOT NULL REFERENCES container (id) ON DELETE CASCADE,"
    " needs TEXT NOT NULL REFERENCES container (id), PRIMARY KEY (id, needs)) WITHOUT ROWID;"
    "CREATE INDEX dependency_needs ON dependency (needs);"
    "CREATE TABLE volume_use ("
    " id TEXT NOT NULL REFERENCES container (id) ON DELETE CASCADE,"
    " volume TEXT NOT NULL, PRIMARY KEY (id, volume)) WITHOUT ROWID;"
    "CREATE INDEX volume_use_volume ON volume_use (volume);"
    "CREATE TABLE exec_session ("
    " id TEXT PRIMARY KEY, container TEXT NOT NULL REFERENCES container (id) ON DELETE CASCADE,"
    " created INTEGER NOT NULL, status INTEGER NOT NULL, pid INTEGER NOT NULL DEFAULT 0,"
    " pid_start INTEGER NOT NULL DEFAULT 0, exit_code INTEGER NOT NULL DEFAULT 0,"
    " config BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX exec_session_container ON exec_session (container);"
    "CREATE TABLE exit_code ("
    " id TEXT PRIMARY KEY, code INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
    /* Containers whose row is gone but whose directories and leases may not be. */
    "CREATE TABLE leftover ("
    " id TEXT PRIMARY KEY, at INTEGER NOT NULL, net INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version = 2;";

/* From the version that is the index. */
static const char *const upgrades[SCHEMA_VERSION] = {
    [1] = CONFIG_TABLE "INSERT INTO container_config SELECT id, config FROM container;"
		       "ALTER TABLE container DROP COLUMN config;"
		       "ALTER TABLE container ADD COLUMN summary BLOB;"
		       "PRAGMA user_version = 2",
};

struct db {
	sqlite3 *sql;
	unsigned depth; /* of nested transactions */
	bool failed;	/* an inner one was rolled back */
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} cache[STATEMENTS_MAX];
	size_t cached;
};

static int
fail(struct db *db, const char *act, struct err *e)
{
	int code = sqlite3_errcode(db->sql);
	bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
	enum err_class class = code == SQLITE_FULL	 ? ERR_NOSPACE
			       : code == SQLITE_BUSY	 ? ERR_TIMEOUT
			       : code == SQLITE_READONLY ? ERR_DENIED
			       : damaged		 ? ERR_INTEGRITY
							 : ERR_INTERNAL;

	if (sqlite_was_replaced(db->sql))
		return err_set(e, ERR_STATE, "%s: database: " SQLITE_REPLACED, act);
	err_set(e, class, "%s: database: %s", act, sqlite3_errmsg(db->sql));
	return damaged
		   ? err_hint(e, "pod system check --repair makes a new one of what can be read.")
		   : -1;
}

static int
run(struct db *db, const char *sql, const char *act, struct err *e)
{
	return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, act, e);
}

static void
disconnect(struct db *db)
{
	for (size_t i = 0; i < db->cached; i++)
		sqlite3_finalize(db->cache[i].stmt);
	db->cached = 0;
	sqlite3_close(db->sql);
	db->sql = NULL;
}

static int
connect(struct db *db, const char *path, int make, struct err *e)
{
	if (sqlite3_open_v2(path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | make,
		NULL) != SQLITE_OK)
		return err_set(
		    e, ERR_INTERNAL, "opening database %s: %s", path, sqlite3_errmsg(db->sql));
	sqlite_wait(db->sql, BUSY_MS);
	sqlite3_wal_autocheckpoint(db->sql, LOG_PAGES_MAX);
	/* The last one out does not fold the log back: that would cost each command a sync. */
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	sqlite_guard(db->sql);
	return run(db, "PRAGMA synchronous = NORMAL", "opening the database", e);
}

/* Where a repair put another one in its place, a command that waits for something goes on with that. */
static void
follow(struct db *db)
{
	struct db other = {0};
	struct err ignored;

	if (db->depth > 0 || !sqlite_has_moved(db->sql))
		return;
	for (size_t i = 0; i < db->cached; i++)
		if (sqlite3_stmt_busy(db->cache[i].stmt))
			return;
	if (connect(&other, sqlite3_db_filename(db->sql, "main"), 0, &ignored) == -1) {
		disconnect(&other);
		return;
	}
	disconnect(db);
	db->sql = other.sql;
}

sqlite3_stmt *
db_stmt(struct db *db, const char *sql, struct err *e)
{
	sqlite3_stmt *s;

	follow(db);
	for (size_t i = 0; i < db->cached; i++)
		if (db->cache[i].sql == sql) {
			sqlite3_reset(db->cache[i].stmt);
			sqlite3_clear_bindings(db->cache[i].stmt);
			return db->cache[i].stmt;
		}
	if (db->cached == STATEMENTS_MAX)
		abort();
	if (sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) !=
	    SQLITE_OK) {
		fail(db, "preparing a statement", e);
		return NULL;
	}
	db->cache[db->cached].sql = sql;
	db->cache[db->cached++].stmt = s;
	return s;
}

int
db_step(struct db *db, sqlite3_stmt *s, const char *act, struct err *e)
{
	switch (sqlite3_step(s)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(s);
		return 0;
	default:
		fail(db, act, e);
		sqlite3_reset(s);
		return -1;
	}
}

static void
bind(sqlite3_stmt *s, const char *fmt, va_list ap)
{
	for (int i = 1; *fmt != '\0'; fmt++, i++) {
		if (*fmt == 's') {
			sqlite3_bind_text(s, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
		} else if (*fmt == 'i') {
			sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
		} else if (*fmt == 'b') {
			struct bytes b = va_arg(ap, struct bytes);

			sqlite3_bind_blob64(
			    s, i, b.p != NULL ? b.p : (const void *)"", b.n, SQLITE_TRANSIENT);
		} else {
			abort();
		}
	}
}

void
db_bind(sqlite3_stmt *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bind(s, fmt, ap);
	va_end(ap);
}

int
db_exec(struct db *db, const char *act, struct err *e, const char *sql, const char *fmt, ...)
{
	sqlite3_stmt *s = db_stmt(db, sql, e);
	va_list ap;
	int r;

	if (s == NULL)
		return -1;
	sqlite_make_room(db->sql);
	va_start(ap, fmt);
	bind(s, fmt, ap);
	va_end(ap);
	r = db_step(db, s, act, e);
	sqlite3_reset(s);
	return r == -1 ? -1 : 0;
}

const char *
db_text(sqlite3_stmt *s, int column)
{
	const char *t = (const char *)sqlite3_column_text(s, column);

	return t != NULL ? t : "";
}

struct bytes
db_blob(sqlite3_stmt *s, int column)
{
	return (struct bytes){
	    .p = sqlite3_column_blob(s, column), .n = (size_t)sqlite3_column_bytes(s, column)};
}

int
db_changes(struct db *db)
{
	return sqlite3_changes(db->sql);
}

int
db_begin(struct db *db, struct err *e)
{
	for (int tries = 0; db->depth == 0; tries++) {
		if (db_exec(db, "beginning a transaction", e, "BEGIN IMMEDIATE", "") == -1)
			return -1;
		/* Who kept it waiting may have been a repair. */
		if (!sqlite_has_moved(db->sql) || tries == FOLLOW_TRIES)
			break;
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	}
	if (db->depth++ == 0)
		db->failed = false;
	return 0;
}

int
db_commit(struct db *db, struct err *e)
{
	if (--db->depth > 0)
		return 0;
	if (!db->failed && db_exec(db, "committing a transaction", e, "COMMIT", "") == 0)
		return 0;
	if (db->failed)
		err_set(e, ERR_INTERNAL, "committing a transaction that was given up");
	sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

void
db_rollback(struct db *db)
{
	db->failed = true;
	if (--db->depth == 0)
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
}

static int
user_version(struct db *db, int *version, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, "PRAGMA user_version", e);

	if (s == NULL || db_step(db, s, "reading the schema version", e) == -1)
		return -1;
	*version = sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return 0;
}

/* Makes the tables; two first openings at once are told apart by the write lock. */
static int
create(struct db *db, const char *run_root, struct err *e)
{
	int version;

	if (run(db, "PRAGMA journal_mode = WAL", "making the database", e) == -1 ||
	    db_begin(db, e) == -1)
		return -1;
	if (user_version(db, &version, e) == -1 ||
	    (version == 0 &&
		(run(db, schema, "making the database", e) == -1 ||
		    db_exec(db, "making the database", e,
			"INSERT INTO setting VALUES ('run_root', ?1)", "s", run_root) == -1))) {
		db_rollback(db);
		return -1;
	}
	if (db_commit(db, e) == -1)
		return -1;
	sqlite_reserve_log(db->sql);
	return 0;
}

static int
check_paths(struct db *db, const char *run_root, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, "SELECT value FROM setting WHERE key = 'run_root'", e);
	int r = s == NULL ? -1 : db_step(db, s, "reading settings", e);

	/* What is no path is damage, and nobody's run root. */
	if (r == 1 && db_text(s, 0)[0] == '/' && strcmp(db_text(s, 0), run_root) != 0)
		r = err_set(e, ERR_INVALID,
		    "database run root \"%s\" does not match our run root \"%s\": database "
		    "configuration mismatch",
		    db_text(s, 0), run_root);
	if (s != NULL)
		sqlite3_reset(s);
	return r == -1 ? -1 : 0;
}

/* Another command may have done it since the version was read. */
static int
upgrade(struct db *db, struct err *e)
{
	int version;

	if (db_begin(db, e) == -1)
		return -1;
	do {
		if (user_version(db, &version, e) == -1 ||
		    (version < SCHEMA_VERSION &&
			run(db, upgrades[version], "changing the database's version", e) == -1)) {
			db_rollback(db);
			return -1;
		}
	} while (version < SCHEMA_VERSION);
	return db_commit(db, e);
}

static int
check_version(struct db *db, const char *run_root, struct err *e)
{
	int version;

	if (user_version(db, &version, e) == -1)
		return -1;
	if (version == 0)
		return create(db, run_root, e);
	if (version > SCHEMA_VERSION || version < 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "the database has version %d, this program knows %d", version, SCHEMA_VERSION);
	if (check_paths(db, run_root, e) == -1)
		return -1;
	return version < SCHEMA_VERSION ? upgrade(db, e) : 0;
}

/*
 * It holds the environment of containers, and the graph root may be a directory that the host's administrator made, open
 * to all.  What SQLite makes beside it gets its mode.
 */
static void
make_private(const char *path)
{
	static const char *const parts[] = {"", "-wal", "-shm"};
	struct stat st;

	if (stat(path, &st) == -1) {
		own_fd int fd =
		    open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		return;
	}
	for (size_t i = 0; (st.st_mode & 077) != 0 && i < COUNTOF(parts); i++) {
		own_mem char *part = xasprintf("%s%s", path, parts[i]);

		(void)chmod(part, 0600);
	}
}

static int
open_at(const char *path, const char *run_root, struct db **out, struct err *e)
{
	struct db *db = xcalloc(1, sizeof(*db));

	sqlite_single();
	make_private(path);
	if (connect(db, path, SQLITE_OPEN_CREATE, e) == -1) {
		db_close(db);
		return -1;
	}
	if (check_version(db, run_root, e) == -1) {
		err_wrap(e, "%s", path);
		db_close(db);
		return -1;
	}
	*out = db;
	return 0;
}

int
db_open(const char *graph_root, const char *run_root, struct db **out, struct err *e)
{
	own_mem char *path = xasprintf("%s/pod.db", graph_root);

	return open_at(path, run_root, out, e);
}

int
db_make(const char *path, const char *run_root, struct err *e)
{
	struct db *db;

	if (open_at(path, run_root, &db, e) == -1)
		return -1;
	db_close(db);
	return 0;
}

void
db_checkpoint(struct db *db)
{
	sqlite_fold_log(db->sql, SQLITE_FOLD_LARGE, BUSY_MS);
}

int
db_may_grow(struct db *db, const char *act, struct err *e)
{
	if (sqlite_may_grow(db->sql))
		return 0;
	errno = ENOSPC;
	return err_sys(e, "%s", act);
}

bool
db_wants_folding(struct db *db)
{
	if (sqlite_fold_is_due(db->sql, SQLITE_FOLD_LARGE))
		return true;
	if (sqlite3_total_changes(db->sql) != 0)
		sqlite_reserve_log(db->sql);
	return false;
}

void
db_fold_later(const char *graph_root)
{
	own_mem char *path = xasprintf("%s/pod.db", graph_root);
	sqlite3 *h = NULL;

	if (fork() != 0)
		return;
	setsid();
	/* Whoever reads our output, or waits for anything else we hold, must not wait for us. */
	if (close_range(0, ~0U, 0) == 0 && open("/dev/null", O_RDWR) == 0 && dup(0) == 1 &&
	    dup(0) == 2 &&
	    sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		SQLITE_OK) {
		sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		/* Only what was read from is known to have a log. */
		sqlite3_exec(h, "PRAGMA user_version", NULL, NULL, NULL);
		sqlite_fold_log(h, SQLITE_FOLD_LARGE, BUSY_MS);
		sqlite3_close(h);
	}
	_exit(0);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	disconnect(db);
	free(db);
}
