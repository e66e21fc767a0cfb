/* SPDX-License-Identifier: ISC */
/*
 * Copies of directory trees, by descriptor: for the first use of a volume, and of layers.  What is copied is
 * foreign: no link is followed and no mount is entered.  A file with several names stays one file.
 */
#ifndef POD_COPY_H
#define POD_COPY_H

#include <stdbool.h>

#include "common/base/err.h"
#include "pod-store/owners.h"

#define COPY_DEPTH_MAX 250

/* Copies what is in directory from into the empty directory to, which also gets its owner, mode and times. */
int copy_tree(int from, int to, struct err *e);

/*
 * The same with a layer: overlay's marks are copied too, and whiteouts and devices are made, as far as we may.
 * Owners go by the map; NULL: they stay.
 */
int copy_layer(int from, int to, const struct owners *map, struct err *e);

/*
 * The root file system of a container out of the tree of its image: devices are made, marks are not copied,
 * for there is nothing below.
 */
int copy_root(int from, int to, const struct owners *map, struct err *e);

/* A layer over the tree to of those below it: whiteouts and opaque directories do their work and leave no mark. */
int copy_over(int from, int to, struct err *e);

/* The bytes of one open file into another, from where both stand.  -1 with errno. */
int copy_contents(int in, int out);

/*
 * The bytes of a regular file, made new or written anew with mode 0600.  e->no is ENOENT if there is none.
 */
int copy_named(int from, const char *name, int to, const char *new_name, struct err *e);

/* Owner, mode and times of from for to. */
int copy_attributes(int from, int to, struct err *e);

/* The same, and extended attributes other than overlay's marks. */
int copy_directory(int from, int to, struct err *e);

/* 1 if the directory holds nothing, 0 if it does, -1 on failure. */
int copy_is_empty(int dir, struct err *e);

#endif
