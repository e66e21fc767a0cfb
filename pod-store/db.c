/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"
#include "pod-store/db.h"

#define NO_ROOM "the index of the store: no space left on device"

/* References are of printable ASCII. */
#define NO_NAME "typeof(name) != 'text' OR name GLOB '*[^ -~]*'"

static const char *const text[SQL_COUNT] = {
#define SQL(name, text) [SQL_##name] = text,
#include "pod-store/sql.def"
#undef SQL
};

/*
 * dying: no image uses the layer and its directory is about to go; it counts as absent.  A layer that
 * comes again replaces the row and with it the sentence.
 */
static const char schema[] =
    "CREATE TABLE layer(id TEXT PRIMARY KEY, parent TEXT NOT NULL, diff_id TEXT NOT NULL,"
    " tar_size INTEGER NOT NULL, dying INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX layer_parent ON layer(parent);"
    "CREATE TABLE image(id TEXT PRIMARY KEY, digest TEXT NOT NULL, media_type TEXT NOT NULL,"
    " size INTEGER NOT NULL, created INTEGER NOT NULL, top TEXT NOT NULL,"
    " added INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX image_digest ON image(digest);"
    "CREATE INDEX image_top ON image(top);"
    "CREATE TABLE document(image TEXT PRIMARY KEY, manifest BLOB NOT NULL, config BLOB NOT NULL,"
    " parsed BLOB NOT NULL);"
    "CREATE TABLE name(name TEXT PRIMARY KEY, image TEXT NOT NULL);"
    "CREATE INDEX name_image ON name(image);"
    "CREATE TABLE digest_name(name TEXT PRIMARY KEY, image TEXT NOT NULL);"
    "CREATE INDEX digest_name_image ON digest_name(image);"
    "CREATE TABLE use(image TEXT NOT NULL, position INTEGER NOT NULL, layer TEXT NOT NULL,"
    " digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,"
    " PRIMARY KEY(image, position)) WITHOUT ROWID;"
    "CREATE INDEX use_layer ON use(layer);"
    "CREATE TABLE user(image TEXT NOT NULL, request TEXT NOT NULL, answer BLOB NOT NULL,"
    " PRIMARY KEY(image, request)) WITHOUT ROWID;"
    "CREATE TABLE volume(name TEXT PRIMARY KEY, record BLOB NOT NULL);";

/* What version 2 has besides: each name that an image ever had, and signatures by the manifest they are of. */
static const char schema_2[] =
    "CREATE TABLE past_name(image TEXT NOT NULL, name TEXT NOT NULL, UNIQUE(image, name));"
    "CREATE TABLE signature(image TEXT NOT NULL, digest TEXT NOT NULL, position INTEGER NOT NULL,"
    " data BLOB NOT NULL, PRIMARY KEY(image, digest, position));";
static const char names_1_to_2[] =
    "INSERT INTO past_name(image, name) SELECT image, name FROM name ORDER BY rowid";

/* Version 3: layers that may not be on disk, see unwritten.h. */
static const char schema_3[] = "CREATE TABLE unwritten(layer TEXT PRIMARY KEY) WITHOUT ROWID;"
			       "PRAGMA user_version=3;";

static int
fail(struct db *d, struct err *e)
{
	int rc = d->h != NULL ? sqlite3_extended_errcode(d->h) : SQLITE_NOMEM;

	if (d->h != NULL && sqlite_was_replaced(d->h))
		return err_set(e, ERR_STATE, "the index of the store: " SQLITE_REPLACED);
	switch (rc & 0xff) {
	case SQLITE_BUSY:
		return err_set(e, ERR_TIMEOUT, "the index of the store is busy");
	case SQLITE_FULL:
		return err_set(e, ERR_NOSPACE, NO_ROOM);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err_set(e, ERR_INTEGRITY, "the index of the store is damaged: %s",
		    sqlite3_errmsg(d->h));
		return err_hint(
		    e, "pod system check --repair makes a new one of what can be read.");
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return err_set(e, ERR_DENIED, "the index of the store: %s", sqlite3_errmsg(d->h));
	default:
		return err_set(e, ERR_INTERNAL, "the index of the store: %s",
		    d->h != NULL ? sqlite3_errmsg(d->h) : "out of memory");
	}
}

