/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "common/wire/tcp.h"

int
tcp_connect(const char *host, const char *port, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
	struct addrinfo *list = NULL;
	int r = getaddrinfo(host, port, &hints, &list), saved = ECONNREFUSED;

	if (r != 0)
		return err_set(e, ERR_NETWORK, "looking up %s: %s", host, gai_strerror(r));
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		own_fd int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
			freeaddrinfo(list);
			return fd_take(&fd);
		}
		saved = errno;
	}
	freeaddrinfo(list);
	errno = saved;
	return err_sys(e, "connecting to %s port %s", host, port);
}
