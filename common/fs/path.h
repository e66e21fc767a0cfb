/* SPDX-License-Identifier: ISC */
/*
 * The one module that walks paths which came from outside: from an image, a container, a layer, the
 * command line of a container, an index.  A path is walked once, by openat2(2), below a directory
 * that is already open; afterwards only the descriptor is used.  No walk follows a magic link
 * (/proc/PID/fd, /proc/PID/root, …).
 *
 * All descriptors returned are close-on-exec and owned by the caller.
 */
#ifndef POD_PATH_H
#define POD_PATH_H

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/base/err.h"

enum path_rule {
	/*
	 * root is "/" for the walk, as in a container: absolute names and links are taken below it,
	 * ".." stops there.  For paths that mean something inside a container's root.
	 */
	PATH_IN_ROOT,
	/* A walk that would leave root is refused (EXDEV), also when a link or ".." leads out. */
	PATH_BENEATH,
	/*
	 * As PATH_BENEATH, and any symbolic link on the way is refused (ELOOP).  For our own store.  What is
	 * opened for reading is opened with O_NONBLOCK: a FIFO blocks nobody.
	 */
	PATH_PLAIN,
};

/* openat2 with the rule; O_CLOEXEC and O_NOCTTY are added.  Returns -1 with errno, makes no error.
 */
int path_try(int root, const char *path, enum path_rule rule, int flags, mode_t mode);

/* As path_try, with an error that names the path; e->no tells what the kernel said. */
int path_open(
    int root, const char *path, enum path_rule rule, int flags, mode_t mode, struct err *e);

/*
 * Opens the directory that holds path's last component (O_PATH) and copies that component, which is
 * not looked at, to name.  A path whose last component is empty, "." or ".." is refused (EINVAL).
 */
int path_parent(
    int root, const char *path, enum path_rule rule, char name[NAME_MAX + 1], struct err *e);

/* Who shall own directories that are made; NULL where one is asked for: the caller. */
struct path_owner {
	uid_t uid;
	gid_t gid;
};

/*
 * mkdir -p below root.  Existing directories stay as they are; missing ones get mode and owner.
 * Under PATH_IN_ROOT a dangling link on the way is followed below root, as a process in the
 * container would wish.  Returns the last directory (O_PATH).  What was made stays on failure.
 */
int path_mkdirs(int root, const char *path, enum path_rule rule, mode_t mode,
    const struct path_owner *owner, struct err *e);

/*
 * Another descriptor for what fd (O_PATH or not) refers to, opened with flags.  Directories need
 * nothing; other files need /proc.  A symbolic link cannot be opened (ELOOP).
 */
int path_reopen(int fd, int flags, struct err *e);

/*
 * Opens a regular file for reading.  Anything else, and a file above max bytes, is refused without
 * having been opened (a FIFO cannot block us, a device does not notice).  st may be NULL.
 */
int path_open_regular(
    int root, const char *path, enum path_rule rule, off_t max, struct stat *st, struct err *e);

#endif
