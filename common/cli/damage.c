/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "common/cli/damage.h"
#include "common/cli/value.h"

#define NS INT64_C(1000000000)

const struct opt damage_rows[] = {
    {"max", 'm', OPT_STRING(struct damage_opts, max), .arg = "duration", .def = "24h0m0s",
	.help = "Maximum allowed age of unreferenced layers"},
    {"quick", 'q', OPT_BOOL(struct damage_opts, quick),
	.help = "Skip time-consuming checks. The default is to include time-consuming checks"},
    {"repair", 'r', OPT_BOOL(struct damage_opts, repair), .help = "Remove inconsistent images"},
    OPT_END,
};

int
damage_request(const struct damage_opts *o, struct msg_store_check *out, struct err *e)
{
	int64_t max;

	if (value_duration(o->max, &max, e) == -1)
		return err_wrap(e, "invalid argument \"%s\" for \"-m, --max\" flag", o->max);
	*out = (struct msg_store_check){
	    .quick = o->quick, .max_age_s = (uint64_t)(max > 0 ? max / NS : 0)};
	return 0;
}

static int
ask(struct peer *store, const struct msg_store_check *m, struct peer_in *in, struct err *e)
{
	return peer_call(store, &msg_store_check_desc, m, in, NULL, NULL, e);
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

int
damage_look(struct peer *store, const struct msg_store_check *m, struct peer_in *in, struct err *e)
{
	if (ask(store, m, in, e) == -1)
		return -1;
	print_found(MSG_OF(in, store_checked));
	return 0;
}

int
damage_repair(
    struct peer *store, const struct msg_store_check *m, struct peer_in *left, struct err *e)
{
	own_peer_in struct peer_in done = {0};
	struct msg_store_check again = *m;
	const struct msg_store_checked *r;

	again.repair = true;
	if (ask(store, &again, &done, e) == -1)
		return -1;
	r = MSG_OF(&done, store_checked);
	for (size_t i = 0; i < r->removed.n; i++)
		printf("Deleted %s\n", r->removed.v[i]);
	again.repair = false;
	if (damage_look(store, &again, left, e) == -1)
		return -1;
	return MSG_OF(left, store_checked)->found.n == 0
		   ? 0
		   : err_set(e, ERR_INTEGRITY, "damage remains in local storage");
}
