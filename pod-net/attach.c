/* SPDX-License-Identifier: ISC */
#include "pod-net/attach.h"

#include <string.h>

#include "common/base/own.h"
#include "pod-net/bridge.h"
#include "pod-net/dhcp.h"
#include "pod-net/netns.h"
#include "pod-net/plugin.h"
#include "pod-net/rootless.h"

struct search {
	struct net *n;
	const char *dir;
};

static int
find(void *arg, const char *name, struct rec_network *out, struct arena *a, struct err *e)
{
	const struct search *s = arg;

	return net_find(s->n, s->dir, name, out, a, e);
}

int
attach_plan(
    struct attach *t, const struct rec_net_attach *v, size_t n, const char *dir, struct err *e)
{
	t->asked = v;
	t->nasked = n;
	t->dir = dir;
	return t->n->backend->plan(t, e);
}

/* What was planned may have been removed since: with the lock nobody removes it any more. */
static int
check_networks(const struct attach *t, struct err *e)
{
	for (size_t i = t->first; i < t->state->networks.n; i++)
		if (t->n->backend->check(t->n, t->dir, t->state->networks.v[i].network, e) != 0)
			return -1;
	return 0;
}

int
attach_take(struct attach *t, struct err *e)
{
	if (t->n->backend->take(t, e) != 0)
		return -1;
	if (check_networks(t, e) == 0)
		return 0;
	attach_give(t);
	return -1;
}

void
attach_give(struct attach *t)
{
	t->n->backend->give(t);
}

int
attach_links(struct attach *t, struct err *e)
{
	return t->n->backend->links(t, e);
}

int
attach_native_plan(struct attach *t, struct err *e)
{
	own_strv struct strv names = {0}, networks = {0};
	struct search s = {t->n, t->dir};
	struct plan_request r = {.attach = t->asked,
	    .n = t->nasked,
	    .find = find,
	    .arg = &s,
	    .names = &names,
	    .networks = &networks,
	    .plugins = &t->n->plugins,
	    .localnet = t->n->firewall.driver != FIREWALL_NONE && t->state->ports.n > 0,
	    .device_names = t->n->device_names};

	for (size_t i = 0; i < t->state->networks.n; i++) {
		const struct rec_net_hold *h = &t->state->networks.v[i];

		strv_add(&networks, h->network);
		if (h->name != NULL)
			strv_add(&names, h->name);
	}
	return plan_make(&t->plan, &r, e);
}

void
attach_free(struct attach *t)
{
	plan_free(&t->plan);
}

static const char *
address_text(const struct addr *addr, struct arena *a)
{
	char text[ADDR_TEXT];

	addr_format(addr, text);
	return text[0] != '\0' ? arena_strdup(a, text) : NULL;
}

/* --- Addresses ------------------------------------------------------------------------------------ */

static int
take_address(struct attach *t, struct plan_address *p, struct rec_net_hold *h, struct err *e)
{
	char text[ADDR_TEXT];
	struct addr got = p->lease.wanted;
	struct rec_net_address *x;

	p->lease.holder = state_path(&t->n->state, t->id, t->a);
	if (!t->n->foreign) {
		if (lease_take(&t->n->leases, &p->lease, &got, p->key, e) != 0)
			return -1;
		h->leases.v[h->leases.n++] = arena_strdup(t->a, p->key);
	} else if (got.len == 0) {
		return 0;
	}
	p->given = (struct prefix){got, p->lease.subnet.bits};
	addr_format_prefix(&p->given, text);
	x = &h->addresses.v[h->addresses.n++];
	x->ipnet = arena_strdup(t->a, text);
	x->gateway = address_text(&p->lease.gateway, t->a);
	return 0;
}

static int
take_addresses(struct attach *t, struct plan_attach *at, struct rec_net_hold *h, struct err *e)
{
	h->leases.v = arena_array(t->a, at->naddresses, sizeof *h->leases.v);
	h->addresses.v = arena_array(t->a, at->naddresses, sizeof *h->addresses.v);
	for (size_t k = 0; k < at->naddresses; k++)
		if (take_address(t, &at->addresses[k], h, e) != 0)
			return err_wrap(e, "network %s", h->network);
	if (t->n->foreign && at->naddresses > 0 && h->addresses.n == 0)
		return err_set(e, ERR_INVALID, "no static ips provided");
	return 0;
}

