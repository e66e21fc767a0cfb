/* SPDX-License-Identifier: ISC */
/*
 * Programs of others that make networks, CNI and netavark plug-ins, where an ordinary user's networks are.
 */
#ifndef POD_ROOTLESS_PROGRAM_H
#define POD_ROOTLESS_PROGRAM_H

#include "common/role/program.h"
#include "pod-net/net.h"

#define ROOTLESS_PROGRAM_DIR "plugins" /* in RUNROOT/net: what such programs keep */

/*
 * As program_run.  An ordinary user's program runs in the shared network namespace, or in an empty one if that
 * has gone, and finds RUNROOT/net/plugins/cni as /var/lib/cni, where it may write.  What it said on standard error
 * comes without the end of the last line.
 */
int rootless_program(
    struct net *n, const struct program_run *r, struct program_result *out, struct err *e);

#endif
