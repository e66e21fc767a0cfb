/* SPDX-License-Identifier: ISC */
#include "pod-net/firewalld/watch.h"

#include <poll.h>

#include "common/wire/sdbus.h"
#include "pod-net/firewalld/zone.h"

#define START_US 60000000 /* for all rules of a firewalld that starts */
#define OWNER                                                                       \
	"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus'," \
	"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" FIREWALLD "'"

struct news {
	bool reloaded, started;
};

static int
on_reloaded(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct news *n = arg;

	(void)m;
	(void)error;
	n->reloaded = true;
	return 0;
}

static int
on_owner(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct news *n = arg;
	const char *name, *old, *new;

	(void)error;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && new[0] != '\0')
		n->started = true;
	return 0;
}

/* It has its name before it has its rules, and answers when it has both.  If it never does, there is nothing to tell. */
static bool
has_started(sd_bus *bus)
{
	own_sdbus_message sd_bus_message *m = NULL;
	int r = sd_bus_message_new_method_call(
	    bus, &m, FIREWALLD, FIREWALLD_OBJECT, FIREWALLD, "getDefaultZone");

	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	return r >= 0 && sd_bus_call(bus, m, START_US, NULL, NULL) >= 0;
}

static int
listen_to(sd_bus *bus, struct news *n, struct err *e)
{
	int r = sd_bus_match_signal(
	    bus, NULL, FIREWALLD, FIREWALLD_OBJECT, FIREWALLD, "Reloaded", on_reloaded, n);

	if (r >= 0)
		r = sd_bus_add_match(bus, NULL, OWNER, on_owner, n);
	return r < 0 ? sdbus_failed(r, "asking the bus for what firewalld says", e) : 0;
}

int
watch_serve(struct peer *p, uint32_t seq, int take_bus, struct err *e)
{
	const struct msg_firewalld_reloaded told = {0};
	own_sdbus sd_bus *bus = NULL;
	struct news n = {.reloaded = true};

	if (sdbus_adopt(take_bus, &bus, e) != 0 || listen_to(bus, &n, e) != 0 ||
	    peer_send_ok(p, seq, e) != 0)
		return -1;
	/* The first time is now; one that is just starting has nothing to put it into yet. */
	(void)has_started(bus);
	for (;;) {
		struct pollfd fds[] = {{.fd = peer_fd(p), .events = POLLIN},
		    {.fd = sd_bus_get_fd(bus), .events = POLLIN}};
		int r = sd_bus_process(bus, NULL);

		if (r < 0)
			return sdbus_failed(r, "listening to the bus", e);
		if (n.started)
			n.reloaded |= has_started(bus);
		n.started = false;
		if (r > 0)
			continue;
		if (n.reloaded && peer_send(p, &msg_firewalld_reloaded_desc, 0, &told, e) != 0)
			return -1;
		n.reloaded = false;
		/* Whoever asked has nothing more to say than its end. */
		if (poll(fds, COUNTOF(fds), -1) > 0 && fds[0].revents != 0)
			return 0;
	}
}
