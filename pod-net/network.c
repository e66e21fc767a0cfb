/* SPDX-License-Identifier: ISC */
#include "pod-net/network.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"

#define DEFAULT_BRIDGE "podman0"
#define NAME_MAX_BYTES 250

bool
network_name_valid(const char *s)
{
	static const char alnum[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char more[sizeof alnum + 3];

	snprintf(more, sizeof more, "%s_.-", alnum);
	return s[0] != '\0' && strchr(alnum, s[0]) != NULL && strlen(s) <= NAME_MAX_BYTES &&
	       s[strspn(s, more)] == '\0';
}

static int
want_copy(const json_t *o, const char *key, const char **out, struct arena *a, struct err *e)
{
	const char *s = NULL;

	if (json_want_str(o, key, &s, e) != 0)
		return -1;
	*out = s != NULL && s[0] != '\0' ? arena_strdup(a, s) : NULL;
	return 0;
}

/* A text that must be an address if it is there. */
static int
want_address(const json_t *o, const char *key, const char **out, struct arena *a, struct err *e)
{
	struct addr addr;

	if (want_copy(o, key, out, a, e) != 0)
		return -1;
	if (*out != NULL && addr_parse(*out, &addr) != 0)
		return err_set(e, ERR_FORMAT, "%s: %s is not an IP address", key, *out);
	return 0;
}

static int
want_prefix(const json_t *o, const char *key, const char **out, struct arena *a, struct err *e)
{
	struct prefix p;
	const char *s;

	if (json_need_str(o, key, &s, e) != 0)
		return -1;
	if (addr_parse_prefix(s, &p) != 0)
		return err_set(e, ERR_FORMAT, "%s: %s is not a subnet", key, s);
	*out = arena_strdup(a, s);
	return 0;
}

static int
want_array(const json_t *o, const char *key, size_t max, json_t **array, size_t *n, struct err *e)
{
	json_t *found = NULL;

	if (json_want_arr(o, key, &found, e) != 0)
		return -1;
	*array = found;
	*n = found != NULL ? json_array_size(found) : 0;
	if (*n > max)
		return err_set(e, ERR_LIMIT, "%s: more than %zu members", key, max);
	return 0;
}

static int
check_range(const char *text, const char *which, const struct prefix *p,
    const struct rec_net_subnet *n, struct err *e)
{
	struct addr a;

	if (text == NULL || (addr_parse(text, &a) == 0 && addr_in(&a, p)))
		return 0;
	return err_set(
	    e, ERR_FORMAT, "lease range %s ip %s not in subnet %s", which, text, n->subnet);
}

static int
read_subnet(const json_t *o, struct rec_net_subnet *out, struct arena *a, struct err *e)
{
	json_t *range = NULL;
	struct prefix p;
	struct addr gw;

	if (want_prefix(o, "subnet", &out->subnet, a, e) != 0 ||
	    want_address(o, "gateway", &out->gateway, a, e) != 0 ||
	    json_want_obj(o, "lease_range", &range, e) != 0)
		return -1;
	addr_parse_prefix(out->subnet, &p);
	if (out->gateway != NULL && (addr_parse(out->gateway, &gw) != 0 || !addr_in(&gw, &p)))
		return err_set(
		    e, ERR_FORMAT, "gateway %s not in subnet %s", out->gateway, out->subnet);
	if (range != NULL && (want_address(range, "start_ip", &out->range_start, a, e) != 0 ||
				 want_address(range, "end_ip", &out->range_end, a, e) != 0))
		return -1;
	if (check_range(out->range_start, "start", &p, out, e) != 0)
		return -1;
	return check_range(out->range_end, "end", &p, out, e);
}

static int
read_subnets(const json_t *o, struct rec_network *out, struct arena *a, struct err *e)
{
	json_t *array;
	size_t n;

	if (want_array(o, "subnets", 64, &array, &n, e) != 0)
		return -1;
	out->subnets.v = arena_array(a, n, sizeof *out->subnets.v);
	out->subnets.n = n;
	for (size_t i = 0; i < n; i++)
		if (read_subnet(json_array_get(array, i), &out->subnets.v[i], a, e) != 0)
			return err_wrap(e, "subnets[%zu]", i);
	return 0;
}

static int
read_route(const json_t *o, struct rec_net_route *out, struct arena *a, struct err *e)
{
	int64_t metric = 0;

	if (want_prefix(o, "destination", &out->destination, a, e) != 0 ||
	    want_address(o, "gateway", &out->gateway, a, e) != 0 ||
	    json_want_int(o, "metric", 0, UINT32_MAX, &metric, e) != 0 ||
	    want_copy(o, "route_type", &out->type, a, e) != 0)
		return -1;
	out->metric = (uint64_t)metric;
	return 0;
}

static int
read_routes(const json_t *o, struct rec_network *out, struct arena *a, struct err *e)
{
	json_t *array;
	size_t n;

	if (want_array(o, "routes", 1024, &array, &n, e) != 0)
		return -1;
	out->routes.v = arena_array(a, n, sizeof *out->routes.v);
	out->routes.n = n;
	for (size_t i = 0; i < n; i++)
		if (read_route(json_array_get(array, i), &out->routes.v[i], a, e) != 0)
			return err_wrap(e, "routes[%zu]", i);
	return 0;
}

/* An object of strings becomes a list of pairs; both counts and the values' type are checked. */
static int
read_map(const json_t *o, const char *key, size_t max, struct rec_kv **out, size_t *out_n,
    struct arena *a, struct err *e)
{
	json_t *map = NULL, *value;
	const char *name;
	size_t i = 0;

	if (json_want_obj(o, key, &map, e) != 0)
		return -1;
	if (map == NULL)
		return 0;
	if (json_object_size(map) > max)
		return err_set(e, ERR_LIMIT, "%s: more than %zu members", key, max);
	*out = arena_array(a, json_object_size(map), sizeof **out);
	json_object_foreach (map, name, value) {
		if (!json_is_string(value))
			return err_set(e, ERR_FORMAT, "%s: %s is not a string", key, name);
		(*out)[i].key = arena_strdup(a, name);
		(*out)[i++].value = arena_strdup(a, json_string_value(value));
	}
	*out_n = i;
	return 0;
}

static int
read_resolvers(const json_t *o, struct rec_network *out, struct arena *a, struct err *e)
{
	own_strv struct strv l = {0};
	struct addr addr;

	if (json_want_strv(o, "network_dns_servers", &l, e) != 0)
		return -1;
	if (l.n > 64)
		return err_set(e, ERR_LIMIT, "network_dns_servers: more than 64 members");
	out->dns_servers.v = arena_array(a, l.n, sizeof *out->dns_servers.v);
	for (size_t i = 0; i < l.n; i++) {
		if (addr_parse(l.v[i], &addr) != 0)
			return err_set(
			    e, ERR_FORMAT, "network_dns_servers: %s is not an IP address", l.v[i]);
		out->dns_servers.v[out->dns_servers.n++] = arena_strdup(a, l.v[i]);
	}
	return 0;
}

static int
read_identity(
    const json_t *o, const char *name, struct rec_network *out, struct arena *a, struct err *e)
{
	const char *found, *id, *driver;

	if (json_need_str(o, "name", &found, e) != 0 || json_need_str(o, "id", &id, e) != 0 ||
	    json_need_str(o, "driver", &driver, e) != 0)
		return -1;
	if (!network_name_valid(found))
		return err_set(e, ERR_FORMAT, "name %s: invalid name", found);
	if (strcmp(found, name) != 0)
		return err_set(e, ERR_FORMAT, "network name %s does not match file name", found);
	if (!text_is_hex(id, 64))
		return err_set(e, ERR_FORMAT, "invalid network ID %s", id);
	if (driver[0] == '\0' || strlen(driver) > 64)
		return err_set(e, ERR_FORMAT, "invalid driver");
	out->name = arena_strdup(a, found);
	out->id = arena_strdup(a, id);
	out->driver = arena_strdup(a, driver);
	return 0;
}

int
network_parse(const char *bytes, size_t n, const char *name, struct rec_network *out,
    struct arena *a, struct err *e)
{
	own_json json_t *o = json_read_max(bytes, n, NETWORK_FILE_MAX, 16, e);

	return o != NULL ? network_read(o, name, out, a, e) : -1;
}

/* Everything but who it is. */
static int
read_rest(const json_t *o, struct rec_network *out, struct arena *a, struct err *e)
{
	struct rec_network r = *out;

	if (want_copy(o, "network_interface", &r.interface, a, e) != 0 ||
	    want_copy(o, "created", &r.created, a, e) != 0 || read_subnets(o, &r, a, e) != 0 ||
	    read_routes(o, &r, a, e) != 0 || read_resolvers(o, &r, a, e) != 0 ||
	    json_want_bool(o, "ipv6_enabled", &r.ipv6, e) != 0 ||
	    json_want_bool(o, "internal", &r.internal, e) != 0 ||
	    json_want_bool(o, "dns_enabled", &r.dns, e) != 0 ||
	    read_map(o, "labels", 4096, &r.labels.v, &r.labels.n, a, e) != 0 ||
	    read_map(o, "options", 64, &r.options.v, &r.options.n, a, e) != 0 ||
	    read_map(o, "ipam_options", 64, &r.ipam_options.v, &r.ipam_options.n, a, e) != 0)
		return -1;
	if (r.interface != NULL && (strlen(r.interface) > 15 || !network_name_valid(r.interface)))
		return err_set(e, ERR_FORMAT, "invalid network_interface %s", r.interface);
	*out = r;
	return 0;
}

int
network_read(
    const json_t *o, const char *name, struct rec_network *out, struct arena *a, struct err *e)
{
	struct rec_network r = {0};

	if (read_identity(o, name, &r, a, e) != 0 || read_rest(o, &r, a, e) != 0)
		return -1;
	*out = r;
	return 0;
}

int
network_read_draft(const json_t *o, struct rec_network *out, struct arena *a, struct err *e)
{
	const char **const words[] = {&out->name, &out->id, &out->driver};
	static const char *const keys[] = {"name", "id", "driver"};

	*out = (struct rec_network){0};
	for (size_t i = 0; i < COUNTOF(keys); i++) {
		if (want_copy(o, keys[i], words[i], a, e) != 0)
			return -1;
		if (*words[i] == NULL)
			*words[i] = "";
	}
	return read_rest(o, out, a, e);
}

/* --- The default one ------------------------------------------------------------------------------ */

void
network_default_free(struct network_default *d)
{
	free(d->name);
	*d = (struct network_default){0};
}

int
network_default_name(struct network_default *d, const char *name, struct err *e)
{
	if (!network_name_valid(name))
		return err_set(e, ERR_INVALID,
		    "default_network: network name %s invalid: names must match "
		    "[a-zA-Z0-9][a-zA-Z0-9_.-]*",
		    name);
	free(d->name);
	d->name = xstrdup(name);
	return 0;
}

int
network_default_subnet(struct network_default *d, const char *subnet, struct err *e)
{
	struct prefix p;

	if (addr_parse_prefix(subnet, &p) != 0)
		return err_set(e, ERR_INVALID,
		    "failed to parse default subnet: invalid CIDR address: %s", subnet);
	if (p.bits + 1 >= p.addr.len * 8u)
		return err_set(e, ERR_INVALID,
		    "default_subnet: subnet %s is too small to find a gateway", subnet);
	d->subnet = (struct prefix){addr_first(&p), p.bits};
	return 0;
}

static const char *
default_name(const struct network_default *d)
{
	return d->name != NULL ? d->name : NETWORK_DEFAULT;
}

bool
network_is_default(const struct network_default *d, const char *name)
{
	return strcmp(name, default_name(d)) == 0;
}

static void
put_default_subnet(const struct prefix *p, struct rec_net_subnet *out, struct arena *a)
{
	char text[ADDR_TEXT];
	struct addr gateway = addr_next(&p->addr);

	addr_format_prefix(p, text);
	out->subnet = arena_strdup(a, text);
	addr_format(&gateway, text);
	out->gateway = arena_strdup(a, text);
}

void
network_default_make(
    const struct network_default *d, const char *bridge, struct rec_network *out, struct arena *a)
{
	*out = (struct rec_network){.name = default_name(d),
	    .id = "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
	    .driver = "bridge",
	    .interface = bridge,
	    .ipv6 = d->subnet.addr.family == AF_INET6};
	out->subnets.v = arena_array(a, 1, sizeof *out->subnets.v);
	out->subnets.n = 1;
	if (d->subnet.addr.len > 0) {
		put_default_subnet(&d->subnet, &out->subnets.v[0], a);
	} else {
		out->subnets.v[0].subnet = "10.88.0.0/16";
		out->subnets.v[0].gateway = "10.88.0.1";
	}
	out->ipam_options.v = arena_alloc(a, sizeof *out->ipam_options.v);
	out->ipam_options.n = 1;
	out->ipam_options.v[0].key = "driver";
	out->ipam_options.v[0].value = "host-local";
}

/* --- The directory -------------------------------------------------------------------------------- */

/* 1: read, 0: there is none, -1 with e: it cannot be used. */
static int
read_one(int dir, const char *file, struct rec_network *out, struct arena *a, struct err *e)
{
	own_mem char *bytes = NULL;
	char name[NAME_MAX_BYTES + 1];
	size_t n, length = strlen(file);

	if (length < 6 || length - 5 >= sizeof name)
		return 0;
	memcpy(name, file, length - 5);
	name[length - 5] = '\0';
	if (file_read(dir, file, NETWORK_FILE_MAX, &bytes, &n, e) == 0 &&
	    network_parse(bytes, n, name, out, a, e) == 0)
		return 1;
	if (e->no != ENOENT)
		return err_wrap(e, "reading network config file \"%s\"", file);
	err_clear(e);
	return 0;
}

static int
open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return err_sys(e, "opening the network configuration directory %s", path);
	return fd;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct rec_network *)a)->name, ((const struct rec_network *)b)->name);
}

