/* SPDX-License-Identifier: ISC */
/*
 * --sdnotify: who tells the service manager that a container is ready.  Its socket is the one in our
 * environment, NOTIFY_SOCKET of sd_notify(3); without it nothing here has an effect.
 */
#ifndef POD_NOTIFY_H
#define POD_NOTIFY_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

#define NOTIFY_CONTAINER "container" /* the container itself; the default */
#define NOTIFY_MONITOR "conmon"	     /* we, as soon as it runs */
#define NOTIFY_HEALTHY "healthy"     /* the first health check that passes */
#define NOTIFY_IGNORE "ignore"

/* The socket to which the container's own words shall go; NULL if they shall not. */
const char *notify_of_container(const struct rec_ctr_config *c);

/*
 * A service of systemd starts us and is told that the monitor is its main process: then that belongs into the
 * service's cgroup, which is where it is started.
 */
bool notify_makes_service(const struct rec_ctr_config *c);

/* It runs: names its monitor as the service's main process, and maybe says that it is ready. */
void notify_started(const struct ctr *c);

/* Its health check has passed. */
void notify_healthy(const struct ctr *c);

#endif
