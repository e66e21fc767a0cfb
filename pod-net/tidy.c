/* SPDX-License-Identifier: ISC */
/*
 * What a container has left behind: done after the answer, when a bridge has been unused for a moment, or by a sweep.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/fs/lock.h"
#include "pod-net/bridge.h"
#include "pod-net/left.h"
#include "pod-net/net.h"
#include "pod-net/netns.h"
#include "pod-net/rootless.h"

#define LINK_WAIT_NS 60000000l
#define QUIET_NS 1000000000l /* how long an unused bridge is kept for the next container */

/* The published ports of a state file, as they were given to the firewall. */
static int
withdraw(struct net *n, const struct rec_net_state *st, struct arena *a, struct err *e)
{
	struct firewall_target t = net_target(st, "", NULL);
	struct port_list ports;

	if (n->rootless &&
	    (rootless_enter(n, false, e) != 0 || rootless_withdraw(n, st->token, e) != 0)) {
		/* Without the namespace there is nothing to undo. */
		if (n->inner >= 0)
			return -1;
		err_clear(e);
		return 0;
	}
	if (port_parse(st->ports.v, st->ports.n, t.to4.len != 0, t.to6.len != 0, &ports, a, e) != 0)
		return -1;
	return firewall_withdraw(&n->firewall, &ports, &t, e);
}

static void
add_left(struct net *n, const struct rec_net_hold *h)
{
	for (size_t i = 0; i < n->left.n; i++)
		if (strcmp(n->left.v[i].interface, h->interface) == 0)
			return;
	n->left.v = mem_grow(n->left.v, &n->left.cap, n->left.n + 1, sizeof *n->left.v);
	wire_copy(&rec_net_hold_desc, h, &n->left.v[n->left.n++], &n->left.arena);
}

void
net_left(struct net *n, const struct rec_net_hold *h)
{
	if (h->link != NULL)
		strv_add(&n->links, h->link);
	if (h->interface == NULL || h->unmanaged || h->link == NULL)
		return;
	left_note(n->dir, h);
	add_left(n, h);
}

/* Undoes the rest of one container and notes the networks it was on.  Links with names are left for later. */
static void
finish_one(struct net *n, const char *name)
{
	own_arena struct arena a = {0};
	struct rec_net_state st = {0};
	struct err e = {0};
	bool named = false;

	if (state_read(&n->state, name, &st, &a, &e) == 1) {
		for (size_t i = 0; i < st.networks.n; i++) {
			net_left(n, &st.networks.v[i]);
			named |= st.networks.v[i].link_named;
		}
		if (st.helper == NULL && st.ports.n > 0 && withdraw(n, &st, &a, &e) != 0)
			log_warn("removing published ports: %s", e.text);
	}
	if (named)
		strv_add(&n->named, name);
	else
		state_remove(&n->state, name);
}

/*
 * Names that the user has chosen are free again soon, whenever the kernel takes down the namespace.  Until its state
 * goes, who wants such a name sees whose it was.
 */
static void
finish_named(struct net *n, const char *name)
{
	own_arena struct arena a = {0};
	struct rec_net_state st = {0};
	struct err e = {0};

	if (state_read(&n->state, name, &st, &a, &e) == 1 && net_need_route(n, &e) == 0)
		for (size_t i = 0; i < st.networks.n; i++)
			if (st.networks.v[i].link_named)
				net_remove_link(n, st.networks.v[i].link);
	state_remove(&n->state, name);
}

/* Networks without leases are looked for in the states; whoever misses one there meets its port. */
static bool
in_use(struct net *n, const struct rec_net_hold *x)
{
	if (n->foreign || x->subnets.n == 0)
		return net_has_user(n, x->interface);
	for (size_t i = 0; i < x->subnets.n; i++) {
		struct prefix p;

		if (addr_parse_prefix(x->subnets.v[i], &p) == 0 && lease_any(&n->leases, &p))
			return true;
	}
	return false;
}

