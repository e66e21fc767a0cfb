/* SPDX-License-Identifier: ISC */
/*
 * Options of update and container clone that change limits.  They fill a struct spec_options.
 */
#ifndef POD_LIMITS_CMD_H
#define POD_LIMITS_CMD_H

#include "pod-run/ctx.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/state/ctr.h"

extern const struct opt limits_rows[];

/*
 * Lays the limits given over those of c, whose configuration is decoded; with ulimits too.  What c points
 * to afterwards lives in a.
 */
int limits_apply(struct ctx *x, struct spec_options *o, struct rec_ctr_config *c, struct arena *a,
    struct err *e);

#endif
