/* SPDX-License-Identifier: ISC */
/*
 * Copies of layers whose files have other owners, for containers in a user namespace where the kernel does
 * not map owners by itself.  A copy stands in its layer's directory, is made once for each map, and goes
 * with the layer.
 */
#ifndef POD_VARIANT_H
#define POD_VARIANT_H

#include "pod-store/owners.h"
#include "pod-store/store.h"

/*
 * Makes layers/LAYER/map-… complete if it is not there.  at is where the layer lies; of a read-only one the
 * copy is made/LAYER/map-… of s.
 */
int variant_need(
    struct store *s, struct store *at, const char *layer, const struct owners *map, struct err *e);

#endif
