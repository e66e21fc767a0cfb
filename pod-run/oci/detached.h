/* SPDX-License-Identifier: ISC */
/*
 * Detached mounts for a container: copies of what lies in other mount namespaces, parts of mounts that are attached
 * nowhere, and fresh ones.
 */
#ifndef POD_DETACHED_H
#define POD_DETACHED_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

/*
 * A detached copy of the mount that process pid has on /dev/shm; -1 with e if it has none.  The kernel
 * binds no mount of another mount namespace, so the copy is taken inside.
 */
int detached_shm(pid_t pid, struct err *e);

/* The same of the root file system alone. */
int detached_root(pid_t pid, struct err *e);

/*
 * What path leads to below the detached mount root, whatever links lie in the way, as a mount of its own.  root can
 * be attached nowhere afterwards: before Linux 6.15 parts are only had of mounts that are attached.
 */
int detached_part(int root, const char *path, struct err *e);

/* An empty one for /dev/shm that takes size bytes; 0: as many as the kernel gives by itself. */
int detached_new_shm(int64_t size, struct err *e);

#endif
