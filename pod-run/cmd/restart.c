/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct restart_opts {
	bool all, latest, running;
	int64_t time;
	struct strv cidfile, filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct restart_opts, all), .help = "Restart all non-running containers"},
    {"cidfile", 0, OPT_LIST(struct restart_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"filter", 'f', OPT_LIST(struct restart_opts, filter), .arg = "filter",
	.complete = COMPLETE_CHOICE, .choices = FILTER_CHOICES,
	.help = "Filter output based on conditions given"},
    {"latest", 'l', OPT_BOOL(struct restart_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"running", 0, OPT_BOOL(struct restart_opts, running),
	.help = "Restart only running containers"},
    {"time", 't', OPT_INT(struct restart_opts, time), .bits = 32, .arg = "seconds", .def = "-2",
	.show = "10", .alias = "timeout",
	.help = "Seconds to wait for stop before killing the container"},
    OPT_END,
};

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct restart_opts *o = arg;
	own_ctr struct ctr c = {0};
	own_start struct start s;
	struct end how = {.no_restart = true};
	own_fd int lock = sync_open(x, id, &c, e);

	start_init(&s, x, &c);
	if (lock != -1)
		event_ctr(x, &c, EVENT_RESTART);
	if (lock == -1 || stop_ctr(x, &c, &lock, o->time, false, &how, e) == -1)
		return -1;
	if (how.removed)
		return err_set(e, ERR_NOTFOUND,
		    "no container with ID %s found in database: no such container", id);
	if (start_whole(&s, true, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct restart_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all || (o->running && argc == 0),
	    .latest = o->latest,
	    .cidfiles = &o->cidfile,
	    .filters = &o->filter,
	    .states = o->running ? 1u << CTR_RUNNING : 0};

	return select_each(ctx_of(cli), &s, one, o, e);
}

const struct cmd cmd_restart = {
    .name = "restart",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Restart one or more containers",
    .text = "Restarts one or more running containers. The container ID or name can be used.\n\n  "
	    "A timeout before forcibly stopping can be set, but defaults to 10 seconds.",
    .examples = "restart ctrID\nrestart ctrID1 ctrID2",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct restart_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
