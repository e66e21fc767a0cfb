/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/own.h"
#include "common/fs/lock.h"

#define PAUSE_FIRST_US 200
#define PAUSE_MAX_US 10000

/* Waits in the kernel when there is no deadline, else by trying with growing pauses. */
static int
lock_wait(int fd, int how, int timeout_ms)
{
	int64_t end = timeout_ms > 0 ? clock_now_ms() + timeout_ms : 0;
	long pause_us = PAUSE_FIRST_US;

	while (flock(fd, timeout_ms == LOCK_WAIT ? how : how | LOCK_NB) == -1) {
		struct timespec t = {.tv_nsec = pause_us * 1000};

		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || timeout_ms == LOCK_TRY)
			return -1;
		if (clock_now_ms() >= end) {
			errno = EWOULDBLOCK;
			return -1;
		}
		nanosleep(&t, NULL);
		pause_us = pause_us * 2 < PAUSE_MAX_US ? pause_us * 2 : PAUSE_MAX_US;
	}
	return 0;
}

int
lock_take(int fd, enum lock_mode mode, int timeout_ms, const char *what, struct err *e)
{
	int how = mode == LOCK_SHARED ? LOCK_SH : LOCK_EX;

	if (lock_wait(fd, how, timeout_ms) == 0)
		return 0;
	err_sys(e, "locking %s", what);
	if (e->no == EWOULDBLOCK)
		e->class = timeout_ms == LOCK_TRY ? ERR_INUSE : ERR_TIMEOUT;
	return -1;
}

void
lock_drop(int fd)
{
	flock(fd, LOCK_UN);
}

/* The file locked may have been unlinked, and another made under its name, while we waited. */
static bool
is_current(int fd, int dirfd, const char *name)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 && fstatat(dirfd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

int
lock_acquire(int dirfd, const char *name, enum lock_mode mode, int timeout_ms, struct err *e)
{
	for (;;) {
		own_fd int fd =
		    openat(dirfd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);

		if (fd == -1)
			return err_sys(e, "opening lock file %s", name);
		if (lock_take(fd, mode, timeout_ms, name, e) == -1)
			return -1;
		if (is_current(fd, dirfd, name))
			return fd_take(&fd);
	}
}

bool
lock_is_held(int dirfd, const char *name)
{
	own_fd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return false;
	return flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK;
}
