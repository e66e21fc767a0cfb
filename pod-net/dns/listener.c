/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-net/dns/listener.h"

#define DATAGRAMS_AT_ONCE 64 /* before others have their turn */
#define BACKLOG 64
#define UNREAD_MAX (4u * DNS_MESSAGE_MAX) /* bytes of answers that a client has not read yet */

/* A query over UDP that was forwarded. */
struct waiting {
	struct listener *listener;
	struct waiting *next, **at;
	struct forward *forward;
	struct answer answer;
	struct sockaddr_storage client;
	socklen_t client_len;
	uint8_t question[]; /* header and question of the query */
};

struct connection {
	struct listener *listener;
	struct connection *next, **at;
	struct bufferevent *bev;
	struct forward *forward; /* one query at a time */
	struct answer answer;
	struct addr client;
	uint8_t *query; /* the one that is being forwarded */
};

struct listener {
	struct listen_shared *shared;
	const struct zone_network *network;
	struct addr addr;
	int udp, tcp;
	struct event *on_udp, *on_tcp;
	struct waiting *waiting;
};

static struct addr
addr_of(const struct sockaddr_storage *from)
{
	struct addr a = {0};

	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		a.family = AF_INET;
		a.len = 4;
		memcpy(a.b, &in->sin_addr, 4);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)from;

		a.family = AF_INET6;
		a.len = 16;
		memcpy(a.b, &in6->sin6_addr, 16);
	}
	return a;
}

static void
make_answer(struct listener *l, const struct addr *client, bool stream, const uint8_t *p, size_t n,
    struct answer *a, uint8_t *out, size_t max)
{
	struct answer_request r;

	l->shared->refresh(l->shared->arg);
	r = (struct answer_request){.zone = l->shared->zone,
	    .network = l->network,
	    .client = *client,
	    .resolvers = resolvers_now(l->shared->resolvers),
	    .forwards = l->shared->forwards,
	    .domain = l->shared->domain,
	    .p = p,
	    .n = n,
	    .stream = stream};

	if (l->network == NULL)
		a->kind = ANSWER_NOTHING;
	else
		answer_make(&r, a, out, max);
}

/* --- UDP --- */

static void
free_waiting(struct waiting *w)
{
	*w->at = w->next;
	if (w->next != NULL)
		w->next->at = w->at;
	free(w);
}

static void
on_datagram_answer(void *arg, const uint8_t *p, size_t n)
{
	struct waiting *w = arg;
	uint8_t out[DNS_UDP_MAX];

	/* A server may send more than our client asked for. */
	if (p == NULL || n > w->answer.query.udp_size) {
		n = answer_code(
		    &w->answer, w->question, p == NULL ? DNS_SERVFAIL : DNS_OK, out, sizeof(out));
		if (p != NULL)
			out[2] |= 0x02; /* cut: ask by TCP */
		p = out;
	}
	sendto(w->listener->udp, p, n, MSG_DONTWAIT, (struct sockaddr *)&w->client, w->client_len);
	free_waiting(w);
}

static bool
forward_datagram(struct listener *l, const struct answer *a, const struct addr *client,
    const struct sockaddr_storage *from, socklen_t len, const uint8_t *p, size_t n)
{
	struct waiting *w = xcalloc(1, sizeof(*w) + a->query.question_end);

	w->listener = l;
	w->answer = *a;
	w->client = *from;
	w->client_len = len;
	memcpy(w->question, p, a->query.question_end);
	w->forward = forward_start(l->shared->forwarder, a,
	    &(struct forward_query){.client = client, .from = l, .p = p, .n = n},
	    on_datagram_answer, w);
	if (w->forward == NULL) {
		free(w);
		return false;
	}
	w->next = l->waiting;
	w->at = &l->waiting;
	if (l->waiting != NULL)
		l->waiting->at = &w->next;
	l->waiting = w;
	return true;
}

