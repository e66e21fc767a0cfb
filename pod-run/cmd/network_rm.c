/* SPDX-License-Identifier: ISC */
/*
 * network rm, prune.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/removal.h"
#include "pod-run/life/join.h"
#include "pod-run/life/remove.h"
#include "pod-run/state/event.h"

static int
remove_network(struct ctx *x, const struct rec_network *n, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_net_remove m = {.network_dir = ctx_network_dir(x), .name = n->name};
	struct peer *net = ctx_net(x, e);

	if (net == NULL || peer_call(net, &msg_net_remove_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	event_named(x, EVENT_NETWORK, EVENT_REMOVE, n->id, n->name);
	return 0;
}

/* --- rm -----------------------------------------------------------------------------------------*/

struct rm_opts {
	bool force;
	int64_t time;
};

static const struct opt rm_rows[] = {
    {"force", 'f', OPT_BOOL(struct rm_opts, force), .help = "remove any containers using network"},
    {"time", 't', OPT_INT(struct rm_opts, time), .bits = 32, .arg = "seconds", .def = "10",
	.alias = "timeout",
	.help = "Seconds to wait for running containers to stop before killing the container"},
    OPT_END,
};

static int
remove_users(struct ctx *x, const char *name, const struct rm_opts *o, struct err *e)
{
	own_strv struct strv users = {0};
	struct remove how = {.force = true, .volumes = true, .depend = true, .timeout_s = o->time};

	if (join_users(x, name, &users, e) == -1)
		return -1;
	if (users.n > 0 && !o->force)
		return err_set(e, ERR_INUSE,
		    "\"%s\" has associated containers with it. Use -f to forcibly delete "
		    "containers and pods: network is being used",
		    name);
	for (size_t i = 0; i < users.n; i++)
		if (remove_ctr(x, users.v[i], &how, e) == -1) {
			if (e->class != ERR_NOTFOUND)
				return -1;
			err_clear(e);
		}
	return 0;
}

static int
rm_one(struct ctx *x, const char *word, const struct rm_opts *o, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct containers_conf *conf = ctx_conf(x, e);
	const struct rec_network *n;

	if (conf == NULL || network_list(x, word, &in, e) == -1)
		return -1;
	n = &MSG_OF(&in, net_listed)->networks.v[0];
	if (strcmp(n->name, conf->network_default_network) == 0)
		return err_set(e, ERR_INVALID, "default network %s cannot be removed", n->name);
	return remove_users(x, n->name, o, e) == -1 ? -1 : remove_network(x, n, e);
}

static int
rm(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	int status = 0;

	if (cmd_given(cli, "time") && !o->force)
		return err_set(
		    e, ERR_USAGE, "--force option must be specified to use the --time option");
	for (int i = 0; i < argc; i++)
		if (rm_one(ctx_of(cli), argv[i], o, e) == 0)
			puts(argv[i]);
		else
			removal_refused(e, o->force, &status);
	return status;
}

const struct cmd cmd_network_rm = {
    .name = "rm",
    .aliases = "remove",
    .synopsis = "[options] NETWORK [NETWORK...]",
    .brief = "Remove networks",
    .text = "Remove networks",
    .examples = "network rm podman1",
    .opts = {{rm_rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_NETWORK,
    .run = rm,
};

/* --- prune --------------------------------------------------------------------------------------*/

struct prune_opts {
	bool force;
	struct strv filter;
};

static const struct opt prune_rows[] = {
    {"filter", 0, OPT_LIST(struct prune_opts, filter), .arg = "filters",
	.help = "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', OPT_BOOL(struct prune_opts, force), .help = "do not prompt for confirmation"},
    OPT_END,
};

int
network_prune(struct ctx *x, const struct strv *filters, struct strv *removed, struct err *e)
{
	own_terms struct terms terms = {0};
	own_peer_in struct peer_in in = {0};
	const struct containers_conf *conf = ctx_conf(x, e);
	const struct msg_net_listed *l;

	if (conf == NULL || terms_parse(x, network_prune_keys, filters, &terms, e) == -1 ||
	    network_list(x, NULL, &in, e) == -1)
		return -1;
	l = MSG_OF(&in, net_listed);
	for (size_t i = 0; i < l->networks.n; i++) {
		const struct rec_network *n = &l->networks.v[i];
		own_strv struct strv users = {0};

		if (strcmp(n->name, conf->network_default_network) == 0 || !terms_match(&terms, n))
			continue;
		if (join_users(x, n->name, &users, e) == -1)
			return -1;
		if (users.n > 0)
			continue;
		if (remove_network(x, n, e) == 0) {
			strv_add(removed, n->name);
			continue;
		}
		/* By a container that is just being started. */
		if (e->class != ERR_INUSE)
			return -1;
		err_clear(e);
	}
	return 0;
}

static int
prune(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	own_strv struct strv removed = {0};
	int r;

	(void)argc;
	(void)argv;
	if (!o->force) {
		r = confirm_ask("WARNING! This will remove all networks not used by at least one "
				"container.",
		    e);
		if (r != 1)
			return r;
	}
	r = network_prune(ctx_of(cli), &o->filter, &removed, e);
	for (size_t i = 0; i < removed.n; i++)
		puts(removed.v[i]);
	return r;
}

const struct cmd cmd_network_prune = {
    .name = "prune",
    .synopsis = "[options]",
    .brief = "Prune unused networks",
    .text = "Prune unused networks",
    .examples = "network prune\nnetwork prune --force",
    .opts = {{prune_rows, 0}},
    .opts_size = sizeof(struct prune_opts),
    .max = 0,
    .run = prune,
};
