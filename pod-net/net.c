/* SPDX-License-Identifier: ISC */
#include "pod-net/net.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/lock.h"
#include "pod-net/blame.h"
#include "pod-net/helper.h"
#include "pod-net/netns.h"
#include "pod-net/plugin.h"
#include "pod-net/rootless.h"

#define DEFAULT_RUN_ROOT "/run/pod"
#define HOST_NAMES "/run/pod-net/dns-%s"
#define NOTED_MS 2000

/* --- The process ---------------------------------------------------------------------------------- */

/* True if one of the links that a container holds is there. */
static bool
has_link(struct net *n, const struct rec_net_state *st)
{
	bool any = st->networks.n == 0;
	struct err e = {0};
	struct link l;

	for (size_t i = 0; i < st->networks.n && !any; i++)
		any = st->networks.v[i].link == NULL ||
		      link_find(&n->route, st->networks.v[i].link, &l, &e) != 0;
	return any;
}

/*
 * The container of a state file is gone if no set-up is under way, which would hold the file's lock, and the
 * links it made in this namespace have vanished with its own.  It may be that of another run root.
 */
static bool
holder_lives(void *arg, const char *holder)
{
	struct net *n = arg;
	const char *name = strrchr(holder, '/') + 1;
	own_mem char *above = xstrndup(holder, (size_t)(name - holder));
	own_arena struct arena a = {0};
	own_fd int dir = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct state_dir d = {.fd = dir};
	struct rec_net_state st;
	struct err e = {0};

	if (dir < 0 || net_need_route(n, &e) != 0)
		return true;
	return lock_is_held(dir, name) || state_read(&d, name, &st, &a, &e) != 1 ||
	       has_link(n, &st);
}

/* The DNS server of an ordinary user listens on the bridges of the shared namespace. */
static int
call_inside(void *arg, int (*fn)(void *, struct err *), void *of_fn, struct err *e)
{
	struct net *n = arg;

	if (rootless_enter(n, false, e) == 0) {
		n->names.loopback = rootless_resolver(n);
		return rootless_call(n, fn, of_fn, e);
	}
	if (e->class != ERR_STATE)
		return -1;
	err_clear(e);
	return 0;
}

static int
open_dirs(struct net *n, struct err *e)
{
	own_mem char *leases = n->rootless || n->foreign ? xasprintf("%s/net/leases", n->run_root)
							 : xasprintf(HOST_LEASES, n->netns);

	if (state_open(&n->state, n->run_root, e) != 0)
		return -1;
	n->dir = openat(n->state.fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->dir < 0)
		return err_sys(e, "opening %s/net", n->run_root);
	/* A namespace has each subnet only once, whatever the run root. */
	if (lease_open(&n->leases, leases, e) != 0)
		return -1;
	/* Nor can two servers listen on an address. */
	n->names.dir =
	    n->rootless ? xasprintf("%s/net/dns", n->run_root) : xasprintf(HOST_NAMES, n->netns);
	n->names.lock = xasprintf("%s.lock", n->names.dir);
	n->names.inside = n->rootless ? call_inside : NULL;
	n->names.arg = n;
	n->leases.lives = holder_lives;
	n->leases.arg = n;
	return 0;
}

/* What the coordinator says of the configuration. */
static int
read_options(
    struct net *n, enum firewall_driver *firewall, const struct msg_hello *hello, struct err *e)
{
	for (size_t i = 0; i < hello->options.n; i++) {
		const struct rec_kv *o = &hello->options.v[i];

		if (strcmp(o->key, "network_backend") == 0 &&
		    backend_find(o->value, &n->backend, e) != 0)
			return -1;
		if (strcmp(o->key, "firewall_driver") == 0 &&
		    firewall_driver_find(o->value, firewall, e) != 0)
			return -1;
		if (strcmp(o->key, "dns_bind_port") == 0) {
			uint64_t port;

			if (text_to_u64(o->value, 65535, &port) != 0 || port == 0)
				return err_set(
				    e, ERR_INVALID, "dns_bind_port %s is no port", o->value);
			n->names.port = (uint16_t)port;
		}
		if (strcmp(o->key, "default_network") == 0 &&
		    network_default_name(&n->fallback, o->value, e) != 0)
			return -1;
		if (strcmp(o->key, "default_subnet") == 0 &&
		    network_default_subnet(&n->fallback, o->value, e) != 0)
			return -1;
		if (strcmp(o->key, "interface_name") == 0)
			n->device_names = strcmp(o->value, "device") == 0;
		if (strcmp(o->key, "port_reservation") == 0)
			n->ports_unheld = strcmp(o->value, "no") == 0;
		if (strcmp(o->key, "network_cmd_path") == 0) {
			free(n->slirp_path);
			n->slirp_path = xstrdup(o->value);
		}
		if (strcmp(o->key, "cni_plugin_dir") == 0)
			strv_add(&n->cni_dirs, o->value);
		if (strcmp(o->key, "netavark_plugin_dir") == 0)
			strv_add(&n->plugin_dirs, o->value);
		if (strcmp(o->key, "helper_dir") == 0)
			strv_add(&n->helper_dirs, o->value);
	}
	plugin_names(&n->plugin_dirs, &n->plugins);
	return 0;
}

