/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/wire/bus.h"

#define SYSTEM "unix:path=/run/dbus/system_bus_socket"

static int
digit_of(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The n bytes of a value with its %XX; the length, or 0 if it is malformed or too long. */
static size_t
unescape(const char *v, size_t n, char *to, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = v[i];

		if (c == '%') {
			int high = n - i > 2 ? digit_of(v[i + 1]) : -1;
			int low = n - i > 2 ? digit_of(v[i + 2]) : -1;

			if (high < 0 || low < 0)
				return 0;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (len == max || c == '\0')
			return 0;
		to[len++] = c;
	}
	return len;
}

/* One address of n bytes behind "unix:": keys in any order, of which one says where. */
static socklen_t
read_unix(const char *a, size_t n, struct sockaddr_un *to)
{
	for (size_t at = 0; at < n; at++) {
		size_t size = 0, skip, hidden;

		while (at + size < n && a[at + size] != ',')
			size++;
		skip = size > 5 && memcmp(a + at, "path=", 5) == 0	 ? 5
		       : size > 9 && memcmp(a + at, "abstract=", 9) == 0 ? 9
									 : 0;
		hidden = skip == 9;
		*to = (struct sockaddr_un){.sun_family = AF_UNIX};
		if (skip > 0) {
			size_t len = unescape(a + at + skip, size - skip, to->sun_path + hidden,
			    sizeof to->sun_path - 1 - hidden);

			return len == 0 ? 0
					: (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
						      hidden + len);
		}
		at += size;
	}
	return 0;
}

socklen_t
bus_address(const char *list, struct sockaddr_un *to)
{
	for (const char *a = list; *a != '\0'; a += strcspn(a, ";"), a += *a == ';') {
		size_t n = strcspn(a, ";");
		socklen_t found = text_has_prefix(a, "unix:") ? read_unix(a + 5, n - 5, to) : 0;

		if (found > 0)
			return found;
	}
	return 0;
}

/* n: the length of to; 0: there is none. */
static int
open_bus(const struct sockaddr_un *to, socklen_t n, const char *what, struct err *e)
{
	own_fd int fd = -1;

	if (n == 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "making a socket");
	if (connect(fd, (const struct sockaddr *)to, n) == 0)
		return fd_take(&fd);
	if (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR)
		err_sys(e, "connecting to the %s bus", what);
	return -1;
}

int
bus_system(struct err *e)
{
	const char *list = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct sockaddr_un to;

	return open_bus(&to, bus_address(list != NULL ? list : SYSTEM, &to), "system", e);
}

int
bus_session(struct err *e)
{
	const char *list = getenv("DBUS_SESSION_BUS_ADDRESS"), *dir = getenv("XDG_RUNTIME_DIR");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int n;

	if (list != NULL)
		return open_bus(&to, bus_address(list, &to), "session", e);
	n = dir != NULL ? snprintf(to.sun_path, sizeof to.sun_path, "%s/bus", dir) : 0;
	if (n <= 0 || (size_t)n >= sizeof to.sun_path)
		return -1;
	return open_bus(&to, sizeof to, "session", e);
}
