/* SPDX-License-Identifier: ISC */
/*
 * Limits of what a container's read-write layer takes on disk, by the project quotas of XFS and ext4: all that is made
 * below the directory belongs to a project of its own.
 */
#ifndef POD_QUOTA_H
#define POD_QUOTA_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * Limits what comes to be below the empty directory dir, for the container id.  0: no limit.
 * ERR_UNSUPPORTED where there are no such quotas.
 */
int quota_set(int dir, const char *id, uint64_t bytes, uint64_t inodes, struct err *e);

#endif
