/* SPDX-License-Identifier: ISC */
/*
 * From a tar stream to a directory of a container.  Directories on the way may be links there, as a
 * process in the container would find them: they are followed below its root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "pod-run/copy/trees.h"

#define BUFFER ((size_t)256 << 10)

struct unpack {
	struct put put;
	struct tar *tar;
	char *buf;

	/* The directory used last. */
	char *dir_path;
	int dir;

	/* The entry under way. */
	int fd; /* of a regular file, else -1 */
	char path[TAR_PATH_MAX + 1];
};

/*
 * Makes a name of the stream plain: relative, without empty, "." and ".." components, where ".." takes away
 * what stands before it.  "" is the target itself.
 */
static int
plain(const char *name, char out[TAR_PATH_MAX + 1], struct err *e)
{
	size_t n = 0;

	if (strlen(name) > TAR_PATH_MAX)
		return err_set(e, ERR_LIMIT, "a name in the archive is too long");
	while (*name != '\0') {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.') {
			while (n > 0 && out[--n] != '/')
				;
		} else if (len > 0 && !(len == 1 && name[0] == '.')) {
			if (n > 0)
				out[n++] = '/';
			memcpy(out + n, name, len);
			n += len;
		}
		name += len;
		while (*name == '/')
			name++;
	}
	out[n] = '\0';
	return 0;
}

/* As plain, with the first component that the request wants. */
static int
name_of(const struct unpack *u, const char *name, char out[TAR_PATH_MAX + 1], struct err *e)
{
	const char *first = u->put.m->name;
	size_t old, rest;

	if (plain(name, out, e) == -1)
		return -1;
	if (first == NULL || *out == '\0')
		return 0;
	old = strcspn(out, "/");
	rest = strlen(out + old);
	if (strlen(first) + rest > TAR_PATH_MAX)
		return err_set(e, ERR_LIMIT, "a name in the archive is too long");
	memmove(out + strlen(first), out + old, rest + 1);
	memcpy(out, first, strlen(first));
	return 0;
}

static enum path_rule
rule(const struct unpack *u)
{
	return u->put.m->plain ? PATH_PLAIN : PATH_IN_ROOT;
}

/* A path below the target's own directory; relative, as PATH_PLAIN wants it. */
static char *
below(const struct unpack *u, const char *path, size_t n)
{
	const char *start = u->put.m->path != NULL ? u->put.m->path : ".";

	return xasprintf("%s/%.*s", start, (int)n, path);
}

/* The directory of path below the target, made if missing; *last is its last component. */
static int
parent(struct unpack *u, const char *path, const char **last, struct err *e)
{
	const struct msg_copy *m = u->put.m;
	const struct path_owner owner = {(uid_t)m->uid, (gid_t)m->gid};
	const char *slash = strrchr(path, '/');
	own_mem char *dir = below(u, path, slash != NULL ? (size_t)(slash - path) : 0);

	*last = slash != NULL ? slash + 1 : path;
	if (u->dir != -1 && strcmp(u->dir_path, dir) == 0)
		return u->dir;
	fd_close(&u->dir);
	free(u->dir_path);
	u->dir_path = NULL;
	u->dir = path_mkdirs((int)m->target, dir, rule(u), 0755, m->chown ? &owner : NULL, e);
	u->dir_path = ptr_take(&dir);
	return u->dir;
}

static struct put_look
look_of(const struct tar_entry *n)
{
	return (struct put_look){.mode = n->mode,
	    .uid = n->uid,
	    .gid = n->gid,
	    .mtime = {.tv_sec = n->mtime, .tv_nsec = n->mtime_ns},
	    .xattrs = n->xattrs,
	    .nxattrs = n->nxattrs};
}

static int
make_dir(struct unpack *u, const struct tar_entry *n, int dir, const char *last, struct err *e)
{
	struct put_look look = look_of(n);
	own_fd int fd = -1;

	/* A link to a directory serves as one. */
	if (!u->put.m->overwrite) {
		own_mem char *path = below(u, u->path, strlen(u->path));

		fd = path_try((int)u->put.m->target, path, rule(u), O_RDONLY | O_DIRECTORY, 0);
	}
	if (fd == -1)
		fd = put_dir(&u->put, dir, last, u->path, e);
	return fd == -1 ? -1 : put_look_fd(&u->put, fd, &look, u->path, e);
}

