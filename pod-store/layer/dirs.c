/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/layer/dirs.h"
#include "pod-store/layer/tar.h"

void
dirs_init(struct dirs *d, int root)
{
	*d = (struct dirs){.root = root};
	for (size_t i = 0; i < DIRS_OPEN; i++)
		d->open[i].fd = -1;
}

static void
let_go(struct dir *e)
{
	struct timespec times[2] = {e->mtime, e->mtime};

	if (e->fd >= 0)
		(void)futimens(e->fd, times); /* it may be gone by now, which is as well */
	fd_close(&e->fd);
	free(e->path);
	e->path = NULL;
}

void
dirs_flush(struct dirs *d)
{
	for (size_t i = 0; i < DIRS_OPEN; i++)
		let_go(&d->open[i]);
}

static uint32_t
hash_of(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static struct dir *
find(struct dirs *d, const char *path, uint32_t hash)
{
	for (size_t i = 0; i < DIRS_OPEN; i++) {
		struct dir *e = &d->open[i];

		if (e->fd >= 0 && e->hash == hash && strcmp(e->path, path) == 0) {
			e->used = ++d->tick;
			return e;
		}
	}
	return NULL;
}

/* A place for a directory just opened.  Takes fd. */
static struct dir *
admit(struct dirs *d, const char *path, uint32_t hash, int taken)
{
	struct dir *place = &d->open[0];
	own_fd int fd = taken;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	/* The same directory by another name must not remember a time that is not its own. */
	for (size_t i = 0; i < DIRS_OPEN; i++) {
		struct dir *e = &d->open[i];

		if (e->fd >= 0 && e->ino == st.st_ino && e->dev == st.st_dev) {
			st.st_mtim = e->mtime;
			let_go(e);
		}
		if (e->fd == -1)
			e->used = 0;
		if (e->used < place->used)
			place = e;
	}
	let_go(place);
	*place = (struct dir){
	    .fd = fd_take(&fd),
	    .inherits_gid = (st.st_mode & S_ISGID) != 0,
	    .hash = hash,
	    .path = xstrdup(path),
	    .dev = st.st_dev,
	    .ino = st.st_ino,
	    .mtime = st.st_mtim,
	    .used = ++d->tick,
	};
	return place;
}

static int
open_below(struct dirs *d, const char *path)
{
	return path_try(
	    d->root, *path != '\0' ? path : ".", PATH_IN_ROOT, O_RDONLY | O_DIRECTORY, 0);
}

struct dir *
dirs_parent(struct dirs *d, const char *path, bool make, const char **last)
{
	const char *slash = strrchr(path, '/');
	char parent[TAR_PATH_MAX + 1];
	size_t n = slash != NULL ? (size_t)(slash - path) : 0;

	*last = slash != NULL ? slash + 1 : path;
	memcpy(parent, path, n);
	parent[n] = '\0';
	return dirs_get(d, parent, make);
}

/* Makes one directory that no entry described.  path is that of the whole, cut after it. */
static struct dir *
make_missing(struct dirs *d, struct dir *parent, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct err why;
	int fd;

	if (mkdirat(parent->fd, slash != NULL ? slash + 1 : path, 0755) == 0) {
		fd = open_below(d, path);
	} else if (errno == EEXIST) {
		/* A link to what is not there: make that, below the root. */
		fd = path_mkdirs(d->root, path, PATH_IN_ROOT, 0755, NULL, &why);
		if (fd == -1) {
			errno = why.no;
			return NULL;
		}
		fd_close(&fd);
		fd = open_below(d, path);
	} else {
		return NULL;
	}
	return fd == -1 ? NULL : admit(d, path, hash_of(path), fd);
}

/* From the root downwards, so that each directory made finds its parent among the open ones. */
static struct dir *
make_all(struct dirs *d, const char *path)
{
	struct dir *e = dirs_get(d, "", false);
	own_mem char *prefix = xstrdup(path);

	for (size_t at = 0; e != NULL && path[at] != '\0'; at++) {
		struct dir *next;

		at += strcspn(path + at, "/");
		prefix[at] = '\0';
		next = dirs_get(d, prefix, false);
		if (next == NULL && errno == ENOENT)
			next = make_missing(d, e, prefix);
		e = next;
		prefix[at] = path[at];
		if (path[at] == '\0')
			break;
	}
	return e;
}

struct dir *
dirs_get(struct dirs *d, const char *path, bool make)
{
	uint32_t hash = hash_of(path);
	struct dir *e = find(d, path, hash);
	int fd;

	if (e != NULL)
		return e;
	fd = open_below(d, path);
	if (fd >= 0)
		return admit(d, path, hash, fd);
	return errno == ENOENT && make && *path != '\0' ? make_all(d, path) : NULL;
}
