/* SPDX-License-Identifier: ISC */
#include "pod-net/net.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/lock.h"
#include "pod-net/bridge.h"
#include "pod-net/netns.h"

#define DEFAULT_RUN_ROOT "/run/pod"
#define CONFIG_DIR "/etc/containers/networks"
#define HOST_LEASES "/run/pod-net/leases"
#define QUIET_NS 1000000000l /* how long an unused bridge is kept for the next container */

/* --- The process ---------------------------------------------------------------------------------- */

static int
open_dirs(struct net *n, struct err *e)
{
	own_mem char *own_leases = xasprintf("%s/net/leases", n->run_root);

	if (state_open(&n->state, n->run_root, e) != 0)
		return -1;
	n->dir = openat(n->state.fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->dir < 0)
		return err_sys(e, "opening %s/net", n->run_root);
	/* Of the host's subnets there is only one of each, whatever the run root. */
	return lease_open(&n->leases, n->rootless ? own_leases : HOST_LEASES, e);
}

int
net_open(struct net *n, const struct msg_hello *hello, struct err *e)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*n = (struct net)NET_CLOSED;
	n->rootless = hello->rootless;
	n->started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	n->run_root = xstrdup(hello->run_root != NULL ? hello->run_root : DEFAULT_RUN_ROOT);
	n->config_dir = hello->rootless && hello->graph_root != NULL
			    ? xasprintf("%s/networks", hello->graph_root)
			    : xstrdup(CONFIG_DIR);
	n->home = netns_current(e);
	if (n->home < 0 || open_dirs(n, e) != 0) {
		net_close(n);
		return -1;
	}
	firewall_init(&n->firewall, n->dir, n->run_root, strcmp(n->run_root, DEFAULT_RUN_ROOT) == 0,
	    netns_number(n->home));
	return 0;
}

void
net_close(struct net *n)
{
	net_release(n);
	free(n->held);
	firewall_close(&n->firewall);
	netlink_close(&n->route);
	lease_close(&n->leases);
	state_close(&n->state);
	fd_close(&n->dir);
	fd_close(&n->home);
	free(n->run_root);
	free(n->config_dir);
	strv_free(&n->retired);
	network_list_free(&n->left);
	n->run_root = n->config_dir = NULL;
	n->held = NULL;
}

const char *
net_config_dir(const struct net *n, const char *asked)
{
	return asked != NULL && asked[0] != '\0' ? asked : n->config_dir;
}

void
net_release(struct net *n)
{
	while (n->nheld > 0)
		state_release(&n->held[--n->nheld]);
}

static void
hold(struct net *n, int fd)
{
	n->held = mem_grow(n->held, &n->held_cap, n->nheld + 1, sizeof *n->held);
	n->held[n->nheld++] = fd;
}

static int
need_route(struct net *n, struct err *e)
{
	return n->route.fd >= 0 ? 0 : netlink_open(&n->route, NETLINK_ROUTE, e);
}

/* --- Setting up ----------------------------------------------------------------------------------- */

/* One set-up under way. */
struct setup {
	struct net *n;
	const struct msg_net_setup *m;
	struct arena *a;
	struct plan plan;
	struct port_list ports;
	struct rec_net_state state;
	int netns, holder;
};

static const char *
address_text(const struct addr *addr, struct arena *a)
{
	char text[ADDR_TEXT];

	addr_format(addr, text);
	return text[0] != '\0' ? arena_strdup(a, text) : NULL;
}

static int
take_address(struct setup *s, struct plan_address *p, struct rec_net_hold *h, struct err *e)
{
	char subnet[ADDR_TEXT];
	struct addr got;

	p->lease.holder = state_path(&s->n->state, s->m->id, s->a);
	if (lease_take(&s->n->leases, &p->lease, &got, p->key, e) != 0)
		return -1;
	p->given = (struct prefix){got, p->lease.subnet.bits};
	addr_format_prefix(&p->lease.subnet, subnet);
	h->leases.v[h->leases.n++] = p->key;
	h->subnets.v[h->subnets.n++] = arena_strdup(s->a, subnet);
	return 0;
}

