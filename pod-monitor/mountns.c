/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/base/own.h"
#include "pod-monitor/mountns.h"

#define CGROUP "/sys/fs/cgroup"
#define UNIFIED CGROUP "/unified"

/*
 * crun refuses hosts whose cgroup v2 tree holds controllers beside v1 ones, and neither runtime
 * uses that tree.  Safe because CGROUP is made private first, so the host keeps its mount.
 * crun makes the container's directory there nevertheless, as for each line of /proc/self/cgroup:
 * in a file system that goes with the namespace it leaves nothing behind on the host.
 */
static int
hide_unified(struct err *e)
{
	struct statfs fs;
	bool mounted;

	if (statfs(UNIFIED, &fs) != 0)
		return 0;
	mounted = fs.f_type == CGROUP2_SUPER_MAGIC;
	/* A directory that somebody unmounted it from is covered all the same. */
	if (!mounted && statfs(CGROUP, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
		return 0;
	if (mount(NULL, CGROUP, NULL, MS_PRIVATE, NULL) != 0)
		return err_sys(e, "making " CGROUP " private");
	/* In a user namespace the mount is locked, and only covered. */
	if ((mounted && umount2(UNIFIED, MNT_DETACH) != 0 && errno != EINVAL) ||
	    mount("tmpfs", UNIFIED, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=64k,nr_inodes=64,mode=700") != 0)
		return err_sys(e, "hiding " UNIFIED);
	return 0;
}

int
mountns_enter(struct err *e)
{
	own_fd int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	if (host < 0)
		return err_sys(e, "opening the mount namespace");
	if (unshare(CLONE_NEWNS) != 0)
		return err_sys(e, "making a mount namespace");
	if (hide_unified(e) != 0)
		return -1;
	return fd_take(&host);
}

/*
 * Makes the mount that holds path private, so that a mount on path goes to no other namespace.
 * Mounts below and beside it stay as they are.
 */
static int
make_parent_private(const char *path, struct err *e)
{
	own_mem char *real = realpath(path, NULL);
	struct statx sx;

	if (real == NULL)
		return err_sys(e, "finding %s", path);
	for (;;) {
		if (statx(AT_FDCWD, real, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) != 0)
			return err_sys(e, "looking at %s", real);
		if (!(sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) || strcmp(real, "/") == 0) {
			real[1] = '\0';
			break;
		}
		if (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
			break;

		char *slash = strrchr(real, '/');

		slash[slash == real] = '\0';
	}
	if (mount(NULL, real, NULL, MS_PRIVATE, NULL) != 0 && errno != EINVAL)
		return err_sys(e, "making %s private", real);
	return 0;
}

int
mountns_attach(int root, const char *path, struct err *e)
{
	if (make_parent_private(path, e) != 0)
		return -1;
	if (move_mount(root, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return err_sys(e, "mounting the root file system on %s", path);
	return 0;
}

void
mountns_seal(const char *path)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	own_fd int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct err ignored = {0};

	if (fd >= 0 && mount_setattr(fd, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) == 0)
		mountns_attach(fd, path, &ignored);
}

void
mountns_detach(const char *path)
{
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}
