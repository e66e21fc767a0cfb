/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/attach.h"
#include "pod-store/places.h"
#include "pod-store/rootfs.h"

/* "mounts/ID"; the ID was checked to be one. */
static int
place_path(const char *id, char out[STORE_NAME_MAX], struct err *e)
{
	char rw[STORE_NAME_MAX];

	if (rootfs_path(id, rw, e) == -1)
		return -1;
	snprintf(out, STORE_NAME_MAX, "mounts/%s", id);
	return 0;
}

static bool
is_mounted(const struct store *s, const char *path)
{
	struct statx sx;

	return statx(s->dir, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) == 0 &&
	       (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int
attach_clone(struct store *s, const char *id)
{
	char path[STORE_NAME_MAX];
	struct err ignored;

	if (place_path(id, path, &ignored) == -1 || !is_mounted(s, path))
		return -1;
	return (int)syscall(SYS_open_tree, s->dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int
open_root(struct store *s, const struct msg_rootfs_attach *m, struct err *e)
{
	if (places_image(s, m->id, e) != NULL)
		return rootfs_mount_image(s, m->id, e);
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return rootfs_mount(s, m->id, m->userns, e);
}

int
attach_open(struct store *s, const struct msg_rootfs_attach *m, struct msg_rootfs_attached *out,
    struct arena *a, struct err *e)
{
	char path[STORE_NAME_MAX];

	*out = (struct msg_rootfs_attached){.root = -1};
	if (place_path(m->id, path, e) == -1)
		return -1;
	if (mkdirat(s->dir, path, 0700) == -1 && errno != EEXIST)
		return err_sys(e, "making a directory to mount on");
	out->path = arena_printf(a, "%s/%s", s->root, path);
	if (m->place || is_mounted(s, path))
		return 0;
	out->root = open_root(s, m, e);
	return out->root == -1 ? -1 : 0;
}

int
attach_remove(struct store *s, const char *id, struct err *e)
{
	char path[STORE_NAME_MAX];

	if (place_path(id, path, e) == -1)
		return -1;
	if (unlinkat(s->dir, path, AT_REMOVEDIR) == -1 && errno != ENOENT)
		return err_sys(e, "removing %s/%s", s->root, path);
	return 0;
}

void
attach_drop(struct store *s, const char *id)
{
	char path[STORE_NAME_MAX];
	struct err ignored;
	own_mem char *full = NULL;

	if (place_path(id, path, &ignored) == -1 || unlinkat(s->dir, path, AT_REMOVEDIR) == 0 ||
	    errno != EBUSY)
		return;
	full = xasprintf("%s/%s", s->root, path);
	while (umount2(full, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	/* Where it is no mount point here, the kernel takes away the mounts on it elsewhere. */
	if (unlinkat(s->dir, path, AT_REMOVEDIR) == -1)
		log_warn("%s stays mounted: %s", full, strerror(errno));
}

static int
list_names(struct store *s, struct strv *out, struct err *e)
{
	own_strv struct strv all = {0};

	if (store_names(s, "mounts", &all, e) == -1)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		char path[STORE_NAME_MAX];

		if (strlen(all.v[i]) > 64)
			continue;
		snprintf(path, sizeof(path), "mounts/%.64s", all.v[i]);
		if (is_mounted(s, path))
			strv_add(out, all.v[i]);
	}
	strv_sort(out);
	return 0;
}

int
attach_list(struct store *s, struct msg_rootfs_mounted *out, struct arena *a, struct err *e)
{
	own_strv struct strv names = {0};

	*out = (struct msg_rootfs_mounted){0};
	if (list_names(s, &names, e) == -1)
		return -1;
	out->ids.v = arena_array(a, names.n + 1, sizeof(*out->ids.v));
	out->paths.v = arena_array(a, names.n + 1, sizeof(*out->paths.v));
	for (size_t i = 0; i < names.n; i++) {
		out->ids.v[i] = arena_strdup(a, names.v[i]);
		out->paths.v[i] = arena_printf(a, "%s/mounts/%s", s->root, names.v[i]);
	}
	out->ids.n = out->paths.n = names.n;
	return 0;
}
