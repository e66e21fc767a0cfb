/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/artifacts.h"

#define NAME "artifacts"

int
artifacts_open(const struct store *s, bool write, int *out, struct err *e)
{
	own_fd int dir = -1;

	if (write && mkdirat(s->dir, NAME, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making the directory of artifacts");
	dir = path_open(s->dir, NAME, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (dir == -1) {
		if (write || e->no != ENOENT)
			return -1;
		err_clear(e);
		return 0;
	}
	if (write && lock_take(dir, LOCK_EXCLUSIVE, LOCK_WAIT, "the artifacts", e) == -1)
		return -1;
	*out = fd_take(&dir);
	return 0;
}
