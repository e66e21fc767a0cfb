/* SPDX-License-Identifier: ISC */
#include "common/oci/network_json.h"

static void
put_map(json_t *o, const char *key, const struct rec_kv *v, size_t n)
{
	json_t *map;

	if (n == 0)
		return;
	map = json_put_obj(o, key);
	for (size_t i = 0; i < n; i++)
		json_put_str(map, v[i].key, v[i].value);
}

static void
put_optional(json_t *o, const char *key, const char *s)
{
	if (s != NULL && s[0] != '\0')
		json_put_str(o, key, s);
}

static void
put_subnets(json_t *o, const struct rec_network *n)
{
	json_t *array = json_put_arr(o, "subnets");

	for (size_t i = 0; i < n->subnets.n; i++) {
		const struct rec_net_subnet *s = &n->subnets.v[i];
		json_t *one = json_add_obj(array), *range;

		json_put_str(one, "subnet", s->subnet);
		put_optional(one, "gateway", s->gateway);
		if (s->range_start == NULL && s->range_end == NULL)
			continue;
		range = json_put_obj(one, "lease_range");
		put_optional(range, "start_ip", s->range_start);
		put_optional(range, "end_ip", s->range_end);
	}
}

static void
put_routes(json_t *o, const struct rec_network *n)
{
	json_t *array = n->routes.n > 0 ? json_put_arr(o, "routes") : NULL;

	for (size_t i = 0; i < n->routes.n; i++) {
		json_t *one = json_add_obj(array);

		json_put_str(one, "destination", n->routes.v[i].destination);
		put_optional(one, "gateway", n->routes.v[i].gateway);
		if (n->routes.v[i].metric != 0)
			json_put_int(one, "metric", (int64_t)n->routes.v[i].metric);
		put_optional(one, "route_type", n->routes.v[i].type);
	}
}

json_t *
network_json(const struct rec_network *n)
{
	json_t *o = json_obj(), *servers;

	json_put_str(o, "name", n->name);
	json_put_str(o, "id", n->id);
	json_put_str(o, "driver", n->driver);
	put_optional(o, "network_interface", n->interface);
	put_optional(o, "created", n->created);
	if (n->subnets.n > 0)
		put_subnets(o, n);
	put_routes(o, n);
	json_put_bool(o, "ipv6_enabled", n->ipv6);
	json_put_bool(o, "internal", n->internal);
	json_put_bool(o, "dns_enabled", n->dns);
	if (n->dns_servers.n > 0) {
		servers = json_put_arr(o, "network_dns_servers");
		for (size_t i = 0; i < n->dns_servers.n; i++)
			json_add_str(servers, n->dns_servers.v[i]);
	}
	put_map(o, "labels", n->labels.v, n->labels.n);
	put_map(o, "options", n->options.v, n->options.n);
	put_map(o, "ipam_options", n->ipam_options.v, n->ipam_options.n);
	return o;
}
