/* SPDX-License-Identifier: ISC */
/*
 * "container cleanup": run by the monitor when a container has ended and nobody waits for it.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/exec.h"

struct cleanup_opts {
	bool all, latest, rm, rmi, stopped_only;
	const char *exec;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct cleanup_opts, all), .help = "Cleans up all containers"},
    {"exec", 0, OPT_STRING(struct cleanup_opts, exec), .arg = "session",
	.help = "Clean up the given exec session instead of the container"},
    {"latest", 'l', OPT_BOOL(struct cleanup_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"rm", 0, OPT_BOOL(struct cleanup_opts, rm),
	.help = "After cleanup, remove the container entirely"},
    {"rmi", 0, OPT_BOOL(struct cleanup_opts, rmi),
	.help = "After cleanup, remove the image entirely"},
    {"stopped-only", 0, OPT_BOOL(struct cleanup_opts, stopped_only), .flags = OPT_HIDDEN,
	.help = "Only clean up when the container is in the stopped state"},
    OPT_END,
};

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct cleanup_opts *o = arg;
	own_ctr struct ctr c = {0};
	struct end how = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	if (lock == -1 || ctr_config(&c, e) == -1)
		return -1;
	if (o->exec != NULL)
		return exec_finish(x, c.id, o->exec, e);
	if (!o->stopped_only && ctr_status_is_live(c.status))
		return err_set(e, ERR_STATE,
		    "container %s is running or paused, refusing to clean up: container state "
		    "improper",
		    c.id);
	c.config->remove = c.config->remove || o->rm;
	c.config->remove_image = c.config->remove_image || o->rmi;
	if (end_ctr(x, &c, &how, e) == -1)
		return -1;
	/* One that has ended before is only taken away, but not by its monitor. */
	if (!o->stopped_only && (o->rm || o->rmi) && !how.removed && !how.restarted &&
	    end_remove(x, &c, true, e) == -1)
		return -1;
	/* The monitor's cleanup speaks to nobody. */
	if (!o->stopped_only)
		puts(word);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct cleanup_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .ignore = o->stopped_only};

	if (o->exec != NULL && (o->all || o->latest || argc != 1))
		return err_set(e, ERR_USAGE, "exec flag can only be used with one container");
	/* After "system reset", which does not wait for monitors, there is nothing to clean up. */
	x->makes_nothing = o->stopped_only;
	if (o->stopped_only && ctx_paths(x, e) == -1) {
		if (!x->is_gone)
			return -1;
		err_clear(e);
		return 0;
	}
	if (select_each(x, &s, one, o, e) == -1)
		return -1;
	end_settle(x);
	/* Only the monitor waits for us. */
	if (o->stopped_only)
		db_checkpoint(ctx_db(x, e));
	return 0;
}

const struct cmd cmd_container_cleanup = {
    .name = "cleanup",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Clean up network and mountpoints of one or more containers",
    .text = "Cleans up mount points and network stacks on one or more containers from the host. "
	    "The container name or ID can be used. This command is used internally when running "
	    "containers, but can also be used if container cleanup has failed when a container "
	    "exits.",
    .examples = "container cleanup ctrID1 ctrID2",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct cleanup_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
