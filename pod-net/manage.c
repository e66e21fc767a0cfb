/* SPDX-License-Identifier: ISC */
#include "pod-net/manage.h"

#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "common/fs/lock.h"
#include "pod-net/bridge.h"
#include "pod-net/create.h"
#include "pod-net/driver.h"
#include "pod-net/left.h"
#include "pod-net/plugin.h"
#include "pod-net/rootless.h"

#define PORTS_WAIT_NS 10000000l /* first, then twice as long each time */
#define PORTS_WAIT_NS_MAX 400000000l

static int
read_pools(const struct msg_net_create *m, struct create_pool *out, struct err *e)
{
	for (size_t i = 0; i < m->pools.n; i++) {
		const struct rec_net_pool *p = &m->pools.v[i];

		if (addr_parse_prefix(p->base, &out[i].base) != 0)
			return err_set(
			    e, ERR_INVALID, "default_subnet_pools: invalid base %s", p->base);
		out[i].bits = (unsigned)p->size;
		if (p->size < out[i].base.bits || p->size > out[i].base.addr.len * 8u)
			return err_set(e, ERR_INVALID,
			    "default_subnet_pools: size %llu does not fit base %s",
			    (unsigned long long)p->size, p->base);
	}
	return 0;
}

static bool
is_listed(const struct network_list *l, const char *name, struct rec_network *out, struct arena *a)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0) {
			wire_copy(&rec_network_desc, &l->v[i], out, a);
			return true;
		}
	return false;
}

static int
ask_plugin(void *arg, struct rec_network *x, struct arena *a, struct err *e)
{
	return plugin_create(arg, x, a, e);
}

/* An ordinary user's parents are in the shared namespace, which may not have been made yet. */
static int
find_parents(
    struct net *n, const char *driver, struct netlink *host, struct netlink **out, struct err *e)
{
	const struct driver *d = driver != NULL ? driver_find(driver, NULL) : NULL;

	if (d == NULL || !d->parent)
		return 0;
	*out = n->rootless ? &n->route : host;
	if (!n->rootless || rootless_enter(n, false, e) == 0)
		return 0;
	if (e->class != ERR_STATE)
		return -1;
	err_clear(e);
	*out = NULL;
	return 0;
}

int
manage_create(struct net *n, const struct msg_net_create *m, struct rec_network *out,
    struct arena *a, struct err *e)
{
	const char *dir = net_config_dir(n, m->network_dir);
	own(network_list_free) struct network_list l = {0};
	struct create_pool *pools = arena_array(a, m->pools.n, sizeof *pools);
	struct create_rules r = {.prefix = n->backend->prefix,
	    .pools = pools,
	    .npools = m->pools.n,
	    .networks = &l,
	    .drivers = &n->plugins,
	    .plugin = ask_plugin,
	    .arg = &n->plugin_dirs};
	own_netlink struct netlink host = {.fd = -1};
	own_fd int lock = create_lock(dir, e);

	if (lock < 0 || read_pools(m, pools, e) != 0 || n->backend->list(n, dir, &l, e) != 0 ||
	    netlink_open(&host, NETLINK_ROUTE, e) != 0)
		return -1;
	r.host = &host;
	if (find_parents(n, m->network->driver, &host, &r.parents, e) != 0)
		return -1;
	if (m->ignore && is_listed(&l, m->network->name, out, a))
		return 0;
	wire_copy(&rec_network_desc, m->network, out, a);
	return create_complete(out, &r, a, e) != 0 ? -1 : n->backend->write(n, dir, out, e);
}

/* What the packet filter has of the network goes with the bridge.  1: done, 0: it has ports, -1 with e. */
static int
try_bridge(struct net *n, const struct rec_net_hold *h, struct err *e)
{
	int gone;

	if (lease_lock(&n->leases, e) != 0)
		return -1;
	/* Another network may have a bridge of the same name. */
	if (net_has_user(n, h->interface)) {
		lease_unlock(&n->leases);
		return 1;
	}
	gone = bridge_remove(&n->route, h->interface, e);
	if (gone == 1 && n->backend == &backend_native && firewall_forget(&n->firewall, h, e) != 0)
		gone = -1;
	if (gone == 1)
		left_forget(n->dir, h->interface);
	lease_unlock(&n->leases);
	return gone;
}

/*
 * The kernel takes down the namespaces of containers that have just gone by and by: until then their ports stay, and
 * the bridge with its addresses would be in the way of the next network.
 */
static int
take_bridge(struct net *n, const struct rec_net_hold *h, struct err *e)
{
	struct timespec wait = {0};

	for (long ns = PORTS_WAIT_NS;; ns *= 2) {
		int gone = try_bridge(n, h, e);

		if (gone != 0 || ns > PORTS_WAIT_NS_MAX)
			return gone < 0 ? -1 : 0;
		wait.tv_nsec = ns;
		nanosleep(&wait, NULL);
	}
}

