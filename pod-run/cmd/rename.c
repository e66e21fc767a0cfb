/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/end.h"
#include "pod-run/life/sync.h"
#include "pod-run/state/event.h"

/* Others find the container by its name. */
static int
rename_on_networks(struct ctx *x, const char *id, const char *name, struct err *e)
{
	own_mem char *state = xasprintf("%s/net/containers/%s", x->run_root, id);
	struct msg_net_rename m = {.id = id, .name = name};
	own_peer_in struct peer_in in = {0};
	struct peer *net;

	if (access(state, F_OK) != 0)
		return 0;
	net = ctx_net(x, e);
	return net != NULL ? peer_call(net, &msg_net_rename_desc, &m, &in, NULL, NULL, e) : -1;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_ctr struct ctr c = {0};
	own_fd int lock = -1;

	(void)opts;
	(void)argc;
	if (!names_is_valid(argv[1]))
		return err_set(e, ERR_INVALID, NAMES_RULE);
	lock = sync_open_word(x, argv[0], &c, e);
	if (lock == -1)
		return -1;
	/* Out of a network that is just being taken away nobody would take the new name again. */
	if (end_await_net(x, c.id, e) == -1 || ctr_save_name(ctx_db(x, e), &c, argv[1], e) == -1)
		return -1;
	c.name = argv[1];
	event_ctr(x, &c, EVENT_RENAME);
	return rename_on_networks(x, c.id, argv[1], e);
}

const struct cmd cmd_rename = {
    .name = "rename",
    .synopsis = "CONTAINER NAME",
    .brief = "Rename an existing container",
    .text = "The podman rename command allows you to rename an existing container",
    .examples = "rename containerA newName\nrename containerID newName",
    .min = 2,
    .max = 2,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
