/* SPDX-License-Identifier: ISC */
/*
 * Where mounts landed: a runtime walks to the place of each mount by its name, and who shares the volume in which
 * a place lies can exchange the names meanwhile, so that the mount comes down anywhere in the container, as on
 * /proc, whose masks are then worth nothing.
 */
#ifndef POD_LANDING_H
#define POD_LANDING_H

#include "pod-run/life/runtime.h"
#include "pod-run/oci/spec_config.h"

/* True if that can happen, and process r starts show the root of their container. */
bool landing_doubtful(const struct runtime *r, const struct nested_mounts *nested);

/*
 * Looks into the root of process pid, the first one of a container that was created and not started: is each of
 * them in its own volume?
 */
int landing_check(pid_t pid, const struct nested_mounts *nested, struct err *e);

#endif