static char *
config_dir(const struct net *n, const struct msg_hello *hello)
{
	const char *home = getenv("HOME"), *own = getenv("XDG_CONFIG_HOME");

	if (n->rootless && n->backend->user_dir != NULL && own != NULL && own[0] == '/')
		return xasprintf("%s/%s", own, n->backend->user_dir);
	if (n->rootless && n->backend->user_dir != NULL && home != NULL && home[0] == '/')
		return xasprintf("%s/.config/%s", home, n->backend->user_dir);
	if (n->rootless && hello->graph_root != NULL)
		return xasprintf("%s/networks", hello->graph_root);
	return xstrdup(n->backend->config_dir);
}

static int
open_all(struct net *n, const struct msg_hello *hello, bool foreign, struct err *e)
{
	enum firewall_driver firewall = FIREWALL_NFTABLES;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*n = (struct net)NET_CLOSED;
	n->foreign = foreign;
	n->backend = &backend_native;
	if (read_options(n, &firewall, hello, e) != 0)
		return -1;
	n->rootless = hello->rootless;
	n->started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	n->run_root = xstrdup(hello->run_root != NULL ? hello->run_root : DEFAULT_RUN_ROOT);
	n->config_dir = config_dir(n, hello);
	if (!n->rootless)
		n->home = netns_current(e);
	netns_name(n->netns);
	if ((n->home < 0 && !n->rootless) || open_dirs(n, e) != 0) {
		net_close(n);
		return -1;
	}
	firewall_init(
	    &n->firewall, n->dir, n->run_root, strcmp(n->run_root, DEFAULT_RUN_ROOT) == 0);
	n->firewall.driver = firewall;
	n->firewall.names_port = n->names.port;
	n->firewall.alone = n->rootless;
	return 0;
}

int
net_open(struct net *n, const struct msg_hello *hello, struct err *e)
{
	return open_all(n, hello, false, e);
}

int
net_open_foreign(struct net *n, const struct msg_hello *hello, struct err *e)
{
	return open_all(n, hello, true, e);
}

void
net_close(struct net *n)
{
	net_release(n);
	rootless_leave(n);
	free(n->held);
	firewall_close(&n->firewall);
	netlink_close(&n->route);
	lease_close(&n->leases);
	state_close(&n->state);
	fd_close(&n->dir);
	fd_close(&n->home);
	fd_close(&n->spare);
	names_close(&n->names);
	network_default_free(&n->fallback);
	free(n->run_root);
	free(n->config_dir);
	strv_free(&n->retired);
	strv_free(&n->named);
	strv_free(&n->links);
	free(n->left.v);
	arena_free(&n->left.arena);
	net_forget(n);
	strv_free(&n->plugins);
	free(n->slirp_path);
	blame_clear(n);
	strv_free(&n->plugin_dirs);
	strv_free(&n->cni_dirs);
	strv_free(&n->helper_dirs);
	n->run_root = n->config_dir = NULL;
	n->held = NULL;
}

const char *
net_config_dir(const struct net *n, const char *asked)
{
	return asked != NULL && asked[0] != '\0' ? asked : n->config_dir;
}

static const struct rec_network *
noted(const struct net *n, const char *dir, const char *name)
{
	for (size_t i = 0; i < n->noted.n; i++)
		if (strcmp(n->noted.v[i].dir, dir) == 0 && strcmp(n->noted.v[i].name, name) == 0)
			return &n->noted.v[i].network;
	return NULL;
}

static void
note(struct net *n, const char *dir, const char *name, const struct rec_network *x)
{
	struct arena *a = &n->noted.arena;
	struct net_noted *to = &n->noted.v[n->noted.n];

	if (n->noted.n == NET_NOTED)
		return;
	if (n->noted.n++ == 0)
		n->noted.since_ms = clock_now_ms();
	*to = (struct net_noted){.dir = arena_strdup(a, dir), .name = arena_strdup(a, name)};
	wire_copy(&rec_network_desc, x, &to->network, a);
}

int
net_find(struct net *n, const char *dir, const char *name, struct rec_network *out, struct arena *a,
    struct err *e)
{
	const struct rec_network *found;

	if (n->noted.n > 0 && clock_now_ms() - n->noted.since_ms > NOTED_MS)
		net_forget(n);
	found = noted(n, dir, name);
	if (found != NULL) {
		wire_copy(&rec_network_desc, found, out, a);
		return 0;
	}
	if (n->backend->find(n, dir, name, out, a, e) != 0)
		return -1;
	note(n, dir, name, out);
	return 0;
}

