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
remove_container(struct ctx *x, const char *id, struct err *e)
{
	struct remove how = {.force = true, .timeout_s = 0};

	if (remove_ctr(x, id, &how, e) == -1) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		if (!orphans_remove_one(x, id))
			return 0;
	}
	printf("Deleted container %s\n", id);
	return 0;
}

static int
remove_containers(struct ctx *x, const struct msg_store_checked *r, struct err *e)
{
	for (size_t i = 0; i < r->found.n; i++)
		if (is_kind(&r->found.v[i], "container") &&
		    remove_container(x, r->found.v[i].id, e) == -1)
			return -1;
	return 0;
}

static int
remove_layerless(struct ctx *x, const struct strv *ids, struct err *e)
{
	for (size_t i = 0; i < ids->n; i++)
		if (remove_container(x, ids->v[i], e) == -1)
			return -1;
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
	struct orphans_keep keep = {
	    .doubtful = true, .younger_s = m->max_age_s, .lost = !x->repairs};
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

/* Containers that are left when the store is well again. */
static int
remain(const struct check_opts *o, const struct strv *layerless, struct err *e)
{
	if (layerless->n == 0 || o->force)
		return 0;
	err_set(e, ERR_INTEGRITY, "damage remains in local storage");
	return err_hint(e, "What these containers wrote is lost; with --force they are removed.");
}

static int
look_for_layerless(struct ctx *x, struct strv *ids, struct err *e)
{
	if (orphans_layerless(x, ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids->n; i++)
		printf("Damage detected in container %s: its read-write layer is missing\n",
		    ids->v[i]);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct check_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_strv struct strv layerless = {0};
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
	if ((r == 1 || x->repairs) && look_for_layerless(x, &layerless, e) == -1)
		return -1;
	store = ctx_store(x, e);
	if (store == NULL || damage_look(store, &m, &in, e) == -1)
		return -1;
	if (MSG_OF(&in, store_checked)->found.n == 0 && r == 1 && lost == 0 && layerless.n == 0)
		return 0;
	if (!x->repairs)
		return err_set(e, ERR_INTEGRITY, "damage detected in local storage");
	if (o->force && remove_layerless(x, &layerless, e) == -1)
		return -1;
	return repair(x, store, o, &m, &in, e) == 0 ? remain(o, &layerless, e) : -1;
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
