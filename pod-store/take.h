/* SPDX-License-Identifier: ISC */
/*
 * Containers and images as tar streams: layers for commit, whole trees for export.
 */
#ifndef POD_TAKE_H
#define POD_TAKE_H

#include "common/wire/msg.h"
#include "pod-store/server.h"

/* Both answer the request when their workers are done. */
int take_layer(struct conn *c, uint32_t seq, const struct msg_layer_take *m, struct err *e);
int take_export(struct conn *c, uint32_t seq, struct msg_rootfs_export *m, struct err *e);

#endif