/*
 * A bridge that nobody uses goes.  Safe because whoever wants to join it takes a lease and writes its state first, under
 * the lock held here, and one without leases makes it anew.  By now its name may be that of another network's bridge.
 */
static void
remove_bridge(struct net *n, const struct rec_net_hold *x)
{
	struct err e = {0};
	int gone = 0;

	if (lease_lock(&n->leases, &e) != 0)
		return;
	if (!in_use(n, x) && !net_has_user(n, x->interface) && net_need_route(n, &e) == 0)
		gone = bridge_remove(&n->route, x->interface, &e);
	if (gone == 1)
		gone = firewall_forget(&n->firewall, x, &e) == 0 ? 1 : -1;
	if (gone == 1)
		left_forget(n->dir, x->interface);
	lease_unlock(&n->leases);
	if (gone < 0)
		log_warn("removing bridge %s: %s", x->interface, e.text);
}

static bool
any_link(struct net *n)
{
	for (size_t i = 0; i < n->links.n; i++)
		if (link_exists(&n->route, n->links.v[i]))
			return true;
	return false;
}

/* Links whose namespace somebody keeps; those of containers go with their namespace. */
static void
remove_links(struct net *n)
{
	for (size_t i = 0; i < n->links.n; i++)
		net_remove_link(n, n->links.v[i]);
}

static bool
any_idle(struct net *n)
{
	for (size_t i = 0; i < n->left.n; i++)
		if (!in_use(n, &n->left.v[i]))
			return true;
	return false;
}

static char *
lock_name(const struct rec_net_hold *x)
{
	return xasprintf("bridge-%s.lock", x->interface);
}

/*
 * The lock of who waits for the bridge to be unused for a moment; -1: it is in use, or another process waits, which is
 * told that it was left just now.
 */
static int
wait_for(struct net *n, const struct rec_net_hold *x)
{
	own_mem char *name = lock_name(x);
	struct err e = {0};
	int lock;

	if (in_use(n, x))
		return -1;
	lock = lock_acquire(n->dir, name, LOCK_EXCLUSIVE, LOCK_TRY, &e);
	if (lock >= 0)
		(void)futimens(lock, NULL);
	else
		(void)utimensat(n->dir, name, NULL, AT_SYMLINK_NOFOLLOW);
	return lock;
}

/* How long until the bridge that is waited for with the lock has been unused for a moment. */
static int64_t
still_to_wait(int lock)
{
	struct timespec now;
	struct stat st;
	int64_t age;

	if (lock < 0 || fstat(lock, &st) != 0)
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	age = ((int64_t)now.tv_sec - st.st_mtim.tv_sec) * 1000000000 + now.tv_nsec -
	      st.st_mtim.tv_nsec;
	return age < 0 || age >= QUIET_NS ? 0 : QUIET_NS - age;
}

/* Each time it is longer somebody has used one of the bridges meanwhile. */
static void
wait_until_idle(const int *locks, size_t n)
{
	for (;;) {
		struct timespec wait;
		int64_t ns = 0;

		for (size_t i = 0; i < n; i++)
			ns = still_to_wait(locks[i]) > ns ? still_to_wait(locks[i]) : ns;
		if (ns == 0)
			return;
		wait = (struct timespec){ns / 1000000000, ns % 1000000000};
		nanosleep(&wait, NULL);
	}
}

/*
 * The next container usually comes soon, and removing a bridge holds up others: bridges go when they have
 * been unused for a moment, one for all.  False: others do it.
 */
static bool
remove_idle(struct net *n, bool at_once)
{
	own_mem int *locks = xcalloc(n->left.n, sizeof *locks);
	bool any = at_once;

	for (size_t i = 0; i < n->left.n; i++) {
		locks[i] = at_once ? -1 : wait_for(n, &n->left.v[i]);
		any |= locks[i] >= 0;
	}
	wait_until_idle(locks, n->left.n);
	for (size_t i = 0; i < n->left.n; i++) {
		bool ours = at_once || locks[i] >= 0;

		/* Before looking: who leaves it afterwards finds nobody waiting, and waits. */
		fd_close(&locks[i]);
		if (ours && !in_use(n, &n->left.v[i]))
			remove_bridge(n, &n->left.v[i]);
	}
	return any;
}