static const char *
text_or_null(const char *s, struct arena *a)
{
	return s != NULL && s[0] != '\0' ? arena_strdup(a, s) : NULL;
}

static void
copy_strs(struct strs *to, const struct strs *from, struct arena *a)
{
	to->v = arena_array(a, from->n + 1, sizeof *to->v);
	for (size_t i = 0; i < from->n; i++)
		to->v[to->n++] = arena_strdup(a, from->v[i]);
}

/* Everything that whoever comes later must know of the network, whatever becomes of its definition. */
static void
fill_hold(struct attach *t, const struct plan_attach *at, struct rec_net_hold *h)
{
	static const char *const isolate[] = {
	    [ISOLATE_NO] = NULL, [ISOLATE_YES] = "true", [ISOLATE_STRICT] = "strict"};
	const struct rec_network *n = at->network;
	char mac[18];

	link_format_mac(at->mac, mac);
	*h = (struct rec_net_hold){.network = arena_strdup(t->a, n->name),
	    .id = arena_strdup(t->a, n->id),
	    .driver = arena_strdup(t->a, n->driver),
	    .interface = text_or_null(n->interface, t->a),
	    .name = arena_strdup(t->a, at->name),
	    .mac = at->driver->kind == DRIVER_IPVLAN ? NULL : arena_strdup(t->a, mac),
	    .isolate = isolate[at->set.isolate],
	    .outbound4 = address_text(&at->set.outbound4, t->a),
	    .outbound6 = address_text(&at->set.outbound6, t->a),
	    .internal = n->internal,
	    .unmanaged = at->set.unmanaged,
	    .dhcp = at->dhcp,
	    .dns = n->dns && at->driver->kind != DRIVER_PLUGIN && !at->dhcp};
	if (at->driver->bridge) {
		h->link = arena_strdup(t->a, at->set.host_name);
		h->link_named = at->set.host_named;
	}
	copy_strs(&h->aliases, &at->asked->aliases, t->a);
	copy_strs(&h->dns_servers, &n->dns_servers, t->a);
	h->subnets.v = arena_array(t->a, n->subnets.n, sizeof *h->subnets.v);
	for (size_t i = 0; i < at->naddresses; i++)
		if (!at->addresses[i].again) {
			char text[ADDR_TEXT];

			addr_format_prefix(&at->addresses[i].lease.subnet, text);
			h->subnets.v[h->subnets.n++] = arena_strdup(t->a, text);
		}
}

/* What the plug-in will be asked, if the driver is one. */
static int
plan_plugin(struct attach *t, const struct plan_attach *at, struct rec_net_hold *h, struct err *e)
{
	struct plugin_join j = {.id = t->id,
	    .name = t->name,
	    .network = at->network,
	    .asked = at->asked,
	    .mac = at->has_mac ? at->asked->static_mac : NULL,
	    .ports = t->state->ports.v,
	    .nports = t->state->ports.n};

	return at->driver->kind == DRIVER_PLUGIN ? plugin_plan(&t->n->plugin_dirs, &j, h, t->a, e)
						 : 0;
}

/*
 * Whoever undoes what was made removes what has the name.  One of a container that has just gone may still be there:
 * nobody waited for its end.
 */
static int
check_host_name(struct attach *t, const struct plan_attach *at, struct err *e)
{
	if (!at->driver->bridge || !at->set.host_named)
		return 0;
	if (net_need_route(t->n, e) != 0)
		return -1;
	if (link_exists(&t->n->route, at->set.host_name) && net_left_link(t->n, at->set.host_name))
		net_remove_link(t->n, at->set.host_name);
	return link_exists(&t->n->route, at->set.host_name)
		   ? err_set(e, ERR_EXISTS,
			 "create veth pair: interface %s already exists on the host",
			 at->set.host_name)
		   : 0;
}

