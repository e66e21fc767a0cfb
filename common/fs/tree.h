/* SPDX-License-Identifier: ISC */
/*
 * Whole directory trees, by descriptor: no symbolic link is followed and no mount is entered, and
 * the depth of a tree costs neither stack nor descriptors.
 */
#ifndef POD_TREE_H
#define POD_TREE_H

#include "common/base/err.h"

/* A directory of a tree, never through a link nor into another file system.  -1 with errno. */
int tree_open(int dirfd, const char *name);

/*
 * Removes dirfd/name, a file or a tree.  Nothing there is success.  A mount inside (EBUSY, EXDEV)
 * and anything that cannot be removed is an error that names it; the rest of the tree may be gone
 * then.
 */
int tree_remove(int dirfd, const char *name, struct err *e);

/* Removes everything in the directory fd, which stays. */
int tree_empty(int fd, struct err *e);

/*
 * Moves dirfd/name into the directory trashfd (same file system) under a fresh name: at once out of
 * sight, to be removed at leisure with tree_empty(trashfd).  Nothing there is success.
 */
int tree_trash(int dirfd, const char *name, int trashfd, struct err *e);

#endif
