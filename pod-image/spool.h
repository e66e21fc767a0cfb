/* SPDX-License-Identifier: ISC */
/* Unlinked temporary files, in the store's own staging area unless the user says where. */
#ifndef POD_IMAGE_SPOOL_H
#define POD_IMAGE_SPOOL_H

#include "common/base/err.h"

/*
 * In $TMPDIR, else in GRAPH_ROOT/tmp, which is made if it is missing, or without a store (NULL) in /var/tmp.
 * Returns the descriptor, for reading and writing.
 */
int spool_open(const char *graph_root, struct err *e);

/* The same in the directory that path lies in. */
int spool_beside(const char *path, struct err *e);

/* Makes it empty again. */
int spool_reset(int fd, struct err *e);

#endif
