/* SPDX-License-Identifier: ISC */
/*
 * Which driver new root file systems are made with.  Where none is asked for it is overlay (driver_priority
 * may say otherwise), and vfs takes its place where the kernel or the file system refuses overlay.
 */
#ifndef POD_DRIVER_H
#define POD_DRIVER_H

#include "pod-store/store.h"

bool driver_is_vfs(const struct store *s);

/*
 * After overlay could not be mounted: may vfs take its place?  Then e is cleared, and driver_is_vfs is true from
 * now on.
 */
bool driver_falls_back(struct store *s, struct err *e);

/* For people; tries overlay if nobody has done so yet. */
const char *driver_name(struct store *s);

#endif
