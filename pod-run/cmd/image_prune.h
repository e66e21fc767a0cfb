/* SPDX-License-Identifier: ISC */
#ifndef POD_IMAGE_PRUNE_H
#define POD_IMAGE_PRUNE_H

#include "pod-run/ctx.h"

/*
 * Removes images that no container uses: those without a name, with all also named ones.  filters
 * narrow the choice (NULL: none).  IDs are appended to removed, their sizes added to *bytes.
 */
int image_prune(struct ctx *x, bool all, const struct strv *filters, struct strv *removed,
    uint64_t *bytes, struct err *e);

#endif
