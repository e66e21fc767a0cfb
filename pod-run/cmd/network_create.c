/* SPDX-License-Identifier: ISC */
/*
 * network create.  Everything but the shape of the words is checked by pod-net.
 */
#include <stdio.h>

#include "common/base/own.h"
#include "common/cli/network_words.h"
#include "common/conf/network_hello.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/network.h"
#include "pod-run/state/event.h"

static int
create(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct network_words *o = opts;
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	struct ctx *x = ctx_of(cli);
	struct rec_network n;
	struct msg_net_create m = {
	    .network_dir = ctx_network_dir(x), .network = &n, .ignore = o->ignore};
	const struct containers_conf *conf = ctx_conf(x, e);
	own_peer_in struct peer_in before = {0};
	const struct rec_network *made;
	struct err ignored = {0};
	struct peer *net;
	bool there;

	if (conf == NULL || network_words_read(o, argc > 0 ? argv[0] : "", &n, &a, e) == -1 ||
	    network_hello_pools(conf, &m, &a, e) == -1)
		return -1;
	net = ctx_net(x, e);
	there = o->ignore && argc > 0 && network_list(x, argv[0], &before, &ignored) == 0;
	if (net == NULL || peer_call(net, &msg_net_create_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	made = &MSG_OF(&in, net_listed)->networks.v[0];
	if (!there)
		event_named(x, EVENT_NETWORK, EVENT_CREATE, made->id, made->name);
	puts(made->name);
	return 0;
}

const struct cmd cmd_network_create = {
    .name = "create",
    .synopsis = "[options] [NAME]",
    .brief = "Create networks for containers and pods",
    .text = "Create networks for containers and pods",
    .examples = "network create podman1\nnetwork create --subnet 10.80.0.0/24 --gateway 10.80.0.9 "
		"net2",
    .opts = {{network_words_rows, 0}},
    .opts_size = sizeof(struct network_words),
    .max = 1,
    .run = create,
};
