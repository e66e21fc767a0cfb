/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct kill_opts {
	bool all, latest;
	const char *signal;
	struct strv cidfile;
	int number;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct kill_opts, all), .help = "Signal all running containers"},
    {"cidfile", 0, OPT_LIST(struct kill_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"latest", 'l', OPT_BOOL(struct kill_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"signal", 's', OPT_STRING(struct kill_opts, signal), .arg = "signal", .def = "KILL",
	.complete = COMPLETE_SIGNAL, .help = "Signal to send to the container"},
    OPT_END,
};

/* After SIGKILL the end is waited for and recorded, so that the next command finds it so. */
static int
wait_for_end(struct ctx *x, struct ctr *c, int *lock, struct err *e)
{
	struct end how = {0};

	fd_close(lock);
	stop_wait(x, c, 10000);
	*lock = sync_open(x, c->id, c, e);
	if (*lock == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	return end_ctr(x, c, &how, e);
}

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct kill_opts *o = arg;
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	if (lock == -1)
		return -1;
	if (c.status != CTR_RUNNING && c.status != CTR_STOPPING && c.status != CTR_PAUSED)
		return err_set(e, ERR_STATE,
		    "can only kill running containers. %s is in state %s: container state improper",
		    c.id, ctr_status_name(c.status));
	c.stopped_by_user = true;
	if (ctr_save(ctx_db(x, e), &c, e) == -1 || stop_signal(&c, o->number, e) == -1)
		return -1;
	event_ctr(x, &c, EVENT_KILL);
	if (o->number == SIGKILL && wait_for_end(x, &c, &lock, e) == -1)
		return -1;
	puts(word);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct kill_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .cidfiles = &o->cidfile,
	    .states = 1u << CTR_RUNNING | 1u << CTR_STOPPING | 1u << CTR_PAUSED};

	if (sig_parse(o->signal, &o->number, e) == -1)
		return -1;
	return select_each(ctx_of(cli), &s, one, o, e);
}

const struct cmd cmd_kill = {
    .name = "kill",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Kill one or more running containers with a specific signal",
    .text = "The main process inside each container specified will be sent SIGKILL, or any signal "
	    "specified with option --signal.",
    .examples = "kill mywebserver\nkill 860a4b23\nkill --signal TERM ctrID",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct kill_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