int
network_list(const char *path, const struct network_default *fallback, struct network_list *out,
    struct err *e)
{
	own_fd int fd = open_dir(path, e);
	own_dir DIR *d = NULL;
	bool has_default = false;

	*out = (struct network_list){0};
	if (fd < 0 && errno != ENOENT)
		return -1;
	if (fd >= 0 && (d = fdopendir(fd)) == NULL)
		return err_sys(e, "reading the network configuration directory %s", path);
	(void)fd_take(&fd);
	for (const struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
		struct err bad = {0};

		if (!text_has_suffix(entry->d_name, ".json"))
			continue;
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof *out->v);
		if (read_one(dirfd(d), entry->d_name, &out->v[out->n], &out->arena, &bad) == 1)
			has_default |= network_is_default(fallback, out->v[out->n++].name);
		else if (err_is_set(&bad))
			log_warn("Error %s", bad.text);
	}
	if (!has_default) {
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof *out->v);
		network_default_make(fallback, DEFAULT_BRIDGE, &out->v[out->n++], &out->arena);
	}
	qsort(out->v, out->n, sizeof *out->v, by_name);
	return 0;
}

void
network_list_free(struct network_list *l)
{
	free(l->v);
	arena_free(&l->arena);
	*l = (struct network_list){0};
}

