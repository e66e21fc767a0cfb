/* SPDX-License-Identifier: ISC */
/*
 * From directory to directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/inodes.h"
#include "common/fs/path.h"
#include "pod-run/copy/trees.h"

#define BUFFER ((size_t)256 << 10)
#define CHUNK ((size_t)1 << 30)
#define DEPTH_MAX 1024 /* two descriptors for each level */

struct tree {
	struct put put;
	struct trail trail; /* below the target */
	struct inodes links;
	struct stat made; /* the first directory made: not copied into itself */
	bool have_made;
	unsigned depth;
	char *buf;
};

/* --- Contents -----------------------------------------------------------------------------------*/

static int
copy_by_hand(struct tree *t, int from, int to, off_t n)
{
	while (n > 0) {
		ssize_t got = read(from, t->buf, (off_t)BUFFER < n ? BUFFER : (size_t)n);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return (int)got;
		if (file_put(to, t->buf, (size_t)got) == -1)
			return -1;
		n -= got;
	}
	return 0;
}

/* n bytes from where both descriptors stand. */
static int
copy_range(struct tree *t, int from, int to, off_t n)
{
	while (n > 0) {
		ssize_t got =
		    copy_file_range(from, NULL, to, NULL, n > (off_t)CHUNK ? CHUNK : (size_t)n, 0);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS ||
				     errno == EOPNOTSUPP || errno == ETXTBSY))
			return copy_by_hand(t, from, to, n);
		if (got == -1)
			return -1;
		/* The end; or a file of the kernel's that has no length until it is read. */
		if (got == 0)
			return copy_by_hand(t, from, to, n);
		n -= got;
	}
	return 0;
}

/* Holes stay holes. */
static int
copy_data(struct tree *t, int from, int to, off_t size)
{
	off_t at = 0, data, hole;

	while (at < size) {
		data = lseek(from, at, SEEK_DATA);
		if (data == -1 && errno == ENXIO)
			break;
		if (data == -1)
			return lseek(from, at, SEEK_SET) == -1 ? -1
							       : copy_range(t, from, to, size - at);
		hole = lseek(from, data, SEEK_HOLE);
		if (hole == -1 || hole > size)
			hole = size;
		if (lseek(from, data, SEEK_SET) == -1 || lseek(to, data, SEEK_SET) == -1 ||
		    copy_range(t, from, to, hole - data) == -1)
			return -1;
		at = hole;
	}
	return ftruncate(to, size);
}

/* --- Entries ------------------------------------------------------------------------------------*/

static int
copy_file(struct tree *t, int from, const struct stat *st, int dir, const char *name, struct err *e)
{
	own_fd int to = put_file(&t->put, dir, name, t->trail.path.s, e);

	if (to == -1)
		return -1;
	if (copy_data(t, from, to, st->st_size) == -1)
		return err_sys(e, "copying \"%s\"", t->trail.path.s);
	return put_look_like(&t->put, to, from, st, t->trail.path.s, e);
}

static int copy_entry(struct tree *t, int from, int to, const char *name, struct err *e);

