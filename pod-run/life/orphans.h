/* SPDX-License-Identifier: ISC */
/*
 * What a command left that was killed between its first helper's work and the container's row: read-write
 * layers, bundles, locks, cgroups that belong to no container.
 */
#ifndef POD_ORPHANS_H
#define POD_ORPHANS_H

#include "pod-run/ctx.h"

/* Whole read-write layers, which may be all that is left of a container whose record was lost. */
struct orphans_keep {
	uint64_t younger_s; /* stay */
	bool older;	    /* so do the others */
	struct strv ids;    /* out: of the others; the caller frees */
};

/*
 * Removes those that have a bundle, which is nearly all and costs one look into a directory, or looks
 * everywhere.  Starts under way are left alone: each holds its lock from before its helpers are asked
 * for anything.  keep: NULL for nothing.
 */
void orphans_remove(struct ctx *x, bool everywhere, struct orphans_keep *keep);

/* Removes what is left of that one, unless it has a record or runs; was it done? */
bool orphans_remove_one(struct ctx *x, const char *id);

#endif
