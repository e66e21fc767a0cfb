/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/life/end.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/sync.h"

struct prune_opts {
	bool force;
	struct strv filter;
};

static const struct opt rows[] = {
    {"filter", 0, OPT_LIST(struct prune_opts, filter), .arg = "filters",
	.help = "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', OPT_BOOL(struct prune_opts, force),
	.help = "Do not prompt for confirmation.  The default is false"},
    OPT_END,
};

static bool
confirmed(void)
{
	char answer[16];

	fputs("WARNING! This will remove all non running containers.\n"
	      "Are you sure you want to continue? [y/N] ",
	    stdout);
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	       (answer[0] == 'y' || answer[0] == 'Y');
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_ctr_list struct ctr_list l = {0};
	own_filter struct filter f = {0};
	struct remove how = {0};

	(void)argc;
	(void)argv;
	if (filter_parse(x, &o->filter, &f, e) == -1)
		return -1;
	if (!o->force && !confirmed())
		return 0;
	if (sync_list(x, &l, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		struct ctr *c = &l.v[i];
		bool match;

		if (filter_match(&f, c, &match, e) == -1)
			return -1;
		if (!match || (c->status != CTR_EXITED && c->status != CTR_CONFIGURED &&
				  c->status != CTR_CREATED && c->status != CTR_STOPPED))
			continue;
		if (remove_ctr(x, c->id, &how, e) == 0)
			puts(c->id);
		else if (e->class != ERR_NOTFOUND && e->class != ERR_INUSE)
			return -1;
		err_clear(e);
	}
	end_sweep(x);
	return 0;
}

const struct cmd cmd_container_prune = {
    .name = "prune",
    .synopsis = "[options]",
    .brief = "Remove all non running containers",
    .text = "podman container prune\n\n\tRemoves all non running containers",
    .examples = "container prune\ncontainer prune --force",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct prune_opts),
    .max = 0,
    .run = run,
};
