/* SPDX-License-Identifier: ISC */
/*
 * The worker's loop: requests of pod-net, and the end when nobody needs the namespace.
 */
#ifndef POD_FORWARD_SERVE_H
#define POD_FORWARD_SERVE_H

#include "common/base/err.h"

#define SERVE_LISTENER 3
#define SERVE_NETNS 5

/* Serves until the last container has left; then the files of the namespace are gone. */
int serve_run(struct err *e);

#endif
