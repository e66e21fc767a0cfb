/* SPDX-License-Identifier: ISC */
#include "pod-net/plan.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "pod-net/network.h"

static int
set_number(const char *network, const struct rec_kv *o, uint32_t *out, struct err *e)
{
	uint64_t v;

	if (text_to_u64(o->value, UINT32_MAX, &v) != 0)
		return err_set(e, ERR_INVALID,
		    "network %s: unable to parse \"%s\": %s is not a number", network, o->key,
		    o->value);
	*out = (uint32_t)v;
	return 0;
}

static int
set_mtu(struct plan_attach *a, const struct rec_kv *o, struct err *e)
{
	return set_number(a->network->name, o, &a->mtu, e);
}

static int
set_metric(struct plan_attach *a, const struct rec_kv *o, struct err *e)
{
	return set_number(a->network->name, o, &a->metric, e);
}

static int
set_isolate(struct plan_attach *a, const struct rec_kv *o, struct err *e)
{
	if (strcmp(o->value, "strict") == 0)
		a->isolate = ISOLATE_STRICT;
	else if (strcmp(o->value, "true") == 0 || strcmp(o->value, "1") == 0)
		a->isolate = ISOLATE_YES;
	else if (strcmp(o->value, "false") != 0 && strcmp(o->value, "0") != 0)
		return err_set(e, ERR_INVALID, "network %s: unable to parse \"isolate\": %s",
		    a->network->name, o->value);
	return 0;
}

static int
set_no_default_route(struct plan_attach *a, const struct rec_kv *o, struct err *e)
{
	(void)e;
	a->no_default_route = strcmp(o->value, "true") == 0 || strcmp(o->value, "1") == 0;
	return 0;
}

static int
set_host_name(struct plan_attach *a, const struct rec_kv *o, struct err *e)
{
	if (o->value[0] == '\0' || strlen(o->value) >= IFNAMSIZ || !network_name_valid(o->value))
		return err_set(e, ERR_INVALID, "invalid host interface name %s", o->value);
	snprintf(a->host_name, sizeof a->host_name, "%s", o->value);
	return 0;
}

struct option {
	const char *name;
	int (*set)(struct plan_attach *a, const struct rec_kv *o, struct err *e);
};

static const struct option network_options[] = {
    {"mtu", set_mtu},
    {"com.docker.network.driver.mtu", set_mtu},
    {"metric", set_metric},
    {"isolate", set_isolate},
    {"no_default_route", set_no_default_route},
    {0},
};

static const struct option attach_options[] = {
    {"host_interface_name", set_host_name},
    {0},
};

static int
set_options(struct plan_attach *a, const struct option *table, const struct rec_kv *v, size_t n,
    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct option *o = table;

		while (o->name != NULL && strcmp(o->name, v[i].key) != 0)
			o++;
		if (o->name == NULL)
			return err_set(e, ERR_UNSUPPORTED, "network %s: unsupported option %s",
			    a->network->name, v[i].key);
		if (o->set(a, &v[i], e) != 0)
			return -1;
	}
	return 0;
}

static int
check_network(const struct rec_network *n, bool *no_addresses, struct err *e)
{
	if (strcmp(n->driver, "bridge") != 0)
		return err_set(
		    e, ERR_UNSUPPORTED, "network %s: unsupported driver %s", n->name, n->driver);
	if (n->interface == NULL)
		return err_set(
		    e, ERR_INVALID, "network %s: no bridge interface name given", n->name);
	*no_addresses = n->subnets.n == 0;
	for (size_t i = 0; i < n->ipam_options.n; i++) {
		const struct rec_kv *o = &n->ipam_options.v[i];

		if (strcmp(o->key, "driver") != 0)
			return err_set(e, ERR_UNSUPPORTED, "network %s: unsupported ipam option %s",
			    n->name, o->key);
		if (strcmp(o->value, "none") == 0)
			*no_addresses = true;
		else if (strcmp(o->value, "host-local") != 0)
			return err_set(e, ERR_UNSUPPORTED, "network %s: unsupported ipam driver %s",
			    n->name, o->value);
	}
	return 0;
}

