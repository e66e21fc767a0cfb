/* SPDX-License-Identifier: ISC */
#include "pod-net/netavark_json.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"

#define LIST_MAX 65536

static int
missing(const char *key, struct err *e)
{
	return err_set(
	    e, ERR_FORMAT, "failed to load network options: IO error: missing field `%s`", key);
}

static const char *
copy(const char *s, struct arena *a)
{
	return s != NULL ? arena_strdup(a, s) : NULL;
}

static int
read_strs(const json_t *o, const char *key, struct strs *out, struct arena *a, struct err *e)
{
	own_strv struct strv l = {0};

	if (json_want_strv(o, key, &l, e) != 0)
		return -1;
	if (l.n > LIST_MAX)
		return err_set(e, ERR_LIMIT, "%s: too many", key);
	out->v = arena_array(a, l.n + 1, sizeof *out->v);
	for (size_t i = 0; i < l.n; i++)
		out->v[out->n++] = arena_strdup(a, l.v[i]);
	return 0;
}

static int
read_options(const json_t *o, struct rec_net_attach *at, struct arena *a, struct err *e)
{
	json_t *map = NULL, *value;
	const char *key;

	if (json_want_obj(o, "options", &map, e) != 0)
		return -1;
	at->options.v =
	    arena_array(a, map != NULL ? json_object_size(map) : 0, sizeof *at->options.v);
	json_object_foreach (map, key, value) {
		if (!json_is_string(value))
			return err_set(e, ERR_FORMAT, "options: %s is not a string", key);
		at->options.v[at->options.n].key = arena_strdup(a, key);
		at->options.v[at->options.n++].value = arena_strdup(a, json_string_value(value));
	}
	return 0;
}

static int
read_attach(const json_t *o, const char *name, struct netavark_input *in, struct err *e)
{
	struct rec_net_attach *at = &in->attach[in->nattach++];
	const char *interface = NULL, *mac = NULL;

	at->network = arena_strdup(&in->arena, name);
	if (json_want_str(o, "interface_name", &interface, e) != 0 ||
	    json_want_str(o, "static_mac", &mac, e) != 0)
		return -1;
	if (interface == NULL)
		return missing("interface_name", e);
	if (interface[0] == '\0')
		return err_set(e, ERR_INVALID, "no container interface name given");
	at->interface = copy(interface, &in->arena);
	at->static_mac = mac != NULL && mac[0] != '\0' ? copy(mac, &in->arena) : NULL;
	if (read_strs(o, "static_ips", &at->static_ips, &in->arena, e) != 0 ||
	    read_strs(o, "aliases", &at->aliases, &in->arena, e) != 0)
		return -1;
	return read_options(o, at, &in->arena, e);
}

/* An object by name, or (Podman 6) an array whose members name themselves. */
static int
read_attaches(const json_t *o, struct netavark_input *in, struct err *e)
{
	json_t *networks = json_object_get(o, "networks"), *one;
	const char *name = NULL;
	size_t i;

	if (networks == NULL || json_is_null(networks))
		return missing("networks", e);
	in->attach = arena_array(&in->arena,
	    json_is_array(networks) ? json_array_size(networks) : json_object_size(networks),
	    sizeof *in->attach);
	json_array_foreach (networks, i, one) {
		if (json_need_str(one, "name", &name, e) != 0 || read_attach(one, name, in, e) != 0)
			return -1;
	}
	json_object_foreach (networks, name, one) {
		if (read_attach(one, name, in, e) != 0)
			return -1;
	}
	return json_is_array(networks) || json_is_object(networks)
		   ? 0
		   : err_set(e, ERR_FORMAT, "networks: is not an object");
}

static int
read_definitions(const json_t *o, struct netavark_input *in, struct err *e)
{
	struct network_list *l = &in->networks;
	json_t *info = NULL, *one;
	const char *name;

	if (json_want_obj(o, "network_info", &info, e) != 0)
		return -1;
	if (info == NULL)
		return missing("network_info", e);
	json_object_foreach (info, name, one) {
		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
		if (network_read(one, name, &l->v[l->n], &l->arena, e) != 0)
			return err_wrap(
			    e, "failed to load network options: network_info: %s", name);
		l->n++;
	}
	return 0;
}

