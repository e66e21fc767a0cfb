/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/life/join.h"

static json_t *
binding(const struct rec_port_map *m, uint64_t offset)
{
	own_mem char *port = xasprintf("%u", (unsigned)(m->host_port + offset));
	json_t *o = json_obj();

	json_put_str(o, "HostIp", inspect_or(m->host_ip, "0.0.0.0"));
	json_put_str(o, "HostPort", port);
	return o;
}

json_t *
inspect_port_bindings(const struct ctr *c, bool exposed)
{
	bool run = c->run.ports.n > 0;
	const struct rec_port_map *v = run ? c->run.ports.v : c->config->ports.v;
	size_t n = run ? c->run.ports.n : c->config->ports.n;
	json_t *o = json_obj();

	for (size_t i = 0; i < n; i++)
		for (uint64_t k = 0; k < (v[i].range > 0 ? v[i].range : 1); k++) {
			own_mem char *key =
			    xasprintf("%u/%s", (unsigned)(v[i].container_port + k), v[i].protocol);
			json_t *list = json_object_get(o, key);

			if (list == NULL)
				list = json_put_arr(o, key);
			json_add_take(list, binding(&v[i], k));
		}
	for (size_t i = 0; exposed && i < c->config->expose.n; i++)
		if (json_object_get(o, c->config->expose.v[i]) == NULL)
			json_put_take(o, c->config->expose.v[i], json_null());
	return o;
}

/* --- Networks -----------------------------------------------------------------------------------*/

/* "10.88.0.2/16" to its two halves; false for an IPv6 address. */
static bool
split(const char *ipnet, char address[64], int64_t *prefix)
{
	const char *slash = strchr(ipnet, '/');
	size_t n = slash != NULL ? (size_t)(slash - ipnet) : strlen(ipnet);
	uint64_t bits;

	*prefix = slash != NULL && text_to_u64(slash + 1, 128, &bits) == 0 ? (int64_t)bits : 0;
	n = n < 63 ? n : 63;
	memcpy(address, ipnet, n);
	address[n] = '\0';
	return strchr(address, ':') == NULL;
}

static void
put_address(json_t *o, const struct rec_net_interface *i)
{
	const char *gateway = "", *gateway6 = "";
	char ip[64] = "", ip6[64] = "", text[64];
	int64_t prefix = 0, prefix6 = 0, bits;

	for (size_t k = 0; i != NULL && k < i->addresses.n; k++) {
		const struct rec_net_address *a = &i->addresses.v[k];

		if (split(a->ipnet, text, &bits) && *ip == '\0') {
			memcpy(ip, text, sizeof(ip));
			prefix = bits;
			gateway = inspect_or(a->gateway, "");
		} else if (strchr(text, ':') != NULL && *ip6 == '\0') {
			memcpy(ip6, text, sizeof(ip6));
			prefix6 = bits;
			gateway6 = inspect_or(a->gateway, "");
		}
	}
	json_put_str(o, "EndpointID", "");
	json_put_str(o, "Gateway", gateway);
	json_put_str(o, "IPAddress", ip);
	json_put_int(o, "IPPrefixLen", prefix);
	json_put_str(o, "IPv6Gateway", gateway6);
	json_put_str(o, "GlobalIPv6Address", ip6);
	json_put_int(o, "GlobalIPv6PrefixLen", prefix6);
	json_put_str(o, "MacAddress", i != NULL ? inspect_or(i->mac, "") : "");
}

static const struct rec_net_interface *
interface_of(const struct ctr *c, const char *network)
{
	for (size_t i = 0; i < c->run.interfaces.n; i++)
		if (strcmp(c->run.interfaces.v[i].network, network) == 0)
			return &c->run.interfaces.v[i];
	return NULL;
}

static void
put_aliases(json_t *o, const struct ctr *c, const char *network)
{
	own_mem char *id = xasprintf(NAMES_SHORT_FMT, c->id);
	json_t *a = json_put_arr(o, "Aliases");

	for (size_t i = 0; i < c->config->networks.n; i++) {
		const struct rec_net_attach *n = &c->config->networks.v[i];

		for (size_t k = 0; strcmp(n->network, network) == 0 && k < n->aliases.n; k++)
			json_add_str(a, n->aliases.v[k]);
	}
	json_add_str(a, id);
}

