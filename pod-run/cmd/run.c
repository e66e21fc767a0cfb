/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/base/warm.h"
#include "common/fs/lock.h"
#include "common/oci/auth.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/network.h"
#include "pod-run/life/create.h"
#include "pod-run/life/end.h"
#include "pod-run/life/image.h"
#include "pod-run/life/ports.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/runtime.h"
#include "pod-run/life/session.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_logging.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/state/event.h"

struct run_opts {
	struct spec_options spec;
	struct spec_options_run run;
};

struct foreground {
	struct create *c;
	struct start *s;
	const struct run_opts *o;
	int sock;
	struct session session;
};

/* Which streams: -a, else output and, with -i, input. */
static int
choose_streams(const struct run_opts *o, struct session *s, struct err *e)
{
	const struct strv *a = &o->spec.attach;

	s->out = s->err = a->n == 0;
	s->in = a->n == 0 && o->spec.interactive;
	/* The container has them itself. */
	if (spec_logging_passes(o->spec.log_driver)) {
		s->out = s->err = s->in = false;
		return 0;
	}
	if (session_choose(a, s, e) == -1)
		return -1;
	if (o->spec.tty)
		s->err = false;
	return 0;
}

static int
preserve(const struct run_opts *o, struct start *s, struct err *e)
{
	if (o->run.preserve_fd.n > 0 && o->run.preserve_fds > 0)
		return err_set(
		    e, ERR_INVALID, "cannot specify both --preserve-fds and --preserve-fd");
	if (o->run.preserve_fd.n + o->run.preserve_fds == 0)
		return 0;
	s->preserve_fds = o->run.preserve_fds;
	if (o->run.preserve_fd.n > 0)
		s->preserved = session_preserved_numbers(
		    &o->run.preserve_fd, &s->arena, &s->preserved_as, &s->preserve_fds, e);
	else
		s->preserved = session_preserved(s->preserve_fds, NULL, e);
	return s->preserved == -1 ? -1 : 0;
}

static int
prepare_streams(struct foreground *f, struct err *e)
{
	struct start *s = f->s;

	if (choose_streams(f->o, &f->session, e) == -1)
		return -1;
	if (f->o->spec.tty)
		session_size(&s->rows, &s->columns);
	if (preserve(f->o, s, e) == -1)
		return -1;
	if (f->o->run.detach)
		return 0;
	s->adopt = true;
	return session_pair(&f->sock, &s->attach, e);
}

/*
 * The container has ended: records that, and tells the monitor.  Somebody else may have removed it
 * meanwhile, and then there is nothing to do.
 */