static int
take_addresses(struct setup *s, struct err *e)
{
	s->state.networks.v = arena_array(s->a, s->plan.nattach, sizeof *s->state.networks.v);
	for (size_t i = 0; i < s->plan.nattach; i++) {
		struct plan_attach *at = &s->plan.attach[i];
		struct rec_net_hold *h = &s->state.networks.v[s->state.networks.n++];

		h->network = at->network->name;
		h->interface = at->network->interface;
		h->leases.v = arena_array(s->a, at->naddresses, sizeof *h->leases.v);
		h->subnets.v = arena_array(s->a, at->naddresses, sizeof *h->subnets.v);
		for (size_t k = 0; k < at->naddresses; k++)
			if (take_address(s, &at->addresses[k], h, e) != 0)
				return err_wrap(e, "network %s", h->network);
	}
	return 0;
}

/* From here on the container is known: what is done after this can be undone by anyone. */
static int
record(struct setup *s, struct err *e)
{
	struct timespec now;
	struct addr a4, a6;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s->state.token = arena_printf(
	    s->a, "%08x", (unsigned)(now.tv_nsec ^ now.tv_sec << 17 ^ (long)getpid() << 8));
	if (lease_lock(&s->n->leases, e) != 0)
		return -1;
	if (take_addresses(s, e) != 0)
		goto fail;
	a4 = plan_address_of(&s->plan, AF_INET);
	a6 = plan_address_of(&s->plan, AF_INET6);
	if (port_parse(
		s->m->ports.v, s->m->ports.n, a4.len != 0, a6.len != 0, &s->ports, s->a, e) != 0 ||
	    port_reserve(&s->ports, &s->holder, e) != 0)
		goto fail;
	s->state.address4 = address_text(&a4, s->a);
	s->state.address6 = address_text(&a6, s->a);
	s->state.ports.v = port_maps(&s->ports, s->a);
	s->state.ports.n = s->ports.n;
	fd = state_write(&s->n->state, s->m->id, &s->state, e);
	if (fd < 0)
		goto fail;
	hold(s->n, fd);
	lease_unlock(&s->n->leases);
	return 0;
fail:
	for (size_t i = 0; i < s->state.networks.n; i++)
		for (size_t k = 0; k < s->state.networks.v[i].leases.n; k++)
			lease_give(&s->n->leases, s->state.networks.v[i].leases.v[k],
			    state_path(&s->n->state, s->m->id, s->a));
	lease_unlock(&s->n->leases);
	return -1;
}

static struct firewall_target
target_of(const struct rec_net_state *st, const char *id, const char *name)
{
	struct firewall_target t = {.id = id, .name = name, .token = st->token};

	(void)addr_parse(st->address4, &t.to4);
	(void)addr_parse(st->address6, &t.to6);
	return t;
}

static int
connect_bridges(struct setup *s, struct err *e)
{
	struct net *n = s->n;

	if (need_route(n, e) != 0 || bridge_join(&n->route, n->home, s->netns, &s->plan, e) != 0)
		return -1;
	for (size_t i = 0; i < s->plan.nattach; i++)
		if (firewall_network(&n->firewall, &s->plan.attach[i], e) != 0)
			return -1;
	if (s->ports.n > 0) {
		struct firewall_target t = target_of(&s->state, s->m->id, s->m->name);

		return firewall_publish(&n->firewall, &s->ports, &t, e);
	}
	return 0;
}

static int
set_up_bridge(struct setup *s, struct err *e)
{
	struct net *n = s->n;

	if (n->rootless)
		return err_set(
		    e, ERR_UNSUPPORTED, "network mode bridge is not supported for ordinary users");
	if (plan_make(&s->plan, s->m, net_config_dir(n, s->m->network_dir), e) != 0)
		return -1;
	if (record(s, e) != 0)
		return -1;
	if (connect_bridges(s, e) != 0) {
		struct err undo = {0};

		if (net_teardown(n, s->m->id, &undo) != 0)
			log_warn("%s", undo.text);
		return -1;
	}
	return 0;
}

