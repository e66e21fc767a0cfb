/* SPDX-License-Identifier: ISC */
#ifndef POD_REMOTE_STREAMS_H
#define POD_REMOTE_STREAMS_H

#include "pod-run/remote/command.h"

/* start --attach; the exit status of the container, or -1 with e. */
int streams_start(struct remote *r, const struct args *a, struct err *e);

#endif