/* Nobody is on a network: the rules go. */
static void
remove_unused_table(struct net *n)
{
	struct err e = {0};

	if (!state_none(&n->state) || lease_lock(&n->leases, &e) != 0)
		return;
	/* Under the lock no container can be added. */
	if (state_none(&n->state))
		(void)firewall_remove(&n->firewall, &e);
	lease_unlock(&n->leases);
}

void
net_finish(struct net *n)
{
	for (size_t i = 0; i < n->retired.n; i++)
		finish_one(n, n->retired.v[i]);
	strv_free(&n->retired);
}

void
net_tidy(struct net *n, bool at_once)
{
	struct err e = {0};

	net_finish(n);
	/* The kernel takes its time for each, and nobody waits for an answer any more. */
	for (size_t i = 0; i < n->named.n; i++)
		finish_named(n, n->named.v[i]);
	strv_free(&n->named);
	if (n->left.n == 0 || net_need_route(n, &e) != 0)
		return;
	/* The kernel takes down dead namespaces by and by. */
	for (long ns = LINK_WAIT_NS; !at_once && ns < QUIET_NS && any_link(n); ns *= 2) {
		struct timespec wait = {.tv_nsec = ns};

		nanosleep(&wait, NULL);
	}
	remove_links(n);
	if (!any_idle(n))
		return;
	if (remove_idle(n, at_once))
		remove_unused_table(n);
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
all_tokens(void *arg, struct strv *tokens, struct err *e)
{
	const struct net *n = arg;
	own_strv struct strv names = {0};

	if (state_all(&n->state, &names, e) != 0)
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

static void
sweep_other_leases(const struct net *n)
{
	own_mem char *path = xasprintf(HOST_LEASES, n->netns);
	own_mem char *boot = xasprintf("leases-%.*s-", NETNS_BOOT, n->netns);

	lease_sweep_others(path, boot);
}

/* A bridge that was left: who waits for it to be unused is not held up; if nobody does, net_tidy will. */
static void
sweep_bridge(struct net *n, const char *left)
{
	own_arena struct arena a = {0};
	own_mem char *lock = NULL;
	struct rec_net_hold h;

	if (left_read(n->dir, left, &h, &a) != 1 || h.interface == NULL)
		return;
	lock = lock_name(&h);
	if (!lock_is_held(n->dir, lock))
		add_left(n, &h);
}

static int
sweep_bridges(struct net *n, struct err *e)
{
	own_strv struct strv names = {0};

	if (left_all(n->dir, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		sweep_bridge(n, names.v[i]);
	return 0;
}

int
net_sweep(struct net *n, const struct strs *containers, struct err *e)
{
	own_strv struct strv names = {0};

	if (state_names(&n->state, n->started_ns, &names, e) != 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (names.v[i][0] == '.')
			strv_add(&n->retired, names.v[i]);
		else if (!listed(containers, names.v[i]) && net_teardown(n, names.v[i], -1, e) != 0)
			return -1;
	}
	names_sweep(&n->names);
	if (lease_lock(&n->leases, e) != 0)
		return -1;
	lease_sweep(&n->leases, n->state.path);
	lease_unlock(&n->leases);
	if (n->rootless) {
		struct err none = {0};

		if (rootless_enter(n, false, &none) != 0)
			return 0;
	} else {
		sweep_other_leases(n);
	}
	if (firewall_sweep(&n->firewall, all_tokens, n, e) != 0)
		return -1;
	/* Whoever was to do that may have been killed as well. */
	remove_unused_table(n);
	return sweep_bridges(n, e);
}
