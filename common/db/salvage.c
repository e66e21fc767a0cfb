/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"
#include "common/fs/lock.h"
#include "common/fs/tree.h"

#define BUSY_MS 10000
#define DAMAGED ".damaged"
#define DAMAGED_MAX 100
#define LOGS_MAX 10 /* made in the moment between two calls */

static const char *const parts[] = {"", "-wal", "-shm"};

int
salvage_check(sqlite3 *h, bool quick, char *why, size_t size)
{
	const char *sql = quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)";
	sqlite3_stmt *q = NULL;
	int r = -1, code;

	if (sqlite3_prepare_v2(h, sql, -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(q, 0);

		snprintf(why, size, "%s", text != NULL ? (const char *)text : "");
		r = strcmp(why, "ok") == 0;
	} else if ((code = sqlite3_errcode(h) & 0xff) == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		snprintf(why, size, "%s", sqlite3_errmsg(h));
		r = 0;
	}
	sqlite3_finalize(q);
	return r;
}

int
salvage_lock(const char *dir, struct err *e)
{
	own_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return err_sys(e, "opening %s", dir);
	return lock_take(fd, LOCK_EXCLUSIVE, LOCK_WAIT, dir, e) == -1 ? -1 : fd_take(&fd);
}

/* --- Rows ---------------------------------------------------------------------------------------- */

/* No damage: the rows are there, but not now, or there is no room for them. */
static bool
is_obstacle(int code)
{
	code &= 0xff;
	return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_NOMEM ||
	       code == SQLITE_FULL || code == SQLITE_READONLY;
}

/* Adds the table's rows, up to the first that cannot be read.  SQLITE_OK, or what keeps them from being saved. */
static int
copy_rows(const struct salvage *s, sqlite3 *from, sqlite3 *to, const char *table)
{
	own_mem char *select = xasprintf("SELECT * FROM %s", table);
	own_strbuf struct strbuf insert = {0};
	sqlite3_stmt *in = NULL, *out = NULL;
	int n, code = sqlite3_prepare_v2(from, select, -1, &in, NULL), stored = SQLITE_OK;

	if (code != SQLITE_OK)
		return is_obstacle(code) ? code : SQLITE_OK;
	n = sqlite3_column_count(in);
	strbuf_addf(&insert, "INSERT OR IGNORE INTO %s VALUES(", table);
	for (int i = 0; i < n; i++)
		strbuf_add(&insert, i > 0 ? ",?" : "?");
	strbuf_add(&insert, ")");
	if (sqlite3_prepare_v2(to, insert.s, -1, &out, NULL) == SQLITE_OK)
		while (stored == SQLITE_OK && (code = sqlite3_step(in)) == SQLITE_ROW) {
			if (s->is_sound != NULL && !s->is_sound(table, in))
				continue;
			for (int i = 0; i < n; i++)
				sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
			sqlite3_step(out);
			stored = sqlite3_reset(out);
			/* A row that this schema refuses is a damaged one. */
			if (!is_obstacle(stored) && (stored & 0xff) != SQLITE_IOERR)
				stored = SQLITE_OK;
		}
	sqlite3_finalize(in);
	sqlite3_finalize(out);
	return stored != SQLITE_OK ? stored : is_obstacle(code) ? code : SQLITE_OK;
}

