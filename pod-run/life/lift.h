/* SPDX-License-Identifier: ISC */
/*
 * Limits of a running container that are taken away: runtimes set limits, and pass over what is said to have none.
 */
#ifndef POD_LIFT_H
#define POD_LIFT_H

#include "common/base/err.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/state/ctr.h"

/* Those that o names and that the record of c has without a limit.  One without a cgroup of its own has none. */
int lift_limits(const struct ctr *c, const struct spec_options *o, struct err *e);

#endif