static int
read_port(const json_t *o, struct rec_port_map *p, struct arena *a, struct err *e)
{
	static const char *const numbers[] = {"container_port", "host_port", "range"};
	const char *host = NULL, *protocol = NULL;
	int64_t v[COUNTOF(numbers)];

	if (json_want_str(o, "host_ip", &host, e) != 0 ||
	    json_want_str(o, "protocol", &protocol, e) != 0)
		return -1;
	if (host == NULL)
		return missing("host_ip", e);
	if (protocol == NULL)
		return missing("protocol", e);
	for (size_t i = 0; i < COUNTOF(numbers); i++) {
		if (json_object_get(o, numbers[i]) == NULL)
			return missing(numbers[i], e);
		if (json_need_int(o, numbers[i], 0, 65535, &v[i], e) != 0)
			return -1;
	}
	*p = (struct rec_port_map){.host_ip = host[0] != '\0' ? copy(host, a) : NULL,
	    .container_port = (uint64_t)v[0],
	    .host_port = (uint64_t)v[1],
	    .range = (uint64_t)v[2],
	    .protocol = copy(protocol, a)};
	return 0;
}

static int
read_ports(const json_t *o, struct netavark_input *in, struct err *e)
{
	json_t *list = NULL, *one;
	size_t i;

	if (json_want_arr(o, "port_mappings", &list, e) != 0)
		return -1;
	if (list != NULL && json_array_size(list) > LIST_MAX)
		return err_set(e, ERR_LIMIT, "port_mappings: too many");
	in->ports =
	    arena_array(&in->arena, list != NULL ? json_array_size(list) : 0, sizeof *in->ports);
	json_array_foreach (list, i, one) {
		if (read_port(one, &in->ports[in->nports++], &in->arena, e) != 0)
			return -1;
	}
	return 0;
}

int
netavark_json_read(const char *bytes, size_t n, struct netavark_input *out, struct err *e)
{
	own_json json_t *o = json_read_max(bytes, n, NETAVARK_INPUT_MAX, 16, e);
	struct netavark_input in = {0};
	const char *words[3] = {NULL};

	if (o == NULL)
		return err_wrap(e, "failed to load network options: IO error");
	if (json_want_str(o, "container_id", &words[0], e) != 0 ||
	    json_want_str(o, "container_name", &words[1], e) != 0 ||
	    json_want_str(o, "container_hostname", &words[2], e) != 0 ||
	    (words[0] == NULL && missing("container_id", e) != 0) ||
	    (words[1] == NULL && missing("container_name", e) != 0) ||
	    read_attaches(o, &in, e) != 0 || read_definitions(o, &in, e) != 0 ||
	    read_ports(o, &in, e) != 0 ||
	    read_strs(o, "dns_servers", &in.dns_servers, &in.arena, e) != 0) {
		netavark_json_free(&in);
		return -1;
	}
	in.id = copy(words[0], &in.arena);
	in.name = copy(words[1], &in.arena);
	in.hostname = copy(words[2], &in.arena);
	*out = in;
	return 0;
}

void
netavark_json_free(struct netavark_input *in)
{
	network_list_free(&in->networks);
	arena_free(&in->arena);
	*in = (struct netavark_input){0};
}

static json_t *
strings(const struct strs *l)
{
	json_t *array = json_arr();

	for (size_t i = 0; l != NULL && i < l->n; i++)
		json_add_str(array, l->v[i]);
	return array;
}

json_t *
netavark_json_status(
    const struct rec_net_hold *h, const struct strs *servers, const struct strs *domains)
{
	json_t *o = json_obj(), *list, *interface, *one;

	json_put_take(o, "dns_search_domains", strings(domains));
	json_put_take(o, "dns_server_ips", strings(servers));
	interface = json_put_obj(json_put_obj(o, "interfaces"), h->name != NULL ? h->name : "");
	json_put_str(interface, "mac_address", h->mac != NULL ? h->mac : "");
	list = json_put_arr(interface, "subnets");
	for (size_t i = 0; i < h->addresses.n; i++) {
		one = json_add_obj(list);
		json_put_str(one, "gateway", h->addresses.v[i].gateway);
		json_put_str(one, "ipnet", h->addresses.v[i].ipnet);
	}
	return o;
}
