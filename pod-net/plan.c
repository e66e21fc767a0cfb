/* SPDX-License-Identifier: ISC */
#include "pod-net/plan.h"

#include <stdio.h>
#include <string.h>

#include "pod-net/network.h"

/* Bridges of others may lead to a server. */
static int
set_dhcp(struct plan_attach *a, struct err *e)
{
	a->dhcp = a->driver->dhcp || a->set.unmanaged;
	return a->dhcp ? 0
		       : err_set(e, ERR_INVALID,
			     "network %s: ipam driver dhcp is not supported with driver %s",
			     a->network->name, a->network->driver);
}

static int
check_network(struct plan_attach *a, bool *no_addresses, struct err *e)
{
	const struct rec_network *n = a->network;

	if (a->driver->bridge && n->interface == NULL)
		return err_set(
		    e, ERR_INVALID, "network %s: no bridge interface name given", n->name);
	*no_addresses = n->subnets.n == 0;
	for (size_t i = 0; i < n->ipam_options.n; i++) {
		const struct rec_kv *o = &n->ipam_options.v[i];

		if (strcmp(o->key, "driver") != 0)
			return err_set(e, ERR_UNSUPPORTED, "network %s: unsupported ipam option %s",
			    n->name, o->key);
		if (strcmp(o->value, "none") == 0 ||
		    (a->driver->kind == DRIVER_PLUGIN && strcmp(o->value, "host-local") != 0))
			*no_addresses = true;
		else if (strcmp(o->value, "dhcp") == 0) {
			*no_addresses = true;
			if (set_dhcp(a, e) != 0)
				return -1;
		} else if (strcmp(o->value, "host-local") != 0)
			return err_set(e, ERR_UNSUPPORTED, "network %s: unsupported ipam driver %s",
			    n->name, o->value);
	}
	return 0;
}

/* The address that a static one stands for: that of its subnet, or a further one. */
static struct plan_address *
place_of(struct plan_attach *a, const struct addr *addr)
{
	for (size_t k = 0; k < a->naddresses; k++) {
		const struct plan_address *p = &a->addresses[k];

		if (!addr_in(addr, &p->lease.subnet))
			continue;
		if (p->lease.wanted.len == 0)
			return &a->addresses[k];
		a->addresses[a->naddresses] = *p;
		a->addresses[a->naddresses].again = true;
		return &a->addresses[a->naddresses++];
	}
	return NULL;
}

/* Static addresses are matched with the subnets they lie in. */
static int
set_wanted(struct plan_attach *a, const struct rec_net_attach *in, struct err *e)
{
	for (size_t i = 0; i < in->static_ips.n; i++) {
		struct plan_address *p;
		struct addr addr;

		if (addr_parse(in->static_ips.v[i], &addr) != 0)
			return err_set(
			    e, ERR_INVALID, "%s is not an IP address", in->static_ips.v[i]);
		p = place_of(a, &addr);
		if (p == NULL)
			return err_set(e, ERR_INVALID,
			    "requested static ip %s not in any subnet on network %s",
			    in->static_ips.v[i], a->network->name);
		if (addr_compare(&addr, &p->lease.gateway) == 0)
			return err_set(e, ERR_INVALID,
			    "requested static ip %s is the gateway of network %s",
			    in->static_ips.v[i], a->network->name);
		p->lease.wanted = addr;
	}
	return 0;
}

static void
set_subnets(struct plan_attach *a, size_t more, struct arena *arena)
{
	const struct rec_network *n = a->network;

	a->addresses = arena_array(arena, n->subnets.n + more, sizeof *a->addresses);
	a->naddresses = n->subnets.n;
	for (size_t i = 0; i < n->subnets.n; i++) {
		struct lease_request *r = &a->addresses[i].lease;

		(void)addr_parse_prefix(n->subnets.v[i].subnet, &r->subnet);
		r->subnet.addr = addr_first(&r->subnet);
		(void)addr_parse(n->subnets.v[i].gateway, &r->gateway);
		(void)addr_parse(n->subnets.v[i].range_start, &r->start);
		(void)addr_parse(n->subnets.v[i].range_end, &r->end);
	}
}

static bool
name_taken(const struct plan *p, size_t n, const struct plan_request *m, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p->attach[i].name, name) == 0)
			return true;
	for (size_t i = n; i < m->n; i++)
		if (m->attach[i].interface != NULL && strcmp(m->attach[i].interface, name) == 0)
			return true;
	return m->names != NULL && strv_find(m->names, name) < m->names->n;
}

