/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-monitor/forget.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/*
 * Safe because a cgroup with processes or groups in it cannot be removed, and the path ends with the
 * container's ID, which nobody else has.
 */
static bool
remove_one(int root, const char *hierarchy, const char *path, const char *inner)
{
	char name[PATH_MAX];
	int n = snprintf(name, sizeof(name), "%s%s%s", hierarchy, path, inner);

	if (n >= (int)sizeof(name))
		return false;
	return unlinkat(root, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/*
 * v1: one hierarchy for each controller; the names of joint ones are links to the same.  A hybrid host's
 * second tree is hidden from the runtime and from us (mountns_enter).
 */
static bool
remove_cgroups_v1(DIR *d, const char *path)
{
	bool gone = true;
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		if (e->d_type == DT_DIR && e->d_name[0] != '.' && strcmp(e->d_name, "unified") != 0)
			gone = remove_one(dirfd(d), e->d_name, path, "") && gone;
	return gone;
}

static bool
remove_cgroups(const char *path)
{
	own_dir DIR *d = opendir(CGROUP_ROOT);
	struct statfs fs;

	if (d == NULL || fstatfs(dirfd(d), &fs) == -1)
		return false;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return remove_cgroups_v1(d, path);
	/* crun puts the processes into a group of its own below the container's. */
	return remove_one(dirfd(d), ".", path, "/container") && remove_one(dirfd(d), ".", path, "");
}

/* The directory is flat. */
static bool
remove_state(const char *path)
{
	own_dir DIR *d = opendir(path);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' || (e->d_name[1] != '.' && e->d_name[1] != '\0'))
			unlinkat(dirfd(d), e->d_name, 0);
	return rmdir(path) == 0 || errno == ENOENT;
}

bool
forget_container(const struct job *j)
{
	if (j->state_dir == NULL)
		return false;
	/* As long as there is a record the runtime can finish what we cannot. */
	return (j->cgroup == NULL || remove_cgroups(j->cgroup)) && remove_state(j->state_dir);
}
