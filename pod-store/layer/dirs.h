/* SPDX-License-Identifier: ISC */
/*
 * Directories of a layer that is being written, held open while they are in use.  A directory gets
 * back, when it leaves, the modification time it had when it came: what is made in it shall not
 * show. So times of directories cost no memory, whatever their number.
 *
 * Names are plain (name.h) and resolved below the layer's root (PATH_IN_ROOT), so a link among them
 * leads nowhere else.
 */
#ifndef POD_DIRS_H
#define POD_DIRS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/base/err.h"

#define DIRS_OPEN 64

struct dir {
	int fd; /* readable; -1: the place is free */
	bool inherits_gid;
	uint32_t hash;
	char *path;
	dev_t dev;
	ino_t ino;
	struct timespec mtime;
	uint64_t used;
};

struct dirs {
	int root;
	uint64_t tick;
	struct dir open[DIRS_OPEN];
};

void dirs_init(struct dirs *d, int root); /* borrows root */

/*
 * The directory path, "" for the root; valid until the next call.  Missing ones are made, with mode
 * 0755, if make is set.  NULL with errno and no message: the caller names the entry.
 */
struct dir *dirs_get(struct dirs *d, const char *path, bool make);

/* The directory that holds path; *last is path's last component. */
struct dir *dirs_parent(struct dirs *d, const char *path, bool make, const char **last);

/* Lets all go, because a name that led somewhere has been removed, or at the end. */
void dirs_flush(struct dirs *d);

#endif
