/* SPDX-License-Identifier: ISC */
#include "pod-net/connect.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-net/attach.h"
#include "pod-net/blame.h"
#include "pod-net/link.h"
#include "pod-net/netns.h"
#include "pod-net/rootless.h"
#include "pod-net/rootless_routes.h"

static int
load(struct net *n, const char *id, struct rec_net_state *st, struct arena *a, struct err *e)
{
	int found;

	if (!state_id_valid(id))
		return err_set(e, ERR_INVALID, "invalid container ID %s", id);
	found = state_read(&n->state, id, st, a, e);
	if (found == 0)
		return err_set(
		    e, ERR_STATE, "container %s has no networks that could be changed", id);
	if (found == 1 && st->helper != NULL)
		return err_set(
		    e, ERR_INVALID, "\"%s\" is not supported: invalid network mode", st->helper);
	if (found == 1 && n->rootless)
		return rootless_enter(n, false, e);
	return found < 0 ? -1 : 0;
}

static void
report(const struct net *n, const struct rec_net_state *st, struct msg_net_connected *r,
    struct arena *a)
{
	*r = (struct msg_net_connected){.host_address = attach_host_address(n, st, a)};
	r->interfaces.v = arena_array(a, st->networks.n, sizeof *r->interfaces.v);
	for (size_t i = 0; i < st->networks.n; i++)
		attach_interface(&st->networks.v[i], &r->interfaces.v[r->interfaces.n++], a);
	r->dns_servers = attach_resolvers(n, st, a);
	r->dns_search = attach_search(st, a);
}

/* --- Published ports ------------------------------------------------------------------------------ */

static int
parse_ports(const struct rec_net_state *st, struct port_list *out, struct arena *a, struct err *e)
{
	return port_parse(
	    st->ports.v, st->ports.n, st->address4 != NULL, st->address6 != NULL, out, a, e);
}

static bool
same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* The ports lead to where st says now, instead of where they led. */
static int
redirect(struct net *n, const char *id, const struct rec_net_state *before,
    const struct rec_net_state *st, struct arena *a, struct err *e)
{
	struct firewall_target from = net_target(before, id, st->name);
	struct firewall_target to = net_target(st, id, st->name);
	struct port_list old, new;

	if (st->ports.n == 0 ||
	    (same(before->address4, st->address4) && same(before->address6, st->address6)))
		return 0;
	if (parse_ports(before, &old, a, e) != 0 || parse_ports(st, &new, a, e) != 0 ||
	    firewall_withdraw(&n->firewall, &old, &from, e) != 0)
		return -1;
	if (n->rootless && rootless_publish(n, st, -1, NULL, e) != 0)
		return -1;
	return new.n > 0 && !n->backend->ports_by_themselves
		   ? firewall_publish(&n->firewall, &new, &to, e)
		   : 0;
}

/* --- Connecting ----------------------------------------------------------------------------------- */

/* What has the name inside may be the container's own: our macvlan has the address we gave it. */
static bool
is_made(const struct attach *t, const struct rec_net_hold *h)
{
	own_netlink struct netlink inside = {.fd = -1};
	struct err e = {0};
	uint8_t mac[LINK_MAC_SIZE];
	struct link l;

	if (h->plugin != NULL || h->cni)
		return true;
	if (netns_netlink(t->netns, t->n->home, &inside, &e) != 0 ||
	    link_find(&inside, h->name, &l, &e) != 1)
		return false;
	return addr_parse_mac(h->mac, mac) == 0 ? memcmp(mac, l.mac, sizeof mac) == 0
						: strcmp(l.kind, h->driver) == 0;
}

/* Takes back a connection that failed half-way. */
static void
undo(struct attach *t, const struct rec_net_state *before)
{
	struct err e = {0};

	size_t n = t->state->networks.n;

	for (size_t i = t->first; i < n; i++) {
		const struct rec_net_hold *h = &t->state->networks.v[i];

		net_left(t->n, h);
		if (h->link == NULL && is_made(t, h) &&
		    t->n->backend->leave(t->n, t->id, t->netns, h, &e) != 0)
			log_warn("%s", e.text);
	}
	blame_clear(t->n);
	if (lease_lock(&t->n->leases, &e) == 0) {
		attach_give(t);
		if (state_replace(&t->n->state, t->id, before, &e) != 0)
			log_warn("%s", e.text);
		lease_unlock(&t->n->leases);
	}
	for (size_t i = t->first; i < n; i++)
		if (t->state->networks.v[i].link != NULL)
			net_remove_link(t->n, t->state->networks.v[i].link);
}

static int
take_and_write(struct attach *t, struct err *e)
{
	struct rec_net_state *st = t->state;

	if (attach_take(t, e) != 0)
		return -1;
	attach_targets(t->n, st, t->a);
	if (state_replace(&t->n->state, t->id, st, e) == 0)
		return 0;
	attach_give(t);
	return -1;
}

int
connect_container(struct net *n, const struct msg_net_connect *m, struct msg_net_connected *r,
    struct arena *a, struct err *e)
{
	struct rec_net_state st, before;
	struct attach t = {.n = n,
	    .id = m->id,
	    .name = m->name,
	    .netns = m->netns,
	    .a = a,
	    .state = &st,
	    .state_fd = -1};
	own_fd int joins = -1;
	int rc;

