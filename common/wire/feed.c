/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/wire/feed.h"

#define LAST "0\r\n\r\n"

bool
feed_goes_on(const struct feed *f)
{
	return f->open || f->at < f->n;
}

void
feed_wants(const struct feed *f, struct pollfd *server, struct pollfd *in)
{
	bool waits = f->at < f->n;

	server->events |= waits ? POLLOUT : 0;
	*in = (struct pollfd){.fd = f->open && !waits ? f->in : -1, .events = POLLIN};
}

/* The size stands right before what was read. */
static int
take(struct feed *f, struct err *e)
{
	ssize_t n = read(f->in, f->block + FEED_HEAD, FEED_CHUNK);
	char head[FEED_HEAD + 1];

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == -1)
		return err_sys(e, "reading what is to be sent");
	if (n == 0) {
		f->open = false;
		f->at = 0;
		f->n = strlen(LAST);
		memcpy(f->block, LAST, f->n);
		return 0;
	}
	f->at = FEED_HEAD - (size_t)snprintf(head, sizeof(head), "%zx\r\n", (size_t)n);
	memcpy(f->block + f->at, head, FEED_HEAD - f->at);
	f->n = FEED_HEAD + (size_t)n;
	memcpy(f->block + f->n, "\r\n", 2);
	f->n += 2;
	return 0;
}

static int
put(struct feed *f, int server, struct err *e)
{
	ssize_t n = send(server, f->block + f->at, f->n - f->at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		f->at += (size_t)n;
		return 0;
	}
	if (errno == EINTR || errno == EAGAIN)
		return 0;
	if (errno != EPIPE && errno != ECONNRESET)
		return err_sys(e, "sending to the server");
	/* One that has heard enough says why. */
	f->open = false;
	f->at = f->n = 0;
	return 0;
}

int
feed_go(struct feed *f, const struct pollfd *server, const struct pollfd *in, struct err *e)
{
	if (in->fd != -1 && in->revents != 0 && take(f, e) == -1)
		return -1;
	if (f->at == f->n || (in->fd == -1 && !(server->revents & (POLLOUT | POLLERR | POLLHUP))))
		return 0;
	return put(f, server->fd, e);
}
