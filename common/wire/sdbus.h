/* SPDX-License-Identifier: ISC */
/*
 * What the workers that speak D-Bus share.  Whoever uses it links with libsystemd.
 */
#ifndef POD_SDBUS_H
#define POD_SDBUS_H

#include <systemd/sd-bus.h>

#include "common/base/err.h"
#include "common/base/own.h"

void sdbus_free(sd_bus **bus);
#define own_sdbus own(sdbus_free)
void sdbus_message_free(sd_bus_message **m);
#define own_sdbus_message own(sdbus_message_free)
void sdbus_slot_free(sd_bus_slot **s);
#define own_sdbus_slot own(sdbus_slot_free)

/* number: what a function of sd-bus answered.  Returns -1. */
int sdbus_failed(int number, const char *act, struct err *e);

/* Greets the bus at the other end of a connection, which is taken over also if that fails. */
int sdbus_adopt(int take_fd, sd_bus **out, struct err *e);

#endif
