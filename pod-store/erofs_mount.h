/* SPDX-License-Identifier: ISC */
/* Layers that are EROFS images over their own tar, as mounts. */
#ifndef POD_EROFS_MOUNT_H
#define POD_EROFS_MOUNT_H

#include "common/base/err.h"

/* Mounts base/path, an image with its tar beside it, detached.  userns: as in overlay.h, or 0. */
int erofs_mount(int base, const char *path, int userns, struct err *e);

#endif