static int
copy_tables(const struct salvage *s, sqlite3 *from, sqlite3 *to)
{
	int code = sqlite3_exec(to, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (size_t i = 0; i < s->ntables && from != NULL && code == SQLITE_OK; i++)
		code = copy_rows(s, from, to, s->tables[i]);
	if (code == SQLITE_OK && s->finish != NULL)
		code = sqlite3_exec(to, s->finish, NULL, NULL, NULL);
	return code == SQLITE_OK ? sqlite3_exec(to, "COMMIT", NULL, NULL, NULL) : code;
}

static int
fail(const struct salvage *s, int code, struct err *e)
{
	return err_set(e, (code & 0xff) == SQLITE_FULL ? ERR_NOSPACE : ERR_INTERNAL,
	    "renewing database %s: %s", s->path, sqlite3_errstr(code));
}

/*
 * Nobody writes to it until it is closed, unless it is too damaged for that, too; whoever waits for that finds that
 * it was replaced (sqlite_guard).  NULL: what cannot even be opened has nothing to save.
 */
static int
open_old(const struct salvage *s, sqlite3 **out, struct err *e)
{
	int code = sqlite3_open_v2(s->path, out, SQLITE_OPEN_READWRITE, NULL);

	if (code != SQLITE_OK) {
		sqlite3_close(*out);
		*out = NULL;
		return 0;
	}
	sqlite_wait(*out, BUSY_MS);
	sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	code = sqlite3_exec(*out, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	if (!is_obstacle(code))
		return 0;
	sqlite3_close(*out);
	return fail(s, code, e);
}

/* Fills the empty database fresh. */
static int
fill(const struct salvage *s, sqlite3 *from, const char *fresh, struct err *e)
{
	sqlite3 *to = NULL;
	int code = sqlite3_open_v2(fresh, &to, SQLITE_OPEN_READWRITE, NULL);

	/* What refers to a row that was lost is refused. */
	if (code == SQLITE_OK)
		code = sqlite3_db_config(to, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
	if (code == SQLITE_OK)
		code = copy_tables(s, from, to);
	/* It gets its name without its log. */
	if (code == SQLITE_OK)
		code = sqlite3_wal_checkpoint_v2(to, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(to);
	return code == SQLITE_OK ? 0 : fail(s, code, e);
}

/* --- Names --------------------------------------------------------------------------------------- */

static bool
is_free(const char *path, const char *suffix)
{
	own_mem char *name = xasprintf("%s%s", path, suffix);
	struct stat st;

	return lstat(name, &st) == -1 && errno == ENOENT;
}

/* PATH.damaged or, so that an older one stays what it is, with its log, PATH.damaged.1, … */
static char *
damaged_name(const char *path, struct err *e)
{
	for (int i = 0; i < DAMAGED_MAX; i++) {
		own_mem char *name =
		    i == 0 ? xasprintf("%s" DAMAGED, path) : xasprintf("%s" DAMAGED ".%d", path, i);
		bool taken = false;

		for (size_t k = 0; k < COUNTOF(parts); k++)
			taken |= !is_free(name, parts[k]);
		if (!taken)
			return ptr_take(&name);
	}
	err_set(e, ERR_LIMIT, "there are %d of %s" DAMAGED " already", DAMAGED_MAX, path);
	return NULL;
}

/* A log that is no file would keep the rest from being read: it does not go with it. */
static int
move_aside(const char *path, const char *suffix, struct err *e)
{
	own_mem char *from = xasprintf("%s%s", path, suffix), *to = NULL;
	struct stat st;

	if (lstat(from, &st) == -1 || S_ISREG(st.st_mode))
		return 0;
	to = damaged_name(from, e);
	if (to == NULL)
		return -1;
	return rename(from, to) == 0 ? 0 : err_sys(e, "moving %s", from);
}

static int
move_part(const char *from, const char *to, const char *suffix)
{
	own_mem char *a = xasprintf("%s%s", from, suffix), *b = xasprintf("%s%s", to, suffix);

	return rename(a, b) == 0 || errno == ENOENT ? 0 : -1;
}

/*
 * A directory in the place of the log: who opens the old database for that moment is refused, and makes no log that
 * would be taken for the new one's.
 */
static int
block_log(const char *path, const char *log, struct err *e)
{
	for (int i = 0; i < LOGS_MAX; i++) {
		if (mkdir(log, 0700) == 0)
			return 0;
		if (errno != EEXIST || move_aside(path, "-wal", e) == -1)
			break;
	}
	return err_sys(e, "keeping the place of %s", log);
}

static int
exchange(const char *path, const char *fresh, const char *old, struct err *e)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
		return rename(fresh, old) == 0 ? 0 : err_sys(e, "moving %s", path);
	/* Where a file system cannot do that. */
	if (move_part(path, old, "") == -1 || rename(fresh, path) == -1)
		return err_sys(e, "moving %s", path);
	return 0;
}

/* The log goes first: beside the new database it would be taken for that one's. */
static int
put_in_place(const char *path, const char *fresh, struct err *e)
{
	own_mem char *old = damaged_name(path, e), *log = xasprintf("%s-wal", path);
	int r;

	if (old == NULL)
		return -1;
	if (move_part(path, old, "-wal") == -1 || move_part(path, old, "-shm") == -1)
		return err_sys(e, "moving the log of %s", path);
	if (block_log(path, log, e) == -1)
		return -1;
	r = exchange(path, fresh, old, e);
	(void)rmdir(log);
	return r;
}

static void
remove_parts(const char *path, size_t first)
{
	for (size_t i = first; i < COUNTOF(parts); i++) {
		own_mem char *name = xasprintf("%s%s", path, parts[i]);

		(void)unlink(name);
	}
}

static int
renew(const struct salvage *s, sqlite3 *from, struct err *e)
{
	own_mem char *fresh = xasprintf("%s.new", s->path);

	remove_parts(fresh, 0);
	if (s->make(fresh, s->arg, e) == -1 || fill(s, from, fresh, e) == -1) {
		remove_parts(fresh, 0);
		return -1;
	}
	/* Its log is empty by now. */
	remove_parts(fresh, 1);
	return put_in_place(s->path, fresh, e);
}

int
salvage_renew(const struct salvage *s, struct err *e)
{
	sqlite3 *old = NULL;
	int r;

	for (size_t i = 1; i < COUNTOF(parts); i++)
		if (move_aside(s->path, parts[i], e) == -1)
			return -1;
	sqlite_single();
	if (open_old(s, &old, e) == -1)
		return -1;
	r = renew(s, old, e);
	sqlite3_close(old);
	return r;
}

int
salvage_forget(const char *dir, const char *name, struct err *e)
{
	own_mem char *damaged = xasprintf("%s" DAMAGED, name);
	own_dir DIR *d = opendir(dir);
	struct dirent *de;

	if (d == NULL)
		return err_sys(e, "opening %s", dir);
	while ((de = readdir(d)) != NULL)
		if (text_has_prefix(de->d_name, damaged) &&
		    tree_remove(dirfd(d), de->d_name, e) == -1)
			return -1;
	return 0;
}