static int
not_found(const char *name, struct err *e)
{
	return err_set(
	    e, ERR_NOTFOUND, "unable to find network with name or ID %s: network not found", name);
}

int
network_check(const char *dir, const struct network_default *d, const char *name, struct err *e)
{
	own_mem char *path = xasprintf("%s/%s.json", dir, name);

	return network_is_default(d, name) || access(path, F_OK) == 0 ? 0 : not_found(name, e);
}

int
network_pick(const struct network_list *l, const char *name, struct rec_network *out,
    struct arena *a, struct err *e)
{
	const struct rec_network *found = NULL;

	for (size_t i = 0; i < l->n && found == NULL; i++)
		if (strcmp(l->v[i].name, name) == 0)
			found = &l->v[i];
	for (size_t i = 0; i < l->n && name[0] != '\0'; i++) {
		if (!text_has_prefix(l->v[i].id, name) || found == &l->v[i])
			continue;
		if (found != NULL && strcmp(found->name, name) == 0)
			break;
		if (found != NULL)
			return err_set(
			    e, ERR_INVALID, "more than one result for network ID %s", name);
		found = &l->v[i];
	}
	if (found == NULL)
		return not_found(name, e);
	wire_copy(&rec_network_desc, found, out, a);
	return 0;
}

static int
find_by_id(const char *dir, const struct network_default *d, const char *id,
    struct rec_network *out, struct arena *a, struct err *e)
{
	own(network_list_free) struct network_list l = {0};

	return network_list(dir, d, &l, e) != 0 ? -1 : network_pick(&l, id, out, a, e);
}

int
network_find(const char *path, const struct network_default *d, const char *name,
    struct rec_network *out, struct arena *a, struct err *e)
{
	own_fd int dir = open_dir(path, e);
	char file[NAME_MAX_BYTES + 6];
	int read = 0;

	if (dir < 0 && errno != ENOENT)
		return -1;
	if (!network_name_valid(name))
		return find_by_id(path, d, name, out, a, e);
	snprintf(file, sizeof file, "%s.json", name);
	if (dir >= 0)
		read = read_one(dir, file, out, a, e);
	if (read == 1)
		return 0;
	if (!network_is_default(d, name))
		return read < 0 ? -1 : find_by_id(path, d, name, out, a, e);
	if (read < 0)
		log_warn("Error %s", e->text);
	err_clear(e);
	network_default_make(d, DEFAULT_BRIDGE, out, a);
	return 0;
}
