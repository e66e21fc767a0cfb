/* SPDX-License-Identifier: ISC */
// objs: pod-store/overlay.o pod-store/layout.o pod-store/erofs_mount.o pod-store/fsapi.o pod-store/layer/erofs.o pod-store/layer/nodes.o
// objs: pod-store/layer/name.o pod-store/layer/acl.o pod-store/layer/xattr.o pod-store/store.o pod-store/volume_place.o pod-store/db.o
// objs: pod-store/layer/tar.o pod-store/layer/tarpax.o pod-store/layer/tarhdr.o pod-store/layer/sparse.o
// libs: -lsqlite3 -lmsgpackc
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/tree.h"
#include "pod-store/layer/erofs.h"
#include "pod-store/layout.h"
#include "pod-store/overlay.h"
#include "pod-store/store.h"

static char root[] = "/tmp/podtest.XXXXXX";
static struct store s;

static void
open_store(void)
{
	struct err e = {0};

	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(store_open(&s, root, &e), 0, "%s", e.text);
}

static void
close_store(void)
{
	struct err e;

	store_close(&s);
	tree_remove(AT_FDCWD, root, &e);
}

/* A layer that holds one file: name, with its name for contents. */
static void
make_layer(const char *id, const char *name)
{
	own_mem char *dir = xasprintf("%s/layers/%s", root, id);
	own_mem char *tar_path = xasprintf("%s/tar", dir), *image_path = xasprintf("%s/erofs", dir);
	char block[3 * TAR_BLOCK] = "";
	struct tar_entry x = {.type = TAR_FILE, .name = name, .mode = 0644, .size = strlen(name)};
	own_fd int tar = -1, image = -1;
	struct nodes t;
	struct err e = {0};

	cr_assert_eq(mkdir(dir, 0700), 0);
	tar = open(tar_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	image = open(image_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	memcpy(block + TAR_BLOCK, name, strlen(name));
	cr_assert_eq(write(tar, block, sizeof(block)), (ssize_t)sizeof(block));
	nodes_init(&t);
	cr_assert_eq(nodes_begin(&t, &x, &e), 0, "%s", e.text);
	cr_assert_eq(nodes_data(&t, 0, TAR_BLOCK, strlen(name), &e), 0, "%s", e.text);
	cr_assert_eq(erofs_write(&t, tar, sizeof(block), image, &e), 0, "%s", e.text);
	nodes_free(&t);
}

/* Names and attributes that come again and again stand for one file, but take memory each time. */
Test(layout, what_is_in_memory_is_bounded)
{
	struct tar_xattr a = {.name = "user.x", .value = "y", .n = 1};
	struct tar_entry x = {.type = TAR_DIR, .name = "d", .xattrs = &a, .nxattrs = 1};
	struct err e = {0};
	struct nodes t;

	nodes_init(&t);
	cr_assert_eq(nodes_begin(&t, &x, &e), 0, "%s", e.text);
	t.xattrs_bytes = NODES_XATTRS_MAX;
	cr_assert_eq(nodes_begin(&t, &x, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	err_clear(&e);
	x.nxattrs = 0;
	cr_assert_eq(nodes_begin(&t, &x, &e), 0, "%s", e.text);
	t.entries = NODES_MAX;
	cr_assert_eq(nodes_begin(&t, &x, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	nodes_free(&t);
}

static bool
can_mount(void)
{
	enum layout l;
	struct err e = {0};

	s.layout = LAYOUT_AUTO;
	return layout_of_new(&s, &l, &e) == 0 && l == LAYOUT_EROFS;
}

static void
expect_file(int dir, const char *name)
{
	own_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char text[64] = "";

	cr_assert_neq(fd, -1, "%s is not there", name);
	cr_assert_eq(read(fd, text, sizeof(text) - 1), (ssize_t)strlen(name));
	cr_assert_str_eq(text, name);
}

/*
 * Every way, the last one as on kernels whose overlay takes no mounts that are attached nowhere: then images are
 * attached in a mount namespace of our own, which others must not see.
 */
Test(layout, overlay_on_images, .init = open_store, .fini = close_store)
{
	static const char *const lower[] = {"layers/a/erofs", "layers/b/erofs"};
	struct overlay o = {.base = root, .lower = lower, .n = 2, .empty = "empty"};

	if (geteuid() != 0 || !can_mount())
		cr_skip_test("this machine mounts no images of layers");
	make_layer("a", "low");
	make_layer("b", "high");
	for (enum overlay_way w = OVERLAY_FDS; w < OVERLAY_WAYS; w++) {
		struct err e = {0};
		own_fd int m = overlay_mount_by(w, &o, &e);
		own_fd int empty = open(root, O_RDONLY | O_CLOEXEC);

		cr_assert_neq(m, -1, "way %d: %s", (int)w, e.text);
		expect_file(m, "low");
		expect_file(m, "high");
		cr_assert_eq(faccessat(empty, "empty/low", F_OK, 0), -1, "an image stays attached");
		cr_assert_eq(
		    faccessat(empty, "empty/high", F_OK, 0), -1, "an image stays attached");
	}
	o.n = 1;
	for (enum overlay_way w = OVERLAY_FDS; w < OVERLAY_WAYS; w++) {
		struct err e = {0};
		own_fd int m = overlay_mount_by(w, &o, &e);

		cr_assert_neq(m, -1, "one image alone, way %d: %s", (int)w, e.text);
		expect_file(m, "low");
	}
}

Test(layout, words)
{
	enum layout l = LAYOUT_DIR;
	struct err e = {0};

	cr_assert_eq(layout_parse("erofs", &l, &e), 0);
	cr_assert_eq(l, LAYOUT_EROFS);
	cr_assert_eq(layout_parse("auto", &l, &e), 0);
	cr_assert_eq(layout_parse("ext4", &l, &e), -1);
	cr_assert_eq(l, LAYOUT_AUTO);
}

Test(layout, told_by_the_directory, .init = open_store, .fini = close_store)
{
	own_mem char *plain = xasprintf("%s/layers/plain", root);
	own_mem char *diff = xasprintf("%s/diff", plain);
	own_fd int a = -1, b = -1;

	make_layer("image", "file");
	cr_assert(mkdir(plain, 0700) == 0 && mkdir(diff, 0755) == 0);
	a = openat(s.dir, "layers/image", O_RDONLY | O_CLOEXEC);
	b = openat(s.dir, "layers/plain", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(layout_of(a), LAYOUT_EROFS);
	cr_assert_str_eq(layout_lower(a), "erofs");
	cr_assert_eq(layout_of(b), LAYOUT_DIR);
	cr_assert_str_eq(layout_lower(b), "diff");
}
