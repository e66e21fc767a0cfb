/* SPDX-License-Identifier: ISC */
/*
 * The files of a start: config.json and what is mounted below /etc.
 */
#ifndef POD_BUNDLE_H
#define POD_BUNDLE_H

#include "pod-run/life/start.h"

#define BUNDLE_PID "pidfile"		/* the process, written by the runtime */
#define BUNDLE_MONITOR_PID "conmon.pid" /* the monitor, written by itself */

/* Writes the bundle of s, whose helpers have answered. */
int bundle_write(struct start *s, struct err *e);

/* The container's SELinux label for a file of the bundle and what is below it; one that is missing is none. */
int bundle_label(const struct start *s, const char *name, struct err *e);

/* May limits of containers exceed our own? */
bool bundle_may_raise_limits(const struct ctx *x);

/* What of spec_facts does not depend on a fresh start; for exec.  Strings live in a. */
struct spec_facts;
void bundle_facts(struct ctx *x, const struct ctr *c, const struct runtime *r, const char *bundle,
    struct arena *a, struct spec_facts *f);

#endif