/* Static addresses are matched with the subnets they lie in. */
static int
set_wanted(struct plan_attach *a, const struct rec_net_attach *in, struct err *e)
{
	for (size_t i = 0; i < in->static_ips.n; i++) {
		struct addr addr;
		size_t k = 0;

		if (addr_parse(in->static_ips.v[i], &addr) != 0)
			return err_set(
			    e, ERR_INVALID, "%s is not an IP address", in->static_ips.v[i]);
		while (k < a->naddresses && !addr_in(&addr, &a->addresses[k].lease.subnet))
			k++;
		if (k == a->naddresses)
			return err_set(e, ERR_INVALID,
			    "requested static ip %s not in any subnet on network %s",
			    in->static_ips.v[i], a->network->name);
		if (addr_compare(&addr, &a->addresses[k].lease.gateway) == 0)
			return err_set(e, ERR_INVALID,
			    "requested static ip %s is the gateway of network %s",
			    in->static_ips.v[i], a->network->name);
		a->addresses[k].lease.wanted = addr;
	}
	return 0;
}

static void
set_subnets(struct plan_attach *a, struct arena *arena)
{
	const struct rec_network *n = a->network;

	a->addresses = arena_array(arena, n->subnets.n, sizeof *a->addresses);
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
name_taken(const struct plan *p, size_t n, const struct msg_net_setup *m, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(p->attach[i].name, name) == 0)
			return true;
	for (size_t i = n; i < m->attach.n; i++)
		if (m->attach.v[i].interface != NULL && strcmp(m->attach.v[i].interface, name) == 0)
			return true;
	return false;
}

static int
set_name(struct plan *p, size_t i, const struct msg_net_setup *m, struct err *e)
{
	struct plan_attach *a = &p->attach[i];
	const char *wanted = m->attach.v[i].interface;

	if (wanted == NULL) {
		size_t n = 0;

		do
			snprintf(a->name, sizeof a->name, "eth%zu", n++);
		while (name_taken(p, i, m, a->name));
		return 0;
	}
	if (!network_name_valid(wanted) || strcmp(wanted, "lo") == 0)
		return err_set(e, ERR_INVALID, "invalid interface name %s", wanted);
	for (size_t k = 0; k < i; k++)
		if (strcmp(p->attach[k].name, wanted) == 0)
			return err_set(
			    e, ERR_INVALID, "interface name %s is used for two networks", wanted);
	snprintf(a->name, sizeof a->name, "%s", wanted);
	return 0;
}

static int
set_mac(struct plan_attach *a, const char *wanted, struct err *e)
{
	uint8_t random[LINK_MAC_SIZE];

	link_random_mac(random);
	snprintf(a->host_name, sizeof a->host_name, "veth%02x%02x%02x%02x", random[2], random[3],
	    random[4], random[5]);
	link_random_mac(a->mac);
	if (wanted != NULL && addr_parse_mac(wanted, a->mac) != 0)
		return err_set(e, ERR_INVALID, "invalid mac address %s", wanted);
	return 0;
}

static int
plan_one(struct plan *p, size_t i, const struct msg_net_setup *m, const char *dir, struct err *e)
{
	const struct rec_net_attach *in = &m->attach.v[i];
	struct plan_attach *a = &p->attach[i];
	struct rec_network *n = arena_alloc(&p->arena, sizeof *n);
	bool no_addresses = false;

	if (network_find(dir, in->network, n, &p->arena, e) != 0)
		return -1;
	a->network = n;
	a->metric = PLAN_METRIC;
	if (check_network(n, &no_addresses, e) != 0 || set_name(p, i, m, e) != 0 ||
	    set_mac(a, in->static_mac, e) != 0 ||
	    set_options(a, network_options, n->options.v, n->options.n, e) != 0 ||
	    set_options(a, attach_options, in->options.v, in->options.n, e) != 0)
		return -1;
	if (!no_addresses)
		set_subnets(a, &p->arena);
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
plan_make(struct plan *p, const struct msg_net_setup *m, const char *network_dir, struct err *e)
{
	*p = (struct plan){0};
	p->attach = arena_array(&p->arena, m->attach.n, sizeof *p->attach);
	p->nattach = m->attach.n;
	for (size_t i = 0; i < m->attach.n; i++) {
		if (plan_one(p, i, m, network_dir, e) != 0) {
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
		if (a->addresses[i].lease.gateway.len != 0)
			out[n++] = (struct prefix){
			    a->addresses[i].lease.gateway, a->addresses[i].lease.subnet.bits};
	return n;
}

struct addr
plan_address_of(const struct plan *p, int family)
{
	for (size_t i = 0; i < p->nattach; i++)
		for (size_t k = 0; k < p->attach[i].naddresses; k++)
			if (!p->attach[i].network->internal &&
			    p->attach[i].addresses[k].given.addr.family == family)
				return p->attach[i].addresses[k].given.addr;
	return (struct addr){0};
}

bool
plan_has_family(const struct plan_attach *a, int family)
{
	for (size_t i = 0; i < a->naddresses; i++)
		if (a->addresses[i].lease.subnet.addr.family == family)
			return true;
	return false;
}