static int
make_hardlink(struct unpack *u, const struct tar_entry *n, int dir, const char *last, struct err *e)
{
	char target[TAR_PATH_MAX + 1], name[NAME_MAX + 1];
	own_mem char *path = NULL;
	own_fd int from = -1;

	if (name_of(u, n->link, target, e) == -1)
		return -1;
	path = below(u, target, strlen(target));
	from = path_parent((int)u->put.m->target, path, rule(u), name, e);
	return from == -1 ? -1 : put_link(&u->put, from, name, dir, last, u->path, e);
}

static int
make_node(struct unpack *u, const struct tar_entry *n, int dir, const char *last, struct err *e)
{
	mode_t type = n->type == TAR_CHAR ? S_IFCHR : n->type == TAR_BLOCKDEV ? S_IFBLK : S_IFIFO;
	struct put_look look = look_of(n);
	int r =
	    put_node(&u->put, dir, last, type | n->mode, makedev(n->major, n->minor), u->path, e);

	if (r != 0)
		return r == 1 ? 0 : -1;
	return put_look_name(&u->put, dir, last, &look, u->path, e);
}

static int
make_symlink(struct unpack *u, const struct tar_entry *n, int dir, const char *last, struct err *e)
{
	struct put_look look = look_of(n);

	if (put_symlink(&u->put, dir, last, n->link, u->path, e) == -1)
		return -1;
	return put_look_name(&u->put, dir, last, &look, u->path, e);
}

static int
begin(struct unpack *u, const struct tar_entry *n, struct err *e)
{
	const char *last;
	int dir;

	if (name_of(u, n->name, u->path, e) == -1)
		return -1;
	if (u->path[0] == '\0') /* the target itself stays as it is */
		return 0;
	dir = parent(u, u->path, &last, e);
	if (dir == -1)
		return -1;
	if (strlen(last) > NAME_MAX) {
		errno = ENAMETOOLONG;
		return err_sys(e, "a name in the archive");
	}
	switch (n->type) {
	case TAR_DIR:
		return make_dir(u, n, dir, last, e);
	case TAR_HARDLINK:
		return make_hardlink(u, n, dir, last, e);
	case TAR_SYMLINK:
		return make_symlink(u, n, dir, last, e);
	case TAR_FILE:
		u->fd = put_file(&u->put, dir, last, u->path, e);
		return u->fd == -1 ? -1 : 0;
	default:
		return make_node(u, n, dir, last, e);
	}
}

static int
data(struct unpack *u, struct err *e)
{
	uint64_t offset;
	size_t n;
	const char *p = tar_data(u->tar, &n, &offset);

	while (n > 0 && u->fd != -1) {
		ssize_t put = pwrite(u->fd, p, n, (off_t)offset);

		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1)
			return err_sys(e, "writing \"%s\"", u->path);
		p += put;
		n -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

static int
end(struct unpack *u, struct err *e)
{
	const struct tar_entry *n = tar_entry(u->tar);
	struct put_look look = look_of(n);
	own_fd int fd = fd_take(&u->fd);

	if (fd == -1)
		return 0;
	if (ftruncate(fd, (off_t)n->size) == -1)
		return err_sys(e, "writing \"%s\"", u->path);
	return put_look_fd(&u->put, fd, &look, u->path, e);
}

static int
feed(struct unpack *u, struct err *e)
{
	ssize_t n;

	do
		n = read((int)u->put.m->source, u->buf, BUFFER);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return err_sys(e, "reading the archive");
	tar_feed(u->tar, u->buf, (size_t)n);
	return 0;
}

/* 1: the stream has ended. */
static int
step(struct unpack *u, struct err *e)
{
	switch (tar_next(u->tar, e)) {
	case TAR_MORE:
		return feed(u, e);
	case TAR_RAW:
		return 0;
	case TAR_ENTRY:
		return begin(u, tar_entry(u->tar), e);
	case TAR_DATA:
		return data(u, e);
	case TAR_ENTRY_END:
		return end(u, e);
	case TAR_END:
		return 1;
	default:
		return -1;
	}
}

int
copy_unpack(const struct msg_copy *m, struct err *e)
{
	struct unpack u = {.put = {.m = m}, .dir = -1, .fd = -1};
	int r;

	u.tar = tar_new();
	u.buf = xmalloc_pages(BUFFER);
	while ((r = step(&u, e)) == 0)
		;
	fd_close(&u.fd);
	fd_close(&u.dir);
	free(u.dir_path);
	free(u.buf);
	tar_free(&u.tar);
	return r == 1 ? 0 : -1;
}
