/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/logs_chain.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define ROTATED_MAX 1000

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

bool
logs_chain_has(const struct logs_chain *c, unsigned k)
{
	struct stat st;

	return k <= ROTATED_MAX && look(c, k, &st);
}

unsigned
logs_chain_oldest(const struct logs_chain *c)
{
	unsigned k = 0;

	while (logs_chain_has(c, k + 1))
		k++;
	return k;
}

int
logs_chain_open(struct logs_chain *c, unsigned k, struct err *e)
{
	own_mem char *path = path_of(c, k);
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "opening log %s", c->path);
	if (fstat(fd, &st) != 0)
		return err_sys(e, "looking at log %s", c->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "log %s is not a regular file", c->path);
	fd_close(&c->fd);
	c->fd = fd_take(&fd);
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return 0;
}

bool
logs_chain_is_rotated(const struct logs_chain *c)
{
	struct stat st;

	return lstat(c->path, &st) == 0 && (st.st_dev != c->dev || st.st_ino != c->ino);
}

bool
logs_chain_next(struct logs_chain *c)
{
	struct err ignored = {0};
	struct stat st;
	unsigned k = 1;

	for (; k <= ROTATED_MAX && look(c, k, &st); k++)
		if (st.st_dev == c->dev && st.st_ino == c->ino)
			break;
	return logs_chain_open(c, k - 1, &ignored) == 0;
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
