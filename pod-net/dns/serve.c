/* SPDX-License-Identifier: ISC */
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-net/dns/forward.h"
#include "pod-net/dns/listener.h"
#include "pod-net/dns/serve.h"

struct server {
	struct serve config;
	struct event_base *base;
	struct listen_shared shared;
	struct zone zone;
	struct listener **v;
	size_t n, cap;
};

static void
free_event(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
}
#define own_event own(free_event)

static struct listener *
find(struct server *s, const struct addr *a)
{
	for (size_t i = 0; i < s->n; i++)
		if (addr_compare(listener_address(s->v[i]), a) == 0)
			return s->v[i];
	return NULL;
}

/* Listens for one network; returns how many of its addresses could not be taken. */
static size_t
listen_for(struct server *s, const struct zone_network *n, struct err *e)
{
	size_t failed = 0;

	for (size_t i = 0; i < n->listen.n; i++) {
		struct listener *l = find(s, &n->listen.v[i]);

		if (l == NULL) {
			l = listener_new(&s->shared, &n->listen.v[i], s->config.port, e);
			if (l == NULL) {
				failed++;
				continue;
			}
			s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
			s->v[s->n++] = l;
		}
		listener_serve(l, n);
	}
	return failed;
}

/*
 * There are other names.  The loop may hear of it only after a query that was asked later: the signal ends a wait
 * that has found the query already.
 */
static volatile sig_atomic_t told;
static struct sigaction loops; /* what the loop does at SIGHUP */

static void
on_signal(int sig)
{
	told = 1;
	loops.sa_handler(sig);
}

static void
listen_for_signal(void)
{
	struct sigaction ours;

	sigaction(SIGHUP, NULL, &loops);
	ours = loops;
	ours.sa_handler = on_signal;
	sigaction(SIGHUP, &ours, NULL);
}

/* Reads the names again: new networks get sockets. */
static int
load(struct server *s, struct err *e)
{
	size_t failed = 0;

	told = 0;
	if (zone_load(&s->zone, s->config.names, e) == -1)
		return -1;
	for (size_t i = 0; i < s->n; i++)
		listener_serve(s->v[i], NULL);
	for (size_t i = 0; i < s->zone.nnetworks; i++)
		failed += listen_for(s, &s->zone.networks[i], e);
	return failed > 0 ? -1 : 0;
}

static void
refresh(void *arg)
{
	struct err e = {0};

	if (told && load(arg, &e) == -1)
		log_warn("%s", e.text);
}

/* Networks that have vanished lose their sockets. */
static void
drop_idle(struct server *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (listener_is_idle(s->v[i]))
			listener_free(s->v[i]);
		else
			s->v[kept++] = s->v[i];
	}
	s->n = kept;
}

static void
on_reload(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	refresh(s);
	drop_idle(s);
	if (s->n == 0 && !s->config.stays)
		event_base_loopbreak(s->base);
}

static void
on_end(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(s->base);
}

static int
run(struct server *s, struct err *e)
{
	own_event struct event *hup = evsignal_new(s->base, SIGHUP, on_reload, s);
	own_event struct event *term = evsignal_new(s->base, SIGTERM, on_end, s);

	if (hup == NULL || term == NULL || event_add(hup, NULL) == -1 ||
	    event_add(term, NULL) == -1)
		return err_set(e, ERR_INTERNAL, "waiting for signals");
	listen_for_signal();
	if (load(s, e) == -1)
		return -1;
	if (s->config.ready != -1) {
		file_put(s->config.ready, "ok", 2);
		fd_close(&s->config.ready);
	}
	if ((s->n > 0 || s->config.stays) && event_base_dispatch(s->base) == -1)
		return err_set(e, ERR_INTERNAL, "waiting for queries");
	return 0;
}

int
serve_run(const struct serve *config, struct err *e)
{
	struct server s = {.config = *config, .base = event_base_new()};
	int r;

	if (s.base == NULL)
		return err_set(e, ERR_INTERNAL, "making an event loop");
	s.shared = (struct listen_shared){.base = s.base,
	    .forwarder = forwarder_new(s.base),
	    .zone = &s.zone,
	    .resolvers = config->resolvers,
	    .forwards = config->forwards,
	    .domain = config->domain,
	    .refresh = refresh,
	    .arg = &s};
	r = run(&s, e);
	for (size_t i = 0; i < s.n; i++)
		listener_free(s.v[i]);
	free(s.v);
	forwarder_free(s.shared.forwarder);
	zone_free(&s.zone);
	event_base_free(s.base);
	return r;
}
