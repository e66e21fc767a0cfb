/* SPDX-License-Identifier: ISC */
/*
 * What a command left that was killed between its first helper's work and the container's row: read-write
 * layers, bundles, locks, cgroups that belong to no container.
 */
#ifndef POD_ORPHANS_H
#define POD_ORPHANS_H

#include "pod-run/ctx.h"

/*
 * Removes them all.  Starts under way are left alone: each holds its lock from before its helpers are
 * asked for anything.  end_settle is to be called before the command ends.
 */
void orphans_remove(struct ctx *x);

#endif
