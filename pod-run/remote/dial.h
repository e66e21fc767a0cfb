/* SPDX-License-Identifier: ISC */
#ifndef POD_DIAL_H
#define POD_DIAL_H

#include "pod-run/remote/dest.h"

/*
 * A connection to the service, or -1 with e.  attended: what is typed to interrupt is not for ssh.  *worker is the program that carries it, if one does: it ends once
 * *worker is freed.
 */
int dial(const struct dest *d, bool attended, struct peer **worker, struct err *e);

#endif
