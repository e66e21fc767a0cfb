/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/copy.h"
#include "pod-store/made.h"
#include "pod-store/places.h"

#define TREE "tree"

/* "made/LAYER"; the name of a layer is a digest, or is refused. */
static int
made_path(const char *layer, char out[STORE_NAME_MAX], struct err *e)
{
	if (strlen(layer) > 64 || strchr(layer, '/') != NULL || *layer == '.' || *layer == '\0')
		return err_set(e, ERR_INVALID, "the identifier of a layer is malformed");
	snprintf(out, STORE_NAME_MAX, "made/%.64s", layer);
	return 0;
}

int
made_dir(struct store *s, const char *layer, struct err *e)
{
	char path[STORE_NAME_MAX];

	if (made_path(layer, path, e) == -1)
		return -1;
	if ((mkdirat(s->dir, "made", 0700) == -1 && errno != EEXIST) ||
	    (mkdirat(s->dir, path, 0700) == -1 && errno != EEXIST))
		return err_sys(e, "making directory %s of the store", path);
	return store_dir(s, path, e);
}

static int
fill_tree(struct store *s, const struct strv *layers, int to, struct err *e)
{
	for (size_t i = 0; i < layers->n; i++) {
		own_fd int dir = places_open_layer(s, layers->v[i], "", e);
		own_fd int from = dir != -1 ? layout_tree(dir, e) : -1;

		if (from == -1 || copy_over(from, to, e) == -1)
			return -1;
	}
	/* Once it has its name it is taken for complete, also after a loss of power. */
	return syncfs(to) == 0 ? 0 : err_sys(e, "writing the tree of an image");
}

static int
make_tree(struct store *s, const struct strv *layers, int dir, struct err *e)
{
	char stage[STORE_NAME_MAX];
	own_fd int area = store_stage(s, stage, e), to = -1;

	if (area == -1)
		return -1;
	if (mkdirat(area, TREE, 0755) == -1)
		return err_sys(e, "making the tree of an image");
	to = path_open(area, TREE, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (to == -1 || fill_tree(s, layers, to, e) == -1)
		return -1;
	return renameat(area, TREE, dir, TREE) == 0
		   ? 0
		   : err_sys(e, "putting the tree of an image in place");
}

int
made_tree(struct store *s, const struct strv *layers, struct err *e)
{
	own_fd int dir = -1;
	int tree;

	if (layers->n == 0)
		return store_dir(s, "empty", e);
	dir = made_dir(s, layers->v[layers->n - 1], e);
	if (dir == -1)
		return -1;
	tree = path_try(dir, TREE, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (tree >= 0)
		return tree;
	/* Two containers may start at once; the second one finds nothing left to do. */
	if (lock_take(dir, LOCK_EXCLUSIVE, LOCK_WAIT, "the image's tree", e) == -1)
		return -1;
	tree = path_try(dir, TREE, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	if (tree >= 0)
		return tree;
	if (make_tree(s, layers, dir, e) == -1) {
		err_wrap(e, "making the tree of the image");
		return -1;
	}
	return path_open(dir, TREE, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

int
made_forget(struct store *s, const char *layer, struct err *e)
{
	char path[STORE_NAME_MAX];

	return made_path(layer, path, e) == -1 ? -1 : store_trash(s, s->dir, path, e);
}

int
made_sweep(struct store *s, uint64_t *count, struct err *e)
{
	own_fd int fd = path_try(s->dir, "made", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_dir DIR *d = NULL;
	struct dirent *de;

	if (fd == -1)
		return 0;
	d = fdopendir(fd);
	if (d == NULL)
		return err_sys(e, "listing made");
	fd_take(&fd);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.' || places_layer(s, de->d_name, e) != NULL)
			continue;
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		if (made_forget(s, de->d_name, e) == -1)
			return -1;
		(*count)++;
	}
	return 0;
}
