/* SPDX-License-Identifier: ISC */
/*
 * Root file systems of containers: an overlay of an image's layers and the container's own
 * read-write layer rw/ID.
 */
#ifndef POD_ROOTFS_H
#define POD_ROOTFS_H

#include "common/wire/msg.h"
#include "pod-store/owners.h"
#include "pod-store/store.h"

/*
 * Answers rootfs_open.  out points into arena memory; out->root is the caller's to close.  What a failed
 * call made is taken back, except volumes.
 */
int rootfs_open(struct store *s, const struct msg_rootfs_open *m, struct msg_rootfs_opened *out,
    struct arena *a, struct err *e);

/* Out of sight at once, removed by store_clean.  No error if there is none. */
int rootfs_remove(struct store *s, const char *id, struct err *e);

/* A detached mount of an image alone, read-only. */
int rootfs_mount_image(struct store *s, const char *image, struct err *e);

/*
 * A detached mount of an image for a container that mounts it somewhere.  With m->id what that container writes goes
 * into a fresh part of its read-write layer; without it is read-only.
 */
int rootfs_mount_part(
    struct store *s, const char *image, const struct msg_image_open *m, struct err *e);

/* The same of some layers, lowest first. */
int rootfs_mount_layers(struct store *s, const struct strv *layers, struct err *e);

/*
 * A detached mount of a container's root file system that exists already.  userns: a user namespace with the
 * container's maps, or 0, and then owners appear as they lie on disk.
 */
int rootfs_mount(struct store *s, const char *id, int userns, struct err *e);

/*
 * A detached mount, read-only, of everything a container has now; owners appear as they lie on disk, and map
 * (to be freed) tells if that is shifted.  Safe beside the container's own mount: nothing is written.
 */
int rootfs_mount_whole(struct store *s, const char *id, struct owners *map, struct err *e);

/* Is the container a whole copy of its image's tree (driver vfs)? */
bool rootfs_is_whole(struct store *s, const char *id);

/* What a container changed: its upper directory, or the whole copy; and how owners lie there. */
int rootfs_upper(struct store *s, const char *id, struct owners *map, struct err *e);

/* The image a container stands on; caller frees.  NULL with ERR_NOTFOUND if it has no layer. */
char *rootfs_image(struct store *s, const char *id, struct err *e);

/* "rw/ID"; refuses what cannot be an ID. */
int rootfs_path(const char *id, char out[STORE_NAME_MAX], struct err *e);

#endif
