/* SPDX-License-Identifier: ISC */
#include "pod-net/driver.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-net/network.h"

#define BRIDGE 1u
#define MACVLAN 2u
#define IPVLAN 4u
#define PLUGIN 8u /* whose options are its own business */
#define ATTACH 16u

static const struct driver drivers[] = {
    {.name = "bridge",
	.kind = DRIVER_BRIDGE,
	.bridge = true,
	.gateway = true,
	.dns = true,
	.ipam_default = "host-local",
	.options = BRIDGE},
    {.name = "macvlan",
	.kind = DRIVER_MACVLAN,
	.parent = true,
	.gateway = true,
	.dhcp = true,
	.ipam_default = "dhcp",
	.options = MACVLAN},
    {.name = "ipvlan",
	.kind = DRIVER_IPVLAN,
	.parent = true,
	.gateway = true,
	.ipam_default = "host-local",
	.options = IPVLAN},
};
static const struct driver plugin = {
    .name = "", .kind = DRIVER_PLUGIN, .gateway = true, .dns = true, .options = PLUGIN};

const struct driver *
driver_find(const char *name, const struct strv *plugins)
{
	for (size_t i = 0; i < COUNTOF(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	if (plugins != NULL && strv_find(plugins, name) < plugins->n)
		return &plugin;
	return NULL;
}

void
driver_names(struct strv *out)
{
	for (size_t i = 0; i < COUNTOF(drivers); i++)
		strv_add(out, drivers[i].name);
}

/* --- Values --------------------------------------------------------------------------------------- */

static int
bad(const char *key, const char *value, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "unable to parse \"%s\": %s %s", key, value, why);
}

static int
set_mtu(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	uint64_t v;

	if (text_to_u64(o->value, 65535, &v) != 0)
		return bad(o->key, o->value, "is not a number up to 65535", e);
	s->mtu = (uint32_t)v;
	return 0;
}

static int
set_metric(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	uint64_t v;

	if (text_to_u64(o->value, UINT32_MAX, &v) != 0)
		return bad(o->key, o->value, "is not a number", e);
	s->metric = (uint32_t)v;
	return 0;
}

static int
set_vlan(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	uint64_t v;

	if (text_to_u64(o->value, 4094, &v) != 0)
		return err_set(e, ERR_INVALID, "vlan ID %s must be between 0 and 4094", o->value);
	s->vlan = (uint16_t)v;
	return 0;
}

static int
set_isolate(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	if (strcmp(o->value, "strict") == 0)
		s->isolate = ISOLATE_STRICT;
	else if (strcmp(o->value, "true") == 0 || strcmp(o->value, "1") == 0)
		s->isolate = ISOLATE_YES;
	else if (strcmp(o->value, "false") == 0 || strcmp(o->value, "0") == 0)
		s->isolate = ISOLATE_NO;
	else
		return bad(o->key, o->value, "is not true, false or strict", e);
	return 0;
}

static int
set_no_default_route(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	s->no_default_route = strcmp(o->value, "true") == 0 || strcmp(o->value, "1") == 0;
	if (s->no_default_route || strcmp(o->value, "false") == 0 || strcmp(o->value, "0") == 0)
		return 0;
	return bad(o->key, o->value, "is not true or false", e);
}

static int
set_name(char name[IFNAMSIZ], const struct rec_kv *o, struct err *e)
{
	if (strlen(o->value) >= IFNAMSIZ || !network_name_valid(o->value))
		return err_set(e, ERR_INVALID, "invalid %s name %s",
		    strcmp(o->key, "vrf") == 0 ? "vrf" : "host interface", o->value);
	snprintf(name, IFNAMSIZ, "%s", o->value);
	return 0;
}

static int
set_vrf(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	return set_name(s->vrf, o, e);
}

static int
set_host_name(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	s->host_named = true;
	return set_name(s->host_name, o, e);
}

static int
set_bridge_mode(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	s->unmanaged = strcmp(o->value, "unmanaged") == 0;
	return s->unmanaged || strcmp(o->value, "managed") == 0
		   ? 0
		   : err_set(e, ERR_INVALID, "unknown bridge mode \"%s\"", o->value);
}

struct word {
	const char *name;
	uint32_t value;
};

static int
set_word(const struct word *words, struct driver_settings *s, const struct rec_kv *o,
    const char *driver, struct err *e)
{
	for (; words->name != NULL; words++)
		if (strcmp(words->name, o->value) == 0) {
			s->mode = words->value;
			return 0;
		}
	return err_set(e, ERR_INVALID, "unknown %s mode \"%s\"", driver, o->value);
}

static int
set_macvlan_mode(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	static const struct word words[] = {{"bridge", MACVLAN_MODE_BRIDGE},
	    {"private", MACVLAN_MODE_PRIVATE}, {"vepa", MACVLAN_MODE_VEPA},
	    {"passthru", MACVLAN_MODE_PASSTHRU}, {"source", MACVLAN_MODE_SOURCE}, {NULL, 0}};

	return set_word(words, s, o, "macvlan", e);
}

static int
set_ipvlan_mode(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	static const struct word words[] = {
	    {"l2", IPVLAN_MODE_L2}, {"l3", IPVLAN_MODE_L3}, {"l3s", IPVLAN_MODE_L3S}, {NULL, 0}};

	return set_word(words, s, o, "ipvlan", e);
}

static int
set_bclim(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	int64_t v;

	if (text_to_i64(o->value, INT32_MIN, INT32_MAX, &v) != 0)
		return bad(o->key, o->value, "is not a number", e);
	s->bclim = (int32_t)v;
	s->has_bclim = true;
	return 0;
}

static int
set_outbound(struct driver_settings *s, const struct rec_kv *o, struct err *e)
{
	bool v4 = text_has_suffix(o->key, "4");
	struct addr a;

	if (addr_parse(o->value, &a) != 0 || (a.family == AF_INET) != v4)
		return bad(
		    o->key, o->value, v4 ? "is not an IPv4 address" : "is not an IPv6 address", e);
	*(v4 ? &s->outbound4 : &s->outbound6) = a;
	return 0;
}

static const struct option {
	const char *name;
	unsigned drivers;
	int (*set)(struct driver_settings *s, const struct rec_kv *o, struct err *e);
	const char *ours; /* the name under which it is kept, if another */
} options[] = {
    {"mtu", BRIDGE | MACVLAN | IPVLAN, set_mtu, NULL},
    {"com.docker.network.driver.mtu", BRIDGE | MACVLAN | IPVLAN, set_mtu, "mtu"},
    {"metric", BRIDGE | MACVLAN | IPVLAN, set_metric, NULL},
    {"no_default_route", BRIDGE | MACVLAN | IPVLAN, set_no_default_route, NULL},
    {"vlan", BRIDGE, set_vlan, NULL},
    {"isolate", BRIDGE, set_isolate, NULL},
    {"vrf", BRIDGE, set_vrf, NULL},
    {"mode", BRIDGE, set_bridge_mode, NULL},
    {"outbound_addr4", BRIDGE, set_outbound, NULL},
    {"outbound_addr6", BRIDGE, set_outbound, NULL},
    {"mode", MACVLAN, set_macvlan_mode, NULL},
    {"bclim", MACVLAN, set_bclim, NULL},
    {"mode", IPVLAN, set_ipvlan_mode, NULL},
    {"host_interface_name", ATTACH, set_host_name, NULL},
};

static const struct option *
find_option(const char *key, unsigned mask)
{
	for (size_t i = 0; i < COUNTOF(options); i++)
		if ((options[i].drivers & mask) && strcmp(options[i].name, key) == 0)
			return &options[i];
	return NULL;
}

static int
read_all(unsigned mask, const char *what, const struct rec_kv *v, size_t n,
    struct driver_settings *s, struct err *e)
{
	for (size_t i = 0; i < n && !(mask & PLUGIN); i++) {
		const struct option *o = find_option(v[i].key, mask);

		if (o == NULL)
			return err_set(
			    e, ERR_INVALID, "unsupported %s network option %s", what, v[i].key);
		if (o->set(s, &v[i], e) != 0)
			return -1;
	}
	return 0;
}

struct driver_settings
driver_defaults(const struct driver *d)
{
	return (struct driver_settings){.metric = DRIVER_METRIC,
	    .mode = d->kind == DRIVER_MACVLAN ? (uint32_t)MACVLAN_MODE_BRIDGE : 0};
}

int
driver_read(const struct driver *d, const char *network, const struct rec_kv *v, size_t n,
    struct driver_settings *s, struct err *e)
{
	if (read_all(d->options, d->name, v, n, s, e) != 0)
		return err_wrap(e, "network %s", network);
	return 0;
}

int
driver_read_attach(
    const char *network, const struct rec_kv *v, size_t n, struct driver_settings *s, struct err *e)
{
	if (read_all(ATTACH, "container", v, n, s, e) != 0)
		return err_wrap(e, "network %s", network);
	return 0;
}

int
driver_options(const struct driver *d, struct rec_network *n, struct arena *a, struct err *e)
{
	struct driver_settings s = driver_defaults(d);
	struct rec_kv *kept = arena_array(a, n->options.n, sizeof *kept);
	size_t k = 0;

	for (size_t i = 0; i < n->options.n; i++) {
		const struct rec_kv *in = &n->options.v[i];
		const struct option *o = find_option(in->key, d->options);

		if ((d->parent && strcmp(in->key, "parent") == 0) ||
		    (d->bridge && strcmp(in->key, "com.docker.network.bridge.name") == 0)) {
			n->interface = in->value;
			continue;
		}
		kept[k] = *in;
		if (o != NULL && o->ours != NULL)
			kept[k].key = o->ours;
		k++;
	}
	n->options.v = kept;
	n->options.n = k;
	return read_all(d->options, d->name, kept, k, &s, e);
}

bool
driver_route_type(const char *name, uint8_t *type)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {{"unicast", RTN_UNICAST}, {"blackhole", RTN_BLACKHOLE},
	    {"unreachable", RTN_UNREACHABLE}, {"prohibit", RTN_PROHIBIT}};

	for (size_t i = 0; i < COUNTOF(types); i++)
		if (strcmp(types[i].name, name == NULL ? "unicast" : name) == 0) {
			if (type != NULL)
				*type = types[i].type;
			return true;
		}
	return false;
}
