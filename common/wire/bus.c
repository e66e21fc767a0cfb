/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/bus.h"

#define SYSTEM "unix:path=/run/dbus/system_bus_socket"

/* The first address of the list that is a socket of this machine (D-Bus Specification, Server Addresses). */
static socklen_t
find_bus(const char *list, struct sockaddr_un *to)
{
	for (const char *a = list; *a != '\0'; a += strcspn(a, ";"), a += *a == ';') {
		size_t skip = text_has_prefix(a, "unix:path=")	     ? 10
			      : text_has_prefix(a, "unix:abstract=") ? 14
								     : 0;
		size_t n = strcspn(a + skip, ",;"), hidden = skip == 14;

		if (skip == 0 || n == 0 || n + hidden >= sizeof to->sun_path)
			continue;
		*to = (struct sockaddr_un){.sun_family = AF_UNIX};
		memcpy(to->sun_path + hidden, a + skip, n);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + hidden + n);
	}
	return 0;
}

static int
open_bus(const char *list, const char *what, struct err *e)
{
	struct sockaddr_un to;
	socklen_t n = find_bus(list, &to);
	own_fd int fd = -1;

	if (n == 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "making a socket");
	if (connect(fd, (const struct sockaddr *)&to, n) == 0)
		return fd_take(&fd);
	if (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR)
		err_sys(e, "connecting to the %s bus", what);
	return -1;
}

int
bus_system(struct err *e)
{
	const char *list = getenv("DBUS_SYSTEM_BUS_ADDRESS");

	return open_bus(list != NULL ? list : SYSTEM, "system", e);
}

int
bus_session(struct err *e)
{
	const char *list = getenv("DBUS_SESSION_BUS_ADDRESS"), *dir = getenv("XDG_RUNTIME_DIR");
	own_mem char *usual = NULL;

	if (list == NULL && dir != NULL)
		list = usual = xasprintf("unix:path=%s/bus", dir);
	return list != NULL ? open_bus(list, "session", e) : -1;
}
