/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-monitor/group.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

void
group_join(const char *path, pid_t worker)
{
	own_fd int root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	own_fd int dir = -1, procs = -1;
	struct err ignored = {0};
	struct statfs fs;

	if (root == -1 || fstatfs(root, &fs) == -1 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return;
	dir = path_mkdirs(root, path, PATH_IN_ROOT, 0755, NULL, &ignored);
	procs = dir == -1 ? -1 : openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs == -1 || write(procs, "0", 1) != 1 || worker <= 0)
		return;
	/* One process each time that is written. */
	dprintf(procs, "%d", (int)worker);
}
