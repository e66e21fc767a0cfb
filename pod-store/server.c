/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/handlers.h"
#include "pod-store/job.h"
#include "pod-store/places.h"
#include "pod-store/server.h"
#include "pod-store/unwritten.h"

static void
conn_free(struct conn *c)
{
	struct conn **at = &c->srv->conns;

	while (*at != NULL && *at != c)
		at = &(*at)->next;
	if (*at == c)
		*at = c->next;
	job_cancel_all(c);
	stage_end_all(places_first(&c->srv->store), &c->stages);
	if (c->ev != NULL)
		event_free(c->ev);
	peer_free(c->peer);
	free(c);
}

static void
on_message(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct server *srv = c->srv;
	struct err e = {0};
	int r;

	(void)fd;
	(void)what;
	r = peer_serve(c->peer, c->phase == SERVER_PHASE_FAILED ? handlers_failed() : handlers,
	    handlers_n, c->phase, &c->done, c, &e);
	if (r == 1 || r == PEER_NONE)
		return;
	if (r == -1)
		log_error("pod-store: %s", e.text);
	conn_free(c);
	if (srv->conns == NULL)
		event_base_loopbreak(srv->base);
}

int
server_add(struct server *srv, int fd, enum role other, unsigned phase, struct err *e)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->srv = srv;
	c->phase = phase;
	c->peer = peer_new(fd, ROLE_STORE, other);
	c->next = srv->conns;
	srv->conns = c;
	c->ev = event_new(srv->base, fd, EV_READ | EV_PERSIST, on_message, c);
	if (c->ev != NULL && event_add(c->ev, NULL) == 0)
		return 0;
	conn_free(c);
	return err_set(e, ERR_INTERNAL, "adding a connection");
}

/*
 * The loop needs neither threads nor signals, and must not read its settings from the environment of
 * whoever called us.
 */
static struct event_base *
make_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;

	if (cfg == NULL)
		return NULL;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

/*
 * After the last answer: whoever waits for our caller's output must not wait for what is removed now.
 */
static void
leave_terminal(void)
{
	own_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
}

int
server_run(int fd, struct err *e)
{
	struct server srv = {.base = make_base()};
	int r;

	if (srv.base == NULL)
		return err_set(e, ERR_INTERNAL, "making an event loop");
	r = server_add(&srv, fd, ROLE_RUN, SERVER_PHASE_HELLO, e);
	if (r == 0 && event_base_dispatch(srv.base) == -1)
		r = err_set(e, ERR_INTERNAL, "waiting for messages");
	while (srv.conns != NULL)
		conn_free(srv.conns);
	event_base_free(srv.base);
	if (!srv.opened)
		return r;
	leave_terminal();
	if (unwritten_settle(places_first(&srv.store), e) == -1)
		r = -1;
	if (srv.store.images != NULL)
		db_tidy(&srv.store.images->db);
	db_tidy(&srv.store.db);
	if (store_clean(&srv.store, true, e) == -1)
		r = -1;
	store_close(&srv.store);
	return r;
}
