/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"

struct stop_opts {
	bool all, ignore, latest, service;
	int64_t time;
	struct strv cidfile, filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct stop_opts, all), .help = "Stop all running containers"},
    {"cidfile", 0, OPT_LIST(struct stop_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"filter", 'f', OPT_LIST(struct stop_opts, filter), .arg = "filter",
	.complete = COMPLETE_CHOICE, .choices = FILTER_CHOICES,
	.help = "Filter output based on conditions given"},
    {"ignore", 'i', OPT_BOOL(struct stop_opts, ignore),
	.help = "Ignore errors when a specified container is missing"},
    {"latest", 'l', OPT_BOOL(struct stop_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"service", 0, OPT_BOOL(struct stop_opts, service), .flags = OPT_HIDDEN,
	.help = "The stop does not count as the user's wish"},
    {"time", 't', OPT_INT(struct stop_opts, time), .bits = 32, .arg = "seconds", .def = "-2",
	.show = "10", .alias = "timeout",
	.help = "Seconds to wait for stop before killing the container"},
    OPT_END,
};

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct stop_opts *o = arg;
	own_ctr struct ctr c = {0};
	struct end how = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	/* One that looked ended may have been about to be restarted; of the rest there is nothing to say. */
	if (lock != -1 && o->all && c.status == CTR_EXITED && !stop_announced(x, id))
		return 0;
	if (lock == -1 || stop_ctr(x, &c, &lock, o->time, !o->service, &how, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
announce(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct stop_opts *o = arg;

	(void)word;
	return stop_announce(x, id, o->time, !o->service, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct stop_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .ignore = o->ignore,
	    .cidfiles = &o->cidfile,
	    .filters = &o->filter,
	    .states = 1u << CTR_RUNNING | 1u << CTR_STOPPING};

	if (o->filter.n > 0 && !o->all)
		s.states = 0;
	select_before(ctx_of(cli), &s, announce, o);
	if (o->all)
		s.states |= 1u << CTR_STOPPED | 1u << CTR_EXITED;
	return select_each(ctx_of(cli), &s, one, o, e);
}

const struct cmd cmd_stop = {
    .name = "stop",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Stop one or more containers",
    .text = "Stops one or more running containers.  The container name or ID can be used.\n\n  "
	    "A timeout to forcibly stop the container can also be set but defaults to 10 seconds "
	    "otherwise.",
    .examples = "stop ctrID\nstop --time 2 wonderful_bell",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct stop_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
