/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "pod-store/erofs_mount.h"
#include "pod-store/layer/erofs.h"
#include "pod-store/layout.h"
#include "pod-store/overlay.h"
#include "pod-store/store.h"

static const char *const names[] = {
    [LAYOUT_DIR] = "dir", [LAYOUT_EROFS] = "erofs", [LAYOUT_AUTO] = "auto"};

int
layout_parse(const char *word, enum layout *out, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(word, names[i]) == 0) {
			*out = (enum layout)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "overlay.layout must be dir, erofs or auto, not \"%s\"", word);
}

enum layout
layout_of(int dir)
{
	struct stat st;

	return fstatat(dir, LAYOUT_TAR, &st, AT_SYMLINK_NOFOLLOW) == 0 ? LAYOUT_EROFS : LAYOUT_DIR;
}

const char *
layout_lower(int dir)
{
	return layout_of(dir) == LAYOUT_EROFS ? LAYOUT_IMAGE : "diff";
}

int
layout_tree(int dir, struct err *e)
{
	own_fd int mount = -1;

	if (layout_of(dir) == LAYOUT_DIR)
		return path_open(dir, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	mount = erofs_mount(dir, LAYOUT_IMAGE, 0, e);
	/* What fsmount gives is no descriptor to list by. */
	return mount == -1 ? -1 : path_open(mount, ".", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
}

/* --- Probing -------------------------------------------------------------------------------------- */

static int
make_empty(int dir, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	own_fd int tar = openat(dir, LAYOUT_TAR, flags, 0600);
	own_fd int image = openat(dir, LAYOUT_IMAGE, flags, 0600);
	struct nodes t;
	int r;

	if (tar == -1 || image == -1 || ftruncate(tar, (off_t)2 * TAR_BLOCK) == -1)
		return err_sys(e, "making an image to try");
	nodes_init(&t);
	r = erofs_write(&t, tar, (uint64_t)2 * TAR_BLOCK, image, e);
	nodes_free(&t);
	return r;
}

/* Can this kernel mount a layer of nothing from a file here, and put overlay on it? */
static int
try_erofs(struct store *s, struct err *e)
{
	char name[STORE_NAME_MAX], path[STORE_NAME_MAX + 16];
	const char *const lower[] = {path};
	struct overlay o = {.base = s->root, .lower = lower, .n = 1, .empty = "empty"};
	own_fd int stage = -1, m = -1;
	struct err ignored;

	if (s->userxattr)
		return err_set(e, ERR_UNSUPPORTED,
		    "layers as EROFS images take root in the first user namespace");
	stage = store_stage(s, name, e);
	if (stage == -1)
		return -1;
	snprintf(path, sizeof(path), "tmp/%s", name);
	if (make_empty(stage, e) == 0) {
		snprintf(path, sizeof(path), "tmp/%s/" LAYOUT_IMAGE, name);
		m = overlay_mount(&o, e);
		snprintf(path, sizeof(path), "tmp/%s", name);
	}
	store_trash(s, s->dir, path, &ignored);
	return m == -1 ? err_wrap(e, "layers as EROFS images cannot be had here") : 0;
}

int
layout_of_new(struct store *s, enum layout *out, struct err *e)
{
	struct err why = {0};

	/* A program that lays directories over each other is given directories. */
	if (s->layout == LAYOUT_AUTO && s->opt.mount_program != NULL)
		s->layout = LAYOUT_DIR;
	if (s->layout != LAYOUT_DIR && !s->probed) {
		if (try_erofs(s, &why) == -1) {
			if (s->layout == LAYOUT_EROFS) {
				*e = why;
				return -1;
			}
			log_debug("%s", why.text);
			s->layout = LAYOUT_DIR;
		} else {
			s->layout = LAYOUT_EROFS;
		}
		s->probed = true;
	}
	*out = s->layout;
	return 0;
}
