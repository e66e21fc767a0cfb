/* SPDX-License-Identifier: ISC */
/*
 * Copies of directory trees, by descriptor, for the first use of a volume.  What is copied is foreign:
 * no link is followed, no device is made, no mount is entered.
 */
#ifndef POD_COPY_H
#define POD_COPY_H

#include <stdbool.h>

#include "common/base/err.h"

#define COPY_DEPTH_MAX 250

/* Copies what is in directory from into the empty directory to, which also gets its owner, mode and times. */
int copy_tree(int from, int to, struct err *e);

/* Owner, mode and times of from for to. */
int copy_attributes(int from, int to, struct err *e);

/* 1 if the directory holds nothing, 0 if it does, -1 on failure. */
int copy_is_empty(int dir, struct err *e);

#endif
