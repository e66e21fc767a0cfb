/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-store/artifacts.h"

#define NAME "artifacts"
#define LISTS "lists"

static int
make(const struct store *s, const char *path, struct err *e)
{
	if (mkdirat(s->dir, path, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making the directory of artifacts");
	return 0;
}

int
artifacts_open(const struct store *s, const char *list, bool write, int *out, struct err *e)
{
	own_mem char *path = list != NULL ? xasprintf(LISTS "/%s", list) : xstrdup(NAME);
	own_fd int dir = -1;

	if (list != NULL && (strlen(list) != 64 || !text_is_hex(list, 64)))
		return err_set(e, ERR_INVALID, "malformed ID of a manifest list");
	if (write && ((list != NULL && make(s, LISTS, e) == -1) || make(s, path, e) == -1))
		return -1;
	dir = path_open(s->dir, path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
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

int
artifacts_drop(struct store *s, const char *list, struct err *e)
{
	own_fd int dir = path_try(s->dir, LISTS, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);

	return dir == -1 ? 0 : store_trash(s, dir, list, e);
}
