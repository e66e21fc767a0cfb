/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "pod-monitor/stdio/client.h"

void
clients_init(struct clients *cs)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		cs->c[i].fd = -1;
}

int
clients_add(struct clients *cs, int fd)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &cs->c[i];

		if (c->fd >= 0)
			continue;
		c->fd = fd;
		cs->n++;
		c->readable = true;
		c->hung_up = c->ended = c->owed = false;
		c->in_n = c->in_at = 0;
		return i;
	}
	fd_close(&fd);
	return -1;
}

void
clients_drop(struct clients *cs, int i)
{
	cs->n -= cs->c[i].fd >= 0;
	fd_close(&cs->c[i].fd);
	cs->c[i].owed = false;
	cs->c[i].in_n = 0;
}

void
clients_drop_all(struct clients *cs)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients_drop(cs, i);
}

bool
clients_any(const struct clients *cs)
{
	return cs->n > 0;
}

void
clients_owe(struct clients *cs)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		cs->c[i].owed = cs->c[i].fd >= 0;
}

bool
clients_send(struct clients *cs, const void *packet, size_t n)
{
	bool all = true;

	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &cs->c[i];

		if (!c->owed)
			continue;
		if (send(c->fd, packet, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
			c->owed = false;
		} else if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) {
			all = false;
		} else {
			/* Its input may still be worth reading: "tar c . | pod run -i … >&-". */
			c->owed = false;
			if (c->ended)
				clients_drop(cs, i);
		}
	}
	return all;
}

int
clients_receive(struct clients *cs, int i)
{
	struct client *c = &cs->c[i];

	if (c->fd < 0 || c->ended || !c->readable || c->in_n > 0)
		return -1;

	ssize_t n = recv(c->fd, cs->in[i], sizeof(cs->in[i]), MSG_DONTWAIT);

	if (n > 0) {
		c->in_n = (size_t)n;
		c->in_at = 0;
		return 1;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		c->readable = errno == EINTR;
		return -1;
	}
	c->ended = true;
	if (n < 0 || c->hung_up)
		clients_drop(cs, i);
	return 0;
}
