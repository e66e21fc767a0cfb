/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"
#include "common/wire/msg.h"
#include "pod-run/state/db.h"
#include "pod-run/state/mend.h"

#define BUSY_MS 100000

static const char *const files[] = {"pod.db", "pod.db-wal", "pod.db-shm"};

/* Of each row after those that it refers to. */
static const char *const tables[] = {"container", "container_config", "dependency", "volume_use",
    "exec_session", "exit_code", "leftover"};

/* What SQLite only calls an error of the disk.  NULL: all are files, or missing. */
static const char *
no_file(const char *root)
{
	for (size_t i = 0; i < COUNTOF(files); i++) {
		own_mem char *path = xasprintf("%s/%s", root, files[i]);
		struct stat st;

		/* The database itself may be a link. */
		if ((i == 0 ? stat(path, &st) : lstat(path, &st)) == 0 ? !S_ISREG(st.st_mode)
								       : lstat(path, &st) == 0)
			return files[i];
	}
	return NULL;
}

/* --- Records ------------------------------------------------------------------------------------- */

static bool
is_record(sqlite3_stmt *row, const char *column, const struct wire_desc *desc)
{
	own_arena struct arena a = {0};
	struct err e = {0};
	int i = 0, n = sqlite3_column_count(row);
	void *out;

	while (i < n && strcmp(sqlite3_column_name(row, i), column) != 0)
		i++;
	out = arena_alloc(&a, desc->size);
	return i < n && wire_unpack(desc, sqlite3_column_blob(row, i),
			    (size_t)sqlite3_column_bytes(row, i), out, &a, &e) == 0;
}

/* The summary is made anew of the configuration. */
static bool
is_sound(const char *table, sqlite3_stmt *row)
{
	if (strcmp(table, "container") == 0)
		return is_record(row, "run", &rec_ctr_run_desc);
	return strcmp(table, "container_config") != 0 ||
	       is_record(row, "config", &rec_ctr_config_desc);
}

/* 1: all records can be read; 0: why says which cannot. */
static int
look_at_records(sqlite3 *h, char *why, size_t size)
{
	static const char sql[] =
	    "SELECT c.id, run, config, summary, summary IS NULL FROM container c "
	    "JOIN container_config k ON k.id = c.id ORDER BY c.id";
	sqlite3_stmt *q = NULL;
	int code = sqlite3_prepare_v2(h, sql, -1, &q, NULL), r = 1;

	/* An older one, which the next command brings up to date. */
	if (code == SQLITE_ERROR)
		return 1;
	while (code == SQLITE_OK && r == 1 && (code = sqlite3_step(q)) == SQLITE_ROW) {
		code = SQLITE_OK;
		if (is_record(q, "run", &rec_ctr_run_desc) &&
		    is_record(q, "config", &rec_ctr_config_desc) &&
		    (sqlite3_column_int(q, 4) == 1 ||
			is_record(q, "summary", &rec_ctr_summary_desc)))
			continue;
		snprintf(why, size, "the record of container %.64s cannot be read",
		    (const char *)sqlite3_column_text(q, 0));
		r = 0;
	}
	sqlite3_finalize(q);
	return code == SQLITE_OK || code == SQLITE_DONE ? r : -1;
}

int
mend_look(const char *root, bool quick, char *why, size_t size, struct err *e)
{
	own_mem char *path = xasprintf("%s/pod.db", root);
	const char *wrong = no_file(root);
	sqlite3 *h = NULL;
	int r;

	if (wrong != NULL) {
		snprintf(why, size, "something else is in the place of %s", wrong);
		return 0;
	}
	if (access(path, F_OK) == -1 && errno == ENOENT)
		return 1;
	sqlite_single();
	r = sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (r == SQLITE_OK) {
		sqlite_wait(h, BUSY_MS);
		sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	}
	r = r == SQLITE_OK ? salvage_check(h, quick, why, size) : -1;
	if (r == 1)
		r = look_at_records(h, why, size);
	if (r == -1)
		err_set(e, ERR_INTERNAL, "looking at database %s: %s", path, sqlite3_errmsg(h));
	sqlite3_close(h);
	return r;
}

static int
make(const char *path, void *arg, struct err *e)
{
	return db_make(path, arg, e);
}

static int
renew(const char *root, const char *run_root, struct err *e)
{
	own_mem char *path = xasprintf("%s/pod.db", root), *recorded = xstrdup(run_root);
	const struct salvage s = {.path = path,
	    .tables = tables,
	    .ntables = COUNTOF(tables),
	    .make = make,
	    .arg = recorded,
	    .is_sound = is_sound,
	    .finish = "DELETE FROM container WHERE id NOT IN (SELECT id FROM container_config);"
		      "UPDATE container SET summary = NULL"};

	return salvage_renew(&s, e);
}

int
mend_put_right(const char *root, const char *run_root, struct err *e)
{
	own_fd int lock = salvage_lock(root, e);
	char why[512];
	int r = lock == -1 ? -1 : mend_look(root, false, why, sizeof(why), e);

	if (r != 0)
		return r == 1 ? 0 : -1;
	log_warn("the database of containers is damaged: %s: a new one has what can be read", why);
	return renew(root, run_root, e);
}
