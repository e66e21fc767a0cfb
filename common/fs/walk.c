/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/inodes.h"
#include "common/fs/tree.h"
#include "common/fs/walk.h"

#define PATH_BYTES 4096
#define OPEN_MAX_LEVELS 64 /* levels whose directories stay open */

struct level {
	int fd; /* -1: closed to save descriptors */
	dev_t dev;
	ino_t ino;
	struct strv names; /* sorted */
	size_t next;
	size_t path_n; /* length of the path of this directory, or of one above */
	bool beyond;   /* of one above */
};

struct walk {
	struct level *level;
	size_t n, cap;
	char path[PATH_BYTES];
	walk_visit *visit;
	void *arg;
	bool deep; /* beyond the room for it the path stays that of a directory above */
};

static int
list(int fd, struct strv *names)
{
	own_dir DIR *d = NULL;
	own_fd int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;

	d = copy >= 0 ? fdopendir(copy) : NULL;
	if (d == NULL)
		return -1;
	fd_take(&copy);
	while ((errno = 0, de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			strv_add(names, de->d_name);
	strv_sort(names);
	return errno == 0 ? 0 : -1;
}

/* Takes fd. */
static int
push(struct walk *w, int taken, size_t path_n, bool beyond)
{
	own_fd int fd = taken;
	struct level *l;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	w->level = mem_grow(w->level, &w->cap, w->n + 1, sizeof(*w->level));
	l = &w->level[w->n++];
	*l = (struct level){.dev = st.st_dev,
	    .ino = st.st_ino,
	    .path_n = path_n,
	    .beyond = beyond,
	    .fd = fd_take(&fd)};
	if (w->n > OPEN_MAX_LEVELS)
		fd_close(&w->level[w->n - 1 - OPEN_MAX_LEVELS].fd);
	return list(l->fd, &l->names);
}

static void
drop(struct walk *w)
{
	struct level *l = &w->level[--w->n];

	fd_close(&l->fd);
	strv_free(&l->names);
}

/*
 * Back to the level above.  If it was closed it is opened by "..", and must be the directory we
 * came from: somebody may have moved what we are in.
 */
static int
pop(struct walk *w, struct err *e)
{
	struct level *l = &w->level[w->n - 1], *up = w->n > 1 ? l - 1 : NULL;
	struct stat st;

	if (up != NULL && up->fd == -1) {
		up->fd = openat(l->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up->fd == -1 || fstat(up->fd, &st) == -1)
			return err_sys(e, "going back in a tree");
		if (st.st_dev != up->dev || st.st_ino != up->ino)
			return err_set(e, ERR_STATE, "the tree was changed during the walk");
	}
	drop(w);
	return 0;
}

static int
enter(struct walk *w, const struct walk_entry *x, size_t path_n, struct err *e)
{
	int fd = tree_open(x->dir, x->name);

	if (fd == -1)
		return errno == ENOENT || errno == EXDEV ? 0 : err_sys(e, "opening %s", w->path);
	return push(w, fd, path_n, x->beyond) == 0 ? 0 : err_sys(e, "listing %s", w->path);
}

/* The next name of the deepest level. */
static int
step(struct walk *w, struct err *e)
{
	struct level *l = &w->level[w->n - 1];
	const char *name;
	struct walk_entry x = {.dir = l->fd, .path = w->path, .beyond = l->beyond};
	size_t n = l->path_n;
	int got;

	if (l->next == l->names.n)
		return pop(w, e);
	name = x.name = l->names.v[l->next++];
	if (x.beyond || n + strlen(name) + 2 > sizeof(w->path)) {
		if (!w->deep)
			return err_set(
			    e, ERR_LIMIT, "a path is longer than %d bytes", PATH_BYTES - 1);
		x.beyond = true;
		w->path[n] = '\0';
	} else {
		if (n > 0)
			w->path[n++] = '/';
		memcpy(w->path + n, name, strlen(name) + 1);
		n += strlen(name);
	}
	if (fstatat(l->fd, name, &x.st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_sys(e, "looking at %s", w->path);
	got = w->visit(w->arg, &x, e);
	if (got != 0 || !S_ISDIR(x.st.st_mode))
		return got == -1 ? -1 : 0;
	return enter(w, &x, n, e);
}

static int
run(struct walk *w, int root, struct err *e)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), got = 0;

	if (fd == -1 || push(w, fd, 0, false) == -1)
		got = err_sys(e, "listing a directory");
	while (got == 0 && w->n > 0)
		got = step(w, e);
	while (w->n > 0)
		drop(w);
	free(w->level);
	return got;
}

int
walk_tree(int root, walk_visit *visit, void *arg, struct err *e)
{
	struct walk w = {.visit = visit, .arg = arg};

	return run(&w, root, e);
}

int
walk_deep(int root, walk_visit *visit, void *arg, struct err *e)
{
	struct walk w = {.visit = visit, .arg = arg, .deep = true};

	return run(&w, root, e);
}

struct counting {
	struct walk_usage *u;
	struct inodes seen;
};

static int
count_one(void *arg, const struct walk_entry *w, struct err *e)
{
	struct counting *c = arg;

	(void)e;
	if (!S_ISDIR(w->st.st_mode) && w->st.st_nlink > 1 &&
	    inodes_add(&c->seen, &w->st, "") != NULL)
		return 0;
	c->u->inodes++;
	c->u->blocks += (uint64_t)w->st.st_blocks * 512;
	if (S_ISREG(w->st.st_mode) || S_ISLNK(w->st.st_mode))
		c->u->bytes += (uint64_t)w->st.st_size;
	return 0;
}

int
walk_count(int root, struct walk_usage *u, struct err *e)
{
	struct counting c = {.u = u};
	int got;

	*u = (struct walk_usage){0};
	got = walk_deep(root, count_one, &c, e);
	inodes_free(&c.seen);
	return got;
}