static int
set_name(struct plan *p, size_t i, const struct plan_request *m, struct err *e)
{
	struct plan_attach *a = &p->attach[i];
	const char *wanted = m->attach[i].interface, *device = a->network->interface;

	if (wanted == NULL && m->device_names && device != NULL && network_name_valid(device) &&
	    strcmp(device, "lo") != 0 && !name_taken(p, i, m, device)) {
		snprintf(a->name, sizeof a->name, "%s", device);
		return 0;
	}
	if (wanted == NULL) {
		size_t n = 0;

		do
			snprintf(a->name, sizeof a->name, "eth%zu", n++);
		while (name_taken(p, i, m, a->name));
		return 0;
	}
	if (strlen(wanted) >= sizeof a->name || !network_name_valid(wanted) ||
	    strcmp(wanted, "lo") == 0)
		return err_set(e, ERR_INVALID, "invalid interface name %s", wanted);
	for (size_t k = 0; k < i; k++)
		if (strcmp(p->attach[k].name, wanted) == 0)
			return err_set(
			    e, ERR_INVALID, "interface name %s is used for two networks", wanted);
	if (m->names != NULL && strv_find(m->names, wanted) < m->names->n)
		return err_set(e, ERR_EXISTS,
		    "create veth pair: interface %s already exists on container namespace", wanted);
	snprintf(a->name, sizeof a->name, "%s", wanted);
	return 0;
}

static int
set_mac(struct plan_attach *a, const char *wanted, struct err *e)
{
	uint8_t random[LINK_MAC_SIZE];

	link_random_mac(random);
	snprintf(a->set.host_name, sizeof a->set.host_name, "veth%02x%02x%02x%02x", random[2],
	    random[3], random[4], random[5]);
	link_random_mac(a->mac);
	a->has_mac = wanted != NULL && wanted[0] != '\0';
	if (a->has_mac && addr_parse_mac(wanted, a->mac) != 0)
		return err_set(e, ERR_INVALID, "invalid mac address %s", wanted);
	return 0;
}

static int
plan_one(struct plan *p, size_t i, const struct plan_request *m, struct err *e)
{
	const struct rec_net_attach *in = &m->attach[i];
	struct plan_attach *a = &p->attach[i];
	struct rec_network *n = arena_alloc(&p->arena, sizeof *n);
	bool no_addresses = false;

	if (m->find(m->arg, in->network, n, &p->arena, e) != 0)
		return -1;
	if (m->networks != NULL && strv_find(m->networks, n->name) < m->networks->n)
		return err_set(e, ERR_EXISTS,
		    "container is already connected to network \"%s\": network is already "
		    "connected",
		    n->name);
	a->network = n;
	a->asked = in;
	a->driver = driver_find(n->driver, m->plugins);
	if (a->driver == NULL)
		return err_set(e, ERR_UNSUPPORTED, "network %s: unknown network driver \"%s\"",
		    n->name, n->driver);
	a->localnet = m->localnet;
	a->before = (uint32_t)(i + (m->networks != NULL ? m->networks->n : 0));
	a->set = driver_defaults(a->driver);
	if (set_name(p, i, m, e) != 0 || set_mac(a, in->static_mac, e) != 0 ||
	    driver_read(a->driver, n->name, n->options.v, n->options.n, &a->set, e) != 0 ||
	    check_network(a, &no_addresses, e) != 0 ||
	    driver_read_attach(n->name, in->options.v, in->options.n, &a->set, e) != 0)
		return -1;
	if (!no_addresses)
		set_subnets(a, in->static_ips.n, &p->arena);
	return set_wanted(a, in, e);
}

/* An address of one set-up must not be mistaken for the remains of another. */
static int
check_overlap(const struct plan *p, size_t i, size_t k, struct err *e)
{
	const struct plan_attach *a = &p->attach[i], *b = &p->attach[k];

	if (strcmp(a->network->id, b->network->id) == 0)
		return err_set(e, ERR_INVALID, "network %s is given twice", a->network->name);
	for (size_t x = 0; x < a->naddresses; x++)
		for (size_t y = 0; y < b->naddresses; y++)
			if (addr_overlap(
				&a->addresses[x].lease.subnet, &b->addresses[y].lease.subnet))
				return err_set(e, ERR_INVALID,
				    "networks %s and %s have overlapping subnets", a->network->name,
				    b->network->name);
	return 0;
}

int
plan_make(struct plan *p, const struct plan_request *r, struct err *e)
{
	*p = (struct plan){0};
	p->attach = arena_array(&p->arena, r->n, sizeof *p->attach);
	p->nattach = r->n;
	for (size_t i = 0; i < r->n; i++) {
		if (plan_one(p, i, r, e) != 0) {
			plan_free(p);
			return -1;
		}
		for (size_t k = 0; k < i; k++)
			if (check_overlap(p, i, k, e) != 0) {
				plan_free(p);
				return -1;
			}
	}
	return 0;
}

void
plan_free(struct plan *p)
{
	arena_free(&p->arena);
	*p = (struct plan){0};
}

size_t
plan_gateways(const struct plan_attach *a, struct prefix *out, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < a->naddresses && n < max; i++)
		if (a->addresses[i].lease.gateway.len != 0 && !a->addresses[i].again)
			out[n++] = (struct prefix){
			    a->addresses[i].lease.gateway, a->addresses[i].lease.subnet.bits};
	return n;
}

bool
plan_has_family(const struct plan_attach *a, int family)
{
	for (size_t i = 0; i < a->naddresses; i++)
		if (a->addresses[i].lease.subnet.addr.family == family)
			return true;
	return false;
}
