/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/stream.h"
#include "common/fs/walk.h"
#include "pod-store/layer/index.h"
#include "pod-store/layer/name.h"
#include "pod-store/layer/opaque.h"
#include "pod-store/layer/pack.h"
#include "pod-store/layer/tarout.h"
#include "pod-store/layer/xattr.h"

#define FLUSH (64u << 10) /* gathered before it is written */
#define SMALL (32u << 10) /* a file of this size costs less copied than sent by itself */

static int
flush(struct pack *p, struct err *e)
{
	if (p->head.n > 0 && file_put(p->out, p->head.s, p->head.n) == -1)
		return err_sys(e, "writing the layer");
	p->bytes += p->head.n;
	p->head.n = 0;
	return 0;
}

/* Beside the headers. */
static int
gather(struct pack *p, int fd, off_t at, size_t n, uint64_t *copied, struct err *e)
{
	struct strbuf *b = &p->head;

	b->s = mem_grow(b->s, &b->cap, b->n + n + 1, 1);
	while (n > 0) {
		ssize_t got = pread(fd, b->s + b->n, n, at);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_sys(e, "copying a file of the layer");
		if (got == 0)
			break;
		b->n += (size_t)got;
		at += got;
		*copied += (uint64_t)got;
		n -= (size_t)got;
	}
	return b->n > FLUSH ? flush(p, e) : 0;
}

/* n bytes of fd from offset.  How many there were is what counts: the file may have shrunk. */
static int
copy(struct pack *p, int fd, uint64_t offset, uint64_t n, uint64_t *copied, struct err *e)
{
	off_t at = (off_t)offset;
	bool direct = true;

	*copied = 0;
	if (n <= SMALL)
		return gather(p, fd, at, (size_t)n, copied, e);
	if (flush(p, e) == -1)
		return -1;
	while (n > 0) {
		size_t some = n < PACK_BUFFER ? (size_t)n : PACK_BUFFER;
		ssize_t got;

		if (direct) {
			got = stream_send(p->out, fd, &at, some);
			if (got == -1 && (errno == EINVAL || errno == ENOSYS)) {
				direct = false;
				continue;
			}
		} else {
			got = pread(fd, p->buf, some, at);
			if (got > 0 && file_put(p->out, p->buf, (size_t)got) == -1)
				return err_sys(e, "writing the layer");
			at += got > 0 ? got : 0;
		}
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_sys(e, "copying a file of the layer");
		if (got == 0)
			return 0;
		*copied += (uint64_t)got;
		p->bytes += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

void
pack_free(struct pack *p)
{
	strbuf_free(&p->head);
	inodes_free(&p->links);
	free(p->buf);
	p->buf = NULL;
}

static int
open_file(int dir, const char *name, enum path_rule rule, struct stat *st)
{
	own_fd int fd = path_try(dir, name, rule, O_RDONLY | O_NONBLOCK, 0);

	if (fd == -1 || fstat(fd, st) == -1)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = ENOENT;
		return -1;
	}
	return fd_take(&fd);
}

/* --- The exact stream --- */

static int
add_reference(struct pack *p, const struct index_record *r, struct err *e)
{
	struct stat st;
	own_fd int fd = open_file(p->root, r->path, PATH_IN_ROOT, &st);
	uint64_t copied;

	if (fd == -1)
		return err_sys(e, "opening a file of the layer");
	if (copy(p, fd, r->offset, r->n, &copied, e) == -1)
		return -1;
	if (copied != r->n)
		return err_set(e, ERR_INTEGRITY, "a file of the layer is shorter than it was");
	return 0;
}

int
pack_exact(struct pack *p, int index, struct err *e)
{
	struct index_reader *r = index_open(index, e);
	int got = r == NULL ? -1 : 0;

	p->buf = xmalloc_pages(PACK_BUFFER);
	while (got == 0) {
		struct index_record x;

		got = index_next(r, &x, e);
		if (got == -1 || x.kind == INDEX_END)
			break;
		if (x.kind == INDEX_FILE) {
			p->entries++;
			got = add_reference(p, &x, e);
			continue;
		}
		strbuf_addn(&p->head, x.raw, x.n);
		if (p->head.n > FLUSH)
			got = flush(p, e);
	}
	index_reader_free(&r);
	return got == -1 ? -1 : flush(p, e);
}

/* --- A fresh stream --- */

/* An id that the map does not have stays: it cannot have come from the container. */
static uint32_t
inside(const struct pack_ids *v, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].outside && id - v[i].outside < v[i].count)
			return (uint32_t)(v[i].inside + (id - v[i].outside));
	return id;
}

static int
add_header(struct pack *p, const struct tarout_entry *given, struct err *e)
{
	struct stat st = *given->st;
	struct tarout_entry x = *given;

	st.st_uid = inside(p->uids, p->uids_n, st.st_uid);
	st.st_gid = inside(p->gids, p->gids_n, st.st_gid);
	x.st = &st;
	p->entries++;
	if (tarout_header(&p->head, &x) == -1)
		return err_set(e, ERR_UNSUPPORTED, "a file of this type has no tar entry");
	return p->head.n > FLUSH ? flush(p, e) : 0;
}

