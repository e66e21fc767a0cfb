/* SPDX-License-Identifier: ISC */
#ifndef POD_TCP_H
#define POD_TCP_H

#include "common/base/err.h"

/* A connection to the first address of the host that takes one; -1 with e.  port: a number or a name. */
int tcp_connect(const char *host, const char *port, struct err *e);

#endif
