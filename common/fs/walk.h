/* SPDX-License-Identifier: ISC */
/*
 * Looks at a whole tree in order of names, by descriptor, following no link and entering no mount.
 * The depth of the tree costs neither stack nor descriptors.
 */
#ifndef POD_WALK_H
#define POD_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/err.h"

struct walk_entry {
	int dir;	  /* the directory the entry is in */
	const char *name; /* in dir */
	const char *path; /* below the top, without a leading slash; at most 4095 bytes */
	struct stat st;	  /* of the entry itself, not of what a link leads to */
	bool beyond;	  /* walk_deep: path is only that of a directory above */
};

#define WALK_PRUNE 1 /* answer of a visitor: do not go into this directory */

/*
 * Calls visit for everything below the directory root, a directory before what is in it.  -1 from
 * visit (with e set) ends the walk.  Names that vanish meanwhile are passed over.
 */
typedef int walk_visit(void *arg, const struct walk_entry *w, struct err *e);
int walk_tree(int root, walk_visit *visit, void *arg, struct err *e);

/*
 * The same for who does not need the paths: where one would be longer than 4095 bytes, which walk_tree refuses, it is
 * that of a directory above.  Whoever may write below root can make such a tree, and must not stop others by it.
 */
int walk_deep(int root, walk_visit *visit, void *arg, struct err *e);

struct walk_usage {
	uint64_t
	    bytes; /* sizes of regular files and links, a file with several names counted once */
	uint64_t blocks; /* bytes allocated on disk */
	uint64_t inodes;
};

/* Adds up the tree below the directory root, of any depth. */
int walk_count(int root, struct walk_usage *u, struct err *e);

#endif
