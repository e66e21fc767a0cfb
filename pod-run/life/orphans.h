/* SPDX-License-Identifier: ISC */
/*
 * What a command left that was killed between its first helper's work and the container's row: read-write
 * layers, bundles, locks, cgroups that belong to no container.
 */
#ifndef POD_ORPHANS_H
#define POD_ORPHANS_H

#include "pod-run/ctx.h"

/*
 * Whole read-write layers, which may be all that is left of a container whose record was lost; which it was for certain
 * if there is what is only written beside a record.
 */
struct orphans_keep {
	bool doubtful;	    /* the others, too, are taken for such */
	uint64_t younger_s; /* but of these the younger ones only stay */
	bool lost;	    /* such stay */
	struct strv ids;    /* out: such; the caller frees */
};

/*
 * Removes those that have a bundle, which is nearly all and costs one look into a directory, or looks
 * everywhere.  Starts under way are left alone: each holds its lock from before its helpers are asked
 * for anything.  keep: NULL for nothing.
 */
void orphans_remove(struct ctx *x, bool everywhere, struct orphans_keep *keep);

/* Removes what is left of that one, unless it has a record or runs; was it done? */
bool orphans_remove_one(struct ctx *x, const char *id);

/* Adds the containers with a record whose read-write layer is gone. */
int orphans_layerless(struct ctx *x, struct strv *ids, struct err *e);

#endif
