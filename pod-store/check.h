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

/*
 * Layers (unwritten.h) that may have lost something: those that have not, or of which nothing is left to be said, are
 * added to sound.  The others are removed, with a warning of each image; what cannot be looked at now stays.
 */
int check_unwritten(struct store *s, const struct strv *layers, struct strv *sound, struct err *e);

/* They have lost something for certain.  As well as it can be done. */
void check_lost(struct store *s, const struct strv *layers);

#endif
