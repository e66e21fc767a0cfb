/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/walk.h"
#include "pod-store/diff.h"
#include "pod-store/image.h"
#include "pod-store/layer/opaque.h"
#include "pod-store/places.h"
#include "pod-store/rootfs.h"

#define FLUSH_AT (64u << 10)

struct diff {
	int out;
	int below;    /* what lies under the upper directory; -1: nothing */
	char *parent; /* directory whose counterpart below is parent_fd */
	size_t parent_len;
	int parent_fd; /* -1: there is none */
	bool parent_known;
	struct strbuf buf;
};

static int
flush(struct diff *d, struct err *e)
{
	if (file_put(d->out, d->buf.s, d->buf.n) == -1)
		return err_sys(e, "writing changes");
	d->buf.n = 0;
	return 0;
}

static int
emit(struct diff *d, char kind, const char *dir, const char *name, struct err *e)
{
	strbuf_addf(&d->buf, "%c /%s%s%s", kind, dir, *dir != '\0' ? "/" : "", name);
	strbuf_addc(&d->buf, '\0');
	return d->buf.n >= FLUSH_AT ? flush(d, e) : 0;
}

/*
 * The directory below that has w's siblings.  Neighbours share it, so it is kept.  No link is followed
 * there: a directory that took the place of a link has no counterpart.
 */
