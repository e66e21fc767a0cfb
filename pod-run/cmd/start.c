/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/warm.h"
#include "common/fs/lock.h"
#include "common/oci/attach.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/session.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct start_opts {
	bool all, attach, interactive, latest, sig_proxy;
	const char *detach_keys;
	struct strv filter;
	int status; /* of an attached container */
};

static const struct opt rows[] = {
    {"all", 0, OPT_BOOL(struct start_opts, all),
	.help = "Start all containers regardless of their state or configuration"},
    {"attach", 'a', OPT_BOOL(struct start_opts, attach),
	.help = "Attach container's STDOUT and STDERR"},
    {"detach-keys", 0, OPT_CALL(struct start_opts, detach_keys, detach_option), .arg = "sequence",
	.show = "ctrl-p,ctrl-q", .help = "Select the key sequence for detaching a container"},
    {"filter", 'f', OPT_LIST(struct start_opts, filter), .arg = "filter",
	.complete = COMPLETE_CHOICE, .choices = FILTER_CHOICES,
	.help = "Filter output based on conditions given"},
    {"interactive", 'i', OPT_BOOL(struct start_opts, interactive),
	.help = "Make STDIN available to the contained process"},
    {"latest", 'l', OPT_BOOL(struct start_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"sig-proxy", 0, OPT_BOOL(struct start_opts, sig_proxy), .def = "false", .show = "true",
	.help =
	    "Proxy received signals to the process (default true if attaching, false otherwise)"},
    OPT_END,
};

/* Records the end seen by an attached client; the monitor waits for our word. */
static int
finish(struct ctx *x, struct start *s, struct session *q, struct err *e)
{
	struct end how = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, s->c->id, &c, e);

	if (lock == -1 && e->class != ERR_NOTFOUND)
		return -1;
	if (lock != -1 && end_ctr(x, &c, &how, e) == -1)
		return -1;
	if (!q->exited && lock != -1)
		q->code = c.exit_code;
	err_clear(e);
	fd_close(&lock);
	peer_send(s->monitor, &msg_monitor_cleaned_desc, 0, &(struct msg_monitor_cleaned){0}, e);
	return 0;
}

static int
attend(struct ctx *x, struct start *s, int sock, struct start_opts *o, struct err *e)
{
	bool tty = s->c->config->tty;
	struct session q = {.sock = sock,
	    .monitor = s->monitor,
	    .dir = s->bundle,
	    .tty = tty,
	    .in = o->interactive && s->c->config->stdin_open,
	    .out = true,
	    .err = !tty,
	    .detach_keys = o->detach_keys,
	    .sig_proxy = o->sig_proxy && !tty,
	    .pid = s->c->pid,
	    .pid_start = s->c->pid_start};

	if (session_run(x, &q, e) == -1)
		return -1;
	if (q.detached) {
		peer_send(
		    s->monitor, &msg_monitor_release_desc, 0, &(struct msg_monitor_release){0}, e);
		return session_left(&q, s->c->id, e);
	}
	if (finish(x, s, &q, e) == -1)
		return -1;
	o->status = session_status(q.code);
	return 0;
}

/* What comes after it is done, by us or by the monitor, when we return. */
static int
see_end(struct ctx *x, const char *id, struct err *e)
{
	own_ctr struct ctr c = {0};
	struct end how = {0};
	own_fd int lock = sync_open(x, id, &c, e);

	if (lock == -1 && e->class == ERR_NOTFOUND)
		return err_clear(e), 0;
	if (lock == -1 || end_ctr(x, &c, &how, e) == -1)
		return -1;
	return 0;
}

/* start -a of a container that runs, or that has a monitor and waits for its start, is attach. */
static int
attach_existing(struct ctx *x, struct start *s, struct start_opts *o, int *lock, struct err *e)
{
	struct ctr *c = s->c;
	own_mem char *bundle = ctx_bundle(x, c->id);
	own_fd int sock = -1;
	struct session q = {.dir = bundle,
	    .out = true,
	    .detach_keys = o->detach_keys,
	    .sig_proxy = o->sig_proxy,
	    .pid = c->pid,
	    .pid_start = c->pid_start};

	if (ctr_config(c, e) == -1)
		return -1;
	q.tty = c->config->tty;
	q.err = !q.tty;
	q.in = o->interactive && c->config->stdin_open;
	sock = q.sock = attach_connect(bundle, e);
	if (sock == -1 || start_whole(s, true, e) == -1)
		return -1;
	event_ctr(x, c, EVENT_ATTACH);
	fd_close(lock);
	if (session_run(x, &q, e) == -1)
		return -1;
	if (q.detached)
		return session_left(&q, c->id, e);
	o->status = session_exit_status(x, c, e);
	return o->status == -1 ? -1 : see_end(x, c->id, e);
}

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	struct start_opts *o = arg;
	own_ctr struct ctr c = {0};
	own_start struct start s;
	own_fd int lock = sync_open(x, id, &c, e), ours = -1, theirs = -1;

	start_init(&s, x, &c);
	if (lock == -1)
		return -1;
	if (c.status == CTR_STOPPED && end_ctr(x, &c, &(struct end){.no_restart = true}, e) == -1)
		return -1;
	if (o->attach && (c.status == CTR_RUNNING || ctr_has_process(&c)))
		return attach_existing(x, &s, o, &lock, e);
	if (o->attach) {
		if (session_pair(&ours, &theirs, e) == -1)
			return -1;
		s.attach = theirs;
		s.adopt = true;
		session_size(&s.rows, &s.columns);
	}
	if (start_whole(&s, true, e) == -1)
		return -1;
	fd_close(&theirs);
	if (o->attach)
		event_ctr(x, &c, EVENT_ATTACH);
	fd_close(&lock);
	if (o->attach)
		return attend(x, &s, ours, o, e);
	puts(word);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct start_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .filters = &o->filter,
	    .narrow = true,
	    .states =
		1u << CTR_CONFIGURED | 1u << CTR_CREATED | 1u << CTR_STOPPED | 1u << CTR_EXITED};

	if (o->all && argc > 0)
		return err_set(e, ERR_USAGE,
		    "either start all containers or the container(s) provided in the arguments");
	if (argc == 0 && !o->all && !o->latest && o->filter.n == 0)
		return err_set(e, ERR_USAGE, "start requires at least one argument");
	/* -i alone attaches as well. */
	o->attach = o->attach || o->interactive;
	if (o->attach && (o->all || argc > 1))
		return err_set(
		    e, ERR_USAGE, "you cannot start and attach multiple containers at once");
	if (!o->attach && cmd_given(cli, "sig-proxy") && o->sig_proxy)
		return err_set(
		    e, ERR_USAGE, "you cannot use sig-proxy without --attach: invalid argument");
	if (o->attach && !cmd_given(cli, "sig-proxy"))
		o->sig_proxy = true;
	warm_start();
	if (select_each(ctx_of(cli), &s, one, o, e) == -1)
		return -1;
	return o->status;
}

const struct cmd cmd_start = {
    .name = "start",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Start one or more containers",
    .text = "Starts one or more containers.  The container name or ID can be used.",
    .examples = "start 860a4b231279 5421ab43b45\nstart --interactive --attach imageID",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct start_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