static int
finish(struct foreground *f, struct err *e)
{
	struct ctx *x = f->c->x;
	struct end how = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = lock_acquire(x->lock_fd, f->c->ctr.id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	struct err gone = {0};
	bool stopping;

	if (lock == -1)
		return -1;
	if (ctr_load(ctx_db(x, e), f->c->ctr.id, &c, &gone) == -1) {
		unlinkat(x->lock_fd, f->c->ctr.id, 0);
	} else if (!f->session.exited || c.status == CTR_STOPPED) {
		/* We have not heard of its end, or somebody has seen it first and left it at that. */
		stopping = c.status == CTR_STOPPING;
		if (sync_look(x, &c) && c.status == CTR_STOPPED)
			event_died(x, &c, stopping);
		if (end_ctr(x, &c, &how, e) == -1)
			return -1;
		if (!f->session.exited)
			f->session.code = c.exit_code;
	} else if (c.pid == f->s->c->pid && end_with(x, &c, f->session.code, f->session.oom,
						f->session.exited_ns, &how, e) == -1) {
		return -1;
	}
	peer_send(f->s->monitor, &msg_monitor_cleaned_desc, 0, &(struct msg_monitor_cleaned){0}, e);
	fd_close(&lock);
	return session_status(f->session.code);
}

static int
attend(struct foreground *f, struct err *e)
{
	struct start *s = f->s;
	struct session *q = &f->session;
	struct err ignored = {0};

	q->sock = f->sock;
	q->monitor = s->monitor;
	q->dir = s->bundle;
	q->tty = f->o->spec.tty;
	q->detach_keys = f->o->run.detach_keys;
	q->sig_proxy = f->o->run.sig_proxy && !q->tty;
	q->pid = s->c->pid;
	q->pid_start = s->c->pid_start;
	fd_close(&s->attach);
	event_ctr(f->c->x, s->c, EVENT_ATTACH);
	fd_close(&f->c->lock);
	if (session_run(f->c->x, q, e) == -1)
		return -1;
	if (!q->detached)
		return finish(f, e);
	peer_send(s->monitor, &msg_monitor_release_desc, 0, &(struct msg_monitor_release){0}, e);
	if (session_left(q, s->c->id, e) == 0)
		return 0;
	/* As with Podman: what was to go at its end is not left to run unseen. */
	if (f->c->config.remove)
		remove_ctr(
		    f->c->x, s->c->id, &(struct remove){.force = true, .volumes = true}, &ignored);
	e->class = ERR_NOTEXEC;
	return -1;
}

/*
 * A container that never ran leaves nothing behind, so that the same line can be typed again once its
 * fault is mended.  As with Podman, whatever keeps a container from starting counts as its command
 * not being found or not being executable, by the words of the error.
 */
static int
give_up(struct create *c, struct err *e)
{
	/* Wrong words of the command line that are found out late. */
	static const char *const late[] = {"unable to find network", "loading seccomp profile",
	    "storage option ", "connecting to the journal"};
	bool missing =
	    (strstr(e->text, "not found") != NULL || strstr(e->text, "no such file") != NULL) &&
	    !text_has_prefix(e->text, "Failed to open log file");

	create_forget(c);
	for (size_t i = 0; i < COUNTOF(late); i++)
		if (text_has_prefix(e->text, late[i]))
			return -1;
	e->class = missing || e->class == ERR_NOCOMMAND ? ERR_NOCOMMAND : ERR_NOTEXEC;
	return -1;
}

static int
run_it(struct create *c, const struct run_opts *o, int argc, char **argv, struct err *e)
{
	own_start struct start s;
	struct foreground f = {.c = c, .s = &s, .o = o, .sock = -1};
	own_strv struct strv fresh = {0};
	own_fd int sock = -1;

	if (o->spec.tty && o->spec.interactive && !isatty(STDIN_FILENO))
		log_warn(
		    "The input device is not a TTY. The --tty and --interactive flags might not "
		    "work properly");
	start_init(&s, c->x, &c->ctr);
	if (image_stat_authfile(auth_named(o->spec.authfile), e) == -1 ||
	    create_read(c, argc, argv, e) == -1 || prepare_streams(&f, e) == -1)
		return -1;
	sock = f.sock;
	/* The helpers come up while we open the database, and work while we write into it. */
	if (start_helpers(&s, start_needs_net(&c->config), e) == -1 || create_ask(c, e) == -1 ||
	    ctx_db(c->x, e) == NULL || create_merge(c, e) == -1 ||
	    network_check(c->x, &c->config, e) == -1 || create_resolve(c, e) == -1)
		return -1;
	if (create_fresh_volumes(c, &fresh, e) == -1)
		return -1;
	if (start_begin(&s, e) == -1 || create_record(c, e) == -1) {
		start_forget(&s);
		return -1;
	}
	if (c->needs.n > 0 && start_run_needed(&s, e) == -1)
		return give_up(c, e);
	if (start_end(&s, e) == -1)
		return give_up(c, e);
	for (size_t i = 0; i < fresh.n; i++)
		event_named(c->x, EVENT_VOLUME, EVENT_CREATE, NULL, fresh.v[i]);
	if (!o->run.detach)
		return attend(&f, e);
	puts(c->ctr.id);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct run_opts *o = opts;
	own_create struct create c;

	warm_start();
	create_init(&c, ctx_of(cli), &o->spec);
	c.describe = inspect_document;
	return run_it(&c, o, argc, argv, e);
}

const struct cmd cmd_run = {
    .name = "run",
    .synopsis = "[options] IMAGE [COMMAND [ARG...]]",
    .brief = "Run a command in a new container",
    .text = "Runs a command in a new container from the given image",
    .examples = "run imageID ls -alF /etc\nrun --network=host imageID dnf -y install java\nrun "
		"--volume /var/hostdir:/var/ctrdir -i -t fedora /bin/bash",
    .opts = {{spec_options_rows, offsetof(struct run_opts, spec)},
	{spec_health_rows, offsetof(struct run_opts, spec.health)},
	{spec_options_run_rows, offsetof(struct run_opts, run)}},
    .opts_size = sizeof(struct run_opts),
    .min = 1,
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_IMAGE,
    .run = run,
};

/* --- create -------------------------------------------------------------------------------------*/

static int
create(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_create struct create c;
	own_runtime struct runtime runtime = {0};

	create_init(&c, ctx_of(cli), opts);
	c.describe = inspect_document;
	if (create_read(&c, argc, argv, e) == -1 || network_check(c.x, &c.config, e) == -1 ||
	    create_ask(&c, e) == -1 || create_merge(&c, e) == -1 || create_resolve(&c, e) == -1 ||
	    runtime_find(c.x, &c.config, &runtime, e) == -1)
		return -1;
	ports_choose(&c.config);
	if (create_record(&c, e) == -1)
		return -1;
	if (start_prepare_rootfs(c.x, &c.ctr, e) == -1 || create_volumes(&c, e) == -1) {
		create_forget(&c);
		return -1;
	}
	puts(c.ctr.id);
	return 0;
}

const struct cmd cmd_create = {
    .name = "create",
    .synopsis = "[options] IMAGE [COMMAND [ARG...]]",
    .brief = "Create but do not start a container",
    .text = "Creates a new container from the given image or storage and prepares it for running "
	    "the specified command.\n\n  The container ID is then printed to stdout. You can then "
	    "start it at any time with the podman start <container_id> command.",
    .examples = "create alpine ls\ncreate --annotation HELLO=WORLD alpine ls\ncreate -t -i --name "
		"myctr alpine ls",
    .opts = {{spec_options_rows, 0}, {spec_health_rows, offsetof(struct spec_options, health)}},
    .opts_size = sizeof(struct spec_options),
    .min = 1,
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_IMAGE,
    .run = create,
};