/* DIR/.wh.NAME, an empty file. */
static int
add_whiteout(struct pack *p, const char *dir, size_t dir_n, const char *name,
    const struct stat *like, struct err *e)
{
	own_strbuf struct strbuf full = {0};
	struct stat st = *like;

	if (p->plain)
		return 0;
	strbuf_addn(&full, dir, dir_n);
	strbuf_add(&full, NAME_WHITEOUT);
	strbuf_add(&full, name);
	st.st_mode = S_IFREG | 0600;
	st.st_size = 0;
	return add_header(p, &(struct tarout_entry){.name = full.s, .link = "", .st = &st}, e);
}

static bool
is_among(const char *list, size_t n, const char *path)
{
	for (size_t i = 0; i < n; i += strlen(list + i) + 1)
		if (strcmp(list + i, path) == 0)
			return true;
	return false;
}

bool
pack_is_opaque(const struct pack *p, int fd, const char *path)
{
	return opaque_is_set(fd) || is_among(p->opaque, p->opaque_n, path);
}

static int
add_dir(struct pack *p, const struct walk_entry *w, struct err *e)
{
	own_fd int fd = path_try(w->dir, w->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	own_strbuf struct strbuf name = {0};
	own_arena struct arena a = {0};
	struct tarout_entry x = {.link = "", .st = &w->st, .xattrs = xattrs};

	if (fd == -1)
		return errno == ENOENT ? 0 : err_sys(e, "opening %s", w->path);
	strbuf_add(&name, w->path);
	strbuf_addc(&name, '/');
	x.name = name.s;
	x.nxattrs = xattr_read(fd, xattrs, &a);
	if (add_header(p, &x, e) == -1)
		return -1;
	if (pack_is_opaque(p, fd, w->path))
		return add_whiteout(p, name.s, name.n, NAME_WHITEOUT ".opq", &w->st, e);
	return 0;
}

/* The length in the header is a promise, kept with zeros if the file shrinks under our hands. */
static int
add_contents(struct pack *p, int fd, uint64_t size, struct err *e)
{
	static const char zeros[4096];
	uint64_t copied;

	if (size == 0)
		return 0;
	if (copy(p, fd, 0, size, &copied, e) == -1)
		return -1;
	p->changed += copied < size;
	while (copied < size) {
		size_t some =
		    size - copied < sizeof(zeros) ? (size_t)(size - copied) : sizeof(zeros);

		strbuf_addn(&p->head, zeros, some);
		copied += some;
		if (p->head.n > FLUSH && flush(p, e) == -1)
			return -1;
	}
	strbuf_addn(&p->head, zeros, -size & (TAR_BLOCK - 1));
	return 0;
}

static int
add_file(struct pack *p, const struct walk_entry *w, struct err *e)
{
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	own_arena struct arena a = {0};
	struct stat st;
	own_fd int fd = open_file(w->dir, w->name, PATH_PLAIN, &st);
	struct tarout_entry x = {.name = w->path, .link = "", .st = &st, .xattrs = xattrs};

	if (fd == -1)
		return errno == ENOENT ? 0 : err_sys(e, "opening %s", w->path);
	x.nxattrs = xattr_read(fd, xattrs, &a);
	if (add_header(p, &x, e) == -1)
		return -1;
	return add_contents(p, fd, (uint64_t)st.st_size, e);
}

static int
add_link(struct pack *p, const struct walk_entry *w, struct err *e)
{
	char target[TAR_PATH_MAX + 1];
	ssize_t n = readlinkat(w->dir, w->name, target, sizeof(target) - 1);

	if (n == -1)
		return errno == ENOENT ? 0 : err_sys(e, "reading link %s", w->path);
	target[n] = '\0';
	return add_header(
	    p, &(struct tarout_entry){.name = w->path, .link = target, .st = &w->st}, e);
}

static int
add_one(void *arg, const struct walk_entry *w, struct err *e)
{
	struct pack *p = arg;
	const char *first = NULL;

	if (opaque_is_mark(w->name, &w->st))
		return 0;
	if (S_ISCHR(w->st.st_mode) && w->st.st_rdev == 0)
		return add_whiteout(
		    p, w->path, strlen(w->path) - strlen(w->name), w->name, &w->st, e);
	if (S_ISDIR(w->st.st_mode))
		return add_dir(p, w, e);
	if (S_ISSOCK(w->st.st_mode)) {
		p->sockets_skipped++;
		return 0;
	}
	if (S_ISREG(w->st.st_mode) && w->st.st_size == 0 && is_among(p->skip, p->skip_n, w->path))
		return 0;
	if (w->st.st_nlink > 1)
		first = inodes_add(&p->links, &w->st, w->path);
	if (first != NULL)
		return add_header(p,
		    &(struct tarout_entry){
			.name = w->path, .link = first, .hard = true, .st = &w->st},
		    e);
	if (S_ISREG(w->st.st_mode))
		return add_file(p, w, e);
	if (S_ISLNK(w->st.st_mode))
		return add_link(p, w, e);
	return add_header(p, &(struct tarout_entry){.name = w->path, .link = "", .st = &w->st}, e);
}

int
pack_fresh(struct pack *p, struct err *e)
{
	static const char end[2 * TAR_BLOCK];
	struct stat st;

	p->buf = xmalloc_pages(PACK_BUFFER);
	if (fstat(p->root, &st) == -1)
		return err_sys(e, "looking at the directory to pack");
	if (pack_is_opaque(p, p->root, "") &&
	    add_whiteout(p, "", 0, NAME_WHITEOUT ".opq", &st, e) == -1)
		return -1;
	if (walk_tree(p->root, add_one, p, e) == -1)
		return -1;
	strbuf_addn(&p->head, end, sizeof(end));
	return flush(p, e);
}
