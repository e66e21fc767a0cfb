/* SPDX-License-Identifier: ISC */
#include "pod-net/netavark_create.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/network_json.h"
#include "pod-net/create.h"
#include "pod-net/netavark_json.h"
#include "pod-net/plugin.h"

#define POOLS_MAX 256
#define USED_MAX 65536

struct making {
	json_t *network, *used, *options;
	struct network_list taken; /* a network for each name, interface and subnet that is used */
	struct create_pool pools[POOLS_MAX];
	size_t npools;
	struct strv drivers;
	struct arena arena;
};

static struct rec_network *
add_taken(struct making *m)
{
	struct network_list *l = &m->taken;

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	l->v[l->n] = (struct rec_network){.name = "", .id = "", .driver = ""};
	return &l->v[l->n++];
}

static int
read_subnet(struct making *m, const char *text, struct err *e)
{
	struct rec_network *x = add_taken(m);
	struct prefix p;

	if (addr_parse_prefix(text, &p) != 0)
		return err_set(e, ERR_FORMAT, "used: subnets: %s is not a subnet", text);
	x->subnets.v = arena_alloc(&m->arena, sizeof *x->subnets.v);
	x->subnets.n = 1;
	x->subnets.v[0].subnet = arena_strdup(&m->arena, text);
	return 0;
}

static int
read_used(struct making *m, struct err *e)
{
	own_strv struct strv interfaces = {0}, subnets = {0};
	json_t *names = NULL, *one;
	const char *name;

	if (m->used == NULL)
		return 0;
	if (json_want_strv(m->used, "interfaces", &interfaces, e) != 0 ||
	    json_want_strv(m->used, "subnets", &subnets, e) != 0 ||
	    json_want_obj(m->used, "names", &names, e) != 0)
		return -1;
	if (interfaces.n + subnets.n + json_object_size(names) > USED_MAX)
		return err_set(e, ERR_LIMIT, "used: too many");
	for (size_t i = 0; i < interfaces.n; i++)
		add_taken(m)->interface = arena_strdup(&m->arena, interfaces.v[i]);
	for (size_t i = 0; i < subnets.n; i++)
		if (read_subnet(m, subnets.v[i], e) != 0)
			return -1;
	json_object_foreach (names, name, one) {
		add_taken(m)->name = arena_strdup(&m->arena, name);
	}
	return 0;
}

static int
read_pool(const json_t *o, struct create_pool *out, struct err *e)
{
	const char *base;
	int64_t size;

	if (json_need_str(o, "base", &base, e) != 0 ||
	    json_need_int(o, "size", 0, 128, &size, e) != 0)
		return -1;
	if (addr_parse_prefix(base, &out->base) != 0 || size < out->base.bits ||
	    size > out->base.addr.len * 8)
		return err_set(
		    e, ERR_FORMAT, "subnet_pools: size %d does not fit base %s", (int)size, base);
	out->bits = (unsigned)size;
	return 0;
}

static int
read_options(struct making *m, struct create_rules *r, struct err *e)
{
	json_t *pools = NULL, *one;
	const char *prefix = NULL;
	bool check = true;
	size_t i;

	if (m->options == NULL)
		return 0;
	if (json_want_arr(m->options, "subnet_pools", &pools, e) != 0 ||
	    json_want_str(m->options, "default_interface_name", &prefix, e) != 0 ||
	    json_want_bool(m->options, "check_used_subnets", &check, e) != 0)
		return -1;
	if (pools != NULL && json_array_size(pools) > POOLS_MAX)
		return err_set(e, ERR_LIMIT, "subnet_pools: more than %d", POOLS_MAX);
	json_array_foreach (pools, i, one) {
		if (read_pool(one, &m->pools[m->npools++], e) != 0)
			return -1;
	}
	if (prefix != NULL && prefix[0] != '\0' && !network_name_valid(prefix))
		return err_set(
		    e, ERR_INVALID, "interface name %s invalid: invalid argument", prefix);
	if (prefix != NULL && prefix[0] != '\0')
		r->prefix = arena_strdup(&m->arena, prefix);
	r->overlaps = !check;
	return 0;
}

static int
ask_plugin(void *arg, struct rec_network *x, struct arena *a, struct err *e)
{
	return plugin_create(arg, x, a, e);
}

static int
make(struct making *m, const struct strv *dirs, struct rec_network *out, struct err *e)
{
	own_netlink struct netlink host = {.fd = -1};
	struct create_rules r = {.prefix = "podman",
	    .pools = m->pools,
	    .networks = &m->taken,
	    .drivers = &m->drivers,
	    .plugin = ask_plugin,
	    .arg = (void *)(uintptr_t)dirs};

	if (m->network == NULL)
		return err_set(e, ERR_FORMAT, "missing field `network`");
	plugin_names(dirs, &m->drivers);
	if (network_read_draft(m->network, out, &m->arena, e) != 0 || read_used(m, e) != 0 ||
	    read_options(m, &r, e) != 0 || netlink_open(&host, NETLINK_ROUTE, e) != 0)
		return -1;
	r.npools = m->npools;
	r.host = r.parents = &host;
	return create_complete(out, &r, &m->arena, e);
}

char *
netavark_create(const char *bytes, size_t n, const struct strv *plugin_dirs, struct err *e)
{
	own_json json_t *o = json_read_max(bytes, n, NETAVARK_INPUT_MAX, 16, e);
	own_json json_t *made = NULL;
	own_mem struct making *m = xcalloc(1, sizeof *m);
	struct rec_network out;
	char *text = NULL;

	if (o == NULL) {
		err_wrap(e, "failed to load network options: IO error");
		return NULL;
	}
	if (json_want_obj(o, "network", &m->network, e) == 0 &&
	    json_want_obj(o, "used", &m->used, e) == 0 &&
	    json_want_obj(o, "options", &m->options, e) == 0 &&
	    make(m, plugin_dirs, &out, e) == 0) {
		made = network_json(&out);
		text = json_text(made);
	}
	network_list_free(&m->taken);
	strv_free(&m->drivers);
	arena_free(&m->arena);
	return text;
}
