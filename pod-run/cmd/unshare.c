/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/wire/peer.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"

struct options {
	bool rootless_netns;
};

/*
 * Enters the network namespace of the user's bridges.  What keeps it is left open for the command, as the
 * namespace must not end before it.
 */
static int
enter_netns(struct ctx *x, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_net_shared m = {0};
	struct peer *net = ctx_net(x, e);
	struct msg_net_shared_r *r;

	if (net == NULL || peer_call(net, &msg_net_shared_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	r = MSG_OF(&in, net_shared_r);
	if (setns(r->netns, CLONE_NEWNET) == -1 || fcntl(r->life, F_SETFD, 0) == -1)
		return err_sys(e, "entering the rootless network namespace");
	fd_take(&r->life);
	return 0;
}

/* The command takes our place, and so its exit status is ours. */
static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct options *o = opts;
	struct ctx *x = ctx_of(cli);
	char *shell = getenv("SHELL"), sh[] = "/bin/sh";
	char *alone[] = {shell != NULL && *shell != '\0' ? shell : sh, NULL};
	own_mem char **words = xcalloc((size_t)argc + 2, sizeof(*words));

	if (ctx_paths(x, e) == -1)
		return -1;
	if (!x->rootless.user)
		return err_set(e, ERR_UNSUPPORTED, "please use unshare with rootless");
	if (o->rootless_netns && enter_netns(x, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	if (argc == 0)
		words[0] = alone[0];
	setenv("CONTAINERS_GRAPHROOT", x->graph_root, 1);
	setenv("CONTAINERS_RUNROOT", x->run_root, 1);
	execvp(words[0], words);
	return err_set(e, errno == ENOENT ? ERR_NOCOMMAND : ERR_NOTEXEC, "exec: \"%s\": %s",
	    words[0], errno == ENOENT ? "executable file not found in $PATH" : "permission denied");
}

static const struct opt options[] = {
    {"rootless-netns", 0, OPT_BOOL(struct options, rootless_netns),
	.help = "Join the rootless network namespace of bridge networks"},
    OPT_END,
};

const struct cmd cmd_unshare = {
    .name = "unshare",
    .synopsis = "[options] [COMMAND [ARG...]]",
    .brief = "Run a command in a modified user namespace",
    .text = "Runs a command in a modified user namespace.",
    .examples = "unshare id\nunshare cat /proc/self/uid_map\nunshare --rootless-netns ip addr",
    .opts = {{options}},
    .opts_size = sizeof(struct options),
    .max = CMD_ANY,
    .stop_at_operand = true,
    .run = run,
};
