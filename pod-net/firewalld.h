/* SPDX-License-Identifier: ISC */
/*
 * firewalld, if it runs, refuses what it does not know: the subnets of networks belong into its zone "trusted".
 *
 * Its words are D-Bus, which a worker speaks (pod-net-firewalld); here is only the way to the bus.
 */
#ifndef POD_FIREWALLD_H
#define POD_FIREWALLD_H

#include "common/wire/msg.h"

/*
 * Puts the subnets into the zone, or takes them out if no_more.  1: done; 0: no firewalld runs, which nobody
 * is told; -1: e.  A subnet that is there already, or no longer, is no error.
 */
int firewalld_trust(const struct strs *subnets, bool no_more, struct err *e);

/*
 * Calls reloaded now, or as soon as a firewalld that just starts has its rules, and again each time firewalld has started
 * or reloaded them and forgotten what it was told; if that fails, it is logged.  Returns only with an error: there is no
 * bus, or it has gone.
 */
typedef int firewalld_reloaded_fn(void *arg, struct err *e);
int firewalld_follow(firewalld_reloaded_fn *reloaded, void *arg, struct err *e);

#endif
