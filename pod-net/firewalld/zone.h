/* SPDX-License-Identifier: ISC */
/* firewalld's zone "trusted" (firewalld.dbus(5), org.fedoraproject.FirewallD1.zone). */
#ifndef POD_FIREWALLD_ZONE_H
#define POD_FIREWALLD_ZONE_H

#include "common/wire/msg.h"

#define FIREWALLD "org.fedoraproject.FirewallD1"
#define FIREWALLD_OBJECT "/org/fedoraproject/FirewallD1"

/*
 * Puts the subnets into the zone, or takes them out if no_more, as long as firewalld runs.  take_bus: a new
 * connection with the bus, closed here.  1: done; 0: no firewalld runs; -1: e.
 */
int zone_change(int take_bus, const struct strs *subnets, bool no_more, struct err *e);

#endif
