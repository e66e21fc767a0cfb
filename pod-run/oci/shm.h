/* SPDX-License-Identifier: ISC */
/*
 * Shared memory that is made outside of the container: another's, or that of a restored one.
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

/* A detached, empty one that takes size bytes; 0: as many as the kernel gives by itself. */
int shm_make(int64_t size, struct err *e);

#endif
