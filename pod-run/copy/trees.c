/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/copy/trees.h"

void
trail_free(struct trail *t)
{
	strbuf_free(&t->path);
}

size_t
trail_push(struct trail *t, const char *name)
{
	size_t before = t->path.n;

	if (before > 0 && t->path.s[before - 1] != '/')
		strbuf_addc(&t->path, '/');
	strbuf_add(&t->path, name);
	return before;
}

void
trail_pop(struct trail *t, size_t before)
{
	t->path.n = before;
	if (t->path.s != NULL)
		t->path.s[before] = '\0';
}

bool
trees_is_kernel(int fd)
{
	static const unsigned long magic[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
	    CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
	    BPF_FS_MAGIC};
	struct statfs fs;

	if (fstatfs(fd, &fs) == -1)
		return false;
	for (size_t i = 0; i < COUNTOF(magic); i++)
		if ((unsigned long)fs.f_type == magic[i])
			return true;
	return false;
}

int
trees_open(int dir, const char *name, struct stat *st)
{
	own_fd int fd =
	    openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, st) == -1)
		return -1;
	/* Another kind of file took its place since it was looked at. */
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
		errno = ENOENT;
		return -1;
	}
	return fd_take(&fd);
}

int
trees_list(int fd, struct strv *names, const char *shown, struct err *e)
{
	own_fd int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = copy != -1 ? fdopendir(copy) : NULL;
	const struct dirent *n;

	if (d == NULL)
		return err_sys(e, "reading directory \"%s\"", shown);
	copy = -1;
	errno = 0;
	while ((n = readdir(d)) != NULL)
		if (strcmp(n->d_name, ".") != 0 && strcmp(n->d_name, "..") != 0)
			strv_add(names, n->d_name);
	if (errno != 0)
		return err_sys(e, "reading directory \"%s\"", shown);
	strv_sort(names);
	return 0;
}
