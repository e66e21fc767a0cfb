/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/value.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/orphans.h"
#include "pod-run/life/remove.h"

#define NS INT64_C(1000000000)

struct check_opts {
	bool force, quick, repair;
	const char *max;
};

static const struct opt rows[] = {
    {"force", 'f', OPT_BOOL(struct check_opts, force),
	.help = "Remove inconsistent images and containers"},
    {"max", 'm', OPT_STRING(struct check_opts, max), .arg = "duration", .def = "24h0m0s",
	.help = "Maximum allowed age of unreferenced layers"},
    {"quick", 'q', OPT_BOOL(struct check_opts, quick),
	.help = "Skip time-consuming checks. The default is to include time-consuming checks"},
    {"repair", 'r', OPT_BOOL(struct check_opts, repair), .help = "Remove inconsistent images"},
    OPT_END,
};

static int
ask(struct ctx *x, struct msg_store_check *m, struct peer_in *in, struct err *e)
{
	struct peer *store = ctx_store(x, e);

	return store == NULL ? -1 : peer_call(store, &msg_store_check_desc, m, in, NULL, NULL, e);
}

static bool
is_kind(const struct rec_damage *d, const char *kind)
{
	return strcmp(d->kind, kind) == 0 && d->id != NULL;
}

static void
print_found(const struct msg_store_checked *r)
{
	for (size_t i = 0; i < r->found.n; i++) {
		const struct rec_damage *d = &r->found.v[i];

		if (d->id != NULL)
			printf("Damage detected in %s %s: %s\n", d->kind, d->id, d->text);
		else
			printf("Damage detected in the %s: %s\n", d->kind, d->text);
	}
}

/* Read-write layers of containers that nobody knows are left over, not damaged. */
static int
remove_containers(struct ctx *x, const struct msg_store_checked *r, struct err *e)
{
	struct remove how = {.force = true, .timeout_s = 0};

	for (size_t i = 0; i < r->found.n; i++) {
		const struct rec_damage *d = &r->found.v[i];

		if (!is_kind(d, "container"))
			continue;
		if (remove_ctr(x, d->id, &how, e) == 0) {
			printf("Deleted container %s\n", d->id);
			continue;
		}
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
	}
	return 0;
}

static int
repair(struct ctx *x, const struct check_opts *o, struct msg_store_check *m,
    const struct msg_store_checked *seen, struct err *e)
{
	own_peer_in struct peer_in done = {0}, after = {0};
	const struct msg_store_checked *r;

	if (o->force && remove_containers(x, seen, e) == -1)
		return -1;
	m->repair = true;
	if (ask(x, m, &done, e) == -1)
		return -1;
	r = MSG_OF(&done, store_checked);
	for (size_t i = 0; i < r->removed.n; i++)
		printf("Deleted %s\n", r->removed.v[i]);
	m->repair = false;
	m->quick = true;
	if (ask(x, m, &after, e) == -1)
		return -1;
	r = MSG_OF(&after, store_checked);
	if (r->found.n == 0)
		return 0;
	print_found(r);
	err_set(e, ERR_INTEGRITY, "damage remains in local storage");
	return o->force
		   ? -1
		   : err_hint(e, "Containers stand on it; with --force they are removed, too.");
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct check_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	struct msg_store_check m = {.quick = o->quick};
	char why[512];
	int64_t max;
	int r;

	(void)argc;
	(void)argv;
	if (value_duration(o->max, &max, e) == -1)
		return err_wrap(e, "invalid argument \"%s\" for \"-m, --max\" flag", o->max);
	m.max_age_s = (uint64_t)(max > 0 ? max / NS : 0);
	x->repairs = o->repair || o->force;
	if (ctx_paths(x, e) == -1)
		return -1;
	r = ctx_database_check(x, o->quick, why, sizeof(why), e);
	if (r == -1)
		return -1;
	if (r == 0)
		printf("Damage detected in the database of containers: %s\n", why);
	else
		orphans_remove(x, true);
	if (ask(x, &m, &in, e) == -1)
		return -1;
	print_found(MSG_OF(&in, store_checked));
	if (MSG_OF(&in, store_checked)->found.n == 0 && r == 1)
		return 0;
	if (!x->repairs)
		return err_set(e, ERR_INTEGRITY, "damage detected in local storage");
	return repair(x, o, &m, MSG_OF(&in, store_checked), e);
}

const struct cmd cmd_system_check = {
    .name = "check",
    .synopsis = "[options]",
    .brief = "Check storage consistency",
    .text = "Check storage for consistency and remove anything that looks damaged",
    .examples = "system check\nsystem check --repair --max 1h",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct check_opts),
    .max = 0,
    .run = run,
};
