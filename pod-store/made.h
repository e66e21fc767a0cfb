/* SPDX-License-Identifier: ISC */
/*
 * made/LAYER/NAME: directories made out of a layer and those below it, kept for the next one who needs the
 * same, gone with the layer or when they are swept.  Two kinds: "tree", the whole tree of an image whose top is
 * the layer, where overlay cannot show it (driver vfs); and copies with other owners of layers in read-only
 * stores (variant.h).
 */
#ifndef POD_MADE_H
#define POD_MADE_H

#include "common/base/mem.h"
#include "pod-store/store.h"

/* Opens made/LAYER, making it. */
int made_dir(struct store *s, const char *layer, struct err *e);

/* Opens the tree of these layers, lowest first, making it if it is not there.  None: an empty directory. */
int made_tree(struct store *s, const struct strv *layers, struct err *e);

/* What was made of a layer goes out of sight.  Nothing there is success. */
int made_forget(struct store *s, const char *layer, struct err *e);

/* The same of all layers that are in no place any more; counts them. */
int made_sweep(struct store *s, uint64_t *count, struct err *e);

#endif
