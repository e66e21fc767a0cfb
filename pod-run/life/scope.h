/* SPDX-License-Identifier: ISC */
/*
 * The monitor's own scope.  systemd ends whatever is left in the cgroup of a service or session that is over; the
 * monitor, started there, has to live as long as its container.
 */
#ifndef POD_SCOPE_H
#define POD_SCOPE_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct scope {
	struct peer *worker; /* NULL: nothing was asked */
	uint32_t seq;
};

/*
 * Asks systemd for libpod-conmon-ID.scope beside the container's, if the container has one (--cgroups=enabled, the
 * manager systemd).  A failure is a warning: the container runs without.
 */
void scope_ask(struct scope *s, struct ctx *x, const struct ctr *c, pid_t monitor, pid_t worker);

/* Waits until the monitor is there. */
void scope_await(struct scope *s);

/*
 * Before we start a monitor, or have a process join a container's cgroup, which an ordinary user's systemd (manager)
 * made: moves us into a scope of the same systemd.  Between cgroups that have only root's above them in common the
 * kernel lets no user move anything, and systemd moves nothing for a user that runs under a subordinate ID.
 */
void scope_enter(struct ctx *x, const char *manager);

/* Nobody waits any more. */
void scope_free(struct scope *s);

#endif
