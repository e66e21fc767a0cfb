/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/copy.h"
#include "pod-store/made.h"
#include "pod-store/variant.h"

static int
fill(int layer, int to, const struct owners *map, struct err *e)
{
	own_fd int from = layout_tree(layer, e);

	if (from == -1 || copy_layer(from, to, map, e) == -1)
		return -1;
	/* Once it has its name it is taken for complete, also after a loss of power. */
	return syncfs(to) == 0 ? 0 : err_sys(e, "writing the copy");
}

static int
make(struct store *s, int layer, int dir, const char *name, const struct owners *map, struct err *e)
{
	char stage[STORE_NAME_MAX];
	own_fd int area = store_stage(s, stage, e), to = -1;
	int r = -1;

	if (area == -1)
		return -1;
	if (mkdirat(area, "copy", 0700) == -1)
		return err_sys(e, "making a directory for the copy");
	to = path_open(area, "copy", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (to != -1 && fill(layer, to, map, e) == 0)
		r = renameat(area, "copy", dir, name) == 0
			? 0
			: err_sys(e, "putting the copy in place");
	return r;
}

int
variant_need(
    struct store *s, struct store *at, const char *layer, const struct owners *map, struct err *e)
{
	own_fd int from = store_open_layer(at, layer, "", e), dir = -1;
	char name[OWNERS_NAME];
	struct stat st;

	owners_name(map, name);
	if (from == -1)
		return -1;
	dir = at->read_only ? made_dir(s, layer, e) : fcntl(from, F_DUPFD_CLOEXEC, 3);
	if (dir == -1)
		return err_is_set(e) ? -1 : err_sys(e, "opening layer %s", layer);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	/* Two containers may start at once; the second one finds nothing left to do. */
	if (lock_take(dir, LOCK_EXCLUSIVE, LOCK_WAIT, "the layer", e) == -1)
		return -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (make(at->read_only ? s : at, from, dir, name, map, e) == 0)
		return 0;
	return err_wrap(e, "copying layer %s for the user namespace", layer);
}
