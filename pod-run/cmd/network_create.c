/* SPDX-License-Identifier: ISC */
/*
 * network create.  Everything but the shape of the words is checked by pod-net.
 */
#include <stdio.h>

#include "common/base/own.h"
#include "common/cli/network_words.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/network.h"
#include "pod-run/state/event.h"

/* [{base = "10.1.0.0/16", size = 24}, …] of containers.conf. */
static int
read_pools(struct ctx *x, struct msg_net_create *m, struct arena *a, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	json_t *pools, *one;
	size_t i;

	if (conf == NULL)
		return -1;
	pools = conf->network_default_subnet_pools;
	if (pools == NULL)
		return 0;
	m->pools.v = arena_array(a, json_array_size(pools), sizeof(*m->pools.v));
	json_array_foreach (pools, i, one) {
		struct rec_net_pool *p = &m->pools.v[m->pools.n++];
		int64_t size = 0;

		if (json_need_str(one, "base", &p->base, e) == -1 ||
		    json_need_int(one, "size", 1, 128, &size, e) == -1)
			return err_wrap(e, "default_subnet_pools[%zu]", i);
		p->size = (uint64_t)size;
	}
	return 0;
}

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
	own_peer_in struct peer_in before = {0};
	const struct rec_network *made;
	struct err ignored = {0};
	struct peer *net;
	bool there;

	if (network_words_read(o, argc > 0 ? argv[0] : "", &n, &a, e) == -1 ||
	    read_pools(x, &m, &a, e) == -1)
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