/* The bridge of a network that is going. */
static int
remove_bridge(struct net *n, const struct rec_network *x, struct err *e)
{
	struct rec_net_hold h = {.network = x->name, .interface = x->interface};
	struct rec_net_address gateways[64];
	const char *subnets[64];
	struct err none = {0};

	for (size_t i = 0; i < x->options.n; i++)
		if (strcmp(x->options.v[i].key, "mode") == 0 &&
		    strcmp(x->options.v[i].value, "unmanaged") == 0)
			return 0;
	if (strcmp(x->driver, "bridge") != 0 || x->interface == NULL)
		return 0;
	if (n->rootless && rootless_enter(n, false, &none) != 0)
		return 0;
	h.subnets.v = subnets;
	h.addresses.v = gateways;
	for (size_t i = 0; i < x->subnets.n && i < COUNTOF(subnets); i++) {
		gateways[h.addresses.n++].gateway = x->subnets.v[i].gateway;
		subnets[h.subnets.n++] = x->subnets.v[i].subnet;
	}
	return net_need_route(n, e) != 0 ? -1 : take_bridge(n, &h, e);
}

/* Its end of the network is there: it is none that was killed and not swept yet. */
static bool
has_end(struct net *n, const struct rec_net_hold *h)
{
	struct err e = {0};

	return h->link != NULL && net_need_route(n, &e) == 0 && link_exists(&n->route, h->link);
}

static int
check_unused(struct net *n, const char *network, bool listed, struct err *e)
{
	own_strv struct strv ids = {0};

	if (state_all(&n->state, &ids, e) != 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		own_arena struct arena a = {0};
		struct rec_net_state st;
		/* Looked at before its state, which tells the link only when it has been set up. */
		bool busy = listed && lock_is_held(n->state.fd, ids.v[i]);
		/* Those with a dot are being taken down. */
		int found = ids.v[i][0] == '.' ? 0 : state_read(&n->state, ids.v[i], &st, &a, e);

		if (found < 0 && !listed)
			return -1;
		err_clear(e);
		for (size_t k = 0; found == 1 && k < st.networks.n; k++)
			if (strcmp(st.networks.v[k].network, network) == 0 &&
			    (!listed || busy || has_end(n, &st.networks.v[k])))
				return err_set(e, ERR_INUSE,
				    "network %s is being used by container %s", network, ids.v[i]);
	}
	return 0;
}

/* A container whose record has gone already gives back its network just after that. */
static int
wait_unused(struct net *n, const char *network, bool listed, struct err *e)
{
	struct timespec wait = {0};

	for (long ns = PORTS_WAIT_NS;; ns *= 2) {
		if (check_unused(n, network, listed, e) == 0)
			return 0;
		if (!listed || e->class != ERR_INUSE || ns > PORTS_WAIT_NS_MAX)
			return -1;
		err_clear(e);
		wait.tv_nsec = ns;
		nanosleep(&wait, NULL);
	}
}

/* Under the lock that whoever joins holds from looking for the definition until its state is written. */
static int
remove_definition(struct net *n, const char *dir, const char *name, bool listed, struct err *e)
{
	int rc;

	if (lease_lock(&n->leases, e) != 0)
		return -1;
	rc = check_unused(n, name, listed, e);
	if (rc == 0)
		rc = n->backend->remove(n, dir, name, e);
	lease_unlock(&n->leases);
	return rc;
}

int
manage_remove(struct net *n, const char *dir, const char *name, bool listed, struct err *e)
{
	own_arena struct arena a = {0};
	own_fd int lock = create_lock(dir, e);
	struct rec_network x;

	if (lock < 0 || n->backend->find(n, dir, name, &x, &a, e) != 0)
		return -1;
	if (network_is_default(&n->fallback, x.name))
		return err_set(e, ERR_INVALID, "default network %s cannot be removed", x.name);
	/* Before the bridge is waited for. */
	if (wait_unused(n, x.name, listed, e) != 0 || remove_bridge(n, &x, e) != 0)
		return -1;
	return remove_definition(n, dir, x.name, listed, e);
}

static bool
has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

int
manage_update(struct net *n, const struct msg_net_update *m, struct rec_network *out,
    struct arena *a, struct err *e)
{
	const char *dir = net_config_dir(n, m->network_dir);
	own_fd int lock = create_lock(dir, e);
	struct strs l = {0};
	struct addr addr;

	if (lock < 0 || n->backend->find(n, dir, m->name, out, a, e) != 0)
		return -1;
	if (n->backend == &backend_cni)
		return err_set(e, ERR_UNSUPPORTED,
		    "NetworkUpdate is not supported for backend CNI: invalid argument");
	if (network_is_default(&n->fallback, out->name) || !out->dns)
		return err_set(e, ERR_INVALID,
		    "unable to set dns servers for network %s: name resolution is not enabled for "
		    "it: invalid argument",
		    out->name);
	l.v = arena_array(a, out->dns_servers.n + m->dns_add.n + 1, sizeof *l.v);
	for (size_t i = 0; i < out->dns_servers.n; i++)
		if (!has(&m->dns_drop, out->dns_servers.v[i]))
			l.v[l.n++] = out->dns_servers.v[i];
	for (size_t i = 0; i < m->dns_add.n; i++) {
		if (addr_parse(m->dns_add.v[i], &addr) != 0)
			return err_set(e, ERR_INVALID, "unable to parse ip %s", m->dns_add.v[i]);
		if (!has(&l, m->dns_add.v[i]))
			l.v[l.n++] = arena_strdup(a, m->dns_add.v[i]);
	}
	if (l.n > 64)
		return err_set(e, ERR_LIMIT, "more than 64 dns servers");
	out->dns_servers = l;
	if (n->backend->write(n, dir, out, e) != 0)
		return -1;
	return names_servers(&n->names, out->name, &l, e);
}