static int
set_up_none(struct setup *s, struct err *e)
{
	return bridge_loopback(s->n->home, s->netns, e);
}

static const struct {
	const char *name;
	int (*run)(struct setup *s, struct err *e);
} modes[] = {
    {"bridge", set_up_bridge},
    {"none", set_up_none},
};

static void
fill_interface(const struct plan_attach *at, struct rec_net_interface *out, struct arena *a)
{
	char text[ADDR_TEXT], mac[18];

	link_format_mac(at->mac, mac);
	out->network = arena_strdup(a, at->network->name);
	out->name = arena_strdup(a, at->name);
	out->mac = arena_strdup(a, mac);
	out->addresses.v = arena_array(a, at->naddresses, sizeof *out->addresses.v);
	for (size_t i = 0; i < at->naddresses; i++) {
		struct rec_net_address *x = &out->addresses.v[out->addresses.n++];

		addr_format_prefix(&at->addresses[i].given, text);
		x->ipnet = arena_strdup(a, text);
		x->gateway = address_text(&at->addresses[i].lease.gateway, a);
	}
}

/* The host as the container sees it: the first gateway of a network that leads out. */
static const char *
host_address(const struct plan *p, struct arena *a)
{
	for (size_t i = 0; i < p->nattach; i++)
		for (size_t k = 0; k < p->attach[i].naddresses; k++)
			if (!p->attach[i].network->internal &&
			    p->attach[i].addresses[k].lease.gateway.len != 0)
				return address_text(&p->attach[i].addresses[k].lease.gateway, a);
	return NULL;
}

static void
fill_resolvers(const struct setup *s, struct msg_net_setup_r *r)
{
	size_t n = s->m->dns_servers.n;

	for (size_t i = 0; i < s->plan.nattach; i++)
		n += s->plan.attach[i].network->dns_servers.n;
	r->dns_servers.v = arena_array(s->a, n, sizeof *r->dns_servers.v);
	for (size_t i = 0; i < s->m->dns_servers.n; i++)
		r->dns_servers.v[r->dns_servers.n++] = arena_strdup(s->a, s->m->dns_servers.v[i]);
	for (size_t i = 0; i < s->plan.nattach && s->m->dns_servers.n == 0; i++)
		for (size_t k = 0; k < s->plan.attach[i].network->dns_servers.n; k++)
			r->dns_servers.v[r->dns_servers.n++] =
			    arena_strdup(s->a, s->plan.attach[i].network->dns_servers.v[k]);
}

static void
fill_answer(struct setup *s, struct msg_net_setup_r *r)
{
	*r = (struct msg_net_setup_r){.netns = s->netns, .holder = s->holder};
	r->interfaces.v = arena_array(s->a, s->plan.nattach, sizeof *r->interfaces.v);
	for (size_t i = 0; i < s->plan.nattach; i++)
		fill_interface(&s->plan.attach[i], &r->interfaces.v[r->interfaces.n++], s->a);
	r->ports.v = s->state.ports.v;
	r->ports.n = s->state.ports.n;
	r->host_address = host_address(&s->plan, s->a);
	fill_resolvers(s, r);
}

/* Makes the namespace and comes back from it. */
static int
make_namespace(struct net *n, struct err *e)
{
	own_fd int fd = netns_make(e);

	if (fd < 0 || netns_enter(n->home, e) != 0)
		return -1;
	return fd_take(&fd);
}

int
net_setup(struct net *n, const struct msg_net_setup *m, int netns, struct msg_net_setup_r *r,
    struct arena *a, struct err *e)
{
	struct setup s = {.n = n, .m = m, .a = a, .netns = netns};
	own_fd int made = -1;
	size_t mode = 0;
	int rc;

