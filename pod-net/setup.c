/* SPDX-License-Identifier: ISC */
#include "pod-net/setup.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-net/attach.h"
#include "pod-net/blame.h"
#include "pod-net/bridge.h"
#include "pod-net/helper.h"
#include "pod-net/netns.h"
#include "pod-net/pasta.h"
#include "pod-net/port.h"
#include "pod-net/rootless.h"
#include "pod-net/slirp.h"

#define PASTA_ADDRESSES 16

/* One set-up under way. */
struct setup {
	struct net *n;
	const struct msg_net_setup *m;
	struct arena *a;
	struct attach attach;
	struct port_list ports;
	struct rec_net_state state;
	int netns, holder;
	const char *helper; /* or NULL */
	bool maps_host, forwards_dns;
	bool late; /* others choose addresses, so which families there are is known only after */
	struct link_address addresses[PASTA_ADDRESSES]; /* with pasta */
	size_t naddresses;
	struct slirp_net slirp; /* with slirp4netns */
};

static int
write_state(struct setup *s, struct err *e)
{
	struct timespec now;
	int fd;

	clock_gettime(CLOCK_MONOTONIC, &now);
	s->state.token = arena_printf(
	    s->a, "%08x", (unsigned)(now.tv_nsec ^ now.tv_sec << 17 ^ (long)getpid() << 8));
	s->state.ports.v = port_maps(&s->ports, s->a);
	s->state.ports.n = s->ports.n;
	s->state.name = s->m->name;
	s->state.hostname = s->m->hostname;
	s->state.netns = netns_number(s->netns);
	s->state.dns_servers = s->m->dns_servers;
	fd = state_write(&s->n->state, s->m->id, &s->state, e);
	if (fd < 0)
		return -1;
	net_hold(s->n, fd);
	s->attach.state_fd = fd;
	return 0;
}

/* None of what carries an ordinary user's ports knows it. */
static int
refuse_sctp(const struct setup *s, struct err *e)
{
	for (size_t i = 0; i < s->ports.n; i++)
		if (s->ports.v[i].protocol == IPPROTO_SCTP)
			return err_set(e, ERR_UNSUPPORTED,
			    "ports of protocol sctp cannot be published for ordinary users");
	return 0;
}

/* From here on the container is known: what is done after this can be undone by anyone. */
static int
record(struct setup *s, struct err *e)
{
	bool any = s->n->backend->ports_by_themselves;

	if (lease_lock(&s->n->leases, e) != 0)
		return -1;
	if (attach_take(&s->attach, e) != 0)
		goto fail;
	for (size_t i = 0; i < s->state.networks.n; i++)
		any |= s->state.networks.v[i].plugin != NULL ||
		       (s->n->rootless && s->state.networks.v[i].dhcp);
	s->late = any;
	attach_targets(s->n, &s->state, s->a);
	if (port_parse(s->m->ports.v, s->m->ports.n, any || s->state.address4 != NULL,
		any || s->state.address6 != NULL, &s->ports, s->a, e) != 0 ||
	    (s->n->rootless && refuse_sctp(s, e) != 0) ||
	    /* Podman holds the ports of its containers itself. */
	    (!s->n->foreign && port_reserve(&s->ports, &s->holder, e) != 0) ||
	    write_state(s, e) != 0) {
		attach_give(&s->attach);
		goto fail;
	}
	if (s->n->ports_unheld && !s->n->rootless && s->holder > 0)
		fd_close(&s->holder);
	lease_unlock(&s->n->leases);
	return 0;
fail:
	lease_unlock(&s->n->leases);
	return -1;
}

/* The sockets go to the worker, and what ends it to whoever would have held them. */
static int
forward_ports(struct setup *s, struct err *e)
{
	own_fd int sockets = s->holder > 0 ? s->holder : -1;

	s->holder = 0;
	return rootless_publish(s->n, &s->state, sockets, &s->holder, e);
}

/* For the families that there are after all; which of the host's ports was settled before. */
static int
reserve_again(struct setup *s, struct err *e)
{
	int had = s->holder;

	s->holder = 0;
	if (had > 0)
		fd_close(&had);
	if (port_parse(s->state.ports.v, s->state.ports.n, s->state.address4 != NULL,
		s->state.address6 != NULL, &s->ports, s->a, e) != 0)
		return -1;
	return port_reserve(&s->ports, &s->holder, e);
}

/* Programs of others cannot publish on the host what runs in a user's namespace, so we do. */
static int
forward_for_plugins(struct setup *s, struct err *e)
{
	return reserve_again(s, e) == 0 && (s->ports.n == 0 || forward_ports(s, e) == 0) ? 0 : -1;
}

static int
connect_bridges(struct setup *s, struct err *e)
{
	if (attach_links(&s->attach, e) != 0)
		return -1;
	if (s->n->rootless && s->late) {
		if (s->ports.n > 0 && forward_for_plugins(s, e) != 0)
			return -1;
		return attach_names(&s->attach, e);
	}
	if (s->ports.n > 0 && (s->state.address4 != NULL || s->state.address6 != NULL) &&
	    !s->n->backend->ports_by_themselves) {
		struct firewall_target t = net_target(&s->state, s->m->id, s->m->name);

		if (firewall_publish(&s->n->firewall, &s->ports, &t, e) != 0 ||
		    (s->n->rootless && forward_ports(s, e) != 0))
			return -1;
	}
	return attach_names(&s->attach, e);
}

