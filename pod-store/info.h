/* SPDX-License-Identifier: ISC */
/*
 * What can be asked about a store without changing it.
 */
#ifndef POD_INFO_H
#define POD_INFO_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

/* Documents of an image, byte for byte. */
int info_blob(struct store *s, const struct msg_image_blob *m, struct msg_image_blob_r *out,
    struct arena *a, struct err *e);

int info_rootfs_size(struct store *s, const char *id, struct msg_rootfs_size_r *out, struct err *e);

int info_store(
    struct store *s, bool usage, struct msg_store_info_r *out, struct arena *a, struct err *e);

#endif
