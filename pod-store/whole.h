/* SPDX-License-Identifier: ISC */
/*
 * The driver vfs: root file systems as whole copies of their image's tree, for where overlay cannot be
 * mounted.  rw/CONTAINER/root takes the place of upper/ and work/.  Layers are kept as for overlay, so
 * that images do not differ, and a container keeps the driver it was made with.
 */
#ifndef POD_WHOLE_H
#define POD_WHOLE_H

#include <stdbool.h>

#include "common/base/mem.h"
#include "pod-store/owners.h"
#include "pod-store/store.h"

/* Was the read-write layer rw ("rw/ID") made by this driver? */
bool whole_is(const struct store *s, const char *rw);

/* Makes rw/root of the layers, lowest first; owners are shifted by the map.  Complete or not there. */
int whole_make(struct store *s, const char *rw, const struct strv *layers, const struct owners *map,
    struct err *e);

/* A detached mount of the directory dir alone, which is borrowed. */
int whole_mount(int dir, bool read_only, struct err *e);

/* The container's root as a directory. */
int whole_open(struct store *s, const char *rw, struct err *e);

/*
 * What a container changed against the tree below, as an upper directory of overlay would hold it, in
 * area/changes: files are further names of the container's own.  Returns it open.
 */
int whole_changes(int area, int root, int below, const struct owners *map, struct err *e);

#endif
