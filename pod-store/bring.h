/* SPDX-License-Identifier: ISC */
/*
 * Layers of other places for images of the first one.
 */
#ifndef POD_BRING_H
#define POD_BRING_H

#include "pod-store/store.h"

/*
 * Within a transaction of to, and after the layers below it: the layer is there for its images.  Of a read-only
 * store only the row is made; of the graph root, whose images may be removed at any time, a copy.
 * 1: done; 0: no place has it; -1.
 */
int bring_layer(
    struct store *to, const char *id, const char *parent, const char *diff_hex, struct err *e);

#endif