/* Takes back what was done after the state was written; returns -1. */
static int
undo(struct setup *s)
{
	struct err e = {0};

	if (net_teardown(s->n, s->m->id, -1, &e) != 0)
		log_warn("%s", e.text);
	blame_clear(s->n);
	return -1;
}

static int
set_up_bridge(struct setup *s, struct err *e)
{
	struct net *n = s->n;

	if (n->rootless && rootless_enter(n, true, e) != 0)
		return -1;
	s->attach = (struct attach){.n = n,
	    .id = s->m->id,
	    .name = s->m->name,
	    .netns = s->netns,
	    .a = s->a,
	    .state = &s->state,
	    .ports = &s->ports,
	    .state_fd = -1};
	/* A tear-down of what fails half-way looks there, too. */
	if (s->m->network_dir != NULL && *s->m->network_dir != '\0') {
		free(n->config_dir);
		n->config_dir = xstrdup(s->m->network_dir);
	}
	/* As they were asked for: plug-ins are told. */
	s->state.ports.v = s->m->ports.v;
	s->state.ports.n = s->m->ports.n;
	if (attach_plan(&s->attach, s->m->attach.v, s->m->attach.n,
		net_config_dir(n, s->m->network_dir), e) != 0)
		return -1;
	if (record(s, e) != 0)
		return -1;
	return connect_bridges(s, e) == 0 ? 0 : undo(s);
}

/* What pasta made in the namespace. */
static int
list_addresses(struct setup *s, struct err *e)
{
	own_netlink struct netlink inside = {.fd = -1};

	if (netns_netlink(s->netns, s->n->home, &inside, e) != 0)
		return -1;
	return link_list_addresses(&inside, s->addresses, PASTA_ADDRESSES, &s->naddresses, e);
}

/*
 * The helper binds the ports itself, but pasta goes on when only some of a range are free; so they are tried before,
 * and free ones are chosen here.
 */
static int
try_ports(struct setup *s, bool ipv6, struct err *e)
{
	own_fd int reserved = -1;

	if (port_parse(s->m->ports.v, s->m->ports.n, true, ipv6, &s->ports, s->a, e) != 0)
		return -1;
	return refuse_sctp(s, e) != 0 ? -1 : port_reserve(&s->ports, &reserved, e);
}

static int
start_pasta(struct setup *s, const struct helper_job *job, struct err *e)
{
	struct pasta p = {.job = *job};

	if (pasta_start(&p, e) != 0)
		return -1;
	s->maps_host = p.maps_host;
	s->forwards_dns = p.forwards_dns;
	return list_addresses(s, e);
}

static int
start_slirp(struct setup *s, const struct helper_job *job, struct err *e)
{
	struct slirp p = {.job = *job};

	if (slirp_start(&p, e) != 0)
		return -1;
	s->holder = p.holder;
	s->maps_host = p.maps_host;
	s->slirp = p.net;
	return 0;
}

struct helper_kind {
	const char *name, *package;
	bool ipv6; /* also of published ports */
	int (*start)(struct setup *s, const struct helper_job *job, struct err *e);
};
static const struct helper_kind pasta = {"pasta", "passt", true, start_pasta};
static const struct helper_kind slirp = {"slirp4netns", "slirp4netns", false, start_slirp};

static int
set_up_helper(struct setup *s, const struct helper_kind *k, struct err *e)
{
	own_mem char *path = k == &slirp && s->n->slirp_path != NULL
				 ? xstrdup(s->n->slirp_path)
				 : helper_find(&s->n->helper_dirs, k->name);
	const struct helper_job job = {.path = path,
	    .id = s->m->id,
	    .run_root = s->n->run_root,
	    .options = &s->m->mode_options,
	    .ports = &s->ports,
	    .dir = s->n->dir,
	    .netns = s->netns};

	if (!s->n->rootless)
		return err_set(
		    e, ERR_INVALID, "%s networking is only supported for rootless mode", k->name);
	if (path == NULL)
		return helper_missing(k->name, k->package, e);
	if (helper_check_tun(e) != 0 || try_ports(s, k->ipv6, e) != 0)
		return -1;
	s->state.helper = s->helper = k->name;
	if (write_state(s, e) != 0)
		return -1;
	return bridge_loopback(s->n->home, s->netns, e) == 0 && k->start(s, &job, e) == 0 ? 0
											  : undo(s);
}

static int
set_up_slirp(struct setup *s, struct err *e)
{
	return set_up_helper(s, &slirp, e);
}

static int
set_up_pasta(struct setup *s, struct err *e)
{
	const struct strv *dirs = &s->n->helper_dirs;
	own_mem char *path = helper_find(dirs, "pasta"), *other = helper_find(dirs, "slirp4netns");
	/* Options of pasta would mean nothing to the other. */
	bool takes_place = path == NULL && other != NULL && s->m->mode_options.n == 0;

	return set_up_helper(s, s->n->rootless && takes_place ? &slirp : &pasta, e);
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
    {"pasta", set_up_pasta},
    {"slirp4netns", set_up_slirp},
};

