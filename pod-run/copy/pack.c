/* SPDX-License-Identifier: ISC */
/*
 * From a directory or file to a tar stream.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/inodes.h"
#include "pod-run/copy/trees.h"
#include "pod-store/layer/tarout.h"
#include "pod-store/layer/xattr.h"

#define BUFFER ((size_t)256 << 10)
#define FLUSH ((size_t)64 << 10)
#define DEPTH_MAX 2048

struct pack {
	const struct msg_copy *m;
	struct trail trail;
	struct inodes links;
	struct strbuf head;
	unsigned depth;
	char *buf;
};

static int
flush(struct pack *p, struct err *e)
{
	if (p->head.n > 0 && file_put((int)p->m->target, p->head.s, p->head.n) == -1)
		return err_sys(e, "writing the archive");
	p->head.n = 0;
	return 0;
}

static int
add_header(struct pack *p, const struct tarout_entry *like, const struct stat *st, struct err *e)
{
	struct tarout_entry x = *like;
	struct stat mine = *st;

	if (p->m->chown) {
		mine.st_uid = (uid_t)p->m->uid;
		mine.st_gid = (gid_t)p->m->gid;
	}
	x.st = &mine;
	if (tarout_header(&p->head, &x) == -1)
		return err_set(e, ERR_UNSUPPORTED, "a file of this type has no tar entry");
	return p->head.n > FLUSH ? flush(p, e) : 0;
}

/* As many bytes as there are, at most n; the count in *done. */
static int
add_bytes(struct pack *p, int fd, uint64_t n, uint64_t *done, struct err *e)
{
	bool direct = true;

	*done = 0;
	while (*done < n) {
		size_t some = n - *done < BUFFER ? (size_t)(n - *done) : BUFFER;
		ssize_t got;

		if (direct) {
			got = sendfile((int)p->m->target, fd, NULL, some);
			if (got == -1 && (errno == EINVAL || errno == ENOSYS)) {
				direct = false;
				continue;
			}
		} else {
			got = read(fd, p->buf, some);
			if (got > 0 && file_put((int)p->m->target, p->buf, (size_t)got) == -1)
				return err_sys(e, "writing the archive");
		}
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_sys(e, "copying \"%s\"", p->trail.path.s);
		if (got == 0)
			return 0;
		*done += (uint64_t)got;
	}
	return 0;
}

/* The length in the header is a promise, kept with zeros if the file shrinks under our hands. */
static int
add_contents(struct pack *p, int fd, uint64_t size, struct err *e)
{
	static const char zeros[4096];
	uint64_t done;

	if (size == 0)
		return 0;
	if (flush(p, e) == -1 || add_bytes(p, fd, size, &done, e) == -1)
		return -1;
	while (done < size) {
		size_t some = size - done < sizeof(zeros) ? (size_t)(size - done) : sizeof(zeros);

		strbuf_addn(&p->head, zeros, some);
		done += some;
		if (p->head.n > FLUSH && flush(p, e) == -1)
			return -1;
	}
	strbuf_addn(&p->head, zeros, -size & (TAR_BLOCK - 1));
	return 0;
}

static int add_entry(struct pack *p, int from, const char *name, struct err *e);

static int
add_contents_of_dir(struct pack *p, int from, struct err *e)
{
	own_strv struct strv names = {0};

	if (trees_is_kernel(from))
		return 0;
	if (++p->depth > DEPTH_MAX || p->trail.path.n > TAR_PATH_MAX - NAME_MAX)
		return err_set(
		    e, ERR_LIMIT, "too many levels of directories: \"%s\"", p->trail.path.s);
	if (trees_list(from, &names, p->trail.path.n > 0 ? p->trail.path.s : ".", e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		size_t before = trail_push(&p->trail, names.v[i]);

		if (add_entry(p, from, names.v[i], e) == -1)
			return -1;
		trail_pop(&p->trail, before);
	}
	p->depth--;
	return 0;
}

/* A function by itself, and not made part of another, for its room must not be held once for each level. */
__attribute__((noinline)) static int
add_header_of(struct pack *p, int fd, const struct stat *st, struct err *e)
{
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	own_arena struct arena a = {0};
	struct tarout_entry x = {.name = p->trail.path.s, .link = "", .xattrs = xattrs};

	x.nxattrs = xattr_read(fd, xattrs, &a);
	return add_header(p, &x, st, e);
}

static int
add_open(struct pack *p, int fd, const struct stat *st, struct err *e)
{
	if (add_header_of(p, fd, st, e) == -1)
		return -1;
	return S_ISDIR(st->st_mode) ? add_contents_of_dir(p, fd, e)
				    : add_contents(p, fd, (uint64_t)st->st_size, e);
}

static int
add_symlink(struct pack *p, int from, const char *name, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n == -1)
		return errno == ENOENT || errno == EINVAL
			   ? 0
			   : err_sys(e, "reading link \"%s\"", p->trail.path.s);
	target[n] = '\0';
	return add_header(
	    p, &(struct tarout_entry){.name = p->trail.path.s, .link = target}, st, e);
}

static int
add_entry(struct pack *p, int from, const char *name, struct err *e)
{
	const char *first = NULL;
	own_fd int fd = -1;
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : err_sys(e, "looking at \"%s\"", p->trail.path.s);
	if (S_ISLNK(st.st_mode))
		return add_symlink(p, from, name, &st, e);
	if (S_ISSOCK(st.st_mode)) {
		log_warn("copier: skipping socket \"%s\"", name);
		return 0;
	}
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		first = inodes_add(&p->links, &st, p->trail.path.s);
	if (first != NULL)
		return add_header(p,
		    &(struct tarout_entry){.name = p->trail.path.s, .link = first, .hard = true},
		    &st, e);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return add_header(
		    p, &(struct tarout_entry){.name = p->trail.path.s, .link = ""}, &st, e);
	fd = trees_open(from, name, &st);
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENOTDIR
			   ? 0
			   : err_sys(e, "opening \"%s\"", p->trail.path.s);
	return add_open(p, fd, &st, e);
}

static int
add_all(struct pack *p, struct err *e)
{
	static const char end[2 * TAR_BLOCK];
	int from = (int)p->m->source, r;
	struct stat st;

	if (fstat(from, &st) == -1)
		return err_sys(e, "looking at the source");
	if (p->m->name == NULL || *p->m->name == '\0') {
		r = add_contents_of_dir(p, from, e);
	} else {
		trail_push(&p->trail, p->m->name);
		r = add_open(p, from, &st, e);
	}
	if (r == -1)
		return -1;
	strbuf_addn(&p->head, end, sizeof(end));
	return flush(p, e);
}

int
copy_pack(const struct msg_copy *m, struct err *e)
{
	struct pack p = {.m = m, .buf = xmalloc_pages(BUFFER)};
	int r = add_all(&p, e);

	free(p.buf);
	trail_free(&p.trail);
	strbuf_free(&p.head);
	inodes_free(&p.links);
	return r;
}
