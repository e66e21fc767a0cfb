/* SPDX-License-Identifier: ISC */
/*
 * How a layer lies in its directory layers/LAYER, which each layer tells by itself:
 *
 *	dir	diff/, its files, and tar.index, to make its tar stream of them again
 *	erofs	tar, the stream itself, and erofs, an EROFS image that shows what is in it (layer/erofs.h)
 *
 * The second takes a kernel that mounts such images from plain files (Linux 6.12) and root in the first user
 * namespace.  Its image is written by a worker without privilege from foreign bytes and read by the kernel.
 */
#ifndef POD_LAYOUT_H
#define POD_LAYOUT_H

#include <stdbool.h>

#include "common/base/err.h"

struct store;

enum layout { LAYOUT_DIR, LAYOUT_EROFS, LAYOUT_AUTO };

#define LAYOUT_TAR "tar"
#define LAYOUT_IMAGE "erofs"

/* A word of overlay.layout. */
int layout_parse(const char *word, enum layout *out, struct err *e);

/* What new layers become: as the store was told, and for LAYOUT_AUTO what this machine can do. */
int layout_of_new(struct store *s, enum layout *out, struct err *e);

/* How the layer whose directory is dir lies. */
enum layout layout_of(int dir);

/* The files of the layer as a directory, for reading. */
int layout_tree(int dir, struct err *e);

/* The part of a layer's directory that overlay_mount takes: "diff" or "erofs". */
const char *layout_lower(int dir);

#endif
