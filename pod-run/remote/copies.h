/* SPDX-License-Identifier: ISC */
/* cp, where containers are those of a service. */
#ifndef POD_REMOTE_COPIES_H
#define POD_REMOTE_COPIES_H

#include "pod-run/cmd/cp.h"
#include "pod-run/remote/remote.h"

int copies_run(struct remote *r, struct cp_side *from, struct cp_side *to, const struct cp_opts *o,
    struct arena *a, struct err *e);

#endif
