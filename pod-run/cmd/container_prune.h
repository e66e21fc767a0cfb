/* SPDX-License-Identifier: ISC */
#ifndef POD_CONTAINER_PRUNE_H
#define POD_CONTAINER_PRUNE_H

#include "pod-run/ctx.h"

/*
 * Removes containers that do not run and that match the filters.  IDs are appended to removed; the
 * bytes of their read-write layers are added to *bytes (NULL: not counted).
 */
int container_prune(struct ctx *x, const struct strv *filters, struct strv *removed,
    uint64_t *bytes, struct err *e);

/* Bytes of a container's read-write layer and of its image; 0 0 if it was never started. */
int container_prune_size(
    struct ctx *x, const char *id, uint64_t *rw, uint64_t *image, struct err *e);

#endif