	if (load(n, m->id, &st, a, e) != 0)
		return -1;
	before = st;
	if (attach_plan(&t, m->attach.v, m->attach.n, net_config_dir(n, m->network_dir), e) != 0)
		return -1;
	if (lease_lock(&n->leases, e) != 0) {
		attach_free(&t);
		return -1;
	}
	rc = take_and_write(&t, e);
	/* Until its end of the network is there only the lock tells that somebody joins it (manage_remove). */
	if (rc == 0)
		joins = state_hold(&n->state, m->id);
	lease_unlock(&n->leases);
	if (rc == 0 && (attach_links(&t, e) != 0 || redirect(n, m->id, &before, &st, a, e) != 0 ||
			   attach_names(&t, e) != 0)) {
		undo(&t, &before);
		rc = -1;
	}
	attach_free(&t);
	if (rc == 0)
		report(n, &st, r, a);
	return rc;
}

static size_t
find_hold(const struct rec_net_state *st, const char *network)
{
	size_t i = 0;

	while (i < st->networks.n && strcmp(st->networks.v[i].network, network) != 0)
		i++;
	return i;
}

/* Gives the addresses of a network back and takes it out of the state. */
static int
release(struct net *n, const char *id, struct rec_net_state *st, size_t i, struct arena *a,
    struct err *e)
{
	const char *holder = state_path(&n->state, id, a);
	struct rec_net_hold *h = &st->networks.v[i];

	if (lease_lock(&n->leases, e) != 0)
		return -1;
	for (size_t k = 0; k < h->leases.n; k++)
		lease_give(&n->leases, h->leases.v[k], holder);
	memmove(h, h + 1, (st->networks.n - i - 1) * sizeof *h);
	st->networks.n--;
	attach_targets(n, st, a);
	if (state_replace(&n->state, id, st, e) != 0) {
		lease_unlock(&n->leases);
		return -1;
	}
	lease_unlock(&n->leases);
	return 0;
}

int
connect_leave(struct net *n, const char *id, int netns, const char *network,
    struct msg_net_connected *r, struct arena *a, struct err *e)
{
	struct rec_net_state st, before;
	struct rec_net_hold h;
	size_t i;

	if (load(n, id, &st, a, e) != 0)
		return -1;
	i = find_hold(&st, network);
	if (i == st.networks.n)
		return err_set(e, ERR_NOTFOUND,
		    "container %s is not connected to network \"%s\": network is not connected", id,
		    network);
	before = st;
	h = st.networks.v[i];
	if (names_answered(&h))
		names_leave(&n->names, id, network);
	if ((h.cni ? &backend_cni : &backend_native)->leave(n, id, netns, &h, e) != 0)
		return -1;
	if (release(n, id, &st, i, a, e) != 0 || redirect(n, id, &before, &st, a, e) != 0)
		return -1;
	net_left(n, &h);
	report(n, &st, r, a);
	return 0;
}

/* --- Reloading ------------------------------------------------------------------------------------ */

static int
reload_one(struct net *n, const char *id, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state st;
	struct port_list ports;
	int found = state_read(&n->state, id, &st, &a, e);
	struct firewall_target t;

	if (found <= 0 || st.helper != NULL || n->backend->ports_by_themselves)
		return found < 0 ? -1 : 0;
	if (n->rootless &&
	    (rootless_enter(n, false, e) != 0 || rootless_routes_mend(&n->firewall.nl, e) != 0))
		return -1;
	for (size_t i = 0; i < st.networks.n; i++)
		if (firewall_network(&n->firewall, &st.networks.v[i], true, e) != 0)
			return -1;
	t = net_target(&st, id, st.name);
	if (parse_ports(&st, &ports, &a, e) != 0)
		return -1;
	return ports.n > 0 ? firewall_publish(&n->firewall, &ports, &t, e) : 0;
}

int
connect_reload(struct net *n, const struct strs *ids, struct err *e)
{
	for (size_t i = 0; i < ids->n; i++) {
		if (!state_id_valid(ids->v[i]))
			return err_set(e, ERR_INVALID, "invalid container ID %s", ids->v[i]);
		if (reload_one(n, ids->v[i], e) != 0)
			return err_wrap(e, "container %s", ids->v[i]);
	}
	return 0;
}

int
connect_reload_all(struct net *n, struct err *e)
{
	own_strv struct strv names = {0};
	struct strs ids;

	if (state_all(&n->state, &names, e) != 0)
		return -1;
	for (size_t i = names.n; i-- > 0;)
		if (names.v[i][0] == '.')
			strv_remove(&names, i);
	ids = (struct strs){(const char **)names.v, names.n};
	return connect_reload(n, &ids, e);
}

/* --- Renaming ------------------------------------------------------------------------------------- */

struct renaming {
	const struct net *n;
	const char *id;
	const struct rec_net_state *st;
};

static int
enter_again(void *arg, struct err *e)
{
	const struct renaming *r = arg;

	return names_again(&r->n->names, r->id, r->st, e);
}

int
connect_rename(struct net *n, const char *id, const char *name, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state st;
	struct renaming r = {n, id, &st};
	bool any = false;
	int found;

	if (!state_id_valid(id))
		return err_set(e, ERR_INVALID, "invalid container ID %s", id);
	found = state_read(&n->state, id, &st, &a, e);
	if (found != 1)
		return found;
	st.name = name;
	if (state_replace(&n->state, id, &st, e) != 0)
		return -1;
	for (size_t i = 0; i < st.networks.n; i++)
		any |= names_answered(&st.networks.v[i]);
	if (!any)
		return 0;
	if (!n->rootless)
		return enter_again(&r, e);
	return rootless_enter(n, false, e) == 0 ? rootless_call(n, enter_again, &r, e) : -1;
}
