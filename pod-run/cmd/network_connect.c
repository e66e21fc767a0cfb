/* SPDX-License-Identifier: ISC */
/*
 * network connect, disconnect, reload, update: what changes while containers run.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/join.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/networks.h"
#include "pod-run/state/event.h"

static void
tell(struct ctx *x, struct ctr *c, enum event_status status, const char *network)
{
	struct event ev = {
	    .type = EVENT_NETWORK, .status = status, .id = c->id, .network = network};

	event_write(x, &ev);
}

/* The name of the network that word means. */
static int
full_name(struct ctx *x, const char *word, struct peer_in *in, const char **name, struct err *e)
{
	if (network_list(x, word, in, e) == -1)
		return -1;
	*name = MSG_OF(in, net_listed)->networks.v[0].name;
	return 0;
}

/* --- connect ------------------------------------------------------------------------------------*/

struct connect_opts {
	struct strv alias;
	const char *ip, *ip6, *mac;
};

static const struct opt connect_rows[] = {
    {"alias", 0, OPT_COMMA(struct connect_opts, alias), .arg = "alias",
	.help = "Add network-scoped alias for the container"},
    {"ip", 0, OPT_STRING(struct connect_opts, ip), .arg = "address",
	.help = "Set a static ipv4 address for this container network"},
    {"ip6", 0, OPT_STRING(struct connect_opts, ip6), .arg = "address",
	.help = "Set a static ipv6 address for this container network"},
    {"mac-address", 0, OPT_STRING(struct connect_opts, mac), .arg = "address",
	.help = "Set a static mac address for this container network"},
    OPT_END,
};

static int
check_address(const char *option, const char *s, int family, struct err *e)
{
	uint8_t raw[16];

	if (s == NULL || inet_pton(family, s, raw) == 1)
		return 0;
	return err_set(e, ERR_USAGE,
	    "invalid argument \"%s\" for \"%s\" flag: failed to parse IP: %s", s, option, s);
}

static int
connect_(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct connect_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = -1;
	const char *ips[2];
	struct rec_net_attach at = {.static_ips = {.v = ips}, .static_mac = o->mac};

	(void)argc;
	if (check_address("--ip", o->ip, AF_INET, e) == -1 ||
	    check_address("--ip6", o->ip6, AF_INET6, e) == -1)
		return -1;
	if (o->ip != NULL)
		ips[at.static_ips.n++] = o->ip;
	if (o->ip6 != NULL)
		ips[at.static_ips.n++] = o->ip6;
	at.aliases = (struct strs){(const char **)o->alias.v, o->alias.n};
	at.network = argv[0];
	if (x->remote != NULL)
		return networks_connect(x->remote, &at, argv[1], e);
	lock = sync_open_word(x, argv[1], &c, e);
	if (lock == -1 || full_name(x, argv[0], &in, &at.network, e) == -1)
		return -1;
	if (join_connect(x, &c, &at, e) == -1)
		return -1;
	tell(x, &c, EVENT_CONNECT, at.network);
	return 0;
}

const struct cmd cmd_network_connect = {
    .name = "connect",
    .synopsis = "[options] NETWORK CONTAINER",
    .brief = "Add container to a network",
    .text = "Add container to a network",
    .examples = "network connect web secondary\nnetwork connect --alias db web secondary",
    .opts = {{connect_rows, 0}},
    .opts_size = sizeof(struct connect_opts),
    .min = 2,
    .max = 2,
    .complete = COMPLETE_NETWORK,
    .run = connect_,
};

/* --- disconnect ---------------------------------------------------------------------------------*/

struct disconnect_opts {
	bool force;
};

static const struct opt disconnect_rows[] = {
    {"force", 'f', OPT_BOOL(struct disconnect_opts, force),
	.help = "force removal of container from network"},
    OPT_END,
};

