/* SPDX-License-Identifier: ISC */
/*
 * The command face: what changes while a namespace is joined to networks.
 */
#include <stdio.h>

#include "common/base/own.h"
#include "common/cli/output.h"
#include "pod-net/command.h"
#include "pod-net/connect.h"
#include "pod-net/firewalld.h"
#include "pod-net/netns.h"

static int
print_joined(const struct msg_net_connected *r, struct err *e)
{
	own_json json_t *o =
	    command_joined(r->interfaces.v, r->interfaces.n, &r->dns_servers, r->host_address);

	return output_json(o, stdout, e);
}

struct connect_options {
	const char *name, *interface, *mac;
	struct strv ips, aliases;
};

static const struct opt connect_options[] = {
    {"alias", 0, OPT_COMMA(struct connect_options, aliases), .arg = "name",
	.help = "Further name on the network; repeatable"},
    {"interface", 0, OPT_STRING(struct connect_options, interface), .arg = "name",
	.help = "Name of the interface; ethN if not given"},
    {"ip", 0, OPT_LIST(struct connect_options, ips), .arg = "address",
	.help = "Address on the network; repeatable"},
    {"mac-address", 0, OPT_STRING(struct connect_options, mac), .arg = "address",
	.help = "Hardware address"},
    {"name", 0, OPT_STRING(struct connect_options, name), .arg = "name",
	.help = "Container name, which the network answers"},
    OPT_END,
};

static int
connect_(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct connect_options *o = opts;
	const struct command_globals *g = ctx->globals;
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	own_fd int netns = netns_open(argv[2], e);
	struct rec_network x;
	struct rec_net_attach at = {.interface = o->interface,
	    .static_ips = {(const char **)o->ips.v, o->ips.n},
	    .static_mac = o->mac,
	    .aliases = {(const char **)o->aliases.v, o->aliases.n}};
	struct msg_net_connect m = {.id = argv[1],
	    .name = o->name,
	    .netns = netns,
	    .attach = {.v = &at, .n = 1},
	    .network_dir = g->config_dir};
	struct msg_net_connected r;

	(void)argc;
	if (netns < 0 || command_open(ctx, &n, e) != 0 ||
	    net_find(&n, net_config_dir(&n, g->config_dir), argv[0], &x, &a, e) != 0)
		return -1;
	at.network = x.name;
	if (connect_container(&n, &m, &r, &a, e) == 0)
		return print_joined(&r, e);
	net_tidy(&n, true);
	return -1;
}

const struct cmd command_connect = {
    .name = "connect",
    .synopsis = "[options] NETWORK ID NETNS",
    .brief = "Join a namespace that was set up to a further network",
    .examples = "connect --alias db back web1 /run/netns/web1",
    .opts = {{connect_options}},
    .opts_size = sizeof(struct connect_options),
    .min = 3,
    .max = 3,
    .complete = COMPLETE_NETWORK,
    .run = connect_,
};

static int
disconnect(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	own_fd int netns = netns_open(argv[2], e);
	struct msg_net_connected r;

	(void)opts;
	(void)argc;
	if (netns < 0 || command_open(ctx, &n, e) != 0 ||
	    connect_leave(&n, argv[1], netns, argv[0], &r, &a, e) != 0)
		return -1;
	net_tidy(&n, true);
	return print_joined(&r, e);
}

const struct cmd command_disconnect = {
    .name = "disconnect",
    .synopsis = "NETWORK ID NETNS",
    .brief = "Take a namespace off a network",
    .examples = "disconnect back web1 /run/netns/web1",
    .min = 3,
    .max = 3,
    .complete = COMPLETE_NETWORK,
    .run = disconnect,
};

struct reload_options {
	bool follow;
};

static const struct opt reload_rows[] = {
    {"follow", 'f', OPT_BOOL(struct reload_options, follow),
	.help = "Stay, and do so again each time firewalld has reloaded its rules"},
    OPT_END,
};

struct reload {
	struct cli_ctx *ctx;
	struct strs ids;
};

static int
reload_these(void *arg, struct err *e)
{
	own(net_close) struct net n = NET_CLOSED;
	const struct reload *r = arg;

	if (command_open(r->ctx, &n, e) != 0)
		return -1;
	return r->ids.n > 0 ? connect_reload(&n, &r->ids, e) : connect_reload_all(&n, e);
}

static int
reload(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct reload_options *o = opts;
	struct reload r = {ctx, {(const char **)argv, (size_t)argc}};

	return o->follow ? firewalld_follow(reload_these, &r, e) : reload_these(&r, e);
}

const struct cmd command_reload = {
    .name = "reload",
    .synopsis = "[OPTIONS] [ID...]",
    .brief = "Restore the packet filter of all containers, or of those named",
    .examples = "reload\nreload --follow",
    .opts = {{reload_rows}},
    .opts_size = sizeof(struct reload_options),
    .max = CMD_ANY,
    .run = reload,
};
