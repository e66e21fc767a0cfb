/* SPDX-License-Identifier: ISC */
/*
 * Overlays that a program of the host makes, as fuse-overlayfs (storage.conf: mount_program), in the place of
 * the kernel's.  The mount is ours: detached, as any other, and it is the program's end when its last user goes.
 * The program gets what libfuse calls a mounted descriptor, by the name /dev/fd/3, and runs in role FUSE.
 */
#ifndef POD_FUSE_H
#define POD_FUSE_H

#include "pod-store/overlay.h"

/*
 * As overlay_mount, but for maps of owners, which no program has: o->userns is 0.  Returns when the program
 * answers, which it has some seconds for.
 */
int fuse_mount(const struct overlay *o, const char *program, struct err *e);

#endif
