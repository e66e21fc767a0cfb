/* SPDX-License-Identifier: ISC */
/*
 * Whole files: bounded reading, and writing that is seen entirely or not at all.
 */
#ifndef POD_FILE_H
#define POD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

/*
 * Reads what fd still holds into *out (malloc'ed, owned by the caller, a NUL after the last byte).
 * More than max bytes is an error (ERR_LIMIT).  what names the file in errors.
 */
int file_slurp(int fd, size_t max, const char *what, char **out, size_t *n, struct err *e);

/*
 * As file_slurp for a regular file of our own (symbolic links in its last component are refused);
 * dirfd as for openat, AT_FDCWD included.  e->no is ENOENT if there is none.
 */
int file_read(int dirfd, const char *name, size_t max, char **out, size_t *n, struct err *e);

#define FILE_SYNC 1u	  /* the bytes and the name are on disk before the call returns */
#define FILE_NOREPLACE 2u /* fail (EEXIST) instead of replacing */

/*
 * Whether a file that the user wants (what: "pidfile") can be written there later, so that what it will speak of
 * is not made in vain: 0 if so, and for no path (NULL or empty).
 */
int file_check_place(const char *path, const char *what, struct err *e);

/* Reads such a file, of at most max bytes, into *out, which is the caller's: links, terminals and pipes too. */
int file_read_place(const char *path, size_t max, char **out, size_t *n, struct err *e);

/* Writes such a file where it is: links are followed, and terminals and pipes are written to. */
int file_write_place(const char *path, const char *what, const char *text, struct err *e);

/*
 * Writes dirfd/name by way of a temporary file in the same directory and a rename, so that readers
 * see the old content or the new.  On failure the old file is untouched and nothing else stays.
 */
int file_write(int dirfd, const char *name, const void *p, size_t n, mode_t mode, unsigned flags,
    struct err *e);

/* All n bytes, through short writes and EINTR.  0, or -1 with errno: EPIPE if the reader has gone, of sockets too. */
int file_put(int fd, const void *p, size_t n);

/* Up to n bytes, fewer only at the end of the file.  The count, or -1 with errno. */
ssize_t file_get(int fd, void *p, size_t n);

#endif
