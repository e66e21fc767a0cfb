/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "common/fs/walk.h"
#include "pod-store/copy.h"
#include "pod-store/diff.h"
#include "pod-store/made.h"
#include "pod-store/whole.h"

#define ROOT "root"
#define FRESH "root.new"
#define CHANGES "changes"

bool
whole_is(const struct store *s, const char *rw)
{
	own_mem char *path = xasprintf("%s/" ROOT, rw);

	return faccessat(s->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int
whole_open(struct store *s, const char *rw, struct err *e)
{
	own_mem char *path = xasprintf("%s/" ROOT, rw);

	return store_dir(s, path, e);
}

int
whole_make(struct store *s, const char *rw, const struct strv *layers, const struct owners *map,
    struct err *e)
{
	own_fd int dir = store_dir(s, rw, e), from = -1, to = -1;

	if (dir == -1 || tree_remove(dir, FRESH, e) == -1)
		return -1;
	from = made_tree(s, layers, e);
	if (from == -1)
		return -1;
	if (mkdirat(dir, FRESH, 0700) == -1)
		return err_sys(e, "making the root file system");
	to = path_open(dir, FRESH, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (to == -1 || copy_root(from, to, map, e) == -1) {
		struct err ignored;

		tree_remove(dir, FRESH, &ignored);
		return err_wrap(e, "copying the root file system");
	}
	return renameat(dir, FRESH, dir, ROOT) == 0
		   ? 0
		   : err_sys(e, "putting the root file system in place");
}

/*
 * A mount can be cloned only in its own namespace, which overlay's last way may have left: there is a copy of it
 * in ours.
 */
static int
clone_by_name(int dir)
{
	char link[32], path[PATH_MAX];
	struct stat here, there;
	own_fd int m = -1;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return -1;
	path[n] = '\0';
	m = (int)syscall(SYS_open_tree, AT_FDCWD, path,
	    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (m == -1 || fstat(dir, &here) == -1 || fstat(m, &there) == -1)
		return -1;
	if (here.st_ino == there.st_ino && here.st_dev == there.st_dev)
		return fd_take(&m);
	errno = ESTALE;
	return -1;
}

int
whole_mount(int dir, bool read_only, struct err *e)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	own_fd int m = (int)syscall(
	    SYS_open_tree, dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	if (m == -1 && errno == EINVAL)
		m = clone_by_name(dir);

	if (m == -1 || (read_only && syscall(SYS_mount_setattr, m, "", AT_EMPTY_PATH, &attr,
					 sizeof(attr)) == -1))
		return err_sys(e, "mounting a root file system");
	return fd_take(&m);
}

/* --- Changes -------------------------------------------------------------------------------------- */

struct changes {
	int root, below, to;
	const struct owners *map;
};

static int
add_parents(struct changes *c, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_mem char *dir = slash != NULL ? xstrndup(path, (size_t)(slash - path)) : NULL;
	own_fd int made = -1;

	if (dir == NULL)
		return 0;
	made = path_mkdirs(c->to, dir, PATH_PLAIN, 0700, NULL, e);
	return made == -1 ? -1 : 0;
}

static int
on_present(void *arg, const struct walk_entry *w, struct err *e)
{
	struct changes *c = arg;

	if (!diff_is_changed(c->below, w, c->map))
		return 0;
	if (add_parents(c, w->path, e) == -1)
		return -1;
	if (S_ISDIR(w->st.st_mode))
		return mkdirat(c->to, w->path, 0700) == 0 || errno == EEXIST
			   ? 0
			   : err_sys(e, "gathering changes: %s", w->name);
	/* Safe because the paths are the walk's own, and nobody else can name anything in the area. */
	if (linkat(w->dir, w->name, c->to, w->path, 0) == 0)
		return 0;
	/* Sockets are in no layer. */
	return S_ISSOCK(w->st.st_mode) ? 0 : err_sys(e, "gathering changes: %s", w->name);
}

static int
on_below(void *arg, const struct walk_entry *w, struct err *e)
{
	struct changes *c = arg;
	own_fd int there = path_try(c->root, w->path, PATH_PLAIN, O_PATH | O_NOFOLLOW, 0);

	if (there >= 0)
		return 0;
	if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return err_sys(e, "gathering changes: %s", w->name);
	/* Where a file took a directory's place, it hides all that was in it. */
	if (errno != ENOENT)
		return WALK_PRUNE;
	if (add_parents(c, w->path, e) == -1)
		return -1;
	if (mknodat(c->to, w->path, S_IFCHR, 0) == -1)
		return err_sys(e, "gathering changes: %s", w->name);
	return WALK_PRUNE;
}

/* Last, for what is put into a directory changes its time. */
static int
on_gathered(void *arg, const struct walk_entry *w, struct err *e)
{
	struct changes *c = arg;
	own_fd int from = -1, to = -1;

	if (!S_ISDIR(w->st.st_mode))
		return 0;
	from = path_open(c->root, w->path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	to = path_open(c->to, w->path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	return from == -1 || to == -1 ? -1 : copy_directory(from, to, e);
}

int
whole_changes(int area, int root, int below, const struct owners *map, struct err *e)
{
	own_fd int to = -1;
	struct changes c = {.root = root, .below = below, .map = map};

	if (tree_remove(area, CHANGES, e) == -1)
		return -1;
	if (mkdirat(area, CHANGES, 0700) == -1)
		return err_sys(e, "gathering changes");
	to = path_open(area, CHANGES, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	c.to = to;
	if (to == -1 || walk_tree(root, on_present, &c, e) == -1 ||
	    walk_tree(below, on_below, &c, e) == -1 || walk_tree(to, on_gathered, &c, e) == -1 ||
	    copy_directory(root, to, e) == -1)
		return -1;
	return fd_take(&to);
}
