/* SPDX-License-Identifier: ISC */
/*
 * The shared memory of another container.
 */
#ifndef POD_SHM_H
#define POD_SHM_H

#include <sys/types.h>

#include "common/base/err.h"

/*
 * A detached copy of the mount that process pid has on /dev/shm; -1 with e if it has none.  The kernel
 * binds no mount of another mount namespace, so the copy is taken inside.
 */
int shm_clone(pid_t pid, struct err *e);

/* The same of the root file system alone. */
int shm_clone_root(pid_t pid, struct err *e);

#endif
