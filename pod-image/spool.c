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
open_in(const char *dir, struct err *e)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

	return fd >= 0 ? fd : err_sys(e, "making a temporary file in %s", dir);
}

int
spool_open(const char *graph_root, struct err *e)
{
	const char *chosen = getenv("TMPDIR");
	own_mem char *dir = NULL;
	struct err ignored = {0};
	int fd;

	if (chosen != NULL && *chosen == '/')
		return open_in(chosen, e);
	if (graph_root == NULL)
		return open_in("/var/tmp", e);
	dir = xasprintf("%s/tmp", graph_root);
	fd = open_in(dir, &ignored);
	if (fd >= 0)
		return fd;
	(void)mkdir(graph_root, 0700);
	(void)mkdir(dir, 0700);
	return open_in(dir, e);
}

int
spool_beside(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_mem char *dir = slash == path   ? xstrdup("/")
			    : slash != NULL ? xstrndup(path, (size_t)(slash - path))
					    : xstrdup(".");

	return open_in(dir, e);
}

int
spool_reset(int fd, struct err *e)
{
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "emptying a temporary file");
	return 0;
}
