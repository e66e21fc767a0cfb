/* SPDX-License-Identifier: ISC */
/*
 * User namespaces that depend on other containers: --userns=auto, container:ID, ns:PATH.
 */
#ifndef POD_USERMAP_H
#define POD_USERMAP_H

#include "pod-run/ctx.h"

/*
 * Fills in the maps of c that its words left open.  For auto, *lock is held afterwards: it keeps others from
 * choosing the same ids until c is in the database.
 */
int usermap_resolve(
    struct ctx *x, struct rec_ctr_config *c, int *lock, struct arena *a, struct err *e);

#endif