int
attach_native_take(struct attach *t, struct err *e)
{
	size_t had = t->state->networks.n;
	struct rec_net_hold *v = arena_array(t->a, had + t->plan.nattach, sizeof *v);

	if (had > 0)
		memcpy(v, t->state->networks.v, had * sizeof *v);
	t->state->networks.v = v;
	t->first = had;
	for (size_t i = 0; i < t->plan.nattach; i++) {
		struct rec_net_hold *h = &v[t->state->networks.n++];

		fill_hold(t, &t->plan.attach[i], h);
		if (check_host_name(t, &t->plan.attach[i], e) != 0 ||
		    take_addresses(t, &t->plan.attach[i], h, e) != 0 ||
		    plan_plugin(t, &t->plan.attach[i], h, e) != 0) {
			attach_native_give(t);
			return -1;
		}
	}
	return 0;
}

void
attach_native_give(struct attach *t)
{
	const char *holder = state_path(&t->n->state, t->id, t->a);

	for (size_t i = t->first; i < t->state->networks.n; i++)
		for (size_t k = 0; k < t->state->networks.v[i].leases.n; k++)
			lease_give(&t->n->leases, t->state->networks.v[i].leases.v[k], holder);
	t->state->networks.n = t->first;
}

/* The plug-ins' turn, and what they answer is kept. */
static int
set_up_plugins(struct attach *t, struct err *e)
{
	bool any = false;

	for (size_t i = t->first; i < t->state->networks.n; i++) {
		struct rec_net_hold *h = &t->state->networks.v[i];

		if (h->plugin != NULL && plugin_setup(t->n, t->netns, h, t->a, e) != 0)
			return -1;
		any |= h->plugin != NULL;
	}
	return any ? attach_rewrite(t, e) : 0;
}

int
attach_rewrite(const struct attach *t, struct err *e)
{
	attach_targets(t->n, t->state, t->a);
	return t->state_fd >= 0 ? state_extend(t->state_fd, t->state, e)
				: state_replace(&t->n->state, t->id, t->state, e);
}

int
attach_native_links(struct attach *t, struct err *e)
{
	struct net *n = t->n;

	if (net_need_route(n, e) != 0 ||
	    (n->rootless ? rootless_join(n, t->netns, &t->plan, e)
			 : bridge_join(&n->route, n->home, t->netns, &t->plan, e)) != 0)
		return -1;
	for (size_t i = t->first; i < t->state->networks.n; i++)
		if (firewall_network(&n->firewall, &t->state->networks.v[i], false, e) != 0)
			return -1;
	return dhcp_join(t, e) == 0 ? set_up_plugins(t, e) : -1;
}

/* The container's end, and with it the other one. */
int
attach_native_leave(
    struct net *n, const char *id, int netns, const struct rec_net_hold *h, struct err *e)
{
	own_netlink struct netlink inside = {.fd = -1};
	own_netlink_batch struct netlink_batch b = {0};
	struct link l;
	int found;

	if (h->plugin != NULL)
		return plugin_teardown(n, netns, h, e);
	dhcp_end(n, id, h);
	if (netns < 0 || h->name == NULL)
		return 0;
	if (netns_netlink(netns, n->home, &inside, e) != 0)
		return -1;
	found = link_find(&inside, h->name, &l, e);
	if (found <= 0)
		return found;
	netlink_reset(&b, &inside);
	link_put_delete(&b, l.index);
	return netlink_run(&inside, &b, e);
}

int
attach_names(struct attach *t, struct err *e)
{
	return names_enter(&t->n->names, t->id, t->state, t->first, e);
}

/* --- Reports -------------------------------------------------------------------------------------- */

void
attach_interface(const struct rec_net_hold *h, struct rec_net_interface *out, struct arena *a)
{
	*out = (struct rec_net_interface){.network = arena_strdup(a, h->network),
	    .network_id = text_or_null(h->id, a),
	    .name = text_or_null(h->name, a),
	    .mac = text_or_null(h->mac, a)};
	out->addresses.v = arena_array(a, h->addresses.n, sizeof *out->addresses.v);
	for (size_t i = 0; i < h->addresses.n; i++) {
		struct rec_net_address *x = &out->addresses.v[out->addresses.n++];

		x->ipnet = arena_strdup(a, h->addresses.v[i].ipnet);
		x->gateway = text_or_null(h->addresses.v[i].gateway, a);
	}
}

