/* SPDX-License-Identifier: ISC */
/*
 * What the runtime keeps of a container that has ended: its own record of it and the container's
 * cgroups.  Removed here, because "delete" would start the runtime once more, at half the cost of a
 * whole run.
 */
#ifndef POD_MONITOR_FORGET_H
#define POD_MONITOR_FORGET_H

#include <stdbool.h>

#include "pod-monitor/job.h"

/*
 * True if nothing is left.  False if the runtime has to do it: the coordinator named no state
 * directory, processes still live in the cgroups, or there are groups below them.
 */
bool forget_container(const struct job *j);

#endif
