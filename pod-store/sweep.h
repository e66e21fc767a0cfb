/* SPDX-License-Identifier: ISC */
/*
 * Removal of what belongs to nobody.
 */
#ifndef POD_SWEEP_H
#define POD_SWEEP_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

int sweep_store(
    struct store *s, const struct msg_store_sweep *m, struct msg_store_swept *out, struct err *e);

#endif
