/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/inodes.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/copy.h"
#include "pod-store/layer/opaque.h"

#define XATTRS_MAX 65536

struct copy {
	const struct owners *map; /* NULL: none */
	bool marks;		  /* overlay's own are copied as they are */
	bool devices;		  /* are made, as far as we may */
	bool over;		  /* a layer comes over what is there: its marks are obeyed */
	int top;		  /* of the copy */
	struct strbuf path; /* below it, of the directory that is copied, with a slash at its end */
	struct inodes links;
};

/* What means nothing outside the file system it comes from, or would be a lie there. */
static bool
xattr_is_foreign(const struct copy *c, const char *name)
{
	if (!c->marks &&
	    (text_has_prefix(name, "trusted.") || text_has_prefix(name, "user.overlay.") ||
		text_has_prefix(name, "user.fuseoverlayfs.")))
		return true;
	return strcmp(name, "security.selinux") == 0 || strcmp(name, "security.ima") == 0 ||
	       strcmp(name, "security.evm") == 0;
}

static int
copy_xattrs(const struct copy *c, int from, int to, struct err *e)
{
	own_mem char *names = xmalloc(XATTRS_MAX), *value = NULL;
	ssize_t n = flistxattr(from, names, XATTRS_MAX);

	if (n == -1)
		return errno == EOPNOTSUPP ? 0 : err_sys(e, "listing extended attributes");
	for (char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t size;

		if (xattr_is_foreign(c, p))
			continue;
		if (value == NULL)
			value = xmalloc(XATTR_SIZE_MAX);
		size = fgetxattr(from, p, value, XATTR_SIZE_MAX);
		/* What this file system or this user namespace cannot hold is left behind. */
		if (size >= 0 && fsetxattr(to, p, value, (size_t)size, 0) == -1 &&
		    errno != EOPNOTSUPP && errno != EPERM)
			return err_sys(e, "setting extended attribute %s", p);
	}
	return 0;
}

/* A directory of a layer comes over one that is there, which keeps nothing of its own but its entries. */
static int
drop_xattrs(const struct copy *c, int from, int to, struct err *e)
{
	own_mem char *names = xmalloc(XATTRS_MAX);
	ssize_t n = flistxattr(to, names, XATTRS_MAX);

	if (n == -1)
		return errno == EOPNOTSUPP ? 0 : err_sys(e, "listing extended attributes");
	for (char *p = names; p < names + n; p += strlen(p) + 1)
		if (!xattr_is_foreign(c, p) && fgetxattr(from, p, NULL, 0) == -1 &&
		    errno == ENODATA && fremovexattr(to, p) == -1 && errno != ENODATA)
			return err_sys(e, "removing extended attribute %s", p);
	return 0;
}

static int
set_attributes(
    const struct copy *c, int dirfd, const char *name, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	struct stat to = *st;

	if (c->map != NULL)
		owners_shift(c->map, &to);
	/* The owner first: changing him takes the set-user-ID bit. */
	if (fchownat(dirfd, name, to.st_uid, to.st_gid, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "setting the owner of %s", name);
	if (!S_ISLNK(st->st_mode) && fchmodat(dirfd, name, to.st_mode & 07777, 0) == -1)
		return err_sys(e, "setting the mode of %s", name);
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "setting the times of %s", name);
	return 0;
}

int
copy_attributes(int from, int to, struct err *e)
{
	struct stat st;

	if (fstat(from, &st) == -1)
		return err_sys(e, "looking at a directory of the image");
	if (fchown(to, st.st_uid, st.st_gid) == -1 || fchmod(to, st.st_mode & 07777) == -1 ||
	    futimens(to, (const struct timespec[2]){st.st_atim, st.st_mtim}) == -1)
		return err_sys(e, "setting owner, mode and times of the volume");
	return 0;
}

int
copy_directory(int from, int to, struct err *e)
{
	struct copy c = {0};

	return copy_xattrs(&c, from, to, e) == 0 ? copy_attributes(from, to, e) : -1;
}

int
copy_is_empty(int dir, struct err *e)
{
	own_fd int again = path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
	own_dir DIR *d = NULL;
	struct dirent *de;

	if (again == -1)
		return -1;
	d = fdopendir(again);
	if (d == NULL)
		return err_sys(e, "listing a directory");
	fd_take(&again);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			return 0;
	return 1;
}

int
copy_contents(int in, int out)
{
	ssize_t n;

	while ((n = copy_file_range(in, NULL, out, NULL, 1u << 30, 0)) > 0)
		;
	/* Not every pair of file systems can. */
	while (n == -1 && (n = sendfile(out, in, NULL, 1u << 30)) > 0)
		n = -1;
	return n == -1 ? -1 : 0;
}

int
copy_named(int from, const char *name, int to, const char *new_name, struct err *e)
{
	own_fd int in = path_open_regular(from, name, PATH_PLAIN, INT64_MAX, NULL, e), out = -1;

	if (in == -1)
		return -1;
	out = openat(to, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1 || copy_contents(in, out) == -1)
		return err_sys(e, "copying %s", name);
	return 0;
}

static int
copy_file(struct copy *c, int from, const char *name, int to, const struct stat *st, struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	own_fd int out = -1;

	if (in == -1)
		return err_sys(e, "opening %s", name);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1)
		return err_sys(e, "making %s", name);
	if (copy_contents(in, out) == -1)
		return err_sys(e, "copying %s", name);
	/* The owner takes file capabilities with it: they come last. */
	if (set_attributes(c, to, name, st, e) == -1)
		return -1;
	return copy_xattrs(c, in, out, e);
}

