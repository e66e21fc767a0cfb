/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-store/copy.h"

#define XATTRS_MAX 65536

/* What means nothing outside the file system it comes from, or would be a lie there. */
static bool
xattr_is_foreign(const char *name)
{
	return text_has_prefix(name, "trusted.") || text_has_prefix(name, "user.overlay.") ||
	       strcmp(name, "security.selinux") == 0 || strcmp(name, "security.ima") == 0 ||
	       strcmp(name, "security.evm") == 0;
}

static int
copy_xattrs(int from, int to, struct err *e)
{
	own_mem char *names = xmalloc(XATTRS_MAX), *value = NULL;
	ssize_t n = flistxattr(from, names, XATTRS_MAX);

	if (n == -1)
		return errno == EOPNOTSUPP ? 0 : err_sys(e, "listing extended attributes");
	for (char *p = names; p < names + n; p += strlen(p) + 1) {
		ssize_t size;

		if (xattr_is_foreign(p))
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

static int
set_attributes(int dirfd, const char *name, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	/* The owner first: changing him takes the set-user-ID bit. */
	if (fchownat(dirfd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "setting the owner of %s", name);
	if (!S_ISLNK(st->st_mode) && fchmodat(dirfd, name, st->st_mode & 07777, 0) == -1)
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

static int
copy_file(int from, const char *name, int to, const struct stat *st, struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	own_fd int out = -1;
	ssize_t n;

	if (in == -1)
		return err_sys(e, "opening %s", name);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out == -1)
		return err_sys(e, "making %s", name);
	while ((n = sendfile(out, in, NULL, 1u << 30)) > 0)
		;
	if (n == -1)
		return err_sys(e, "copying %s", name);
	if (set_attributes(to, name, st, e) == -1)
		return -1;
	return copy_xattrs(in, out, e);
}

static int
copy_link(int from, const char *name, int to, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n == -1)
		return err_sys(e, "reading link %s", name);
	target[n] = '\0';
	if (symlinkat(target, to, name) == -1)
		return err_sys(e, "making link %s", name);
	return set_attributes(to, name, st, e);
}

static int copy_below(int from, int to, unsigned depth, struct err *e);

static int
copy_dir(int from, const char *name, int to, const struct stat *st, unsigned depth, struct err *e)
{
	own_fd int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own_fd int out = -1;

	if (in == -1)
		return err_sys(e, "opening %s", name);
	if (mkdirat(to, name, 0700) == -1)
		return err_sys(e, "making %s", name);
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out == -1)
		return err_sys(e, "opening %s", name);
	if (copy_below(in, out, depth + 1, e) == -1 || copy_xattrs(in, out, e) == -1)
		return -1;
	return set_attributes(to, name, st, e);
}

static int
copy_entry(int from, const char *name, int to, dev_t dev, unsigned depth, struct err *e)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "looking at %s", name);
	if (S_ISREG(st.st_mode))
		return copy_file(from, name, to, &st, e);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, name, to, &st, e);
	if (S_ISDIR(st.st_mode) && st.st_dev == dev)
		return copy_dir(from, name, to, &st, depth, e);
	if (!S_ISFIFO(st.st_mode))
		return 0;
	if (mknodat(to, name, S_IFIFO | 0600, 0) == -1)
		return err_sys(e, "making FIFO %s", name);
	return set_attributes(to, name, &st, e);
}

static int
copy_below(int from, int to, unsigned depth, struct err *e)
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
		if (copy_entry(from, de->d_name, to, st.st_dev, depth, e) == -1)
			return -1;
	}
	return 0;
}

int
copy_tree(int from, int to, struct err *e)
{
	own_fd int in = path_reopen(from, O_RDONLY | O_DIRECTORY, e);

	if (in == -1 || copy_below(in, to, 0, e) == -1 || copy_xattrs(in, to, e) == -1)
		return -1;
	return copy_attributes(in, to, e);
}