void
net_forget(struct net *n)
{
	n->noted.n = 0;
	arena_free(&n->noted.arena);
}

void
net_prepare(struct net *n)
{
	struct err e = {0};

	if (n->spare < 0)
		n->spare = netns_make(n->home, &e);
}

void
net_release(struct net *n)
{
	while (n->nheld > 0)
		state_release(&n->held[--n->nheld]);
}

void
net_hold(struct net *n, int fd)
{
	n->held = mem_grow(n->held, &n->held_cap, n->nheld + 1, sizeof *n->held);
	n->held[n->nheld++] = fd;
}

int
net_need_route(struct net *n, struct err *e)
{
	if (n->rootless)
		return rootless_enter(n, false, e);
	return n->route.fd >= 0 ? 0 : netlink_open(&n->route, NETLINK_ROUTE, e);
}

struct firewall_target
net_target(const struct rec_net_state *st, const char *id, const char *name)
{
	struct firewall_target t = {.id = id, .name = name, .token = st->token};

	(void)addr_parse(st->address4, &t.to4);
	(void)addr_parse(st->address6, &t.to6);
	return t;
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

static bool
has_names(const struct rec_net_state *st)
{
	for (size_t i = 0; i < st->networks.n; i++)
		if (names_answered(&st->networks.v[i]))
			return true;
	return false;
}

/* Plug-ins and DHCP servers are told. */
static void
leave_plugins(struct net *n, const char *id, int netns, const struct rec_net_state *st)
{
	for (size_t i = st->networks.n; i-- > 0;) {
		const struct rec_net_hold *h = &st->networks.v[i];
		struct err e = {0};

		if ((h->cni || h->plugin != NULL || h->dhcp) &&
		    (h->cni ? &backend_cni : &backend_native)->leave(n, id, netns, h, &e) != 0)
			log_warn("%s", e.text);
	}
}

static bool
is_on(const struct rec_net_hold *h, const char *interface)
{
	return h->interface != NULL && strcmp(h->interface, interface) == 0;
}

static bool
has_end(const struct rec_net_hold *h, const char *link)
{
	return h->link != NULL && strcmp(h->link, link) == 0;
}

/* True if that is so of a network that a container of this run root is on, or, retired, was on until a moment ago. */
static bool
any_hold(struct net *n, bool retired, bool (*is_so)(const struct rec_net_hold *h, const char *name),
    const char *name)
{
	own_strv struct strv names = {0};
	struct err e = {0};
	bool any = false;

	if (state_all(&n->state, &names, &e) != 0)
		return true;
	for (size_t i = 0; i < names.n && !any; i++) {
		own_arena struct arena a = {0};
		struct rec_net_state st = {0};

		if ((names.v[i][0] == '.') != retired ||
		    state_read(&n->state, names.v[i], &st, &a, &e) != 1)
			continue;
		for (size_t k = 0; k < st.networks.n; k++)
			any |= is_so(&st.networks.v[k], name);
	}
	return any;
}

/*
 * A link's name that the user has chosen may by now be that of the next container's, whose state was written before
 * its link was made.
 */
void
net_remove_link(struct net *n, const char *name)
{
	own_netlink_batch struct netlink_batch b = {0};
	struct err e = {0};
	int index = link_index(&n->route, name, &e);

	err_clear(&e);
	if (index < 0 || any_hold(n, false, has_end, name))
		return;
	netlink_reset(&b, &n->route);
	link_put_delete(&b, index);
	if (netlink_run(&n->route, &b, &e) != 0)
		log_warn("%s: %s", name, e.text);
}

bool
net_left_link(struct net *n, const char *name)
{
	return any_hold(n, true, has_end, name);
}

int
net_teardown(struct net *n, const char *id, int netns, struct err *e)
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
	if (found == 1 && netns >= 0 && netns_number(netns) != st.netns)
		return err_set(
		    e, ERR_INVALID, "that is not the network namespace that was set up as %s", id);
	if (found < 0) {
		/* Killed while it was written: the leases are found by the next who wants them. */
		log_warn("%s", e->text);
		err_clear(e);
	}
	if (found < 0 || has_names(&st))
		names_leave(&n->names, id, NULL);
	/* Also when the state could not be read: without a helper it does nothing. */
	helper_end(n->dir, id);
	leave_plugins(n, id, netns, &st);
	if (lease_lock(&n->leases, e) != 0)
		return -1;
	give_leases(n, id, &st, &a);
	retired = state_retire(&n->state, id, &a);
	lease_unlock(&n->leases);
	if (retired != NULL)
		strv_add(&n->retired, retired);
	return 0;
}

bool
net_has_user(struct net *n, const char *interface)
{
	return any_hold(n, false, is_on, interface);
}
