/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/container_prune.h"
#include "pod-run/cmd/image_prune.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/life/end.h"
#include "pod-run/life/orphans.h"
#include "pod-run/remote/upkeep.h"

struct prune_opts {
	bool all, build, external, force, volumes;
	struct strv filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct prune_opts, all), .help = "Remove all unused data"},
    {"build", 0, OPT_BOOL(struct prune_opts, build),
	.help = "Remove persistent build data that an interrupted build left"},
    {"external", 0, OPT_BOOL(struct prune_opts, external),
	.help = "Remove container data in storage not controlled by podman"},
    {"filter", 0, OPT_LIST(struct prune_opts, filter), .arg = "filters",
	.help = "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', OPT_BOOL(struct prune_opts, force),
	.help = "Do not prompt for confirmation.  The default is false"},
    {"volumes", 0, OPT_BOOL(struct prune_opts, volumes), .help = "Prune volumes"},
    OPT_END,
};

/* 1: go on. */
static int
confirmed(const struct prune_opts *o, struct err *e)
{
	own_mem char *warning = NULL;

	if (o->force)
		return 1;
	warning = xasprintf("WARNING! This command removes:\n"
			    "\t- all stopped containers\n"
			    "\t- all networks not used by at least one container\n"
			    "%s"
			    "\t- all %s\n"
			    "%s",
	    o->volumes ? "\t- all volumes not used by at least one container\n" : "",
	    o->all ? "images without at least one container associated with them"
		   : "dangling images",
	    o->build ? "\t- all data of interrupted builds\n" : "");
	return confirm_ask(warning, e);
}

/* 1: go on. */
static int
confirmed_external(const struct prune_opts *o, struct err *e)
{
	return o->force ? 1
			: confirm_ask("WARNING! This command removes:\n"
				      "\t- all data in storage of no known container\n",
			      e);
}

static void
print_removed(const char *what, const struct strv *ids)
{
	if (ids->n == 0)
		return;
	printf("Deleted %s\n", what);
	for (size_t i = 0; i < ids->n; i++)
		puts(ids->v[i]);
}

/*
 * What crashes left in the store; before anything else goes, so that nothing is counted twice.
 * Read-write layers are left to orphans_remove, which knows whose they are.
 */
static int
sweep(struct ctx *x, uint64_t *bytes, struct err *e)
{
	struct msg_store_sweep m = {0};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	end_sweep(x);
	orphans_remove(x, true, NULL);
	if (store == NULL || peer_call(store, &msg_store_sweep_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	*bytes += MSG_OF(&in, store_swept)->bytes;
	return 0;
}

static int
prune(struct ctx *x, const struct prune_opts *o, uint64_t *bytes, struct err *e)
{
	own_strv struct strv containers = {0}, volumes = {0}, images = {0};
	own_strv struct strv networks = {0};
	int r = container_prune(x, &o->filter, &containers, bytes, e);

	end_sweep(x);
	print_removed("Containers", &containers);
	if (r == -1)
		return -1;
	r = network_prune(x, &o->filter, &networks, e);
	print_removed("Networks", &networks);
	if (r == -1)
		return -1;
	if (o->volumes) {
		r = volume_row_prune(x, true, false, &o->filter, &volumes, e);
		print_removed("Volumes", &volumes);
		if (r == -1)
			return -1;
	}
	r = image_prune(x, o->all, &o->filter, &images, bytes, e);
	print_removed("Images", &images);
	return r;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	uint64_t bytes = 0;
	char text[HUMAN_MAX];
	int r;

	(void)argc;
	(void)argv;
	if (o->external && (o->all || o->build || o->volumes || o->filter.n > 0))
		return err_set(e, ERR_USAGE, "--external cannot be combined with other options");
	r = o->external ? confirmed_external(o, e) : confirmed(o, e);
	if (r != 1)
		return r;
	if (x->remote != NULL)
		return upkeep_prune(x->remote, o->all, o->volumes, &o->filter, e);
	if (sweep(x, &bytes, e) == -1 || (!o->external && prune(x, o, &bytes, e) == -1))
		return -1;
	printf("Total reclaimed space: %s\n", human_size((double)bytes, text, sizeof(text)));
	return 0;
}

const struct cmd cmd_system_prune = {
    .name = "prune",
    .synopsis = "[options]",
    .brief = "Remove unused data",
    .text = "podman system prune\n\n\tRemove unused data",
    .examples = "system prune\nsystem prune --all --force --volumes",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct prune_opts),
    .max = 0,
    .run = run,
};
