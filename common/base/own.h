/* SPDX-License-Identifier: ISC */
/*
 * Ownership of local values.  A variable marked own_X is released when it goes out of scope;
 * handing it over is visible: "return fd_take(&fd)".  Closers keep errno, store -1 and never retry
 * close(2) (on Linux the descriptor is gone even when it returns EINTR).
 */
#ifndef POD_OWN_H
#define POD_OWN_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
fd_close(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;

		close(*fd);
		errno = saved;
	}
	*fd = -1;
}

static inline int
fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void *
ptr_take_(void *at)
{
	void **p = at, *taken = *p;

	*p = NULL;
	return taken;
}
/* Hands over an owned pointer: returns it and leaves NULL behind. */
#define ptr_take(p) ((__typeof__(*(p)))ptr_take_(p))

static inline void
own_mem_free(void *at)
{
	int saved = errno;

	free(*(void **)at);
	errno = saved;
}

static inline void
own_file_close(FILE **f)
{
	int saved = errno;

	if (*f != NULL)
		fclose(*f);
	errno = saved;
}

static inline void
own_dir_close(DIR **d)
{
	int saved = errno;

	if (*d != NULL)
		closedir(*d);
	errno = saved;
}

#define own(f) __attribute__((cleanup(f)))
#define own_fd own(fd_close)
#define own_mem own(own_mem_free)
#define own_file own(own_file_close)
#define own_dir own(own_dir_close)

#define COUNTOF(a) (sizeof(a) / sizeof((a)[0]))

#endif
