/* SPDX-License-Identifier: ISC */
/*
 * What the mounts of a container hide of its image.
 */
#ifndef POD_COVERED_H
#define POD_COVERED_H

#include <stdbool.h>

#include "common/base/mem.h"
#include "common/wire/msg.h"

/*
 * True if a mount covers path, which is clean: there, or above it.  Those that the user or the image asked for;
 * or all, those of every container among them.
 */
bool covered_path(const struct rec_ctr_config *c, bool all, const char *path);

/*
 * The homes of accounts of the host that the user's mounts cover.  Only local files are asked, and only if the
 * container may get lines of such accounts.
 */
void covered_homes(const struct rec_ctr_config *c, struct strs *out, struct arena *a);

#endif