	while (mode < COUNTOF(modes) && strcmp(modes[mode].name, m->mode) != 0)
		mode++;
	if (mode == COUNTOF(modes))
		return err_set(e, ERR_UNSUPPORTED, "network mode %s is not supported", m->mode);
	if (!state_id_valid(m->id))
		return err_set(e, ERR_INVALID, "invalid container ID %s", m->id);
	/* What an earlier life of the container left, if it was killed. */
	if (net_teardown(n, m->id, e) != 0)
		return -1;
	if (netns < 0 && (s.netns = made = make_namespace(n, e)) < 0)
		return -1;
	rc = modes[mode].run(&s, e);
	if (rc == 0) {
		fill_answer(&s, r);
		(void)fd_take(&made);
	} else if (s.holder > 0) {
		fd_close(&s.holder);
	}
	plan_free(&s.plan);
	return rc;
}

/* --- Tearing down --------------------------------------------------------------------------------- */

static void
give_leases(struct net *n, const char *id, const struct rec_net_state *st, struct arena *a)
{
	const char *holder = state_path(&n->state, id, a);

	for (size_t i = 0; i < st->networks.n; i++)
		for (size_t k = 0; k < st->networks.v[i].leases.n; k++)
			lease_give(&n->leases, st->networks.v[i].leases.v[k], holder);
}

int
net_teardown(struct net *n, const char *id, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state st = {0};
	const char *retired;
	int found;

	if (!state_id_valid(id))
		return err_set(e, ERR_INVALID, "invalid container ID %s", id);
	found = state_read(&n->state, id, &st, &a, e);
	if (found == 0)
		return 0;
	if (found < 0) {
		/* Killed while it was written: the leases are found by the next who wants them. */
		log_warn("%s", e->text);
		err_clear(e);
	}
	if (lease_lock(&n->leases, e) != 0)
		return -1;
	give_leases(n, id, &st, &a);
	retired = state_retire(&n->state, id, &a);
	lease_unlock(&n->leases);
	if (retired != NULL)
		strv_add(&n->retired, retired);
	return 0;
}

/* The published ports of a state file, as they were given to the firewall. */
static int
withdraw(struct net *n, const struct rec_net_state *st, struct arena *a, struct err *e)
{
	struct firewall_target t = target_of(st, "", NULL);
	struct port_list ports;

	if (port_parse(st->ports.v, st->ports.n, t.to4.len != 0, t.to6.len != 0, &ports, a, e) != 0)
		return -1;
	return firewall_withdraw(&n->firewall, &ports, &t, e);
}

static void
remember_network(struct network_list *l, const struct rec_net_hold *h)
{
	struct rec_network *x;

	for (size_t i = 0; i < l->n; i++)
		if (h->interface != NULL && strcmp(l->v[i].interface, h->interface) == 0)
			return;
	if (h->interface == NULL)
		return;
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	x = &l->v[l->n++];
	*x = (struct rec_network){.interface = arena_strdup(&l->arena, h->interface)};
	x->subnets.v = arena_array(&l->arena, h->subnets.n, sizeof *x->subnets.v);
	for (size_t i = 0; i < h->subnets.n; i++)
		x->subnets.v[x->subnets.n++].subnet = arena_strdup(&l->arena, h->subnets.v[i]);
}

/* Undoes the rest of one container and notes the networks it was on. */
static void
finish_one(struct net *n, const char *name)
{
	own_arena struct arena a = {0};
	struct rec_net_state st = {0};
	struct err e = {0};

	if (state_read(&n->state, name, &st, &a, &e) == 1) {
		for (size_t i = 0; i < st.networks.n; i++)
			remember_network(&n->left, &st.networks.v[i]);
		if (st.ports.n > 0 && withdraw(n, &st, &a, &e) != 0)
			log_warn("removing published ports: %s", e.text);
	}
	state_remove(&n->state, name);
}

