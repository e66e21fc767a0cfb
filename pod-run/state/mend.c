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
	    .finish = "DELETE FROM container WHERE id NOT IN (SELECT id FROM container_config)"};

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
