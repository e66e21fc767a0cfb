/* SPDX-License-Identifier: ISC */
/* Layers as the index holds them. */
#ifndef POD_LAYER_H
#define POD_LAYER_H

#include "common/base/mem.h"
#include "pod-store/layer_id.h"
#include "pod-store/store.h"

/* In this store: 1: complete and usable; 0: not there; -1: failed. */
int layer_present(struct store *s, const char *id, struct err *e);

/*
 * Removes the directories of layers that no image uses and that were condemned in a transaction before.
 * Killed on the way, the next call ends the work.
 */
int layer_bury(struct store *s, size_t *count, struct err *e);

/* Within a transaction: condemns the layers that no image uses. */
int layer_condemn(struct store *s, struct err *e);

/*
 * Within a transaction: puts the directory dirfd/name in place as layer id and writes its row.
 * Whatever stood there without a row is moved away.  The caller syncs: the content before, the name
 * (layer_sync) before the transaction ends.
 */
int layer_settle(struct store *s, int dirfd, const char *name, const char *id, const char *parent,
    const char *diff_hex, uint64_t tar_size, struct err *e);
int layer_sync(struct store *s, struct err *e);

/* Within a transaction: the row alone, of a layer that lies in another place. */
int layer_refer(struct store *s, const char *id, const char *parent, const char *diff_hex,
    uint64_t tar_size, struct err *e);

#endif