static bool
in_use(struct net *n, const struct rec_network *x)
{
	for (size_t i = 0; i < x->subnets.n; i++) {
		struct prefix p;

		if (addr_parse_prefix(x->subnets.v[i].subnet, &p) == 0 && lease_any(&n->leases, &p))
			return true;
	}
	return false;
}

/*
 * A bridge that nobody uses goes.  Safe because whoever wants to join it takes a lease first, under the
 * lock held here.
 */
static void
remove_bridge(struct net *n, const struct rec_network *x)
{
	struct strs subnets = {0};
	struct err e = {0};
	int gone = 0;

	if (x->subnets.n == 0 || lease_lock(&n->leases, &e) != 0)
		return;
	if (!in_use(n, x) && need_route(n, &e) == 0)
		gone = bridge_remove(&n->route, x->interface, &e);
	if (gone == 1) {
		subnets.v = xcalloc(x->subnets.n, sizeof *subnets.v);
		for (size_t i = 0; i < x->subnets.n; i++)
			subnets.v[subnets.n++] = x->subnets.v[i].subnet;
		gone = firewall_forget(&n->firewall, x->interface, &subnets, &e);
		free(subnets.v);
	}
	lease_unlock(&n->leases);
	if (gone < 0)
		log_warn("removing bridge %s: %s", x->interface, e.text);
}

/* Waits until the bridge has been unused for a moment, one process for each bridge. */
static void
tidy_one(struct net *n, const struct rec_network *x)
{
	struct timespec wait = {.tv_sec = QUIET_NS / 1000000000, .tv_nsec = QUIET_NS % 1000000000};
	own_mem char *name = xasprintf("bridge-%s.lock", x->interface);
	struct err e = {0};
	own_fd int lock = -1;

	if (in_use(n, x))
		return;
	lock = lock_acquire(n->dir, name, LOCK_EXCLUSIVE, LOCK_TRY, &e);
	if (lock < 0)
		return;
	/* The next container usually comes soon, and removing a bridge holds up others. */
	nanosleep(&wait, NULL);
	if (!in_use(n, x))
		remove_bridge(n, x);
}

void
net_finish(struct net *n)
{
	for (size_t i = 0; i < n->retired.n; i++)
		finish_one(n, n->retired.v[i]);
	strv_free(&n->retired);
}

void
net_tidy(struct net *n)
{
	struct err e = {0};

	if (n->left.n == 0)
		return;
	for (size_t i = 0; i < n->left.n; i++)
		tidy_one(n, &n->left.v[i]);
	if (!state_none(&n->state) || lease_lock(&n->leases, &e) != 0)
		return;
	/* Under the lock no container can be added. */
	if (state_none(&n->state))
		(void)firewall_remove(&n->firewall, &e);
	lease_unlock(&n->leases);
}

/* --- Sweeping ------------------------------------------------------------------------------------- */

static bool
listed(const struct strs *l, const char *id)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], id) == 0)
			return true;
	return false;
}

/* The tokens of all containers, those being set up included. */
static int
all_tokens(struct net *n, struct strv *tokens, struct err *e)
{
	own_strv struct strv names = {0};

	if (state_names(&n->state, INT64_MAX, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		own_arena struct arena a = {0};
		struct rec_net_state st;
		struct err ignored = {0};

		if (state_read(&n->state, names.v[i], &st, &a, &ignored) == 1)
			strv_add(tokens, st.token);
	}
	return 0;
}

int
net_sweep(struct net *n, const struct strs *containers, struct err *e)
{
	own_strv struct strv names = {0}, tokens = {0};

	if (state_names(&n->state, n->started_ns, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (names.v[i][0] == '.')
			strv_add(&n->retired, names.v[i]);
		else if (!listed(containers, names.v[i]) && net_teardown(n, names.v[i], e) != 0)
			return -1;
	}
	if (n->rootless)
		return 0;
	lease_sweep(&n->leases, n->state.path);
	if (all_tokens(n, &tokens, e) != 0)
		return -1;
	return firewall_sweep(&n->firewall, &tokens, e);
}
