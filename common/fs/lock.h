/* SPDX-License-Identifier: ISC */
/*
 * Lock files (flock(2)).  A lock belongs to the open file description: it is held until the last
 * copy of the descriptor is closed, in whichever process, so a lock can be handed over by passing
 * the descriptor, and death releases it.
 */
#ifndef POD_LOCK_H
#define POD_LOCK_H

#include <stdbool.h>

#include "common/base/err.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

#define LOCK_WAIT (-1) /* timeout_ms: as long as it takes */
#define LOCK_TRY 0     /* timeout_ms: do not wait */

/*
 * Opens (makes, mode 0600) the lock file dirfd/name and takes the lock.  Returns the descriptor
 * that holds it.  Not obtained in time: ERR_INUSE for LOCK_TRY, else ERR_TIMEOUT; e->no is
 * EWOULDBLOCK. The name is still that of the file locked when the call returns, so the holder may
 * unlink it.
 */
int lock_acquire(int dirfd, const char *name, enum lock_mode mode, int timeout_ms, struct err *e);

/* The same on a descriptor in hand; also changes the mode of a lock that is held (not atomically).
 */
int lock_take(int fd, enum lock_mode mode, int timeout_ms, const char *what, struct err *e);

/* Gives the lock up although the descriptor stays open. */
void lock_drop(int fd);

/* True if somebody holds dirfd/name at this moment in any mode.  A missing file is held by nobody.
 */
bool lock_is_held(int dirfd, const char *name);

#endif
