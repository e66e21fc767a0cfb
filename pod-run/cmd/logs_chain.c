/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/logs_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define ROTATED_MAX 1000
/* What a rotation is just renaming is looked for again. */
#define TRIES 200
#define PAUSE_NS 200000

void
logs_chain_init(struct logs_chain *c, const char *path)
{
	*c = (struct logs_chain){.path = xstrdup(path), .fd = -1, .watch = -1};
}

void
logs_chain_free(struct logs_chain *c)
{
	fd_close(&c->fd);
	fd_close(&c->watch);
	free(c->path);
	c->path = NULL;
}

static char *
path_of(const struct logs_chain *c, unsigned k)
{
	return k == 0 ? xstrdup(c->path) : xasprintf("%s.%u", c->path, k);
}

static bool
look(const struct logs_chain *c, unsigned k, struct stat *st)
{
	own_mem char *path = path_of(c, k);

	return lstat(path, st) == 0 && S_ISREG(st->st_mode);
}

static bool
is_ours(const struct logs_chain *c, const struct stat *st)
{
	return st->st_dev == c->dev && st->st_ino == c->ino;
}

static bool
is_at(const struct logs_chain *c, unsigned k)
{
	struct stat st;

	return look(c, k, &st) && is_ours(c, &st);
}

/* Where our file is; -1: not in the chain.  One name may be missing, while a rotation gives new ones. */
static int
find(const struct logs_chain *c)
{
	struct stat st;

	for (unsigned k = 0, last = 0; k <= ROTATED_MAX && k <= last + 2; k++) {
		if (!look(c, k, &st))
			continue;
		last = k;
		if (is_ours(c, &st))
			return (int)k;
	}
	return -1;
}

static int
open_file(const struct logs_chain *c, unsigned k, struct stat *st, struct err *e)
{
	own_mem char *path = path_of(c, k);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, "opening log %s", path);
	if (fstat(fd, st) != 0)
		return err_sys(e, "looking at log %s", path);
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INVALID, "log %s is not a regular file", path);
	return fd_take(&fd);
}

static void
take(struct logs_chain *c, int take_fd, const struct stat *st)
{
	fd_close(&c->fd);
	c->fd = take_fd;
	c->dev = st->st_dev;
	c->ino = st->st_ino;
}

static void
pause_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

bool
logs_chain_is_many(const struct logs_chain *c)
{
	struct stat st;

	return look(c, 1, &st) || look(c, 2, &st);
}

int
logs_chain_open(struct logs_chain *c, struct err *e)
{
	struct stat st;
	int fd = open_file(c, 0, &st, e);

	/* Between two renames of a rotation it is missing. */
	for (int i = 0; i < TRIES && fd == -1 && e->no == ENOENT && logs_chain_is_many(c); i++) {
		pause_a_little();
		err_clear(e);
		fd = open_file(c, 0, &st, e);
	}
	if (fd == -1)
		return -1;
	take(c, fd, &st);
	return 0;
}

enum step { OPENED, AT_END, AGAIN, LOST, BROKEN };

/* A name that a rotation has just taken away, or that somebody gave to something else, and not a file that is kept from us. */
static bool
is_none(struct err *e)
{
	bool none = e->no == 0 || e->no == ENOENT || e->no == ELOOP;

	if (none)
		err_clear(e);
	return none;
}

/*
 * Opens the file before or behind ours.  A rotation gives all files the next number, the oldest one first: if ours still
 * has its own afterwards, what was opened is its neighbour.
 */
static enum step
try_step(struct logs_chain *c, int by, struct err *e)
{
	struct stat st;
	int k = find(c), fd = -1;

	if (k == -1)
		return LOST;
	if (k + by < 0)
		return AT_END;
	fd = open_file(c, (unsigned)(k + by), &st, e);
	if (fd == -1 && !is_none(e))
		return BROKEN;
	if (fd == -1)
		return by > 0 && !look(c, (unsigned)k + 2, &st) && is_at(c, (unsigned)k) ? AT_END
											 : AGAIN;
	if (!is_at(c, (unsigned)k)) {
		fd_close(&fd);
		return AGAIN;
	}
	take(c, fd, &st);
	return OPENED;
}

int
logs_chain_older(struct logs_chain *c, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		enum step r = try_step(c, 1, e);

		if (r != AGAIN)
			return r == BROKEN ? -1 : r == OPENED;
		pause_a_little();
	}
	return 0;
}

int
logs_chain_open_oldest(struct logs_chain *c, struct err *e)
{
	unsigned last = 0;
	struct stat st;

	if (logs_chain_open(c, e) == -1)
		return -1;
	for (unsigned k = 1; k <= ROTATED_MAX && k <= last + 2; k++)
		if (look(c, k, &st))
			last = k;
	if (last > 0) {
		int fd = open_file(c, last, &st, e);

		if (fd == -1 && !is_none(e))
			return -1;
		if (fd != -1)
			take(c, fd, &st);
	}
	/* It may have been the last but one by the time it was opened; who links a file to itself is not followed for ever. */
	for (unsigned k = 0; last > 0 && k < ROTATED_MAX; k++) {
		int r = logs_chain_older(c, e);

		if (r != 1)
			return r;
	}
	return 0;
}

static bool
has_left(const struct logs_chain *c)
{
	struct stat st;

	return fstat(c->fd, &st) == 0 && st.st_nlink == 0;
}

bool
logs_chain_is_rotated(const struct logs_chain *c)
{
	struct stat st;

	return lstat(c->path, &st) == 0 && (st.st_dev != c->dev || st.st_ino != c->ino);
}

int
logs_chain_next(struct logs_chain *c, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		enum step r = try_step(c, -1, e);

		if (r == OPENED || r == AT_END || r == BROKEN)
			return r == BROKEN ? -1 : r == OPENED;
		if (r == LOST && has_left(c))
			break;
		pause_a_little();
	}
	if (logs_chain_open_oldest(c, e) == 0)
		return 1;
	return is_none(e) ? 0 : -1;
}

void
logs_chain_wait(struct logs_chain *c, int timeout_ms)
{
	struct pollfd p = {.events = POLLIN};
	char events[4096];
	struct stat st;

	if (c->watch < 0)
		c->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	/* The same watch is found again; after a rotation the path names another file. */
	if (c->watch < 0 ||
	    inotify_add_watch(c->watch, c->path, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB) < 0) {
		poll(NULL, 0, timeout_ms < 100 ? timeout_ms : 100);
		return;
	}
	/* What was written between the last read and the first watch raises no event. */
	if (fstat(c->fd, &st) == 0 && st.st_size > lseek(c->fd, 0, SEEK_CUR))
		return;
	p.fd = c->watch;
	if (poll(&p, 1, timeout_ms) > 0)
		while (read(c->watch, events, sizeof(events)) > 0)
			;
}
