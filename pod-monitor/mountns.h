/* SPDX-License-Identifier: ISC */
/*
 * The mount namespace in which a runtime is started: as the host's, and coupled with it, except
 * that the container's root file system is mounted and a hybrid host's second cgroup tree is
 * hidden.
 */
#ifndef POD_MONITOR_MOUNTNS_H
#define POD_MONITOR_MOUNTNS_H

#include "common/base/err.h"

/*
 * Enters the namespace.  Returns a descriptor of the one left, in which the exit command runs.
 * Mounts that are shared stay shared with the host, so that rshared volumes work both ways.
 */
int mountns_enter(struct err *e);

/* Attaches the detached mount root on path.  Nothing of it is seen outside the namespace. */
int mountns_attach(int root, const char *path, struct err *e);

/*
 * Covers the program at path by itself, read-only.  crun, which nothing can overwrite through
 * /proc/PID/exe then, is told by CRUN_SEALED in its environment and need not start itself a second
 * time from a copy of its own; it looks itself whether the mount is there.  Best effort.
 */
#define CRUN_SEALED "_LIBCONTAINER_CLONED_BINARY=1"
void mountns_seal(const char *path);

/* Lets go of a root again; best effort. */
void mountns_detach(const char *path);

#endif
