/* SPDX-License-Identifier: ISC */
/*
 * The command face: definitions of networks.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/network_words.h"
#include "pod-net/command.h"
#include "pod-net/manage.h"

static int
create(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct network_words *o = opts;
	const struct command_globals *g = ctx->globals;
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	struct rec_network wanted, made;
	struct msg_net_create m = {
	    .network_dir = g->config_dir, .network = &wanted, .ignore = o->ignore};

	if (network_words_read(o, argc > 0 ? argv[0] : "", &wanted, &a, e) == -1 ||
	    command_pools(&m, &a, e) != 0 || command_open(ctx, &n, e) != 0 ||
	    manage_create(&n, &m, &made, &a, e) != 0)
		return -1;
	puts(made.name);
	return 0;
}

const struct cmd command_create = {
    .name = "create",
    .synopsis = "[options] [NAME]",
    .brief = "Define a network",
    .examples = "create --subnet 10.80.0.0/24 web",
    .opts = {{network_words_rows}},
    .opts_size = sizeof(struct network_words),
    .max = 1,
    .run = create,
};

static int
remove_one(struct net *n, const char *dir, const char *word, struct err *e)
{
	if (manage_remove(n, dir, word, false, e) != 0)
		return -1;
	puts(word);
	return 0;
}

static int
remove_(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct command_globals *g = ctx->globals;
	own(net_close) struct net n = NET_CLOSED;

	(void)opts;
	if (command_open(ctx, &n, e) != 0)
		return -1;
	for (int i = 0; i < argc; i++)
		if (remove_one(&n, net_config_dir(&n, g->config_dir), argv[i], e) != 0)
			return -1;
	return 0;
}

const struct cmd command_remove = {
    .name = "remove",
    .aliases = "rm",
    .synopsis = "NETWORK [NETWORK...]",
    .brief = "Remove definitions of networks",
    .examples = "remove web",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_NETWORK,
    .run = remove_,
};

struct update_options {
	struct strv add, drop;
};

static const struct opt update_options[] = {
    {"dns-add", 0, OPT_COMMA(struct update_options, add), .arg = "address",
	.help = "Resolver to add; repeatable"},
    {"dns-drop", 0, OPT_COMMA(struct update_options, drop), .arg = "address",
	.help = "Resolver to take away; repeatable"},
    OPT_END,
};

static int
update(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct update_options *o = opts;
	const struct command_globals *g = ctx->globals;
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	struct rec_network made;
	struct msg_net_update m = {.network_dir = g->config_dir,
	    .name = argv[0],
	    .dns_add = {(const char **)o->add.v, o->add.n},
	    .dns_drop = {(const char **)o->drop.v, o->drop.n}};

	(void)argc;
	if (o->add.n + o->drop.n == 0)
		return err_set(e, ERR_USAGE, "at least one of --dns-add and --dns-drop is needed");
	return command_open(ctx, &n, e) != 0 || manage_update(&n, &m, &made, &a, e) != 0 ? -1 : 0;
}

const struct cmd command_update = {
    .name = "update",
    .synopsis = "[options] NETWORK",
    .brief = "Change the resolvers of a network",
    .examples = "update --dns-add 192.0.2.1 web",
    .opts = {{update_options}},
    .opts_size = sizeof(struct update_options),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_NETWORK,
    .run = update,
};

static int
drivers(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own(net_close) struct net n = NET_CLOSED;
	own_strv struct strv names = {0};

	(void)opts;
	(void)argc;
	(void)argv;
	if (command_open(ctx, &n, e) != 0)
		return -1;
	n.backend->drivers(&names);
	for (size_t i = 0; i < names.n; i++)
		puts(names.v[i]);
	return 0;
}

const struct cmd command_drivers = {
    .name = "drivers",
    .brief = "Name the drivers that networks can have",
    .examples = "drivers",
    .run = drivers,
};
