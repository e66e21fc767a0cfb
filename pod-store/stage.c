/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "pod-store/flush.h"
#include "pod-store/stage.h"

struct stage *
stage_begin(struct store *s, struct stages *all, struct err *e)
{
	struct stage g = {.dir = -1, .sync = s->opt.sync};

	if (all->n >= STAGE_MAX) {
		err_set(e, ERR_LIMIT, "too many staging areas");
		return NULL;
	}
	g.dir = store_stage(s, g.name, e);
	if (g.dir == -1)
		return NULL;
	g.number = ++all->last;
	all->v = mem_grow(all->v, &all->cap, all->n + 1, sizeof(*all->v));
	all->v[all->n] = g;
	return &all->v[all->n++];
}

struct stage *
stage_find(struct stages *all, uint64_t number, struct err *e)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].number == number)
			return &all->v[i];
	err_set(e, ERR_NOTFOUND, "there is no staging area %llu", (unsigned long long)number);
	return NULL;
}

void
stage_end(struct store *s, struct stages *all, struct stage *g)
{
	own_mem char *path = xasprintf("tmp/%s", g->name);
	struct err ignored;

	flush_end(g->flush);
	/* What cannot be moved away now is found by the next sweep. */
	store_trash(s, s->dir, path, &ignored);
	fd_close(&g->dir);
	free(g->layers);
	*g = all->v[--all->n];
}

void
stage_end_all(struct store *s, struct stages *all)
{
	while (all->n > 0)
		stage_end(s, all, &all->v[all->n - 1]);
	free(all->v);
	*all = (struct stages){0};
}

static int
make_file(int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd >= 0 ? fd : err_sys(e, "making a layer's %s", name);
}

static int
make_diff(int dir, struct err *e)
{
	own_fd int d = -1;

	if (mkdirat(dir, "diff", 0755) == -1)
		return err_sys(e, "making a layer's directory");
	d = path_open(dir, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (d == -1)
		return -1;
	/* The mode of "/" in the container, unless the tar says otherwise; the umask does not matter. */
	if (fchmod(d, 0755) == -1)
		return err_sys(e, "making a layer's directory");
	/* Nor does what the graph root would have all files in it inherit. */
	(void)fremovexattr(d, "system.posix_acl_default");
	(void)fremovexattr(d, "system.posix_acl_access");
	return fd_take(&d);
}

int
stage_layer(struct stage *g, enum layout layout, size_t *at, struct stage_place *out, struct err *e)
{
	bool image = layout == LAYOUT_EROFS;
	own_fd int dir = -1, content = -1, index = -1;
	struct staged *l;

	if (g->n >= STAGE_LAYERS_MAX)
		return err_set(e, ERR_LIMIT, "too many layers");
	g->layers = mem_grow(g->layers, &g->cap, g->n + 1, sizeof(*g->layers));
	l = &g->layers[g->n];
	memset(l, 0, sizeof(*l));
	snprintf(l->name, sizeof(l->name), "%zu", g->n);
	if (mkdirat(g->dir, l->name, 0700) == -1)
		return err_sys(e, "making a layer's directory");
	dir = path_open(g->dir, l->name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (dir == -1)
		return -1;
	content = image ? make_file(dir, LAYOUT_TAR, e) : make_diff(dir, e);
	index = content == -1 ? -1 : make_file(dir, image ? LAYOUT_IMAGE : "tar.index", e);
	if (index == -1)
		return -1;
	if (g->flush == NULL && g->sync)
		g->flush = flush_begin(g->dir);
	*out = (struct stage_place){layout, fd_take(&content), fd_take(&index)};
	*at = g->n++;
	return 0;
}

struct staged *
stage_layer_find(struct stage *g, const char *diff_hex)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->layers[i].diff_hex, diff_hex) == 0)
			return &g->layers[i];
	return NULL;
}
