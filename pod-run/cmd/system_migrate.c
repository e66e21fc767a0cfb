/* SPDX-License-Identifier: ISC */
/*
 * "system migrate", "system renumber" and the hidden "system locks".
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/end.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct migrate_opts {
	bool migrate_db;
	const char *new_runtime;
};

static const struct opt rows[] = {
    {"migrate-db", 0, OPT_BOOL(struct migrate_opts, migrate_db),
	.help = "Migrate database from BoltDB to SQLite"},
    {"new-runtime", 0, OPT_STRING(struct migrate_opts, new_runtime), .arg = "runtime",
	.help = "Specify a new runtime for all containers"},
    OPT_END,
};

static int
stop_one(struct ctx *x, const char *id, struct err *e)
{
	own_ctr struct ctr c = {0};
	struct end how = {.no_restart = true};
	own_fd int lock = sync_open(x, id, &c, e);

	if (lock == -1)
		return e->class == ERR_NOTFOUND ? (err_clear(e), 0) : -1;
	if (!ctr_has_process(&c))
		return 0;
	if (stop_ctr(x, &c, &lock, STOP_TIMEOUT_OWN, false, &how, e) == -1)
		return err_wrap(e, "stopping container %s", id);
	printf("stopped %s\n", id);
	return 0;
}

static int
change_runtime(struct ctx *x, const char *id, const char *runtime, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_runtime struct runtime r = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	if (lock == -1)
		return e->class == ERR_NOTFOUND ? (err_clear(e), 0) : -1;
	if (ctr_config(&c, e) == -1)
		return -1;
	c.config->runtime = runtime;
	if (runtime_find(x, c.config, &r, e) == -1)
		return -1;
	return ctr_save_config(ctx_db(x, e), &c, e);
}

/* Before anything is stopped. */
static int
check_runtime(struct ctx *x, const char *runtime, struct err *e)
{
	const struct rec_ctr_config any = {.runtime = runtime};
	own_runtime struct runtime r = {0};

	return runtime_find(x, &any, &r, e);
}

static int
migrate(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct migrate_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_strv struct strv ids = {0};
	struct db *db;

	(void)argc;
	(void)argv;
	if (ctx_paths(x, e) == -1 ||
	    (o->new_runtime != NULL && check_runtime(x, o->new_runtime, e) == -1))
		return -1;
	if (o->migrate_db) {
		puts("No BoltDB database found: the state has always been in SQLite.");
		return 0;
	}
	db = ctx_db(x, e);
	if (db == NULL || ctr_ids(db, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (stop_one(x, ids.v[i], e) == -1)
			return -1;
	for (size_t i = 0; o->new_runtime != NULL && i < ids.n; i++)
		if (change_runtime(x, ids.v[i], o->new_runtime, e) == -1)
			return -1;
	end_settle(x);
	return x->rootless.user ? rootless_end(x->run_root, e) : 0;
}

const struct cmd cmd_system_migrate = {
    .name = "migrate",
    .synopsis = "[options]",
    .brief = "Migrate containers",
    .text = "Stops all containers, so that they start again with what was changed since: a new "
	    "runtime, or other subordinate IDs of an ordinary user.",
    .examples = "system migrate\nsystem migrate --new-runtime runc",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct migrate_opts),
    .max = 0,
    .run = migrate,
};

/* --- Locks --------------------------------------------------------------------------------------*/

static int
renumber(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	struct orphans_keep keep = {.doubtful = true, .lost = true};

	(void)opts;
	(void)argc;
	(void)argv;
	if (ctx_paths(x, e) == -1)
		return -1;
	/* A lock is named after its container: two never have the same one, and only old names can be left. */
	orphans_remove(x, true, &keep);
	strv_free(&keep.ids);
	event_named(x, EVENT_SYSTEM, EVENT_RENUMBER, NULL, NULL);
	return 0;
}

const struct cmd cmd_system_renumber = {
    .name = "renumber",
    .synopsis = "",
    .brief = "Migrate lock numbers",
    .text = "Gives up the locks of containers that are gone.  Each container has a lock of its own "
	    "name, so that none needs another number.",
    .examples = "system renumber",
    .max = 0,
    .run = renumber,
};

static int
locks(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_dir DIR *d = NULL;
	struct dirent *n;

	(void)opts;
	(void)argc;
	(void)argv;
	if (ctx_paths(x, e) == -1)
		return -1;
	d = opendir(x->lock_dir);
	if (d == NULL)
		return err_sys(e, "opening %s", x->lock_dir);
	puts("\nNo lock conflicts have been detected.");
	while ((n = readdir(d)) != NULL)
		if (text_is_hex(n->d_name, NAMES_ID_LEN) && lock_is_held(x->lock_fd, n->d_name))
			printf("Lock %s is presently being held\n", n->d_name);
	return 0;
}

const struct cmd cmd_system_locks = {
    .name = "locks",
    .synopsis = "",
    .brief = "Debug locks",
    .text = "Shows the locks that are held at this moment.",
    .hidden = true,
    .max = 0,
    .run = locks,
};