static bool
is_own(const struct setup *s, const struct addr *x)
{
	for (size_t i = 0; i < s->naddresses; i++)
		if (addr_compare(&s->addresses[i].address.addr, x) == 0)
			return true;
	return false;
}

/* An address of the host that pasta has not given to the container as well, so that it leads to the host. */
static const char *
host_address(const struct setup *s, const char *usual)
{
	own_netlink struct netlink host = {.fd = -1};
	struct link_address v[PASTA_ADDRESSES];
	char text[ADDR_TEXT];
	struct err e = {0};
	struct addr x;
	size_t n = 0;

	if (addr_parse(usual, &x) == 0 && !is_own(s, &x))
		return usual;
	if (netlink_open(&host, NETLINK_ROUTE, &e) != 0 ||
	    link_list_addresses(&host, v, COUNTOF(v), &n, &e) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].address.addr.family != AF_INET || is_own(s, &v[i].address.addr))
			continue;
		addr_format(&v[i].address.addr, text);
		return arena_strdup(s->a, text);
	}
	return NULL;
}

static void
fill_pasta(struct setup *s, struct msg_net_setup_r *r)
{
	struct rec_net_interface *out = NULL;
	char text[ADDR_TEXT], mac[18];

	r->interfaces.v = arena_array(s->a, s->naddresses, sizeof *r->interfaces.v);
	for (size_t i = 0; i < s->naddresses; i++) {
		const struct link_address *x = &s->addresses[i];

		if (out == NULL || strcmp(out->name, x->name) != 0) {
			out = &r->interfaces.v[r->interfaces.n++];
			link_format_mac(x->mac, mac);
			*out = (struct rec_net_interface){.network = "",
			    .name = arena_strdup(s->a, x->name),
			    .mac = arena_strdup(s->a, mac)};
			out->addresses.v =
			    arena_array(s->a, s->naddresses, sizeof *out->addresses.v);
		}
		addr_format_prefix(&x->address, text);
		out->addresses.v[out->addresses.n++].ipnet = arena_strdup(s->a, text);
	}
	r->host_address = s->maps_host ? PASTA_HOST : host_address(s, r->host_address);
	if (s->forwards_dns && s->m->dns_servers.n == 0) {
		r->dns_servers.v[0] = PASTA_DNS;
		r->dns_servers.n = 1;
	}
}

static void
fill_slirp(struct setup *s, struct msg_net_setup_r *r)
{
	struct rec_net_interface *x = arena_alloc(s->a, sizeof *x);

	x->network = "";
	x->name = SLIRP_INTERFACE;
	x->addresses.v = arena_alloc(s->a, sizeof *x->addresses.v);
	x->addresses.n = 1;
	x->addresses.v[0] = (struct rec_net_address){.ipnet = arena_strdup(s->a, s->slirp.address),
	    .gateway = arena_strdup(s->a, s->slirp.host)};
	r->interfaces.v = x;
	r->interfaces.n = 1;
	if (s->maps_host)
		r->host_address = arena_strdup(s->a, s->slirp.host);
	if (s->m->dns_servers.n == 0) {
		r->dns_servers.v[0] = arena_strdup(s->a, s->slirp.dns);
		r->dns_servers.n = 1;
	}
}

static void
fill_answer(struct setup *s, struct msg_net_setup_r *r)
{
	*r = (struct msg_net_setup_r){.netns = s->netns, .holder = s->holder};
	r->interfaces.v = arena_array(s->a, s->state.networks.n, sizeof *r->interfaces.v);
	for (size_t i = 0; i < s->state.networks.n; i++)
		attach_interface(
		    &s->state.networks.v[i], &r->interfaces.v[r->interfaces.n++], s->a);
	r->ports.v = s->state.ports.v;
	r->ports.n = s->state.ports.n;
	r->host_address = attach_host_address(s->n, &s->state, s->a);
	s->state.dns_servers = s->m->dns_servers;
	r->dns_servers = attach_resolvers(s->n, &s->state, s->a);
	r->dns_search = attach_search(&s->state, s->a);
	if (s->helper != NULL && strcmp(s->helper, "pasta") == 0)
		fill_pasta(s, r);
	if (s->helper != NULL && strcmp(s->helper, "slirp4netns") == 0)
		fill_slirp(s, r);
}

int
setup_container(struct net *n, const struct msg_net_setup *m, int netns, struct msg_net_setup_r *r,
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
	if (net_teardown(n, m->id, -1, e) != 0)
		return -1;
	if (netns < 0) {
		made = n->spare >= 0 ? fd_take(&n->spare) : netns_make(n->home, e);
		if ((s.netns = made) < 0)
			return -1;
	}
	rc = modes[mode].run(&s, e);
	if (rc == 0) {
		fill_answer(&s, r);
		(void)fd_take(&made);
	} else if (s.holder > 0) {
		fd_close(&s.holder);
	}
	attach_free(&s.attach);
	return rc;
}
