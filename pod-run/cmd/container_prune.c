/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/container_prune.h"
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

int
container_prune_size(struct ctx *x, const char *id, uint64_t *rw, uint64_t *image, struct err *e)
{
	struct msg_rootfs_size m = {.id = id};
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e);

	*rw = *image = 0;
	if (store == NULL)
		return -1;
	if (peer_call(store, &msg_rootfs_size_desc, &m, &in, NULL, NULL, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	*rw = MSG_OF(&in, rootfs_size_r)->rw;
	*image = MSG_OF(&in, rootfs_size_r)->image;
	return 0;
}

static bool
is_over(const struct ctr *c)
{
	return c->status == CTR_EXITED || c->status == CTR_CONFIGURED || c->status == CTR_CREATED ||
	       c->status == CTR_STOPPED;
}

int
container_prune(
    struct ctx *x, const struct strv *filters, struct strv *removed, uint64_t *bytes, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	own_filter struct filter f = {0};
	struct remove how = {0};

	if (filter_parse(x, filters, &f, e) == -1 || sync_list(x, &l, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		struct ctr *c = &l.v[i];
		uint64_t rw = 0, image;
		bool match;

		if (filter_match(&f, c, &match, e) == -1)
			return -1;
		if (!match || !is_over(c))
			continue;
		if (bytes != NULL && container_prune_size(x, c->id, &rw, &image, e) == -1)
			return -1;
		if (remove_ctr(x, c->id, &how, e) == 0) {
			strv_add(removed, c->id);
			if (bytes != NULL)
				*bytes += rw;
		} else if (e->class != ERR_NOTFOUND && e->class != ERR_INUSE) {
			return -1;
		}
		err_clear(e);
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_filter struct filter f = {0};
	own_strv struct strv removed = {0};
	int r = 1;

	(void)argc;
	(void)argv;
	if (filter_parse(x, &o->filter, &f, e) == -1)
		return -1;
	if (!o->force)
		r = confirm_ask("WARNING! This will remove all non running containers.", e);
	if (r != 1)
		return r;
	r = container_prune(x, &o->filter, &removed, NULL, e);
	for (size_t i = 0; i < removed.n; i++)
		puts(removed.v[i]);
	end_sweep(x);
	return r;
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
