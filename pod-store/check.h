/* SPDX-License-Identifier: ISC */
/*
 * Damage in the store: found, named, and repaired or removed.  Nothing that is found may make us fail: the
 * store is taken as a stranger's.
 */
#ifndef POD_CHECK_H
#define POD_CHECK_H

#include "common/wire/msg.h"
#include "pod-store/store.h"

int check_store(struct store *s, const struct msg_store_check *m, struct msg_store_checked *out,
    struct arena *a, struct err *e);

#endif
