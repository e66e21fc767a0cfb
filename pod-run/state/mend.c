/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"
#include "pod-run/state/db.h"
#include "pod-run/state/mend.h"

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
	r = sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		    SQLITE_OK
		? salvage_check(h, quick, why, size)
		: -1;
	if (r == -1)
		err_set(e, ERR_INTERNAL, "looking at database %s: %s", path, sqlite3_errmsg(h));
	sqlite3_close(h);
	return r;
}

/* A log that is no file would keep the rest from being read: it does not go with it. */
static int
move_away(const char *root, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(files); i++) {
		own_mem char *from = xasprintf("%s/%s", root, files[i]);
		struct stat st;
		bool apart = i > 0 && lstat(from, &st) == 0 && !S_ISREG(st.st_mode);
		own_mem char *to = apart ? xasprintf("%s/%s.damaged", root, files[i])
					 : xasprintf("%s/pod.db.damaged%s", root, files[i] + 6);

		if (rename(from, to) == -1 && errno != ENOENT)
			return err_sys(e, "moving %s", from);
	}
	return 0;
}

int
mend_renew(const char *root, const char *run_root, struct err *e)
{
	own_mem char *old_path = xasprintf("%s/pod.db.damaged", root);
	own_mem char *path = xasprintf("%s/pod.db", root);
	sqlite3 *old = NULL, *fresh = NULL;
	struct db *db;

	if (move_away(root, e) == -1 || db_open(root, run_root, &db, e) == -1)
		return -1;
	db_close(db);
	if (sqlite3_open_v2(path, &fresh, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_open_v2(old_path, &old, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		/* What refers to a row that was lost is refused. */
		sqlite3_db_config(fresh, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
		sqlite3_exec(fresh, "BEGIN IMMEDIATE", NULL, NULL, NULL);
		for (size_t i = 0; i < COUNTOF(tables); i++)
			salvage_rows(old, fresh, tables[i]);
		sqlite3_exec(fresh,
		    "DELETE FROM container WHERE id NOT IN (SELECT id FROM container_config);"
		    "COMMIT",
		    NULL, NULL, NULL);
	}
	sqlite3_close(old);
	sqlite3_close(fresh);
	return 0;
}
