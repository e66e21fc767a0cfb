/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/mountpoints.h"

static const char *const dirs[] = {"", "/dev", "/etc", "/proc", "/run", "/sys"};
static const char *const files[] = {
    "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv"};

static int
fill(int area, struct err *e)
{
	char path[STORE_NAME_MAX];

	for (size_t i = 0; i < COUNTOF(dirs); i++) {
		snprintf(path, sizeof(path), MOUNTPOINTS "%s", dirs[i]);
		if (mkdirat(area, path, 0755) == -1 || fchmodat(area, path, 0755, 0) == -1)
			return err_sys(e, "making the directory %s", path);
	}
	for (size_t i = 0; i < COUNTOF(files); i++) {
		own_fd int fd = -1;

		snprintf(path, sizeof(path), MOUNTPOINTS "%s", files[i]);
		fd = openat(area, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd == -1)
			return err_sys(e, "making the file %s", path);
	}
	if (symlinkat("/proc/mounts", area, MOUNTPOINTS "/etc/mtab") == -1)
		return err_sys(e, "making the link /etc/mtab");
	return 0;
}

/* Like fill made it; what is missing is no harm. */
static bool
is_like(int top, const char *name, mode_t type)
{
	char path[STORE_NAME_MAX];
	struct stat st;

	snprintf(path, sizeof(path), MOUNTPOINTS "%s", name);
	if (fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT;
	return (st.st_mode & S_IFMT) == type &&
	       (type == S_IFDIR ? (st.st_mode & 07777) == 0755 : st.st_size == 0);
}

bool
mountpoints_sound(const struct store *s)
{
	for (size_t i = 0; i < COUNTOF(dirs); i++)
		if (!is_like(s->dir, dirs[i], S_IFDIR))
			return false;
	for (size_t i = 0; i < COUNTOF(files); i++)
		if (!is_like(s->dir, files[i], S_IFREG))
			return false;
	return true;
}

/* As it was made; what is of another kind, or has another name somewhere, makes way. */
static int
mend_one(struct store *s, const char *name, mode_t type, struct err *e)
{
	char path[STORE_NAME_MAX];
	own_fd int fd = -1;
	struct stat st;
	bool there, fits;

	snprintf(path, sizeof(path), MOUNTPOINTS "%s", name);
	there = fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (there && is_like(s->dir, name, type))
		return 0;
	fits = there && (st.st_mode & S_IFMT) == type && (type == S_IFDIR || st.st_nlink == 1);
	if (there && !fits && store_trash(s, s->dir, path, e) == -1)
		return err_wrap(e, "making %s anew", path);
	if (!fits && type == S_IFDIR && mkdirat(s->dir, path, 0755) == -1)
		return err_sys(e, "making %s anew", path);
	if (type == S_IFDIR)
		return fchmodat(s->dir, path, 0755, 0) == 0 ? 0
							    : err_sys(e, "making %s anew", path);
	fd = openat(s->dir, path, O_WRONLY | O_TRUNC | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd != -1 ? 0 : err_sys(e, "making %s anew", path);
}

int
mountpoints_mend(struct store *s, struct err *e)
{
	/* Outer ones first, so that none of the names below leads elsewhere. */
	for (size_t i = 0; i < COUNTOF(dirs); i++)
		if (mend_one(s, dirs[i], S_IFDIR, e) == -1)
			return -1;
	for (size_t i = 0; i < COUNTOF(files); i++)
		if (mend_one(s, files[i], S_IFREG, e) == -1)
			return -1;
	return 0;
}

int
mountpoints_need(struct store *s, struct err *e)
{
	char stage[STORE_NAME_MAX], path[STORE_NAME_MAX + 4];
	own_fd int area = -1;

	if (faccessat(s->dir, MOUNTPOINTS, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	area = store_stage(s, stage, e);
	if (area == -1 || fill(area, e) == -1)
		return err_wrap(e, "making the mount points of containers");
	/*
	 * Another start may have been quicker: its directory is the same.  What a loss of power leaves out of
	 * it, runtimes make.
	 */
	if (renameat(area, MOUNTPOINTS, s->dir, MOUNTPOINTS) == -1 && errno != ENOTEMPTY &&
	    errno != EEXIST)
		return err_sys(e, "putting the mount points of containers in place");
	snprintf(path, sizeof(path), "tmp/%s", stage);
	unlinkat(s->dir, path, AT_REMOVEDIR); /* or whoever sweeps */
	return 0;
}
