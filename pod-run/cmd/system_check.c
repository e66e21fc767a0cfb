/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/damage.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/remove.h"

struct check_opts {
	bool force;
	struct damage_opts common;
};

static const struct opt rows[] = {
    {"force", 'f', OPT_BOOL(struct check_opts, force),
	.help = "Remove inconsistent images and containers"},
    OPT_END,
};

static bool
is_kind(const struct rec_damage *d, const char *kind)
{
	return strcmp(d->kind, kind) == 0 && d->id != NULL;
}

/* Also those that have no record: else their read-write layers would keep the images. */
static int
remove_containers(struct ctx *x, const struct msg_store_checked *r, struct err *e)
{
	struct remove how = {.force = true, .timeout_s = 0};

	for (size_t i = 0; i < r->found.n; i++) {
		const struct rec_damage *d = &r->found.v[i];

		if (!is_kind(d, "container"))
			continue;
		if (remove_ctr(x, d->id, &how, e) == -1) {
			if (e->class != ERR_NOTFOUND)
				return -1;
			err_clear(e);
			if (!orphans_remove_one(x, d->id))
				continue;
		}
		printf("Deleted container %s\n", d->id);
	}
	return 0;
}

static int
repair(struct ctx *x, struct peer *store, const struct check_opts *o,
    const struct msg_store_check *m, const struct peer_in *seen, struct err *e)
{
	own_peer_in struct peer_in left = {0}, last = {0};

	if (o->force && remove_containers(x, MSG_OF(seen, store_checked), e) == -1)
		return -1;
	if (damage_repair(store, m, &left, e) == 0)
		return 0;
	if (e->class != ERR_INTEGRITY)
		return -1;
	if (!o->force)
		return err_hint(e, "Containers stand on it; with --force they are removed, too.");
	/* An index that broke off did not tell of them before it was repaired. */
	err_clear(e);
	return remove_containers(x, MSG_OF(&left, store_checked), e) == 0
		   ? damage_repair(store, m, &last, e)
		   : -1;
}

/* How many were found and are still there. */
static size_t
look_for_lost(struct ctx *x, const struct msg_store_check *m)
{
	struct orphans_keep keep = {.younger_s = m->max_age_s, .older = !x->repairs};
	size_t left = 0;

	orphans_remove(x, true, &keep);
	for (size_t i = 0; i < keep.ids.n; i++) {
		printf("Damage detected in container %s: its record is missing\n", keep.ids.v[i]);
		if (x->repairs)
			printf("Deleted container %s\n", keep.ids.v[i]);
		else
			left++;
	}
	strv_free(&keep.ids);
	return left;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct check_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	struct msg_store_check m;
	struct peer *store;
	char why[512];
	size_t lost = 0;
	int r;

	(void)argc;
	(void)argv;
	if (damage_request(&o->common, &m, e) == -1)
		return -1;
	x->repairs = o->common.repair || o->force;
	if (ctx_paths(x, e) == -1)
		return -1;
	r = ctx_database_check(x, m.quick, why, sizeof(why), e);
	if (r == -1)
		return -1;
	if (r == 0)
		printf("Damage detected in the database of containers: %s\n", why);
	else
		lost = look_for_lost(x, &m);
	store = ctx_store(x, e);
	if (store == NULL || damage_look(store, &m, &in, e) == -1)
		return -1;
	if (MSG_OF(&in, store_checked)->found.n == 0 && r == 1 && lost == 0)
		return 0;
	if (!x->repairs)
		return err_set(e, ERR_INTEGRITY, "damage detected in local storage");
	return repair(x, store, o, &m, &in, e);
}

const struct cmd cmd_system_check = {
    .name = "check",
    .synopsis = "[options]",
    .brief = "Check storage consistency",
    .text = "Check storage for consistency and remove anything that looks damaged",
    .examples = "system check\nsystem check --repair --max 1h",
    .opts = {{rows, 0}, {damage_rows, offsetof(struct check_opts, common)}},
    .opts_size = sizeof(struct check_opts),
    .max = 0,
    .run = run,
};
