/* SPDX-License-Identifier: ISC */
/*
 * Host ports of a container that is made now and started later.
 */
#ifndef POD_PORTS_H
#define POD_PORTS_H

#include "common/wire/msg.h"

/*
 * Gives each published port of g that names no host port (0) one that is free now, as whoever looks at the container
 * expects.  Nobody keeps it until the start.  What cannot be chosen stays 0: the start chooses.
 */
void ports_choose(struct rec_ctr_config *g);

#endif
