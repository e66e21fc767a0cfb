/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "common/wire/sdbus.h"

void
sdbus_free(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

void
sdbus_message_free(sd_bus_message **m)
{
	sd_bus_message_unref(*m);
}

void
sdbus_slot_free(sd_bus_slot **s)
{
	sd_bus_slot_unref(*s);
}

int
sdbus_failed(int number, const char *act, struct err *e)
{
	errno = -number;
	return err_sys(e, "%s", act);
}

int
sdbus_adopt(int take_fd, sd_bus **out, struct err *e)
{
	own_sdbus sd_bus *bus = NULL;
	own_fd int fd = take_fd;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r < 0)
		return sdbus_failed(r, "preparing a connection with the bus", e);
	(void)fd_take(&fd);
	r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r < 0)
		return sdbus_failed(r, "greeting the bus", e);
	*out = bus;
	bus = NULL;
	return 0;
}
