/* SPDX-License-Identifier: ISC */
/*
 * A set of files by device and inode number, to tell a file with several names when it comes again.
 * Zero-initialised means empty.
 */
#ifndef POD_INODES_H
#define POD_INODES_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/base/mem.h"

struct inodes_place;

struct inodes {
	struct inodes_place *v;
	size_t n, cap;
	struct arena names;
};

/*
 * NULL if the file was not there before; it is now, with a copy of name ("" to save memory).
 * Otherwise the name it was added with.
 */
const char *inodes_add(struct inodes *s, const struct stat *st, const char *name);
void inodes_free(struct inodes *s);

#endif
