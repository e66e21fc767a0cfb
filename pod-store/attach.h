/* SPDX-License-Identifier: ISC */
/*
 * Root file systems that users have mounted, each on mounts/ID: the only mounts that the host sees.  The
 * coordinator mounts and unmounts, for it stands in the user's mount namespace.  What is removed while it is
 * mounted is unmounted here.
 */
#ifndef POD_ATTACH_H
#define POD_ATTACH_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

/* Makes mounts/ID; out->root is the caller's to close. */
int attach_open(struct store *s, const struct msg_rootfs_attach *m, struct msg_rootfs_attached *out,
    struct arena *a, struct err *e);
int attach_remove(struct store *s, const char *id, struct err *e);
/* Before the container or image goes: takes away what users have mounted of it, in all mount namespaces. */
void attach_drop(struct store *s, const char *id);
int attach_list(struct store *s, struct msg_rootfs_mounted *out, struct arena *a, struct err *e);

/* Another, detached mount of what is mounted on mounts/ID; -1 if nothing is. */
int attach_clone(struct store *s, const char *id);

#endif
