/* SPDX-License-Identifier: ISC */
/*
 * The way to a D-Bus message bus.  Its words are spoken by workers, which are handed the connection: the bus knows
 * whom it serves from the moment of the connection.
 */
#ifndef POD_BUS_H
#define POD_BUS_H

#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/err.h"

/*
 * A new connection with the system bus, that of DBUS_SYSTEM_BUS_ADDRESS (unix:path=… or unix:abstract=…; empty: there
 * is none), else /run/dbus/system_bus_socket.  -1 without e: there is no bus.
 */
int bus_system(struct err *e);

/* The same of the user's session: DBUS_SESSION_BUS_ADDRESS, else the socket "bus" in XDG_RUNTIME_DIR. */
int bus_session(struct err *e);

/*
 * The first address of the list that is a socket of this machine (D-Bus Specification, Server Addresses): its length
 * in to, or 0 if none is.
 */
socklen_t bus_address(const char *list, struct sockaddr_un *to);

#endif
