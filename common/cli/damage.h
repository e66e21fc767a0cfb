/* SPDX-License-Identifier: ISC */
/*
 * A look for damage in the store: the options, questions and answers that "pod system check" and "pod-store
 * check" have in common.
 */
#ifndef POD_DAMAGE_H
#define POD_DAMAGE_H

#include "common/cli/opt.h"
#include "common/wire/msg.h"
#include "common/wire/peer.h"

struct damage_opts {
	bool quick, repair;
	const char *max;
};

extern const struct opt damage_rows[];

/* The request that the options mean, to which only "repair" is added later. */
int damage_request(const struct damage_opts *o, struct msg_store_check *out, struct err *e);

/* Asks the store and prints what it found, a line for each on standard output; the answer is in in. */
int damage_look(
    struct peer *store, const struct msg_store_check *m, struct peer_in *in, struct err *e);

/*
 * Has it repaired or removed, and prints what was removed and what remains; -1 with ERR_INTEGRITY if anything does,
 * which is in left then.
 */
int damage_repair(
    struct peer *store, const struct msg_store_check *m, struct peer_in *left, struct err *e);

#endif