static int
disconnect(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct disconnect_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = -1;
	const char *network;

	(void)argc;
	if (x->remote != NULL)
		return networks_disconnect(x->remote, argv[0], argv[1], o->force, e);
	lock = sync_open_word(x, argv[1], &c, e);
	if (lock == -1 || full_name(x, argv[0], &in, &network, e) == -1 ||
	    join_disconnect(x, &c, network, o->force, e) == -1)
		return -1;
	tell(x, &c, EVENT_DISCONNECT, network);
	return 0;
}

const struct cmd cmd_network_disconnect = {
    .name = "disconnect",
    .synopsis = "[options] NETWORK CONTAINER",
    .brief = "Disconnect a container from a network",
    .text = "Remove container from a network",
    .examples = "network disconnect web secondary",
    .opts = {{disconnect_rows, 0}},
    .opts_size = sizeof(struct disconnect_opts),
    .min = 2,
    .max = 2,
    .complete = COMPLETE_NETWORK,
    .run = disconnect,
};

/* --- reload -------------------------------------------------------------------------------------*/

struct reload_opts {
	bool all, latest;
};

static const struct opt reload_rows[] = {
    {"all", 'a', OPT_BOOL(struct reload_opts, all),
	.help = "Reload network configuration of all containers"},
    {"latest", 'l', OPT_BOOL(struct reload_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

static int
reload_one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct reload_opts *o = arg;
	own_peer_in struct peer_in in = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);
	const char *ids[] = {id};
	struct msg_net_reload m = {.containers = {.v = ids, .n = 1}};
	struct peer *net;

	(void)word;
	if (lock == -1)
		return -1;
	if (!ctr_has_process(&c))
		return o->all ? 0
			      : err_set(e, ERR_STATE,
				    "cannot reload network unless container network has been "
				    "configured: container state improper");
	net = ctx_net(x, e);
	if (net == NULL || peer_call(net, &msg_net_reload_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	puts(id);
	return 0;
}

static int
reload(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct reload_opts *o = opts;
	struct select s = {.argc = argc, .argv = argv, .all = o->all, .latest = o->latest};

	return select_each(ctx_of(cli), &s, reload_one, o, e);
}

const struct cmd cmd_network_reload = {
    .name = "reload",
    .synopsis = "[options] [CONTAINER...]",
    .brief = "Reload firewall rules for one or more containers",
    .text = "reload container networks, recreating firewall rules",
    .examples = "network reload --latest\nnetwork reload 3c13ef6dd843\nnetwork reload test1 test2",
    .opts = {{reload_rows, 0}},
    .opts_size = sizeof(struct reload_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = reload,
};

/* --- update -------------------------------------------------------------------------------------*/

struct update_opts {
	struct strv add, drop;
};

static const struct opt update_rows[] = {
    {"dns-add", 0, OPT_COMMA(struct update_opts, add), .arg = "ip",
	.help = "add network level nameservers"},
    {"dns-drop", 0, OPT_COMMA(struct update_opts, drop), .arg = "ip",
	.help = "remove network level nameservers"},
    OPT_END,
};

static int
update(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct update_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	struct msg_net_update m = {.network_dir = ctx_network_dir(x), .name = argv[0]};
	struct peer *net;

	(void)argc;
	if (o->add.n + o->drop.n == 0)
		return err_set(e, ERR_USAGE, "at least one of --dns-add and --dns-drop is needed");
	m.dns_add = (struct strs){(const char **)o->add.v, o->add.n};
	m.dns_drop = (struct strs){(const char **)o->drop.v, o->drop.n};
	net = ctx_net(x, e);
	if (net == NULL || peer_call(net, &msg_net_update_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	event_named(x, EVENT_NETWORK, EVENT_UPDATE, MSG_OF(&in, net_listed)->networks.v[0].id,
	    MSG_OF(&in, net_listed)->networks.v[0].name);
	return 0;
}

const struct cmd cmd_network_update = {
    .name = "update",
    .synopsis = "[options] NETWORK",
    .brief = "Update an existing podman network",
    .text = "Update networks for containers and pods",
    .examples = "network update podman1 --dns-add 192.168.55.33,1.1.1.1",
    .opts = {{update_rows, 0}},
    .opts_size = sizeof(struct update_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_NETWORK,
    .run = update,
};
