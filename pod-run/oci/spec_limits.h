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

/* Says that a container without a cgroup has its limits for nothing. */
void spec_limits_ignored(void);

/* NAME=SOFT[:HARD], with -1 for no limit. */
int spec_limits_ulimit(const char *word, struct rec_ctr_rlimit *out, struct err *e);

#endif
