/* SPDX-License-Identifier: ISC */
/*
 * What a command left that was killed between its first helper's work and the container's row: read-write
 * layers, bundles, locks, cgroups that belong to no container.
 */
#ifndef POD_ORPHANS_H
#define POD_ORPHANS_H

#include "pod-run/ctx.h"

/*
 * Removes those that have a bundle, which is nearly all and costs one look into a directory, or looks
 * everywhere.  Starts under way are left alone: each holds its lock from before its helpers are asked
 * for anything.
 */
void orphans_remove(struct ctx *x, bool everywhere);

#endif
