/* SPDX-License-Identifier: ISC */
/*
 * Limits and devices: --memory, --cpus, --pids-limit, --blkio-weight, --ulimit, --sysctl, --device,
 * ….
 */
#ifndef POD_SPEC_LIMITS_H
#define POD_SPEC_LIMITS_H

#include "pod-run/oci/spec_options.h"

int spec_limits_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e);

#endif
