/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/bring.h"
#include "pod-store/copy.h"
#include "pod-store/layer.h"
#include "pod-store/places.h"

/* What is kept for pushing can be lost without harm. */
static int
copy_parts(int from, int to, struct err *e)
{
	own_fd int files = -1, new_files = -1;

	if (layout_of(from) == LAYOUT_EROFS)
		return copy_named(from, LAYOUT_TAR, to, LAYOUT_TAR, e) == 0
			   ? copy_named(from, LAYOUT_IMAGE, to, LAYOUT_IMAGE, e)
			   : -1;
	files = path_open(from, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (files == -1 || copy_named(from, "tar.index", to, "tar.index", e) == -1)
		return -1;
	if (mkdirat(to, "diff", 0755) == -1)
		return err_sys(e, "copying a layer");
	new_files = path_open(to, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	return new_files == -1 ? -1 : copy_layer(files, new_files, NULL, e);
}

static int
copy_here(struct store *to, struct store *at, const char *id, const char *parent,
    const char *diff_hex, uint64_t size, struct err *e)
{
	own_mem char *path = xasprintf("layers/%s", id);
	own_fd int from = store_dir(at, path, e), area = -1, dir = -1;
	char name[STORE_NAME_MAX];

	if (from == -1)
		return -1;
	area = store_stage(to, name, e);
	if (area == -1)
		return -1;
	if (mkdirat(area, "layer", 0700) == -1)
		return err_sys(e, "copying a layer");
	dir = path_open(area, "layer", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (dir == -1 || copy_parts(from, dir, e) == -1)
		return err_wrap(e, "layer %s of %s", id, at->root);
	/* The content must be on disk before a row says that the layer is complete. */
	if (syncfs(dir) == -1)
		return err_sys(e, "writing layer %s", id);
	if (layer_settle(to, area, "layer", id, parent, diff_hex, size, e) == -1)
		return -1;
	return layer_sync(to, e);
}

int
bring_layer(
    struct store *to, const char *id, const char *parent, const char *diff_hex, struct err *e)
{
	struct store *all = to->base != NULL ? to->base : to;
	struct store *at = places_layer(all, id, e);
	sqlite3_stmt *q;
	uint64_t size;
	int r;

	if (at == NULL) {
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	if (at == to)
		return 1;
	q = db_query(&at->db, SQL_LAYER_ROW, e, "t", id);
	r = db_step(&at->db, q, e);
	if (r != 1)
		return r;
	size = (uint64_t)db_int(q, 1);
	db_done(q);
	r = at->read_only ? layer_refer(to, id, parent, diff_hex, size, e)
			  : copy_here(to, at, id, parent, diff_hex, size, e);
	return r == 0 ? 1 : -1;
}