static void
on_datagrams(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t in[DNS_MESSAGE_MAX];
	uint8_t out[DNS_UDP_MAX];
	struct listener *l = arg;

	(void)what;
	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		struct answer a;
		struct addr client;
		ssize_t n =
		    recvfrom(fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &len);

		if (n == -1)
			return;
		client = addr_of(&from);
		make_answer(l, &client, false, in, (size_t)n, &a, out, sizeof(out));
		if (a.kind == ANSWER_FORWARD &&
		    !forward_datagram(l, &a, &client, &from, len, in, (size_t)n)) {
			a.n = answer_code(&a, in, DNS_SERVFAIL, out, sizeof(out));
			a.kind = ANSWER_READY;
		}
		if (a.kind == ANSWER_READY)
			sendto(fd, out, a.n, MSG_DONTWAIT, (struct sockaddr *)&from, len);
	}
}

/* --- TCP: messages with their size in front (RFC 1035, 4.2.2) --- */

static void
free_connection(struct connection *c)
{
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	c->listener->shared->nconnections--;
	if (c->forward != NULL)
		forward_cancel(c->forward);
	bufferevent_free(c->bev);
	free(c->query);
	free(c);
}

static void
send_message(struct connection *c, const uint8_t *p, size_t n)
{
	uint8_t size[2] = {(uint8_t)(n >> 8), (uint8_t)n};

	bufferevent_write(c->bev, size, sizeof(size));
	bufferevent_write(c->bev, p, n);
}

static void on_stream(struct bufferevent *bev, void *arg);

static void
on_stream_answer(void *arg, const uint8_t *p, size_t n)
{
	struct connection *c = arg;
	uint8_t out[DNS_UDP_MAX];

	c->forward = NULL;
	if (p == NULL) {
		n = answer_code(&c->answer, c->query, DNS_SERVFAIL, out, sizeof(out));
		p = out;
	}
	send_message(c, p, n);
	free(c->query);
	c->query = NULL;
	on_stream(c->bev, c);
}

/* Answers one query of the connection; false if it has to be ended. */
static bool
answer_stream(struct connection *c, const uint8_t *p, size_t n)
{
	static uint8_t out[DNS_MESSAGE_MAX];
	struct listener *l = c->listener;

	make_answer(l, &c->client, true, p, n, &c->answer, out, sizeof(out));
	if (c->answer.kind == ANSWER_FORWARD) {
		c->forward = forward_start(l->shared->forwarder, &c->answer,
		    &(struct forward_query){
			.client = &c->client, .from = l, .stream = true, .p = p, .n = n},
		    on_stream_answer, c);
		if (c->forward != NULL) {
			c->query = xmemdup(p, n);
			return true;
		}
		c->answer.n = answer_code(&c->answer, p, DNS_SERVFAIL, out, sizeof(out));
		c->answer.kind = ANSWER_READY;
	}
	if (c->answer.kind == ANSWER_READY)
		send_message(c, out, c->answer.n);
	return c->answer.kind == ANSWER_READY;
}

static void
on_stream(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct connection *c = arg;
	uint8_t size[2];

	while (c->forward == NULL &&
	       evbuffer_get_length(bufferevent_get_output(bev)) < UNREAD_MAX &&
	       evbuffer_copyout(in, size, 2) == 2) {
		size_t n = (size_t)size[0] << 8 | size[1];

		if (evbuffer_get_length(in) < n + 2)
			return;
		if (!answer_stream(c, evbuffer_pullup(in, (ssize_t)n + 2) + 2, n)) {
			free_connection(c);
			return;
		}
		evbuffer_drain(in, n + 2);
	}
}

static void
on_stream_event(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;

	if ((what & BEV_EVENT_TIMEOUT) && c->forward != NULL)
		bufferevent_enable(bev, EV_READ);
	else if (what & (BEV_EVENT_TIMEOUT | BEV_EVENT_ERROR | BEV_EVENT_EOF))
		free_connection(c);
}

/* Strangers, who would only be refused, shall not take the connections of others: addresses are cheap. */
static bool
may_connect(const struct listener *l, const struct addr *client)
{
	const struct listen_shared *s = l->shared;
	size_t n = 0, ours = 0;

	s->refresh(s->arg);
	if (l->network == NULL || !answer_serves(l->network, client))
		return false;
	for (const struct connection *c = s->connections; c != NULL; c = c->next) {
		n += addr_compare(&c->client, client) == 0;
		ours += c->listener == l;
	}
	/* Of one network as many as there are places left: there stays one for the others. */
	return ours < LISTENER_CONNECTIONS_MAX - s->nconnections && n < LISTENER_CLIENT_MAX;
}

