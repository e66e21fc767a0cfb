/* SPDX-License-Identifier: ISC */
/*
 * artifacts/ in the graph root: an OCI layout.  It is no part of the index; pod-image changes it by
 * way of files that are complete before they have their name.
 */
#ifndef POD_ARTIFACTS_H
#define POD_ARTIFACTS_H

#include "pod-store/store.h"

/*
 * Opens it, or lists/ID if list is the ID of a manifest list; *out stays -1 if there is none.  write: makes it, and waits for the lock against other
 * writers, which belongs to the descriptor, wherever it is sent.
 */
int artifacts_open(const struct store *s, const char *list, bool write, int *out, struct err *e);

/* A manifest list has gone, and its artifacts go too; none is no error. */
int artifacts_drop(struct store *s, const char *list, struct err *e);

#endif
