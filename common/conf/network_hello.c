/* SPDX-License-Identifier: ISC */
#include "common/conf/network_hello.h"

#include <dirent.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"

#define OPTIONS_MAX 9 /* that are no directories */

static bool
has_files(const char *dir)
{
	own_dir DIR *d = opendir(dir);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			return true;
	return false;
}

static bool
is_cni(const struct containers_conf *c)
{
	return strcmp(c->network_network_backend, "cni") == 0;
}

bool
network_hello_others(const struct containers_conf *c)
{
	/* Plug-ins are programs of others, which no filter of ours fits. */
	bool any = is_cni(c);

	for (size_t i = 0; !any && i < c->network_netavark_plugin_dirs.n; i++)
		any = has_files(c->network_netavark_plugin_dirs.v[i]);
	return any;
}

size_t
network_hello_max(const struct containers_conf *c)
{
	return c->network_cni_plugin_dirs.n + c->network_netavark_plugin_dirs.n +
	       c->engine_helper_binaries_dir.n + OPTIONS_MAX;
}

static size_t
put_dirs(const struct containers_conf *c, struct rec_kv *v)
{
	const struct strv *dirs =
	    is_cni(c) ? &c->network_cni_plugin_dirs : &c->network_netavark_plugin_dirs;
	size_t n = 0;

	for (size_t i = 0; i < dirs->n; i++)
		if (is_cni(c) || has_files(dirs->v[i]))
			v[n++] = (struct rec_kv){
			    .key = is_cni(c) ? "cni_plugin_dir" : "netavark_plugin_dir",
			    .value = dirs->v[i]};
	return n;
}

size_t
network_hello_options(const struct containers_conf *c, struct rec_kv *v, struct arena *a)
{
	size_t n = 0;

	if (c->network_dns_bind_port != 53 && c->network_dns_bind_port != 0)
		v[n++] = (struct rec_kv){.key = "dns_bind_port",
		    .value = arena_printf(a, "%lld", (long long)c->network_dns_bind_port)};
	if (*c->network_firewall_driver != '\0')
		v[n++] =
		    (struct rec_kv){.key = "firewall_driver", .value = c->network_firewall_driver};
	if (strcmp(c->containers_interface_name, "device") == 0)
		v[n++] = (struct rec_kv){.key = "interface_name", .value = "device"};
	if (!c->engine_enable_port_reservation)
		v[n++] = (struct rec_kv){.key = "port_reservation", .value = "no"};
	if (*c->engine_network_cmd_path != '\0')
		v[n++] =
		    (struct rec_kv){.key = "network_cmd_path", .value = c->engine_network_cmd_path};
	if (*c->network_default_network != '\0' &&
	    strcmp(c->network_default_network, "podman") != 0)
		v[n++] =
		    (struct rec_kv){.key = "default_network", .value = c->network_default_network};
	if (c->network_default_subnet_set && *c->network_default_subnet != '\0')
		v[n++] =
		    (struct rec_kv){.key = "default_subnet", .value = c->network_default_subnet};
	for (size_t i = 0; c->engine_helper_binaries_dir_set && i < c->engine_helper_binaries_dir.n;
	     i++)
		v[n++] = (struct rec_kv){
		    .key = "helper_dir", .value = c->engine_helper_binaries_dir.v[i]};
	if (*c->network_network_backend != '\0')
		v[n++] =
		    (struct rec_kv){.key = "network_backend", .value = c->network_network_backend};
	return n + put_dirs(c, v + n);
}

/* [{base = "10.1.0.0/16", size = 24}, …] */
int
network_hello_pools(
    const struct containers_conf *c, struct msg_net_create *m, struct arena *a, struct err *e)
{
	json_t *pools = c->network_default_subnet_pools, *one;
	size_t i;

	if (pools == NULL)
		return 0;
	m->pools.v = arena_array(a, json_array_size(pools), sizeof(*m->pools.v));
	json_array_foreach (pools, i, one) {
		struct rec_net_pool *p = &m->pools.v[m->pools.n++];
		int64_t size = 0;

		if (json_need_str(one, "base", &p->base, e) == -1 ||
		    json_need_int(one, "size", 1, 128, &size, e) == -1)
			return err_wrap(e, "default_subnet_pools[%zu]", i);
		p->size = (uint64_t)size;
	}
	return 0;
}
