/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct pause_opts {
	bool all, latest;
	struct strv cidfile, filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct pause_opts, all), .help = "Act on all containers in that state"},
    {"cidfile", 0, OPT_LIST(struct pause_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"filter", 'f', OPT_LIST(struct pause_opts, filter), .arg = "filter",
	.complete = COMPLETE_CHOICE, .choices = FILTER_CHOICES,
	.help = "Filter output based on conditions given"},
    {"latest", 'l', OPT_BOOL(struct pause_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static int
change(struct ctx *x, struct ctr *c, const char *command, enum ctr_status to, struct err *e)
{
	own_runtime struct runtime r = {0};

	if (ctr_config(c, e) == -1 || runtime_find(x, c->config, &r, e) == -1 ||
	    runtime_call(&r, command, NULL, c->id, e) == -1)
		return -1;
	c->status = to;
	event_ctr(x, c, to == CTR_PAUSED ? EVENT_PAUSE : EVENT_UNPAUSE);
	return ctr_save(ctx_db(x, e), c, e);
}

static int
one_pause(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	(void)arg;
	if (lock == -1)
		return -1;
	if (c.status == CTR_PAUSED)
		return err_set(
		    e, ERR_STATE, "\"%s\" is already paused: container state improper", c.id);
	if (c.status != CTR_RUNNING)
		return err_set(e, ERR_STATE,
		    "\"%s\" is not running, can't pause: container state improper",
		    ctr_status_name(c.status));
	if (change(x, &c, "pause", CTR_PAUSED, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
one_unpause(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	(void)arg;
	if (lock == -1)
		return -1;
	if (c.status != CTR_PAUSED)
		return err_set(e, ERR_STATE,
		    "\"%s\" is not paused, can't unpause: container state improper", c.id);
	if (change(x, &c, "resume", CTR_RUNNING, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
run_any(struct cli_ctx *cli, struct pause_opts *o, int argc, char **argv, enum ctr_status from,
    select_fn *fn, struct err *e)
{
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .cidfiles = &o->cidfile,
	    .filters = &o->filter,
	    .states = 1u << from};

	return select_each(ctx_of(cli), &s, fn, o, e);
}

static int
run_pause(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	return run_any(cli, opts, argc, argv, CTR_RUNNING, one_pause, e);
}

static int
run_unpause(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	return run_any(cli, opts, argc, argv, CTR_PAUSED, one_unpause, e);
}

const struct cmd cmd_pause = {
    .name = "pause",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Pause all the processes in one or more containers",
    .text = "Pauses one or more running containers.  The container name or ID can be used.",
    .examples = "pause mywebserver\npause 860a4b23\npause --all",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct pause_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run_pause,
};

const struct cmd cmd_unpause = {
    .name = "unpause",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Unpause the processes in one or more containers",
    .text = "Unpauses one or more previously paused containers.  The container name or ID can be "
	    "used.",
    .examples = "unpause ctrID\nunpause --all",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct pause_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run_unpause,
};
