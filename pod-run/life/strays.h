/* SPDX-License-Identifier: ISC */
/*
 * Processes that go on in a container nobody knows of any more: the runtime was killed after it had let the container
 * go and before it wrote down the process, and there is no cgroup to find it by.  Their root directory tells whose they
 * are, where it is an overlay of this store: proc_pid_mountinfo(5).  Kernels before 6.7 do not say where an overlay lies;
 * there those of a container whose ID is known are told by what is mounted from its bundle.
 */
#ifndef POD_RUN_LIFE_STRAYS_H
#define POD_RUN_LIFE_STRAYS_H

#include "pod-run/ctx.h"

/* Adds the IDs of the containers of this store that any process is in. */
void strays_collect(const struct ctx *x, struct strv *ids);

/* Ends the processes in that one, and waits until they are gone, a second each at most. */
void strays_end(const struct ctx *x, const char *id);

#endif
