/* SPDX-License-Identifier: ISC */
/*
 * The command that a monitor runs at the end, with the same global options as ours.
 */
#ifndef POD_CLEANUP_H
#define POD_CLEANUP_H

#include "pod-run/ctx.h"

void cleanup_command(struct ctx *x, const char *id, struct strv *out);
/* What the monitor runs when a health check is due. */
void cleanup_health_command(struct ctx *x, const char *id, struct strv *out);

void cleanup_exec_command(struct ctx *x, const char *id, const char *session, struct strv *out);

/* What the runtime and the cleanup need of our environment. */
void cleanup_environment(struct strv *out);

#endif
