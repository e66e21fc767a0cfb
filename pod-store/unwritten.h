/* SPDX-License-Identifier: ISC */
/*
 * Layers that are complete but not known to be on disk: an image is there as soon as its files are, and who made it
 * writes them back after the answer.  Their rows in the table "unwritten" are made in the transaction that makes the
 * layers' own and taken back once the file system is synced; who means to do that holds layers/ locked, shared.
 * Rows that nobody holds the lock for were left by a power failure or a killed process: such layers are digested
 * again before the store is used, and go with their images if anything of them was lost.  (Names, owners and modes
 * are on disk before the rows are: layer_sync.)
 */
#ifndef POD_STORE_UNWRITTEN_H
#define POD_STORE_UNWRITTEN_H

#include "pod-store/store.h"

/* Before the transaction. */
int unwritten_begin(struct store *s, struct err *e);

/* Within it. */
int unwritten_add(struct store *s, const char *layer, struct err *e);

/* Writes back what was added, and settles it; for the time after the answer. */
int unwritten_settle(struct store *s, struct err *e);

/* A store that was opened is looked through for what others left.  A damaged index is for the repair to find. */
int unwritten_look(struct store *s, struct err *e);

#endif
