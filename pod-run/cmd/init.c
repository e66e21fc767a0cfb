/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/start.h"
#include "pod-run/life/sync.h"

struct init_opts {
	bool all, latest;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct init_opts, all), .help = "Initialize all containers"},
    {"latest", 'l', OPT_BOOL(struct init_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_start struct start s;
	own_fd int lock = sync_open(x, id, &c, e);

	(void)arg;
	start_init(&s, x, &c);
	s.create_only = true;
	if (lock == -1)
		return -1;
	if (c.status != CTR_CONFIGURED && c.status != CTR_STOPPED && c.status != CTR_EXITED)
		return err_set(e, ERR_STATE,
		    "container %s has already been created in runtime: container state improper",
		    c.id);
	if (c.status == CTR_STOPPED && end_ctr(x, &c, &(struct end){.no_restart = true}, e) == -1)
		return -1;
	if (start_whole(&s, true, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct init_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .states = 1u << CTR_CONFIGURED | 1u << CTR_STOPPED | 1u << CTR_EXITED};

	return select_each(ctx_of(cli), &s, one, NULL, e);
}

const struct cmd cmd_init = {
    .name = "init",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Initialize one or more containers",
    .text = "Initialize one or more containers, creating the file system it will run on, and "
	    "leaving it ready to be started.",
    .examples = "init 3c45ef19d893\ninit test1",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct init_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