const char *
attach_host_address(const struct net *n, const struct rec_net_state *st, struct arena *a)
{
	if (n->rootless)
		return rootless_host_address(a);
	for (size_t i = 0; i < st->networks.n; i++) {
		const struct rec_net_hold *h = &st->networks.v[i];

		for (size_t k = 0; !h->internal && h->link != NULL && k < h->addresses.n; k++)
			if (h->addresses.v[k].gateway != NULL)
				return h->addresses.v[k].gateway;
	}
	return NULL;
}

static void
add_all(struct strs *to, const struct strs *from, struct arena *a)
{
	for (size_t i = 0; i < from->n; i++)
		to->v[to->n++] = arena_strdup(a, from->v[i]);
}

static void
add_gateways(struct strs *to, const struct rec_net_hold *h, struct arena *a)
{
	for (size_t i = 0; names_answered(h) && i < h->addresses.n; i++)
		if (h->addresses.v[i].gateway != NULL)
			to->v[to->n++] = arena_strdup(a, h->addresses.v[i].gateway);
}

/* There is a way from one of its networks to the host. */
static bool
has_way_out(const struct rec_net_state *st)
{
	for (size_t i = 0; i < st->networks.n; i++)
		if (!st->networks.v[i].internal &&
		    (st->networks.v[i].link != NULL || st->networks.v[i].cni))
			return true;
	return false;
}

struct strs
attach_resolvers(const struct net *net, const struct rec_net_state *st, struct arena *a)
{
	const char *host;
	struct strs r = {0};
	size_t n = st->dns_servers.n;

	for (size_t i = 0; i < st->networks.n; i++)
		n += st->networks.v[i].dns_servers.n + st->networks.v[i].addresses.n;
	r.v = arena_array(a, n + 1, sizeof *r.v);
	for (size_t i = 0; i < st->networks.n; i++)
		add_gateways(&r, &st->networks.v[i], a);
	if (r.n == 0)
		add_all(&r, &st->dns_servers, a);
	for (size_t i = 0; i < st->networks.n && r.n == 0; i++)
		add_all(&r, &st->networks.v[i].dns_servers, a);
	if (r.n == 0 && net->rootless && has_way_out(st) && (host = rootless_resolver(net)) != NULL)
		r.v[r.n++] = host;
	return r;
}

struct strs
attach_search(const struct rec_net_state *st, struct arena *a)
{
	struct strs r = {0};
	size_t n = 1;

	for (size_t i = 0; i < st->networks.n; i++)
		n += st->networks.v[i].dns_search.n;
	r.v = arena_array(a, n, sizeof *r.v);
	for (size_t i = 0; i < st->networks.n && r.n == 0; i++)
		if (names_answered(&st->networks.v[i]))
			r.v[r.n++] = NAMES_DOMAIN;
	for (size_t i = 0; i < st->networks.n; i++)
		add_all(&r, &st->networks.v[i].dns_search, a);
	return r;
}

/* As root, programs of others publish ports themselves. */
static bool
leads_in(const struct net *n, const struct rec_net_hold *h)
{
	return !h->internal && (h->link != NULL || (n->rootless && (h->cni || h->plugin != NULL)));
}

static const char *
target(const struct net *n, const struct rec_net_state *st, int family, struct arena *a)
{
	for (size_t i = 0; i < st->networks.n; i++) {
		const struct rec_net_hold *h = &st->networks.v[i];

		for (size_t k = 0; leads_in(n, h) && k < h->addresses.n; k++) {
			struct prefix p;

			if (addr_parse_prefix(h->addresses.v[k].ipnet, &p) == 0 &&
			    p.addr.family == family)
				return address_text(&p.addr, a);
		}
	}
	return NULL;
}

void
attach_targets(const struct net *n, struct rec_net_state *st, struct arena *a)
{
	st->address4 = target(n, st, AF_INET, a);
	st->address6 = target(n, st, AF_INET6, a);
}
