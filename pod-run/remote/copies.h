/* SPDX-License-Identifier: ISC */
/* cp, where containers are those of a service. */
#ifndef POD_REMOTE_COPIES_H
#define POD_REMOTE_COPIES_H

#include "pod-run/cmd/cp.h"
#include "pod-run/remote/remote.h"

int copies_run(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    struct arena *a, struct err *e);

/*
 * Unpacks what a service sends below a directory: neither the names in it nor its links lead elsewhere.  name, or NULL:
 * what the first part of each name becomes.  *stream is taken over.
 */
int copies_take(int *stream, int target, const char *name, bool overwrite, struct err *e);

#endif
