/* SPDX-License-Identifier: ISC */
/*
 * Volumes that are more than a directory of the store: mounted by options (type, device, o), of an image, of a
 * plug-in.  They are mounted when the first container that uses them starts, and given back after the last.
 */
#ifndef POD_VOLUMES_H
#define POD_VOLUMES_H

#include "pod-run/ctx.h"

/* Checks driver and options of a volume to be made, and fills in what they say (owner, first use). */
int volumes_check(struct ctx *x, struct rec_volume *v, struct arena *a, struct err *e);

/* Has the plug-in of v, if it is of one, make or remove it. */
int volumes_plugin_create(struct ctx *x, const struct rec_volume *v, struct err *e);
int volumes_plugin_remove(struct ctx *x, const struct rec_volume *v, struct err *e);

/* True if v is a plain directory: nothing has to be done for its use. */
bool volumes_is_plain(const struct rec_volume *v);
bool volumes_is_image(const struct rec_volume *v);
bool volumes_is_plugin(const struct rec_volume *v);

/*
 * Makes v usable for user (an ID that the release repeats).  Mounting it again is no error.  *path is its
 * directory then; not for volumes of images.
 */
int volumes_mount(struct ctx *x, const struct rec_volume *v, const char *user, const char **path,
    struct arena *a, struct err *e);

/* The opposite.  A volume that a running container uses stays mounted. */
int volumes_unmount(struct ctx *x, const struct rec_volume *v, const char *user, struct err *e);

/* The record of a volume by its exact name: 1 found, 0 none, -1. */
int volumes_find(
    struct ctx *x, const char *name, struct rec_volume *out, struct arena *a, struct err *e);

/* After the end of container id: gives back the named volumes. */
void volumes_release(struct ctx *x, const char *id, const struct strs *names);

#endif
