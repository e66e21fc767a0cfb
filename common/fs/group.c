/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/group.h"
#include "common/fs/path.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* The root of cgroup v2, or -1. */
static int
open_root(void)
{
	own_fd int root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (root == -1 || fstatfs(root, &fs) == -1 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -1;
	return fd_take(&root);
}

void
group_join(const char *path, pid_t pid)
{
	own_fd int root = open_root(), dir = -1, procs = -1;
	struct err ignored = {0};

	if (root == -1)
		return;
	dir = path_mkdirs(root, path, PATH_IN_ROOT, 0755, NULL, &ignored);
	procs = dir == -1 ? -1 : openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs != -1)
		dprintf(procs, "%d", (int)pid);
}

/* Our cgroup without a slash at its end: that of the root is "". */
static bool
own_path(char *path, size_t size)
{
	own_file FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		size_t n = strcspn(line, "\n");

		if (!text_has_prefix(line, "0::/"))
			continue;
		while (n > 3 && line[n - 1] == '/')
			n--;
		line[n] = '\0';
		return snprintf(path, size, "%s", line + 3) < (int)size;
	}
	return false;
}

/* May processes be moved to what is below the first n bytes of path? */
static bool
is_ours(const char *path, size_t n)
{
	char name[PATH_MAX + sizeof(CGROUP_ROOT) + 16];

	snprintf(name, sizeof(name), CGROUP_ROOT "%.*s", (int)n, path);
	if (access(name, W_OK) == -1)
		return false;
	snprintf(name, sizeof(name), CGROUP_ROOT "%.*s/cgroup.procs", (int)n, path);
	return access(name, W_OK) == 0;
}

void
group_leave_caller(void)
{
	own_fd int root = open_root();
	char own[PATH_MAX], target[PATH_MAX + sizeof(GROUP_HELPERS)];
	size_t n = 0, all;

	if (root == -1 || !own_path(own, sizeof(own)))
		return;
	all = strlen(own);
	while (n < all && !is_ours(own, n))
		n += 1 + strcspn(own + n + 1, "/");
	if (n == all && (n > 0 || !is_ours(own, 0)))
		return;
	snprintf(target, sizeof(target), "%.*s" GROUP_HELPERS, (int)n, own);
	if (strcmp(own, target) != 0)
		group_join(target, 0);
}
