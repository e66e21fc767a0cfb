/* SPDX-License-Identifier: ISC */
/* What firewalld says of itself (firewalld.dbus(5)). */
#ifndef POD_FIREWALLD_WATCH_H
#define POD_FIREWALLD_WATCH_H

#include "common/wire/peer.h"

/*
 * Answers firewalld_watch, and sends a firewalld_reloaded each time, until p ends.  take_bus: a new connection with the
 * bus, closed here.  -1: e.
 */
int watch_serve(struct peer *p, uint32_t seq, int take_bus, struct err *e);

#endif
