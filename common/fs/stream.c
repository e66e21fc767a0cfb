/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "common/fs/stream.h"

#define STREAM_SIZE (1 << 20) /* bytes under way; the kernel cuts it to net.core.wmem_max */

int
stream_pair(int ends[2], struct err *e)
{
	const int size = STREAM_SIZE;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return err_sys(e, "making a stream");
	/* Less is no failure; and ends of a pair can be shut. */
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)shutdown(ends[0], SHUT_WR);
	return 0;
}

ssize_t
stream_send(int to, int file, off_t *at, size_t n)
{
	ssize_t sent = sendfile(to, file, at, n);

	if (sent == -1 && errno == ECONNRESET)
		errno = EPIPE;
	return sent;
}
