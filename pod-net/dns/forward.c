/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-net/dns/forward.h"

struct forward {
	struct forwarder *owner;
	struct forward *next, **at;
	struct addr client;
	const void *from;
	struct addr servers[ANSWER_SERVERS];
	size_t nservers, server;
	size_t question_end;
	uint16_t client_id, id;
	bool stream;
	uint8_t *query;
	size_t n;
	forward_done *done;
	void *arg;
	int fd;			/* UDP */
	struct event *readable; /* UDP */
	struct event *later;	/* runs ask() or gives up */
	struct bufferevent *tcp;
};

#define DNS_PORT 53

struct forwarder {
	struct event_base *base;
	struct forward *list;
	size_t n;
};

struct forwarder *
forwarder_new(struct event_base *base)
{
	struct forwarder *f = xcalloc(1, sizeof(*f));

	f->base = base;
	return f;
}

static void
stop_asking(struct forward *q)
{
	if (q->readable != NULL)
		event_free(q->readable);
	q->readable = NULL;
	fd_close(&q->fd);
	if (q->tcp != NULL)
		bufferevent_free(q->tcp);
	q->tcp = NULL;
}

void
forward_cancel(struct forward *q)
{
	stop_asking(q);
	if (q->later != NULL)
		event_free(q->later);
	*q->at = q->next;
	if (q->next != NULL)
		q->next->at = q->at;
	q->owner->n--;
	free(q->query);
	free(q);
}

void
forwarder_free(struct forwarder *f)
{
	while (f->list != NULL)
		forward_cancel(f->list);
	free(f);
}

static void
finish(struct forward *q, uint8_t *p, size_t n)
{
	forward_done *done = q->done;
	void *arg = q->arg;

	if (p != NULL) {
		p[0] = (uint8_t)(q->client_id >> 8);
		p[1] = (uint8_t)q->client_id;
	}
	/* p may lie in a buffer of the connection. */
	done(arg, p, n);
	forward_cancel(q);
}

static void
next_server(struct forward *q)
{
	stop_asking(q);
	q->server++;
	event_active(q->later, EV_TIMEOUT, 0);
}

/* True if p was the answer, good or the last there is. */
static bool
take_answer(struct forward *q, uint8_t *p, size_t n)
{
	enum dns_rcode rcode;

	if (!dns_is_answer(p, n, q->id, q->query, q->question_end, &rcode))
		return false;
	if ((rcode == DNS_SERVFAIL || rcode == DNS_REFUSED) && q->server + 1 < q->nservers)
		next_server(q);
	else
		finish(q, p, n);
	return true;
}

static void
on_datagram(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t p[DNS_MESSAGE_MAX];
	struct forward *q = arg;

	(void)what;
	for (;;) {
		ssize_t n = recv(fd, p, sizeof(p), MSG_DONTWAIT);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n == -1) {
			next_server(q);
			return;
		}
		if (take_answer(q, p, (size_t)n))
			return;
	}
}

static void
on_stream(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct forward *q = arg;
	uint8_t size[2];
	size_t n;

	if (evbuffer_copyout(in, size, 2) != 2)
		return;
	n = (size_t)size[0] << 8 | size[1];
	if (evbuffer_get_length(in) < n + 2)
		return;
	if (!take_answer(q, evbuffer_pullup(in, (ssize_t)n + 2) + 2, n))
		next_server(q);
}

static void
on_stream_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_ERROR | BEV_EVENT_EOF))
		next_server(arg);
}

static int
ask_datagram(struct forward *q, const struct sockaddr_storage *to, socklen_t len)
{
	q->fd = socket(to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd == -1 || connect(q->fd, (const struct sockaddr *)to, len) == -1 ||
	    send(q->fd, q->query, q->n, 0) == -1)
		return -1;
	q->readable = event_new(q->owner->base, q->fd, EV_READ | EV_PERSIST, on_datagram, q);
	return q->readable == NULL ? -1 : event_add(q->readable, NULL);
}

static int
ask_stream(struct forward *q, const struct sockaddr_storage *to, socklen_t len)
{
	uint8_t size[2] = {(uint8_t)(q->n >> 8), (uint8_t)q->n};

	q->tcp = bufferevent_socket_new(q->owner->base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (q->tcp == NULL)
		return -1;
	bufferevent_setcb(q->tcp, on_stream, NULL, on_stream_event, q);
	bufferevent_setwatermark(q->tcp, EV_READ, 0, DNS_MESSAGE_MAX + 2);
	bufferevent_write(q->tcp, size, sizeof(size));
	bufferevent_write(q->tcp, q->query, q->n);
	bufferevent_enable(q->tcp, EV_READ | EV_WRITE);
	return bufferevent_socket_connect(q->tcp, (const struct sockaddr *)to, (int)len);
}

/* Asks the next server that can be asked; each has its share of the time. */
static void
ask(evutil_socket_t fd, short what, void *arg)
{
	struct forward *q = arg;
	struct timeval share;

	(void)fd;
	(void)what;
	if (q->fd != -1 || q->tcp != NULL) {
		stop_asking(q);
		q->server++;
	}
	for (; q->server < q->nservers; q->server++) {
		struct sockaddr_storage to;
		socklen_t len = addr_sockaddr(&q->servers[q->server], DNS_PORT, &to);

		if (getrandom(&q->id, sizeof(q->id), 0) != sizeof(q->id))
			continue;
		q->query[0] = (uint8_t)(q->id >> 8);
		q->query[1] = (uint8_t)q->id;
		if ((q->stream ? ask_stream : ask_datagram)(q, &to, len) == 0)
			break;
		stop_asking(q);
	}
	if (q->server == q->nservers) {
		finish(q, NULL, 0);
		return;
	}
	share = (struct timeval){.tv_sec = FORWARD_TIMEOUT_MS / 1000 / (long)q->nservers,
	    .tv_usec = FORWARD_TIMEOUT_MS * 1000L / (long)q->nservers % 1000000};
	event_add(q->later, &share);
}

static size_t
of_client(const struct forwarder *f, const struct addr *client)
{
	size_t n = 0;

	for (const struct forward *q = f->list; q != NULL; q = q->next)
		n += addr_compare(&q->client, client) == 0;
	return n;
}

/* However many clients it has, there stays a place for the others. */
static bool
has_share(const struct forwarder *f, const void *from)
{
	size_t n = 0;

	for (const struct forward *q = f->list; q != NULL; q = q->next)
		n += q->from == from;
	return n < FORWARD_MAX - f->n;
}

struct forward *
forward_start(struct forwarder *f, const struct answer *a, const struct forward_query *in,
    forward_done *done, void *arg)
{
	struct forward *q;

	if (!has_share(f, in->from) || of_client(f, in->client) >= FORWARD_CLIENT_MAX)
		return NULL;
	q = xcalloc(1, sizeof(*q));
	*q = (struct forward){.owner = f,
	    .next = f->list,
	    .at = &f->list,
	    .client = *in->client,
	    .from = in->from,
	    .nservers = a->nservers,
	    .question_end = a->query.question_end,
	    .client_id = a->query.id,
	    .stream = in->stream,
	    .query = xmemdup(in->p, in->n),
	    .n = in->n,
	    .done = done,
	    .arg = arg,
	    .fd = -1};
	memcpy(q->servers, a->servers, sizeof(q->servers));
	if (f->list != NULL)
		f->list->at = &q->next;
	f->list = q;
	f->n++;
	q->later = event_new(f->base, -1, 0, ask, q);
	if (q->later == NULL) {
		forward_cancel(q);
		return NULL;
	}
	event_active(q->later, EV_TIMEOUT, 0);
	return q;
}