static int
below_parent(struct diff *d, const char *path, size_t len)
{
	if (d->parent_known && d->parent_len == len && memcmp(d->parent, path, len) == 0)
		return d->parent_fd;
	fd_close(&d->parent_fd);
	own_mem_free(&d->parent);
	d->parent = xstrndup(path, len);
	d->parent_len = len;
	d->parent_known = true;
	if (d->below >= 0)
		d->parent_fd = path_try(
		    d->below, len > 0 ? d->parent : ".", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	return d->parent_fd;
}

static bool
same_dir(const struct stat *a, const struct stat *b)
{
	return S_ISDIR(a->st_mode) && S_ISDIR(b->st_mode) && a->st_mode == b->st_mode &&
	       a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* An opaque directory hides what is below it: that is deleted unless it was made again. */
struct hidden {
	struct diff *d;
	const char *path;
	int upper;
};

static int
visit_hidden(void *arg, const struct walk_entry *w, struct err *e)
{
	struct hidden *h = arg;
	struct stat st;

	if (strchr(w->path, '/') != NULL)
		return WALK_PRUNE;
	if (fstatat(h->upper, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return WALK_PRUNE;
	return emit(h->d, 'D', h->path, w->name, e) == -1 ? -1 : WALK_PRUNE;
}

static int
opaque_dir(struct diff *d, const struct walk_entry *w, int parent, struct err *e)
{
	struct hidden h = {.d = d, .path = w->path};
	own_fd int upper = path_try(w->dir, w->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_fd int lower = -1;

	if (upper == -1 || !opaque_is_set(upper))
		return 0;
	lower = path_try(parent, w->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (lower == -1)
		return 0;
	h.upper = upper;
	return walk_tree(lower, visit_hidden, &h, e);
}

static int
visit(void *arg, const struct walk_entry *w, struct err *e)
{
	struct diff *d = arg;
	const char *slash = strrchr(w->path, '/');
	size_t len = slash != NULL ? (size_t)(slash - w->path) : 0;
	int parent = below_parent(d, w->path, len);
	struct stat st;
	bool existed = parent >= 0 && fstatat(parent, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (opaque_is_mark(w->name, &w->st))
		return 0;
	if (S_ISCHR(w->st.st_mode) && w->st.st_rdev == makedev(0, 0))
		return existed ? emit(d, 'D', "", w->path, e) : 0;
	if (existed && same_dir(&w->st, &st))
		return opaque_dir(d, w, parent, e);
	if (emit(d, existed ? 'C' : 'A', "", w->path, e) == -1)
		return -1;
	return existed && S_ISDIR(w->st.st_mode) ? opaque_dir(d, w, parent, e) : 0;
}

static int
write_tree(int upper, int below, int fd, struct err *e)
{
	struct diff d = {.out = fd, .below = below, .parent_fd = -1};
	int r = walk_tree(upper, visit, &d, e);

	if (r == 0)
		r = flush(&d, e);
	fd_close(&d.parent_fd);
	own_mem_free(&d.parent);
	strbuf_free(&d.buf);
	return r;
}

static int
container(struct store *s, const char *id, const char *image, int fd, struct err *e)
{
	own_mem char *path = xasprintf("rw/%s/upper", id);
	own_fd int upper = store_dir(s, path, e), below = -1;

	if (upper == -1)
		return -1;
	below = rootfs_mount_image(s, image, e);
	return below == -1 ? -1 : write_tree(upper, below, fd, e);
}

static int
image_top(struct store *s, const char *id, int fd, struct err *e)
{
	own_strv struct strv layers = {0};
	own_fd int dir = -1, upper = -1, below = -1;
	struct store *at = places_image(s, id, e);

	if (at == NULL || image_layers(at, id, &layers, e) == -1)
		return -1;
	if (layers.n == 0)
		return 0;
	dir = places_open_layer(s, layers.v[layers.n - 1], "", e);
	upper = dir == -1 ? -1 : layout_tree(dir, e);
	if (upper == -1)
		return -1;
	strv_remove(&layers, layers.n - 1);
	if (layers.n > 0) {
		below = rootfs_mount_layers(s, &layers, e);
		if (below == -1)
			return -1;
	}
	return write_tree(upper, below, fd, e);
}

/* --- Two trees ------------------------------------------------------------------------------------ */

struct compare {
	struct diff d;
	bool missing;		  /* only what the other one does not have is looked for */
	const struct owners *map; /* of the tree against below, or NULL */
	uint64_t *bytes;	  /* instead of words: the size of what is new or changed */
};

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_mode == b->st_mode && a->st_uid == b->st_uid && a->st_gid == b->st_gid &&
	       a->st_size == b->st_size && a->st_rdev == b->st_rdev &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* As the owner lies on disk in a tree that is shifted by map. */
static struct stat
shifted(const struct stat *st, const struct owners *map)
{
	struct stat out = *st;

	if (map != NULL && map->shifted)
		owners_shift(map, &out);
	return out;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return S_ISDIR(b->st_mode) ? same_dir(a, b) : same_file(a, b);
}

bool
diff_is_changed(int below, const struct walk_entry *w, const struct owners *map)
{
	own_mem char *dir = NULL;
	own_fd int parent = -1;
	const char *slash = strrchr(w->path, '/');
	struct stat st;

	if (slash != NULL) {
		dir = xstrndup(w->path, (size_t)(slash - w->path));
		parent = path_try(below, dir, PATH_PLAIN, O_PATH | O_DIRECTORY, 0);
		if (parent == -1)
			return true;
	}
	if (fstatat(slash != NULL ? parent : below, w->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return true;
	st = shifted(&st, map);
	return !is_same(&w->st, &st);
}

/* One line, or its weight. */
static int
tell(struct compare *c, char kind, const struct walk_entry *w, struct err *e)
{
	if (c->bytes == NULL)
		return emit(&c->d, kind, "", w->path, e);
	if (kind != 'D' && (S_ISREG(w->st.st_mode) || S_ISLNK(w->st.st_mode)))
		*c->bytes += (uint64_t)w->st.st_size;
	return 0;
}

static int
visit_both(void *arg, const struct walk_entry *w, struct err *e)
{
	struct compare *c = arg;
	const char *slash = strrchr(w->path, '/');
	struct stat st;
	bool there;
	int parent;

	/* No image holds what no path names. */
	if (w->beyond)
		return tell(c, 'A', w, e);
	parent = below_parent(&c->d, w->path, slash != NULL ? (size_t)(slash - w->path) : 0);
	there = parent >= 0 && fstatat(parent, w->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (c->missing)
		return there ? 0 : tell(c, 'D', w, e) == -1 ? -1 : WALK_PRUNE;
	if (!there)
		return tell(c, 'A', w, e);
	st = shifted(&st, c->map);
	return is_same(&w->st, &st) ? 0 : tell(c, 'C', w, e);
}

static int
walk_both(int tree, int other, bool missing, int fd, const struct owners *map, struct err *e)
{
	struct compare c = {
	    .d = {.out = fd, .below = other, .parent_fd = -1}, .missing = missing, .map = map};
	int r = walk_tree(tree, visit_both, &c, e);

	if (r == 0)
		r = flush(&c.d, e);
	fd_close(&c.d.parent_fd);
	own_mem_free(&c.d.parent);
	strbuf_free(&c.d.buf);
	return r;
}

/* A detached mount of all that a container or an image holds. */
static int
mount_either(struct store *s, const char *id, struct err *e)
{
	own_owners struct owners map = {0};
	struct err none = {0};
	own_mem char *image = rootfs_image(s, id, &none);

	return image != NULL ? rootfs_mount_whole(s, id, &map, e) : rootfs_mount_image(s, id, e);
}

int
diff_compare(struct store *s, const char *id, const char *against, int fd, struct err *e)
{
	own_fd int tree = mount_either(s, id, e), other = -1;

	if (tree == -1)
		return -1;
	other = mount_either(s, against, e);
	if (other == -1 || walk_both(tree, other, false, fd, NULL, e) == -1)
		return -1;
	return walk_both(other, tree, true, fd, NULL, e);
}

/* A container that is a whole copy, and the tree it was copied from. */
static int
open_whole(struct store *s, const char *id, const char *image, int *below, struct owners *map,
    struct err *e)
{
	own_fd int tree = rootfs_mount_whole(s, id, map, e);

	if (tree == -1)
		return -1;
	*below = rootfs_mount_image(s, image, e);
	return *below == -1 ? -1 : fd_take(&tree);
}

static int
whole_copy(struct store *s, const char *id, const char *image, int fd, struct err *e)
{
	own_owners struct owners map = {0};
	own_fd int below = -1, tree = open_whole(s, id, image, &below, &map, e);

	if (tree == -1 || walk_both(tree, below, false, fd, &map, e) == -1)
		return -1;
	return walk_both(below, tree, true, fd, &map, e);
}

int
diff_size(struct store *s, const char *id, uint64_t *bytes, struct err *e)
{
	own_mem char *image = rootfs_image(s, id, e);
	own_owners struct owners map = {0};
	struct compare c = {.d = {.parent_fd = -1}, .map = &map, .bytes = bytes};
	own_fd int below = -1, tree = -1;
	int r;

	*bytes = 0;
	if (image == NULL)
		return -1;
	tree = open_whole(s, id, image, &below, &map, e);
	if (tree == -1)
		return -1;
	c.d.below = below;
	r = walk_deep(tree, visit_both, &c, e);
	fd_close(&c.d.parent_fd);
	own_mem_free(&c.d.parent);
	return r;
}

int
diff_write(struct store *s, const char *id, int fd, struct err *e)
{
	struct err none = {0};
	own_mem char *image = rootfs_image(s, id, &none);

	if (image != NULL)
		return rootfs_is_whole(s, id) ? whole_copy(s, id, image, fd, e)
					      : container(s, id, image, fd, e);
	if (places_image(s, id, e) != NULL)
		return image_top(s, id, fd, e);
	return e->class != ERR_NOTFOUND
		   ? -1
		   : err_set(e, ERR_NOTFOUND,
			 "%s was not made from an image: there is nothing to compare it with", id);
}