static int
copy_link(struct copy *c, int from, const char *name, int to, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n == -1)
		return err_sys(e, "reading link %s", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) == -1)
		return err_sys(e, "making link %s", name);
	return set_attributes(c, to, name, st, e);
}

static int copy_below(struct copy *c, int from, int to, unsigned depth, struct err *e);

static int
copy_dir(struct copy *c, int from, const char *name, int to, const struct stat *st, unsigned depth,
    struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int out = -1;
	size_t path = c->path.n;
	int r;

	if (in == -1)
		return err_sys(e, "opening %s", name);
	if (mkdirat(to, name, 0700) == -1 && !(c->over && errno == EEXIST))
		return err_sys(e, "making %s", name);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out == -1)
		return err_sys(e, "opening %s", name);
	if (c->over && opaque_is_set(in) && tree_empty(out, e) == -1)
		return -1;
	strbuf_addf(&c->path, "%s/", name);
	r = copy_below(c, in, out, depth + 1, e);
	c->path.n = path;
	c->path.s[path] = '\0';
	if (r == -1 || (c->over && drop_xattrs(c, in, out, e) == -1) ||
	    copy_xattrs(c, in, out, e) == -1)
		return -1;
	return set_attributes(c, to, name, st, e);
}

/* A device is nothing to a container of an ordinary user, who may not make it either. */
static int
copy_node(struct copy *c, const char *name, int to, const struct stat *st, struct err *e)
{
	bool device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	bool whiteout = S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);

	if ((device && !c->devices) || S_ISSOCK(st->st_mode))
		return 0;
	if (mknodat(to, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) == -1)
		return errno == EPERM && device && !whiteout ? 0 : err_sys(e, "making %s", name);
	return set_attributes(c, to, name, st, e);
}

/* 1: it was copied before by another name; 0: it was not; -1. */
static int
link_again(struct copy *c, const char *name, int to, const struct stat *st, struct err *e)
{
	own_mem char *path = NULL;
	const char *first;

	if (st->st_nlink < 2)
		return 0;
	path = xasprintf("%s%s", c->path.n > 0 ? c->path.s : "", name);
	first = inodes_add(&c->links, st, path);
	if (first == NULL)
		return 0;
	/* Safe because nobody else can name anything in a copy that is under way. */
	if (linkat(c->top, first, to, name, 0) == 0)
		return 1;
	return errno == EMLINK ? 0 : err_sys(e, "linking %s", path);
}

/* What a layer replaces or hides goes.  1: the entry was nothing but a whiteout; 0; -1. */
static int
make_way(int to, const char *name, const struct stat *st, struct err *e)
{
	bool white = S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
	struct stat there;

	if (fstatat(to, name, &there, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? white : err_sys(e, "looking at %s", name);
	if (!white && S_ISDIR(st->st_mode) && S_ISDIR(there.st_mode))
		return 0;
	return tree_remove(to, name, e) == -1 ? -1 : white;
}

static int
copy_entry(
    struct copy *c, int from, const char *name, int to, dev_t dev, unsigned depth, struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "looking at %s", name);
	if (c->over) {
		r = make_way(to, name, &st, e);
		if (r != 0)
			return r == 1 ? 0 : -1;
	}
	if (S_ISDIR(st.st_mode))
		return st.st_dev == dev ? copy_dir(c, from, name, to, &st, depth, e) : 0;
	r = link_again(c, name, to, &st, e);
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (S_ISREG(st.st_mode))
		return copy_file(c, from, name, to, &st, e);
	if (S_ISLNK(st.st_mode))
		return copy_link(c, from, name, to, &st, e);
	return copy_node(c, name, to, &st, e);
}

static int
copy_below(struct copy *c, int from, int to, unsigned depth, struct err *e)
{
	own_fd int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = NULL;
	struct dirent *de;
	struct stat st;

	if (depth > COPY_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "directories are nested too deeply");
	if (again == -1 || fstat(again, &st) == -1 || (d = fdopendir(again)) == NULL)
		return err_sys(e, "listing a directory");
	fd_take(&again);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (copy_entry(c, from, de->d_name, to, st.st_dev, depth, e) == -1)
			return -1;
	}
	return 0;
}

static int
copy_all(struct copy *c, int from, int to, struct err *e)
{
	own_fd int in = path_reopen(from, O_RDONLY | O_DIRECTORY, e);
	struct stat st;
	int r = -1;

	c->top = to;
	if (in != -1 && fstat(in, &st) == 0 && copy_below(c, in, to, 0, e) == 0 &&
	    (!c->over || drop_xattrs(c, in, to, e) == 0) && copy_xattrs(c, in, to, e) == 0)
		r = set_attributes(c, to, ".", &st, e);
	strbuf_free(&c->path);
	inodes_free(&c->links);
	return r;
}

int
copy_tree(int from, int to, struct err *e)
{
	struct copy c = {0};

	return copy_all(&c, from, to, e);
}

int
copy_root(int from, int to, const struct owners *map, struct err *e)
{
	struct copy c = {.devices = true, .map = map};

	return copy_all(&c, from, to, e);
}

int
copy_over(int from, int to, struct err *e)
{
	struct copy c = {.devices = true, .over = true};

	return copy_all(&c, from, to, e);
}

int
copy_layer(int from, int to, const struct owners *map, struct err *e)
{
	struct copy c = {.marks = true, .devices = true, .map = map};

	return copy_all(&c, from, to, e);
}
