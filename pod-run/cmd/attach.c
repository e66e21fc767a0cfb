/* SPDX-License-Identifier: ISC */
#include "common/oci/attach.h"

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/session.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

struct attach_opts {
	bool latest, no_stdin, sig_proxy;
	const char *detach_keys;
};

static const struct opt rows[] = {
    {"detach-keys", 0, OPT_CALL(struct attach_opts, detach_keys, detach_option), .arg = "sequence",
	.show = "ctrl-p,ctrl-q", .help = "Select the key sequence for detaching a container"},
    {"latest", 'l', OPT_BOOL(struct attach_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"no-stdin", 0, OPT_BOOL(struct attach_opts, no_stdin), .help = "Do not attach STDIN"},
    {"sig-proxy", 0, OPT_BOOL(struct attach_opts, sig_proxy), .def = "true",
	.help = "Proxy received signals to the process"},
    OPT_END,
};

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct attach_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_ctr struct ctr c = {0};
	own_mem char *bundle = NULL;
	own_fd int lock = -1, sock = -1;
	char id[NAMES_ID_LEN + 1];
	struct session q;

	if (argc == 0 && !o->latest)
		return select_none(cli, e);
	if (argc > 1)
		return err_set(e, ERR_USAGE, "`%s attach` accepts at most one argument", cli->prog);
	if (select_one(x, argc > 0 ? argv[0] : NULL, o->latest, id, e) == -1)
		return -1;
	lock = sync_open(x, id, &c, e);
	if (lock == -1 || ctr_config(&c, e) == -1)
		return -1;
	if (c.status != CTR_RUNNING)
		return err_set(e, ERR_STATE, "you can only attach to running containers");
	bundle = ctx_bundle(x, id);
	sock = attach_connect(bundle, e);
	if (sock == -1)
		return -1;
	event_ctr(x, &c, EVENT_ATTACH);
	fd_close(&lock);
	q = (struct session){.sock = sock,
	    .dir = bundle,
	    .tty = c.config->tty,
	    .in = !o->no_stdin && c.config->stdin_open,
	    .out = true,
	    .err = !c.config->tty,
	    .detach_keys = o->detach_keys,
	    .sig_proxy = o->sig_proxy && !c.config->tty,
	    .pid = c.pid,
	    .pid_start = c.pid_start};
	if (session_run(x, &q, e) == -1)
		return -1;
	return q.detached ? session_left(&q, c.id, e) : session_exit_status(x, &c, e);
}

const struct cmd cmd_attach = {
    .name = "attach",
    .synopsis = "[options] CONTAINER",
    .brief = "Attach to a running container",
    .text = "Attaches the current terminal's standard input, output, and error (or any combination "
	    "of the three) to a running container.",
    .examples = "attach ctrID\nattach 1234\nattach --no-stdin foobar",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct attach_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
