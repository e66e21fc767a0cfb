/* SPDX-License-Identifier: ISC */
/*
 * Health checks: running one, what came of it, and what follows.  The state is a file beside the
 * container's log (or where --health-log-destination says), with Podman's keys; it is written under
 * the container's lock only.
 */
#ifndef POD_HEALTH_H
#define POD_HEALTH_H

#include "common/base/json.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

#define HEALTH_STARTING "starting"
#define HEALTH_HEALTHY "healthy"
#define HEALTH_UNHEALTHY "unhealthy"
#define HEALTH_STOPPED "stopped"
#define HEALTH_RESET "reset"

/* When the monitor looks again: the exit statuses of "healthcheck run --timer". */
enum health_next { HEALTH_AGAIN, HEALTH_AGAIN_STARTUP, HEALTH_NEVER };

struct health_run {
	const char *word; /* HEALTH_x of this one check */
	enum health_next next;
};

/*
 * Runs the check that is due once (the start-up check until it has passed) and does what has to follow.
 * ERR_STATE if the container has none or does not run.
 */
int health_run(struct ctx *x, const char *id, struct health_run *out, struct err *e);

/* The state; NULL if the container has no check or never started.  The caller releases it. */
json_t *health_load(struct ctx *x, const struct ctr *c);

/* Only its status, "" if there is none. */
void health_status(struct ctx *x, const struct ctr *c, char *out, size_t size);

/* The container, which is locked, was started, or has been cleaned up after. */
void health_started(struct ctx *x, const struct ctr *c);
void health_ended(struct ctx *x, const struct ctr *c);

/*
 * The check of a container whose monitor is there is another one, or counts from now on: begins its state
 * anew, and has the monitor, which keeps the timer, read the times again.
 */
int health_tell_monitor(struct ctx *x, const struct ctr *c, struct err *e);

/* Removes the state with the container. */
void health_forget(struct ctx *x, const struct ctr *c);

#endif