/* The network's ID, as it was when the container joined it; before that its name, as Podman shows it. */
static void
put_id(json_t *o, const struct rec_net_interface *i, const char *network)
{
	json_put_str(o, "NetworkID", i != NULL && i->network_id != NULL ? i->network_id : network);
}

json_t *
inspect_network_settings(struct ctx *x, const struct ctr *c)
{
	struct err ignored = {0};
	const struct containers_conf *conf = ctx_conf(x, &ignored);
	own_strv struct strv networks = {0};
	json_t *o = json_obj(), *all;
	bool live = ctr_has_process(c);

	join_networks(c, conf != NULL ? conf->network_default_network : "podman", &networks);
	put_address(o, live && networks.n == 1 ? interface_of(c, networks.v[0]) : NULL);
	json_put_str(o, "Bridge", "");
	json_put_str(o, "SandboxID", "");
	json_put_bool(o, "HairpinMode", false);
	json_put_str(o, "LinkLocalIPv6Address", "");
	json_put_int(o, "LinkLocalIPv6PrefixLen", 0);
	json_put_take(o, "Ports", inspect_port_bindings(c, true));
	json_put_str(o, "SandboxKey", "");
	if (networks.n == 0)
		return o;
	all = json_put_obj(o, "Networks");
	for (size_t i = 0; i < networks.n; i++) {
		json_t *n = json_put_obj(all, networks.v[i]);

		put_address(n, live ? interface_of(c, networks.v[i]) : NULL);
		put_id(n, live ? interface_of(c, networks.v[i]) : NULL, networks.v[i]);
		json_put_take(n, "DriverOpts", json_null());
		json_put_take(n, "IPAMConfig", json_null());
		json_put_take(n, "Links", json_null());
		put_aliases(n, c, networks.v[i]);
	}
	return o;
}

/* --- Mounts -------------------------------------------------------------------------------------*/

static bool
is_read_only(const struct rec_ctr_mount *m)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], "ro") == 0)
			return true;
	return false;
}

static const char *
propagation(const struct rec_ctr_mount *m)
{
	static const char *const words[] = {"shared", "rshared", "slave", "rslave", "private",
	    "rprivate", "unbindable", "runbindable"};

	for (size_t i = 0; i < m->options.n; i++)
		for (size_t k = 0; k < COUNTOF(words); k++)
			if (strcmp(m->options.v[i], words[k]) == 0)
				return words[k];
	return "rprivate";
}

const char *
inspect_mount_mode(const struct rec_ctr_mount *m)
{
	return m->relabel == NULL ? "" : strcmp(m->relabel, "shared") == 0 ? "z" : "Z";
}

static void
put_options(json_t *o, const struct rec_ctr_mount *m)
{
	json_t *a = json_put_arr(o, "Options");

	if (m->no_copy)
		json_add_str(a, "nocopy");
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], "rw") != 0 && strcmp(m->options.v[i], "ro") != 0 &&
		    strcmp(m->options.v[i], propagation(m)) != 0)
			json_add_str(a, m->options.v[i]);
}

json_t *
inspect_mounts(struct ctx *x, const struct ctr *c)
{
	json_t *a = json_arr();

	for (size_t i = 0; i < c->config->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->config->mounts.v[i];
		bool volume = strcmp(m->type, "volume") == 0;
		json_t *o;

		if (m->implied || (!volume && strcmp(m->type, "bind") != 0))
			continue;
		o = json_add_obj(a);
		json_put_str(o, "Type", m->type);
		if (volume) {
			own_mem char *volumes = ctx_volume_path(x);
			own_mem char *data =
			    xasprintf("%s/%s/_data", volumes, inspect_or(m->source, ""));

			json_put_str(o, "Name", inspect_or(m->source, ""));
			json_put_str(o, "Source", data);
		} else {
			json_put_str(o, "Source", inspect_or(m->source, ""));
		}
		json_put_str(o, "Destination", m->target);
		json_put_str(o, "Driver", volume ? "local" : "");
		json_put_str(o, "Mode", inspect_mount_mode(m));
		put_options(o, m);
		json_put_bool(o, "RW", !is_read_only(m));
		json_put_str(o, "Propagation", propagation(m));
	}
	return a;
}
