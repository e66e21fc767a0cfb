/* SPDX-License-Identifier: ISC */
#include "pod-net/firewalld.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/spawn.h"
#include "common/wire/peer.h"

#define BUS "unix:path=/run/dbus/system_bus_socket"

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

/* A connection; -1 without e: there is no bus. */
static int
open_bus(struct err *e)
{
	const char *list = getenv("DBUS_SYSTEM_BUS_ADDRESS");
	struct sockaddr_un to;
	socklen_t n = find_bus(list != NULL ? list : BUS, &to);
	own_fd int fd = -1;

	if (n == 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "making a socket");
	if (connect(fd, (const struct sockaddr *)&to, n) == 0)
		return fd_take(&fd);
	if (errno != ENOENT && errno != ECONNREFUSED && errno != ENOTDIR)
		err_sys(e, "connecting to the system bus");
	return -1;
}

int
firewalld_trust(const struct strs *subnets, bool no_more, struct err *e)
{
	struct msg_firewalld_trust m = {.subnets = *subnets, .no_more = no_more};
	own_peer_in struct peer_in in = {0};
	own_fd int bus = open_bus(e);
	struct peer *p;
	pid_t pid;
	int rc;

	if (bus < 0)
		return err_is_set(e) ? -1 : 0;
	p = spawn_peer(ROLE_NET, ROLE_FIREWALLD, &pid, e);
	if (p == NULL)
		return -1;
	m.bus = bus;
	rc = peer_call(p, &msg_firewalld_trust_desc, &m, &in, NULL, NULL, e);
	if (rc == 0)
		rc = MSG_OF(&in, firewalld_trusted)->runs;
	peer_free(p);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}