static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct timeval idle = {.tv_sec = LISTENER_IDLE_S};
	struct listener *l = arg;
	struct listen_shared *s = l->shared;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct connection *c;
	struct addr client;
	own_fd int conn = -1;

	(void)what;
	conn = accept4(fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (conn == -1)
		return;
	client = addr_of(&from);
	if (!may_connect(l, &client))
		return;
	c = xcalloc(1, sizeof(*c));
	c->listener = l;
	c->client = client;
	c->bev = bufferevent_socket_new(s->base, conn, BEV_OPT_CLOSE_ON_FREE);
	if (c->bev == NULL) {
		free(c);
		return;
	}
	fd_take(&conn);
	c->next = s->connections;
	c->at = &s->connections;
	if (s->connections != NULL)
		s->connections->at = &c->next;
	s->connections = c;
	s->nconnections++;
	/* Also when it has read all answers: questions may have been waiting for that. */
	bufferevent_setcb(c->bev, on_stream, on_stream, on_stream_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, DNS_MESSAGE_MAX + 2);
	bufferevent_set_timeouts(c->bev, &idle, &idle);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* --- Sockets --- */

static int
open_socket(const struct addr *a, uint16_t port, int type, struct err *e)
{
	own_fd int fd = socket(a->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_storage to;
	socklen_t len = addr_sockaddr(a, port, &to);
	char text[ADDR_TEXT];
	int on = 1;

	addr_format(a, text);
	if (fd == -1)
		return err_sys(e, "making a socket for %s", text);
	if (a->family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	/* The bridge may come a moment later, and its IPv6 address is not valid at once. */
	setsockopt(fd, a->family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP,
	    a->family == AF_INET6 ? IPV6_FREEBIND : IP_FREEBIND, &on, sizeof(on));
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, len) == -1 ||
	    (type == SOCK_STREAM && listen(fd, BACKLOG) == -1))
		return err_sys(e, "failed to bind %s listener on %s:%u",
		    type == SOCK_STREAM ? "tcp" : "udp", text, port);
	return fd_take(&fd);
}

struct listener *
listener_new(struct listen_shared *s, const struct addr *a, uint16_t port, struct err *e)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	*l = (struct listener){.shared = s, .addr = *a, .udp = -1, .tcp = -1};
	l->udp = open_socket(a, port, SOCK_DGRAM, e);
	l->tcp = l->udp == -1 ? -1 : open_socket(a, port, SOCK_STREAM, e);
	if (l->tcp != -1) {
		l->on_udp = event_new(s->base, l->udp, EV_READ | EV_PERSIST, on_datagrams, l);
		l->on_tcp = event_new(s->base, l->tcp, EV_READ | EV_PERSIST, on_connection, l);
		if (l->on_udp != NULL && l->on_tcp != NULL && event_add(l->on_udp, NULL) == 0 &&
		    event_add(l->on_tcp, NULL) == 0)
			return l;
		err_set(e, ERR_INTERNAL, "adding an event");
	}
	listener_free(l);
	return NULL;
}

void
listener_serve(struct listener *l, const struct zone_network *n)
{
	l->network = n;
}

bool
listener_is_idle(const struct listener *l)
{
	return l->network == NULL;
}

const struct addr *
listener_address(const struct listener *l)
{
	return &l->addr;
}

void
listener_free(struct listener *l)
{
	while (l->waiting != NULL) {
		forward_cancel(l->waiting->forward);
		free_waiting(l->waiting);
	}
	for (struct connection *c = l->shared->connections, *next; c != NULL; c = next) {
		next = c->next;
		if (c->listener == l)
			free_connection(c);
	}
	if (l->on_udp != NULL)
		event_free(l->on_udp);
	if (l->on_tcp != NULL)
		event_free(l->on_tcp);
	fd_close(&l->udp);
	fd_close(&l->tcp);
	free(l);
}
