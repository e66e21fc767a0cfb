/* SPDX-License-Identifier: ISC */
#include "pod-net/forward/serve.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/lock.h"
#include "common/wire/peer.h"
#include "pod-net/forward/publish.h"
#include "pod-net/link.h"

#define SERVING 1u
#define QUIET_MS 1000 /* how long the namespace is kept for the next container */

struct server {
	struct event_base *base;
	struct publish_list published;
	struct client *clients;
	struct netlink links; /* for questions */
	int news;	      /* of links that come and go */
	struct event *on_client, *on_news, *on_quiet;
};

/* A pod-net at work; the namespace stays for it. */
struct client {
	struct server *server;
	struct client *next, **at;
	struct peer *peer;
	struct event *event;
	uint64_t done;
};

/* --- Waiting --------------------------------------------------------------------------------------- */

static void
wait_for_quiet(struct server *s)
{
	const struct timeval quiet = {QUIET_MS / 1000, QUIET_MS % 1000 * 1000};

	event_add(s->on_quiet, &quiet);
}

/* A link has come or gone; what exactly does not matter. */
static void
on_news(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	char buf[16384];

	(void)what;
	while (recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
		;
	if (s->clients == NULL)
		wait_for_quiet(s);
}

/* --- Requests ------------------------------------------------------------------------------------- */

static int
on_join(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_forward_joined r = {.netns = SERVE_NETNS};

	(void)arg;
	return peer_send(p, &msg_forward_joined_desc, in->seq, &r, e);
}

static int
on_publish(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct client *c = arg;

	if (publish_set(&c->server->published, MSG_OF(in, forward_publish), e) != 0)
		return -1;
	return peer_send_ok(p, in->seq, e);
}

static int
on_withdraw(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct client *c = arg;

	publish_drop(&c->server->published, MSG_OF(in, forward_withdraw)->token);
	return peer_send_ok(p, in->seq, e);
}

static const struct peer_handler handlers[] = {
    {&msg_forward_join_desc, SERVING, 0, on_join},
    {&msg_forward_publish_desc, SERVING, 0, on_publish},
    {&msg_forward_withdraw_desc, SERVING, 0, on_withdraw},
};

static void
free_client(struct client *c)
{
	struct server *s = c->server;

	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	if (c->event != NULL)
		event_free(c->event);
	peer_free(c->peer);
	free(c);
	if (s->clients == NULL)
		wait_for_quiet(s);
}

static void
on_request(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	struct err e = {0};
	int r;

	(void)fd;
	(void)what;
	do
		r = peer_serve(c->peer, handlers, COUNTOF(handlers), SERVING, &c->done, c, &e);
	while (r == 1);
	if (r == -1)
		log_warn("%s", e.text);
	if (r != PEER_NONE)
		free_client(c);
}

static void
on_client(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;
	int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	struct client *c;

	(void)what;
	if (got < 0)
		return;
	c = xcalloc(1, sizeof *c);
	c->server = s;
	c->peer = peer_new(got, ROLE_FORWARD, ROLE_NET);
	c->next = s->clients;
	c->at = &s->clients;
	if (c->next != NULL)
		c->next->at = &c->next;
	s->clients = c;
	c->event = event_new(s->base, got, EV_READ | EV_PERSIST, on_request, c);
	if (c->event == NULL || event_add(c->event, NULL) != 0)
		free_client(c);
}

/* Not while a pod-net is about to connect: it holds the lock until it has been answered. */
static void
end_if_unused(struct server *s)
{
	struct err e = {0};
	own_fd int lock = -1;

	if (s->clients != NULL || link_count_kind(&s->links, "veth", &e) != 0 ||
	    link_count_namespaces(&s->links, &e) != 0)
		return;
	lock = lock_acquire(ROLE_VIEW_FD_NUMBER, "rootless.lock", LOCK_EXCLUSIVE, LOCK_TRY, &e);
	if (lock < 0) {
		wait_for_quiet(s);
		return;
	}
	on_client(SERVE_LISTENER, 0, s);
	if (s->clients != NULL)
		return;
	/* pasta leaves when it misses its link. */
	unlinkat(ROLE_VIEW_FD_NUMBER, "rootless.sock", 0);
	/* Also where the namespace is mounted: the kernel takes the mount away with the file. */
	unlinkat(ROLE_VIEW_FD_NUMBER, "rootless.ns", 0);
	unlinkat(ROLE_VIEW_FD_NUMBER, "helpers/rootless-netns", 0);
	unlinkat(ROLE_VIEW_FD_NUMBER, "helpers/rootless-netns.pid", 0);
	event_base_loopbreak(s->base);
}

static void
on_quiet(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end_if_unused(arg);
}

/* --- The loop ------------------------------------------------------------------------------------- */

static int
listen_for_news(struct server *s, struct err *e)
{
	/* A container with no veth pair is known by the number of its namespace. */
	struct sockaddr_nl a = {
	    .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | 1u << (RTNLGRP_NSID - 1)};

	if (netlink_open(&s->links, NETLINK_ROUTE, e) != 0)
		return -1;
	s->news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (s->news < 0 || bind(s->news, (struct sockaddr *)&a, sizeof a) != 0)
		return err_sys(e, "listening for news of links");
	return 0;
}

int
serve_run(struct err *e)
{
	struct server s = {.base = event_base_new(), .links = {.fd = -1}, .news = -1};

	s.published.base = s.base;
	if (s.base == NULL || listen_for_news(&s, e) != 0)
		return err_is_set(e) ? -1 : err_set(e, ERR_INTERNAL, "making an event loop");
	if (fcntl(SERVE_LISTENER, F_SETFL, O_NONBLOCK) != 0)
		return err_sys(e, "preparing the listening socket");
	s.on_client = event_new(s.base, SERVE_LISTENER, EV_READ | EV_PERSIST, on_client, &s);
	s.on_news = event_new(s.base, s.news, EV_READ | EV_PERSIST, on_news, &s);
	s.on_quiet = event_new(s.base, -1, 0, on_quiet, &s);
	if (s.on_client == NULL || s.on_news == NULL || s.on_quiet == NULL ||
	    event_add(s.on_client, NULL) != 0 || event_add(s.on_news, NULL) != 0)
		return err_set(e, ERR_INTERNAL, "waiting for events");
	wait_for_quiet(&s);
	if (event_base_dispatch(s.base) == -1)
		return err_set(e, ERR_INTERNAL, "waiting for events");
	return 0;
}
