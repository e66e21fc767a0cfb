/* SPDX-License-Identifier: ISC */
#include "pod-net/cni_answer.h"

#include <string.h>

#include "common/base/own.h"
#include "pod-net/addr.h"
#include "pod-net/network.h"

#define MEMBERS_MAX 64

static const char *
str_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* Which interface of the result is the container's; its name and hardware address. */
static bool
is_inside(const json_t *result, size_t index, struct rec_net_hold *h, struct arena *a)
{
	const json_t *one = json_array_get(json_object_get(result, "interfaces"), index);
	uint8_t mac[6];

	if (one == NULL || str_of(one, "sandbox")[0] == '\0')
		return false;
	if (h->mac == NULL && addr_parse_mac(str_of(one, "mac"), mac) == 0)
		h->mac = arena_strdup(a, str_of(one, "mac"));
	return true;
}

/* They become lines of resolv.conf: what is no address and no domain is passed over. */
static void
take_dns(const json_t *dns, struct rec_net_hold *h, struct arena *a)
{
	json_t *servers = json_object_get(dns, "nameservers"), *one;
	json_t *domains = json_object_get(dns, "search");
	size_t i;

	h->dns_servers.v = arena_array(a, json_array_size(servers) + 1, sizeof *h->dns_servers.v);
	json_array_foreach (servers, i, one) {
		const char *s = json_string_value(one);
		struct addr addr;

		if (i < MEMBERS_MAX && addr_parse(s, &addr) == 0)
			h->dns_servers.v[h->dns_servers.n++] = arena_strdup(a, s);
	}
	h->dns_search.v = arena_array(a, json_array_size(domains) + 1, sizeof *h->dns_search.v);
	json_array_foreach (domains, i, one) {
		const char *s = json_string_value(one);

		if (i < MEMBERS_MAX && s != NULL && network_name_valid(s))
			h->dns_search.v[h->dns_search.n++] = arena_strdup(a, s);
	}
}

int
cni_answer(const json_t *result, struct rec_net_hold *h, struct arena *a, struct err *e)
{
	json_t *ips = json_object_get(result, "ips"), *one;
	size_t i;

	h->addresses.v = arena_array(a, json_array_size(ips), sizeof *h->addresses.v);
	json_array_foreach (ips, i, one) {
		json_t *index = json_object_get(one, "interface");
		struct rec_net_address *x = &h->addresses.v[h->addresses.n];
		struct prefix p;
		struct addr gw;

		if (addr_parse_prefix(str_of(one, "address"), &p) != 0 || i >= 64)
			return err_set(e, ERR_FORMAT,
			    "network %s: a plugin answers address \"%.64s\"", h->network,
			    str_of(one, "address"));
		if (index != NULL && !is_inside(result, (size_t)json_integer_value(index), h, a))
			continue;
		x->ipnet = arena_strdup(a, str_of(one, "address"));
		if (addr_parse(str_of(one, "gateway"), &gw) == 0)
			x->gateway = arena_strdup(a, str_of(one, "gateway"));
		h->addresses.n++;
	}
	take_dns(json_object_get(result, "dns"), h, a);
	return 0;
}
