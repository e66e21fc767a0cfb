/* SPDX-License-Identifier: ISC */
/*
 * Signals to containers, stopping them, and waiting for their end.
 */
#ifndef POD_STOP_H
#define POD_STOP_H

#include "pod-run/ctx.h"
#include "pod-run/life/end.h"
#include "pod-run/state/ctr.h"

#define STOP_TIMEOUT_OWN (-2) /* the container's own */
#define STOP_TIMEOUT_NONE (-1)

/* Sends signal to the container's first process.  ESRCH is success: the end is on its way. */
int stop_signal(const struct ctr *c, int signal, struct err *e);

/*
 * Waits until the container's process and its monitor's report are there, at most timeout_ms (-1: no
 * limit).  Returns true then.  Needs no lock; with it held by us the cleanup could not be waited for.
 */
bool stop_wait(struct ctx *x, const struct ctr *c, int64_t timeout_ms);

/*
 * Sends the stop signal now, if the container runs; stop_ctr then only waits for what is left of the time.
 * So many containers take the time of the slowest.
 */
int stop_announce(struct ctx *x, const char *id, int64_t timeout_s, bool by_user, struct err *e);
bool stop_announced(const struct ctx *x, const char *id); /* that was done */

/*
 * Stops a container that is locked by *lock: stop signal, after timeout_s SIGKILL.  The lock is
 * dropped while waiting and held again afterwards; then the end was recorded and cleaned up.  Success if
 * it does not run.  how->removed: the row is gone (--rm), *lock is -1 then.
 */
int stop_ctr(struct ctx *x, struct ctr *c, int *lock, int64_t timeout_s, bool by_user,
    struct end *how, struct err *e);

#endif
