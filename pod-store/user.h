/* SPDX-License-Identifier: ISC */
/*
 * The user a container runs as: found by pod-store-lookup in the image's passwd and group files, which
 * are opened here, below the root, and never parsed here.
 */
#ifndef POD_USER_H
#define POD_USER_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

#define USER_FILE_MAX (16 << 20) /* bytes of a passwd or group file */

/*
 * Fills uid, gid, groups, user_name, home of out from m->user and m->groups, and writes copies of passwd
 * and group with added entries into m->etc_dir if a user or group is given by a number unknown to the
 * image.  fresh: root is still as the image made it, so that what was found for it before holds.
 */
int user_find(struct store *s, int root, bool fresh, const struct msg_rootfs_open *m,
    struct msg_rootfs_opened *out, struct arena *a, struct err *e);

#endif
