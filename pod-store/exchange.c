/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/attach.h"
#include "pod-store/exchange.h"
#include "pod-store/image.h"

static int
refuse_mounts(struct store *s, struct err *e)
{
	own_arena struct arena a = {0};
	struct msg_rootfs_mounted mounted;

	if (attach_list(s, &mounted, &a, e) == -1)
		return -1;
	if (mounted.ids.n > 0)
		return err_set(e, ERR_STATE, "%.12s is mounted", mounted.ids.v[0]);
	return 0;
}

static int
refuse_users(struct store *s, const char *layer, struct err *e)
{
	own_strv struct strv users = {0};

	if (refuse_mounts(s, e) == -1 || image_users(s, &users, e) == -1)
		return -1;
	for (size_t i = 0; i < users.n; i++) {
		own_strv struct strv layers = {0};

		if (image_layers(s, users.v[i], &layers, e) == -1)
			return -1;
		if (strv_find(&layers, layer) < layers.n)
			return err_set(
			    e, ERR_STATE, "a container stands on image %.12s", users.v[i]);
	}
	return 0;
}

/* Copies for user namespaces are made again when they are needed. */
static int
trash_variants(struct store *s, int layer, struct err *e)
{
	own_fd int list = openat(layer, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_dir DIR *d = list == -1 ? NULL : fdopendir(list);
	struct dirent *de;

	if (d == NULL)
		return err_sys(e, "listing the layer");
	fd_take(&list);
	while ((de = readdir(d)) != NULL)
		if (text_has_prefix(de->d_name, "map-") &&
		    store_trash(s, layer, de->d_name, e) == -1)
			return -1;
	return 0;
}

/*
 * The tar decides which layout a layer has (layout_of): it comes last, or goes first.  What stands there of the
 * new one is left over from an attempt that was broken off.
 */
static int
become_image(struct store *s, int from, int layer, struct err *e)
{
	if (renameat(from, LAYOUT_IMAGE, layer, LAYOUT_IMAGE) == -1 ||
	    renameat(from, LAYOUT_TAR, layer, LAYOUT_TAR) == -1)
		return err_sys(e, "putting the layer in place");
	if (store_trash(s, layer, "diff", e) == -1 || store_trash(s, layer, "tar.index", e) == -1)
		return -1;
	return trash_variants(s, layer, e);
}

static int
become_dir(struct store *s, int from, int layer, struct err *e)
{
	if (store_trash(s, layer, "diff", e) == -1)
		return -1;
	if (renameat(from, "diff", layer, "diff") == -1 ||
	    renameat(from, "tar.index", layer, "tar.index") == -1 || fsync(layer) == -1)
		return err_sys(e, "putting the layer in place");
	if (store_trash(s, layer, LAYOUT_TAR, e) == -1)
		return -1;
	return store_trash(s, layer, LAYOUT_IMAGE, e);
}

/* With nobody on the way to stand on an image. */
static int
exchange(struct store *s, struct stage *g, const struct staged *l, const char *layer, struct err *e)
{
	own_mem char *path = xasprintf("layers/%s", layer);
	own_fd int dir = store_dir(s, path, e), from = -1;
	enum layout now;

	if (dir == -1)
		return -1;
	from = openat(g->dir, l->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from == -1)
		return err_sys(e, "opening the staged layer");
	now = layout_of(dir);
	if (now == layout_of(from))
		return 0;
	if (refuse_users(s, layer, e) == -1)
		return -1;
	if ((now == LAYOUT_DIR ? become_image(s, from, dir, e) : become_dir(s, from, dir, e)) == -1)
		return -1;
	return fsync(dir) == 0 ? 0 : err_sys(e, "writing the layer's directory");
}

int
exchange_layer(struct store *s, struct stage *g, const struct msg_layer_exchange *m, struct err *e)
{
	const struct staged *l = NULL;
	sqlite3_stmt *q;
	int r;

	if (!text_is_hex(m->layer, 64))
		return err_set(e, ERR_INVALID, "the identifier of a layer is malformed");
	q = db_query(&s->db, SQL_LAYER_ROW, e, "t", m->layer);
	r = db_step(&s->db, q, e);
	if (r == -1)
		return -1;
	if (r == 1) {
		l = stage_layer_find(g, db_text(q, 0));
		db_done(q);
	}
	if (l == NULL)
		return err_set(e, ERR_NOTFOUND, "%s: layer not known, or not staged", m->layer);
	/* The content must be on disk before it counts. */
	if (syncfs(g->dir) == -1)
		return err_sys(e, "writing the layer");
	if (store_lock(s, LOCK_EXCLUSIVE, e) == -1)
		return -1;
	r = exchange(s, g, l, m->layer, e);
	store_unlock(s);
	return r;
}
