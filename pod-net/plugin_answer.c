/* SPDX-License-Identifier: ISC */
#include "pod-net/plugin_answer.h"

#include <string.h>

#include "common/base/own.h"
#include "pod-net/addr.h"
#include "pod-net/network.h"

#define MEMBERS_MAX 64

static int
read_subnet(const json_t *o, struct rec_net_address *out, struct arena *a, struct err *e)
{
	const char *ipnet = NULL, *gateway = NULL;
	struct prefix p;
	struct addr g;

	if (json_need_str(o, "ipnet", &ipnet, e) != 0 ||
	    json_want_str(o, "gateway", &gateway, e) != 0)
		return -1;
	if (addr_parse_prefix(ipnet, &p) != 0)
		return err_set(e, ERR_FORMAT, "ipnet is not an address with a length");
	if (gateway != NULL && gateway[0] != '\0' && addr_parse(gateway, &g) != 0)
		return err_set(e, ERR_FORMAT, "gateway is not an address");
	out->ipnet = arena_strdup(a, ipnet);
	out->gateway = gateway != NULL && gateway[0] != '\0' ? arena_strdup(a, gateway) : NULL;
	return 0;
}

static int
read_interface(const json_t *o, struct rec_net_hold *h, struct arena *a, struct err *e)
{
	uint8_t bytes[6];
	const char *mac = NULL;
	json_t *list = NULL, *one;
	size_t i, n;

	if (json_want_str(o, "mac_address", &mac, e) != 0 ||
	    json_want_arr(o, "subnets", &list, e) != 0)
		return -1;
	if (mac != NULL && mac[0] != '\0' && addr_parse_mac(mac, bytes) != 0)
		return err_set(e, ERR_FORMAT, "mac_address is not a hardware address");
	h->mac = mac != NULL && mac[0] != '\0' ? arena_strdup(a, mac) : NULL;
	n = list != NULL ? json_array_size(list) : 0;
	if (n > MEMBERS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d subnets", MEMBERS_MAX);
	h->addresses.v = arena_array(a, n, sizeof *h->addresses.v);
	h->addresses.n = 0;
	json_array_foreach (list, i, one) {
		if (read_subnet(one, &h->addresses.v[h->addresses.n], a, e) != 0)
			return -1;
		h->addresses.n++;
	}
	return 0;
}

static int
read_words(const json_t *o, const char *key, bool addresses, struct strs *out, struct arena *a,
    struct err *e)
{
	own_strv struct strv l = {0};
	struct addr parsed;

	if (json_want_strv(o, key, &l, e) != 0)
		return -1;
	if (l.n > MEMBERS_MAX)
		return err_set(e, ERR_LIMIT, "%s: more than %d", key, MEMBERS_MAX);
	*out = (struct strs){arena_array(a, l.n, sizeof *out->v), 0};
	for (size_t i = 0; i < l.n; i++) {
		/* It becomes a line of resolv.conf. */
		bool good =
		    addresses ? addr_parse(l.v[i], &parsed) == 0 : network_name_valid(l.v[i]);

		if (!good)
			return err_set(e, ERR_FORMAT, "%s: not %s", key,
			    addresses ? "an address" : "a domain");
		out->v[out->n++] = arena_strdup(a, l.v[i]);
	}
	return 0;
}

int
plugin_answer(const json_t *o, struct rec_net_hold *h, struct arena *a, struct err *e)
{
	json_t *interfaces = NULL, *one;
	const char *name;

	if (json_want_obj(o, "interfaces", &interfaces, e) != 0 ||
	    read_words(o, "dns_server_ips", true, &h->dns_servers, a, e) != 0 ||
	    read_words(o, "dns_search_domains", false, &h->dns_search, a, e) != 0)
		return -1;
	json_object_foreach (interfaces, name, one) {
		if (strlen(name) > 15 || !network_name_valid(name))
			return err_set(e, ERR_FORMAT, "interfaces: not a name");
		h->name = arena_strdup(a, name);
		return read_interface(one, h, a, e);
	}
	return 0;
}
