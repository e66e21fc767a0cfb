/* SPDX-License-Identifier: ISC */
#include "pod-net/forward/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "common/base/mem.h"
#include "common/base/own.h"

#define BACKLOG 4096
#define AT_ONCE 32	  /* connections before others have their turn */
#define HIGH (512u << 10) /* bytes that wait for a slow reader before we read on */
#define LATER_MS 100	  /* when descriptors have run out, or this port's share of them */

struct stream_listener {
	struct event_base *base;
	int fd;
	const struct client_target *target;
	uint16_t port;
	struct event *event, *later;
	struct connection *first;
	size_t n, max;
};

enum { HOST, CONTAINER };

struct connection {
	struct stream_listener *listener;
	struct connection *next, **at;
	struct bufferevent *side[2];
	bool ended[2]; /* that side has said all */
};

static void
free_connection(struct connection *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->listener->n--;
	for (int i = 0; i < 2; i++)
		if (c->side[i] != NULL)
			bufferevent_free(c->side[i]);
	free(c);
}

static int
side_of(const struct connection *c, const struct bufferevent *b)
{
	return c->side[HOST] == b ? HOST : CONTAINER;
}

static size_t
waiting(struct bufferevent *b)
{
	return evbuffer_get_length(bufferevent_get_output(b));
}

static void
on_read(struct bufferevent *b, void *arg)
{
	struct connection *c = arg;
	struct bufferevent *other = c->side[!side_of(c, b)];

	evbuffer_add_buffer(bufferevent_get_output(other), bufferevent_get_input(b));
	if (waiting(other) >= HIGH)
		bufferevent_disable(b, EV_READ);
}

/* All that was waiting for b has been written. */
static void
on_written(struct bufferevent *b, void *arg)
{
	struct connection *c = arg;
	int from = !side_of(c, b);

	if (!c->ended[from]) {
		bufferevent_enable(c->side[from], EV_READ);
		return;
	}
	(void)shutdown(bufferevent_getfd(b), SHUT_WR);
	if (c->ended[!from] && waiting(c->side[from]) == 0)
		free_connection(c);
}

static void
on_event(struct bufferevent *b, short what, void *arg)
{
	struct connection *c = arg;
	int from = side_of(c, b);
	struct bufferevent *other = c->side[!from];

	if (what & BEV_EVENT_ERROR) {
		free_connection(c);
		return;
	}
	if (!(what & BEV_EVENT_EOF))
		return;
	evbuffer_add_buffer(bufferevent_get_output(other), bufferevent_get_input(b));
	c->ended[from] = true;
	bufferevent_disable(b, EV_READ);
	if (waiting(other) == 0)
		on_written(other, c);
}

static struct bufferevent *
side_new(struct connection *c, struct event_base *base, int fd)
{
	const int on = 1;
	struct bufferevent *b = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (b == NULL) {
		close(fd);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	bufferevent_setcb(b, on_read, on_written, on_event, c);
	(void)bufferevent_set_max_single_read(b, 128 << 10);
	(void)bufferevent_set_max_single_write(b, 128 << 10);
	return b;
}

static void
start(struct stream_listener *l, int given, const struct sockaddr_storage *from)
{
	own_fd int host = given, inside = client_connect(l->target, from, l->port, SOCK_STREAM);
	struct connection *c;

	if (inside < 0)
		return;
	c = xcalloc(1, sizeof *c);
	c->listener = l;
	l->n++;
	c->next = l->first;
	c->at = &l->first;
	if (c->next != NULL)
		c->next->at = &c->next;
	l->first = c;
	c->side[HOST] = side_new(c, l->base, fd_take(&host));
	c->side[CONTAINER] = side_new(c, l->base, fd_take(&inside));
	if (c->side[HOST] == NULL || c->side[CONTAINER] == NULL ||
	    bufferevent_enable(c->side[HOST], EV_READ | EV_WRITE) != 0 ||
	    bufferevent_enable(c->side[CONTAINER], EV_READ | EV_WRITE) != 0)
		free_connection(c);
}

static void
pause_listening(struct stream_listener *l)
{
	const struct timeval later = {.tv_usec = LATER_MS * 1000};

	event_del(l->event);
	event_add(l->later, &later);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct stream_listener *l = arg;

	(void)what;
	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof from;
		int got;

		if (l->n >= l->max) {
			pause_listening(l);
			return;
		}
		got = accept4(fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (got >= 0) {
			start(l, got, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_listening(l);
		return;
	}
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct stream_listener *l = arg;

	(void)fd;
	(void)what;
	event_add(l->event, NULL);
}

struct stream_listener *
stream_listen(struct event_base *base, int fd, const struct client_target *target, uint16_t port,
    struct err *e)
{
	struct stream_listener *l = xcalloc(1, sizeof *l);

	*l = (struct stream_listener){
	    .base = base, .fd = fd, .target = target, .port = port, .max = client_limit()};
	l->event = event_new(base, fd, EV_READ | EV_PERSIST, on_accept, l);
	l->later = event_new(base, -1, 0, on_later, l);
	if (evutil_make_socket_nonblocking(fd) == 0 && listen(fd, BACKLOG) == 0 &&
	    l->event != NULL && l->later != NULL && event_add(l->event, NULL) == 0)
		return l;
	err_sys(e, "listening on a published port");
	stream_free(l);
	return NULL;
}

void
stream_free(struct stream_listener *l)
{
	if (l == NULL)
		return;
	while (l->first != NULL)
		free_connection(l->first);
	if (l->event != NULL)
		event_free(l->event);
	if (l->later != NULL)
		event_free(l->later);
	fd_close(&l->fd);
	free(l);
}
