/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-image/spool.h"

static int
open_elsewhere(struct err *e)
{
	const char *dir = getenv("TMPDIR");
	int fd;

	if (dir == NULL || dir[0] != '/')
		dir = "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	return fd >= 0 ? fd : err_sys(e, "making a temporary file in %s", dir);
}

int
spool_open(const char *graph_root, struct err *e)
{
	own_mem char *dir = NULL;
	int fd;

	if (graph_root == NULL)
		return open_elsewhere(e);
	dir = xasprintf("%s/tmp", graph_root);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	if (fd < 0) {
		(void)mkdir(graph_root, 0700);
		(void)mkdir(dir, 0700);
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
	}
	return fd >= 0 ? fd : err_sys(e, "making a temporary file in %s", dir);
}

int
spool_beside(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_mem char *dir = slash == path   ? xstrdup("/")
			    : slash != NULL ? xstrndup(path, (size_t)(slash - path))
					    : xstrdup(".");
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	return fd >= 0 ? fd : err_sys(e, "making a temporary file in %s", dir);
}

int
spool_reset(int fd, struct err *e)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "emptying a temporary file");
	return 0;
}
