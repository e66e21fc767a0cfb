/* SPDX-License-Identifier: ISC */
/*
 * Socket activation, sd_listen_fds(3): the sockets that a service manager opened for us are the container's.
 */
#ifndef POD_LISTEN_H
#define POD_LISTEN_H

#include "pod-run/life/start.h"

/* Preserves the descriptors of LISTEN_FDS, unless others are preserved already; s->listen_fds tells how many. */
int listen_preserve(struct start *s, struct err *e);

#endif