static int
copy_contents(struct tree *t, int from, int to, struct err *e)
{
	own_strv struct strv names = {0};

	if (trees_is_kernel(from))
		return 0;
	if (++t->depth > DEPTH_MAX)
		return err_set(
		    e, ERR_LIMIT, "too many levels of directories: \"%s\"", t->trail.path.s);
	if (trees_list(from, &names, t->trail.path.n > 0 ? t->trail.path.s : ".", e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		size_t before = trail_push(&t->trail, names.v[i]);

		if (copy_entry(t, from, to, names.v[i], e) == -1)
			return -1;
		trail_pop(&t->trail, before);
	}
	t->depth--;
	return 0;
}

static int
copy_dir(struct tree *t, int from, const struct stat *st, int dir, const char *name, struct err *e)
{
	own_fd int to = put_dir(&t->put, dir, name, t->trail.path.s, e);

	if (to == -1)
		return -1;
	if (!t->have_made)
		t->have_made = fstat(to, &t->made) == 0;
	if (copy_contents(t, from, to, e) == -1)
		return -1;
	return put_look_like(&t->put, to, from, st, t->trail.path.s, e);
}

static int
copy_symlink(
    struct tree *t, int from, const struct stat *st, int to, const char *name, struct err *e)
{
	struct put_look look = put_look_of(st);
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n == -1)
		return errno == ENOENT || errno == EINVAL
			   ? 0
			   : err_sys(e, "reading link \"%s\"", t->trail.path.s);
	target[n] = '\0';
	if (put_symlink(&t->put, to, name, target, t->trail.path.s, e) == -1)
		return -1;
	return put_look_name(&t->put, to, name, &look, t->trail.path.s, e);
}

static int
copy_special(struct tree *t, const struct stat *st, int to, const char *name, struct err *e)
{
	struct put_look look = put_look_of(st);
	int r;

	if (S_ISSOCK(st->st_mode)) {
		log_warn("copier: skipping socket \"%s\"", name);
		return 0;
	}
	r = put_node(&t->put, to, name, st->st_mode, st->st_rdev, t->trail.path.s, e);
	if (r != 0)
		return r == 1 ? 0 : -1;
	return put_look_name(&t->put, to, name, &look, t->trail.path.s, e);
}

/* 1: it is another name of a file that was copied already. */
static int
copy_hardlink(struct tree *t, const struct stat *st, int to, const char *name, struct err *e)
{
	const char *first = inodes_add(&t->links, st, t->trail.path.s);
	char last[NAME_MAX + 1];
	struct err gone = {0};
	own_fd int dir = -1;

	if (first == NULL)
		return 0;
	dir = path_parent((int)t->put.m->target, first, PATH_PLAIN, last, &gone);
	if (dir == -1)
		return 0;
	return put_link(&t->put, dir, last, to, name, t->trail.path.s, e) == -1 ? -1 : 1;
}

static int
copy_open(struct tree *t, int fd, const struct stat *st, int to, const char *name, struct err *e)
{
	if (t->have_made && st->st_dev == t->made.st_dev && st->st_ino == t->made.st_ino)
		return 0;
	return S_ISDIR(st->st_mode) ? copy_dir(t, fd, st, to, name, e)
				    : copy_file(t, fd, st, to, name, e);
}

static int
copy_entry(struct tree *t, int from, int to, const char *name, struct err *e)
{
	own_fd int fd = -1;
	struct stat st;
	int r;

	/* What vanishes while we look is no error: the container may be running. */
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_sys(e, "looking at \"%s\"", t->trail.path.s);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(t, from, &st, to, name, e);
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		r = copy_hardlink(t, &st, to, name, e);
		if (r != 0)
			return r == 1 ? 0 : -1;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return copy_special(t, &st, to, name, e);
	fd = trees_open(from, name, &st);
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			   ? 0
			   : err_sys(e, "opening \"%s\"", t->trail.path.s);
	return copy_open(t, fd, &st, to, name, e);
}

int
copy_tree(const struct msg_copy *m, struct err *e)
{
	struct tree t = {.put = {.m = m}};
	struct stat st;
	int r;

	if (fstat((int)m->source, &st) == -1)
		return err_sys(e, "looking at the source");
	t.buf = xmalloc_pages(BUFFER);
	if (m->name == NULL || *m->name == '\0') {
		t.have_made = fstat((int)m->target, &t.made) == 0;
		r = copy_contents(&t, (int)m->source, (int)m->target, e);
	} else {
		trail_push(&t.trail, m->name);
		r = copy_open(&t, (int)m->source, &st, (int)m->target, m->name, e);
	}
	free(t.buf);
	trail_free(&t.trail);
	inodes_free(&t.links);
	return r;
}
