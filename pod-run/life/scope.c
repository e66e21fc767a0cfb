/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "common/wire/bus.h"
#include "common/wire/peer.h"
#include "pod-run/life/notify.h"
#include "pod-run/life/scope.h"
#include "pod-run/oci/cgroup.h"

static bool
is_wanted(struct ctx *x, const struct rec_ctr_config *c)
{
	return cgroup_is_systemd(c) && !notify_makes_service(c) &&
	       (c->cgroups == NULL || strcmp(c->cgroups, "enabled") == 0) &&
	       cgroup_usable(
		   cgroup_layout(), c->cgroup_manager, x->rootless.user, c->cgroup_parent);
}

/* After a restart by the last monitor's clean-up we are in the right place already. */
static bool
is_inside(const char *start)
{
	own_mem char *own = cgroup_own();

	return own != NULL && strstr(own, start) != NULL;
}

static void
warn(const struct err *e)
{
	log_warn("systemd made no scope: %s", e->text);
}

static void
ask(struct scope *s, struct ctx *x, struct msg_scope_enter *m)
{
	struct err e = {0};
	own_fd int bus = -1;
	pid_t pid;

	bus = x->rootless.user ? bus_session(&e) : bus_system(&e);
	if (bus == -1) {
		if (!err_is_set(&e))
			err_set(&e, ERR_STATE, "there is no bus");
		warn(&e);
		return;
	}
	m->bus = bus;
	s->worker = spawn_peer(ROLE_RUN, ROLE_SCOPE, &pid, &e);
	if (s->worker == NULL) {
		warn(&e);
		return;
	}
	s->seq = peer_next_seq(s->worker);
	if (peer_send(s->worker, &msg_scope_enter_desc, s->seq, m, &e) == -1) {
		warn(&e);
		scope_free(s);
	}
}

void
scope_ask(struct scope *s, struct ctx *x, const struct ctr *c, pid_t monitor, pid_t worker)
{
	own_mem char *first = xasprintf("libpod-conmon-%s", c->id);
	own_mem char *unit = xasprintf("%s.scope", first);
	own_mem char *spare = xasprintf("%s-%d.scope", first, (int)monitor);
	own_mem char *what = xasprintf("monitor of container %s", c->id);
	struct msg_scope_enter m = {.unit = unit,
	    .spare = spare,
	    .slice = cgroup_slice(c->config),
	    .description = what,
	    .pid = (uint64_t)monitor,
	    .worker_pid = (uint64_t)worker};

	if (is_wanted(x, c->config) && !is_inside(first))
		ask(s, x, &m);
}

void
scope_await(struct scope *s)
{
	own_peer_in struct peer_in in = {0};
	struct err e = {0};

	if (s->worker == NULL)
		return;
	if (peer_wait(s->worker, &msg_scope_enter_desc, s->seq, &in, NULL, NULL, &e) == -1)
		warn(&e);
	scope_free(s);
}

void
scope_enter(struct ctx *x, const char *manager)
{
	own_mem char *unit = xasprintf("pod-%d.scope", (int)getpid());
	struct msg_scope_enter m = {.unit = unit,
	    .slice = "user.slice",
	    .description = "what keeps or enters a container",
	    .pid = (uint64_t)getpid()};
	enum cgroup_layout layout = cgroup_layout();
	struct scope s = {0};

	if (!x->rootless.user || manager == NULL || strcmp(manager, "systemd") != 0 ||
	    layout != CGROUP_V2 || cgroup_delegated(layout))
		return;
	ask(&s, x, &m);
	scope_await(&s);
}

void
scope_free(struct scope *s)
{
	peer_free(s->worker);
	*s = (struct scope){0};
}
