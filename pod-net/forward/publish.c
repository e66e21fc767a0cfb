/* SPDX-License-Identifier: ISC */
#include "pod-net/forward/publish.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/own.h"
#include "common/wire/peer.h"
#include "pod-net/forward/datagram.h"
#include "pod-net/forward/stream.h"
#include "pod-net/port.h"

/* One bound socket of the host. */
struct socket {
	struct stream_listener *stream;
	struct datagram_listener *datagram;
};

struct publication {
	struct publication *next, **at;
	char *token;
	struct client_target target;
	struct socket *sockets;
	size_t n;
	int life;
	struct event *on_end;
};

static void
free_publication(struct publication *p)
{
	if (p->at != NULL) {
		*p->at = p->next;
		if (p->next != NULL)
			p->next->at = p->at;
	}
	for (size_t i = 0; i < p->n; i++) {
		stream_free(p->sockets[i].stream);
		datagram_free(p->sockets[i].datagram);
	}
	if (p->on_end != NULL)
		event_free(p->on_end);
	fd_close(&p->life);
	free(p->sockets);
	free(p->target.near);
	free(p->token);
	free(p);
}

static struct publication *
find(struct publish_list *l, const char *token)
{
	struct publication *p = l->first;

	while (p != NULL && strcmp(p->token, token) != 0)
		p = p->next;
	return p;
}

void
publish_drop(struct publish_list *l, const char *token)
{
	struct publication *p = find(l, token);

	if (p != NULL)
		free_publication(p);
}

static void
set_target(struct client_target *t, const struct msg_forward_publish *m)
{
	free(t->near);
	*t = (struct client_target){.near = xcalloc(m->subnets.n + 1, sizeof *t->near)};
	(void)addr_parse(m->address4, &t->to4);
	(void)addr_parse(m->address6, &t->to6);
	for (size_t i = 0; i < m->subnets.n; i++)
		if (addr_parse_prefix(m->subnets.v[i], &t->near[t->nnear]) == 0)
			t->nnear++;
}

/* --- Sockets -------------------------------------------------------------------------------------- */

static int
own_address(int fd, struct addr *a, uint16_t *port)
{
	struct sockaddr_storage sa;
	socklen_t size = sizeof sa;
	const struct sockaddr_in *in = (const void *)&sa;
	const struct sockaddr_in6 *in6 = (const void *)&sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &size) != 0)
		return -1;
	*a = (struct addr){.family = (uint8_t)sa.ss_family};
	a->len = sa.ss_family == AF_INET ? 4 : 16;
	memcpy(a->b, a->len == 4 ? (const void *)&in->sin_addr : (const void *)&in6->sin6_addr,
	    a->len);
	*port = ntohs(a->len == 4 ? in->sin_port : in6->sin6_port);
	return 0;
}

/* The range that the socket was bound for. */
static const struct port *
port_of(const struct port_list *l, const struct addr *a, uint16_t number, int type)
{
	uint8_t protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

	for (size_t i = 0; i < l->n; i++) {
		const struct port *p = &l->v[i];

		if (p->protocol == protocol && number >= p->host_port &&
		    number - p->host_port < p->count &&
		    (p->host.len == 0 ? addr_is_any(a) : addr_compare(&p->host, a) == 0))
			return p;
	}
	return NULL;
}

static int
add_socket(struct publish_list *l, struct publication *p, const struct port_list *ports, int given,
    struct err *e)
{
	own_fd int fd = given;
	const struct port *port;
	struct socket *s = &p->sockets[p->n];
	uint16_t number, inner;
	struct addr a;
	int type;
	socklen_t size = sizeof type;

	if (own_address(fd, &a, &number) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
		return err_sys(e, "looking at a socket");
	port = port_of(ports, &a, number, type);
	if (port == NULL)
		return err_set(e, ERR_INTERNAL, "a socket belongs to none of the ports");
	inner = (uint16_t)(port->container_port + (number - port->host_port));
	if (type == SOCK_STREAM)
		s->stream = stream_listen(l->base, fd_take(&fd), &p->target, inner, e);
	else
		s->datagram = datagram_listen(l->base, fd_take(&fd), &p->target, inner, e);
	p->n++;
	return s->stream == NULL && s->datagram == NULL ? -1 : 0;
}

static size_t
count_sockets(const struct port_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += (size_t)l->v[i].count * (size_t)(l->v[i].ipv4 + l->v[i].ipv6);
	return n;
}

static int
add_sockets(struct publish_list *l, struct publication *p, const struct msg_forward_publish *m,
    struct err *e)
{
	own_arena struct arena a = {0};
	own_mem int *fds = NULL;
	struct port_list ports;
	size_t want, i = 0, n;
	int rc = 0;

	if (port_parse(m->ports.v, m->ports.n, p->target.to4.len != 0, p->target.to6.len != 0,
		&ports, &a, e) != 0)
		return -1;
	want = count_sockets(&ports);
	fds = xcalloc(want + 1, sizeof *fds);
	p->sockets = xcalloc(want + 1, sizeof *p->sockets);
	n = (size_t)peer_unqueue_fds(m->sockets, fds, want);
	if (n < want)
		rc = err_set(e, ERR_LIMIT, "published ports need %zu open files more than allowed",
		    want - n);
	for (; i < n && rc == 0; i++)
		rc = add_socket(l, p, &ports, fds[i], e);
	for (; i < n; i++)
		fd_close(&fds[i]);
	return rc;
}

/* --- Publications --------------------------------------------------------------------------------- */

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	char byte;

	(void)what;
	if (recv(fd, &byte, 1, MSG_DONTWAIT) == 0)
		free_publication(arg);
}

static int
watch_life(struct publish_list *l, struct publication *p, struct err *e)
{
	if (p->life < 0)
		return 0;
	p->on_end = event_new(l->base, p->life, EV_READ | EV_PERSIST, on_end, p);
	return p->on_end != NULL && event_add(p->on_end, NULL) == 0
		   ? 0
		   : err_set(e, ERR_INTERNAL, "waiting for the end of a container");
}

int
publish_set(struct publish_list *l, struct msg_forward_publish *m, struct err *e)
{
	struct publication *p = find(l, m->token);

	if (m->sockets <= 0) {
		if (p != NULL)
			set_target(&p->target, m);
		return 0;
	}
	if (p != NULL)
		free_publication(p);
	p = xcalloc(1, sizeof *p);
	p->token = xstrdup(m->token);
	p->life = m->life > 0 ? fd_take(&m->life) : -1;
	set_target(&p->target, m);
	if (add_sockets(l, p, m, e) != 0 || watch_life(l, p, e) != 0) {
		free_publication(p);
		return -1;
	}
	p->next = l->first;
	p->at = &l->first;
	if (p->next != NULL)
		p->next->at = &p->next;
	l->first = p;
	return 0;
}