static int
exec(struct db *d, const char *sql, struct err *e)
{
	return sqlite3_exec(d->h, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(d, e);
}

static int
version(struct db *d, int64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;

	if (sqlite3_prepare_v2(d->h, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		*out = sqlite3_column_int64(q, 0);
		rc = 0;
	}
	if (rc == -1)
		fail(d, e);
	sqlite3_finalize(q);
	return rc;
}

static int
make_schema(struct db *d, struct err *e)
{
	bool ok;

	if (exec(d, "PRAGMA journal_mode=WAL", e) == -1 || db_begin(d, e) == -1)
		return -1;
	ok = exec(d, schema, e) == 0 && exec(d, schema_2, e) == 0 && exec(d, schema_3, e) == 0;
	if (db_end(d, ok, e) == -1)
		return -1;
	sqlite_reserve_log(d->h);
	return 0;
}

/* Another process may be at it too: the first one to get the lock does it. */
static int
upgrade(struct db *d, struct err *e)
{
	int64_t v = 0;
	bool ok;

	if (db_begin(d, e) == -1)
		return -1;
	ok = version(d, &v, e) == 0 &&
	     (v != 1 || (exec(d, schema_2, e) == 0 && exec(d, names_1_to_2, e) == 0)) &&
	     (v == DB_VERSION || exec(d, schema_3, e) == 0);
	return db_end(d, ok, e);
}

int
db_open(struct db *d, const char *path, bool make, bool *fresh, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (make ? SQLITE_OPEN_CREATE : 0);
	int64_t v = 0;

	memset(d, 0, sizeof(*d));
	sqlite_single();
	if (sqlite3_open_v2(path, &d->h, flags, NULL) != SQLITE_OK) {
		fail(d, e);
		db_close(d);
		return err_wrap(e, "opening %s", path);
	}
	sqlite_wait(d->h, DB_BUSY_MS);
	sqlite3_extended_result_codes(d->h, 1);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(d->h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (version(d, &v, e) == -1)
		goto failed;
	if (fresh != NULL)
		*fresh = v == 0;
	if (v > DB_VERSION) {
		err_set(e, ERR_UNSUPPORTED, "it was made by a newer version of this program");
		goto failed;
	}
	if ((v == 0 && make && make_schema(d, e) == -1) ||
	    (v > 0 && v < DB_VERSION && upgrade(d, e) == -1))
		goto failed;
	return 0;
failed:
	db_close(d);
	return err_wrap(e, "opening %s", path);
}

void
db_close(struct db *d)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(d->stmt[i]);
	sqlite3_close(d->h);
	memset(d, 0, sizeof(*d));
}

static int
bind(sqlite3_stmt *q, const char *types, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; *types != '\0' && rc == SQLITE_OK; i++, types++) {
		if (*types == 't') {
			rc = sqlite3_bind_text(q, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (*types == 'i') {
			rc = sqlite3_bind_int64(q, i, va_arg(ap, int64_t));
		} else {
			const void *p = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);

			/* A null pointer would become NULL, which the schema refuses. */
			rc = sqlite3_bind_blob64(q, i, p != NULL ? p : "", n, SQLITE_STATIC);
		}
	}
	return rc;
}

sqlite3_stmt *
db_query(struct db *d, enum db_sql which, struct err *e, const char *types, ...)
{
	sqlite3_stmt **q = &d->stmt[which];
	va_list ap;
	int rc = SQLITE_OK;

	if (*q == NULL)
		rc = sqlite3_prepare_v3(d->h, text[which], -1, SQLITE_PREPARE_PERSISTENT, q, NULL);
	else
		sqlite3_reset(*q);
	if (rc == SQLITE_OK) {
		va_start(ap, types);
		rc = bind(*q, types, ap);
		va_end(ap);
	}
	if (rc != SQLITE_OK) {
		fail(d, e);
		return NULL;
	}
	return *q;
}

int
db_step(struct db *d, sqlite3_stmt *q, struct err *e)
{
	if (q == NULL)
		return -1;
	switch (sqlite3_step(q)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(q);
		return 0;
	default:
		fail(d, e);
		sqlite3_reset(q);
		return -1;
	}
}

int
db_run(struct db *d, sqlite3_stmt *q, struct err *e)
{
	int r;

	do
		r = db_step(d, q, e);
	while (r == 1);
	return r;
}

void
db_done(sqlite3_stmt *q)
{
	sqlite3_reset(q);
}

const char *
db_text(sqlite3_stmt *q, int column)
{
	const unsigned char *s = sqlite3_column_text(q, column);

	return s != NULL ? (const char *)s : "";
}

int64_t
db_int(sqlite3_stmt *q, int column)
{
	return sqlite3_column_int64(q, column);
}

int
db_one_int(struct db *d, sqlite3_stmt *q, int64_t *out, struct err *e)
{
	int r = db_step(d, q, e);

	if (r == 1) {
		*out = db_int(q, 0);
		db_done(q);
	}
	return r;
}

int
db_begin(struct db *d, struct err *e)
{
	sqlite_make_room(d->h);
	if (exec(d, "BEGIN IMMEDIATE", e) == -1)
		return -1;
	d->in_tx = true;
	return 0;
}

int
db_grow(struct db *d, struct err *e)
{
	if (!sqlite_may_grow(d->h))
		return err_set(e, ERR_NOSPACE, NO_ROOM);
	return db_begin(d, e);
}

int
db_end(struct db *d, bool ok, struct err *e)
{
	struct err ignored;

	d->in_tx = false;
	if (ok && exec(d, "COMMIT", e) == 0)
		return 0;
	exec(d, "ROLLBACK", &ignored);
	return -1;
}

int
db_view(struct db *d, struct err *e)
{
	return exec(d, "BEGIN", e);
}

void
db_view_end(struct db *d)
{
	struct err ignored;

	exec(d, "COMMIT", &ignored);
}

void
db_tidy(struct db *d)
{
	if (sqlite3_total_changes(d->h) != 0 || sqlite_fold_is_due(d->h, SQLITE_FOLD_SMALL))
		sqlite_fold_log(d->h, SQLITE_FOLD_SMALL, DB_BUSY_MS);
}

int
db_fold(struct db *d, struct err *e)
{
	return sqlite3_wal_checkpoint_v2(d->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
		       SQLITE_OK
		   ? 0
		   : fail(d, e);
}

/* --- Damage --------------------------------------------------------------------------------------- */

int
db_check(struct db *d, bool quick, char *why, size_t size, struct err *e)
{
	int r = salvage_check(d->h, quick, why, size);

	return r == -1 ? fail(d, e) : r;
}

static int
make(const char *path, void *arg, struct err *e)
{
	struct db d;

	(void)arg;
	if (db_open(&d, path, true, NULL, e) == -1)
		return -1;
	db_close(&d);
	return 0;
}

int
db_salvage(const char *path, struct err *e)
{
	static const char *const tables[] = {"layer", "image", "document", "name", "digest_name",
	    "use", "user", "volume", "past_name", "signature", "unwritten"};
	const struct salvage s = {
	    .path = path, .tables = tables, .ntables = COUNTOF(tables), .make = make};

	return salvage_renew(&s, e);
}
