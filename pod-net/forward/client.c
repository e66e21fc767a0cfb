/* SPDX-License-Identifier: ISC */
#include "pod-net/forward/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/own.h"
#include "pod-net/rootless_routes.h"

#define SHARES 4 /* one port gets so much of all descriptors */
#define CLIENTS_MIN 16

#ifndef IPV6_TRANSPARENT
#define IPV6_TRANSPARENT 75
#endif

static struct addr
addr_of(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *in = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;
	struct addr a = {
	    .family = (uint8_t)from->ss_family, .len = from->ss_family == AF_INET ? 4 : 16};

	memcpy(
	    a.b, a.len == 4 ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr, a.len);
	return a;
}

static bool
is_keepable(const struct client_target *t, const struct addr *a)
{
	if (addr_is_loopback(a) ||
	    (a->len == 4 ? a->b[0] == 0 || a->b[0] >= 224
			 : a->b[0] == 0xff || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)))
		return false;
	for (size_t i = 0; i < t->nnear; i++)
		if (addr_in(a, &t->near[i]))
			return false;
	return true;
}

/*
 * The mark brings the answers back, see rootless_routes.h.  The same address and port may be bound for
 * several targets, as one client may speak to several.
 */
static int
take_address(int fd, const struct sockaddr_storage *from)
{
	const uint32_t mark = ROOTLESS_MARK;
	const int on = 1;
	socklen_t size =
	    from->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    (from->ss_family == AF_INET
		    ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on)
		    : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on)) != 0)
		return -1;
	return bind(fd, (const struct sockaddr *)from, size);
}

static int
try(const struct sockaddr_storage *to, socklen_t size, const struct sockaddr_storage *as, int type)
{
	own_fd int fd = socket(to->ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (as != NULL && take_address(fd, as) != 0))
		return -1;
	if (connect(fd, (const struct sockaddr *)to, size) != 0 && errno != EINPROGRESS)
		return -1;
	return fd_take(&fd);
}

int
client_connect(
    const struct client_target *t, const struct sockaddr_storage *from, uint16_t port, int type)
{
	const struct addr *target = from->ss_family == AF_INET ? &t->to4 : &t->to6;
	struct addr client = addr_of(from);
	struct sockaddr_storage to;
	socklen_t size;
	int fd;

	if (target->len == 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	size = addr_sockaddr(target, port, &to);
	fd = is_keepable(t, &client) ? try(&to, size, from, type) : -1;
	/* The pair may be in use from a moment ago. */
	return fd >= 0 ? fd : try(&to, size, NULL, type);
}

size_t
client_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return CLIENTS_MIN;
	/* Each has at most two descriptors. */
	return files.rlim_cur / (2 * SHARES) > CLIENTS_MIN ? files.rlim_cur / (2 * SHARES)
							   : CLIENTS_MIN;
}
