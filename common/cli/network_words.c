/* SPDX-License-Identifier: ISC */
#include "common/cli/network_words.h"

#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"

const struct opt network_words_rows[] = {
    {"disable-dns", 0, OPT_BOOL(struct network_words, disable_dns), .help = "Disable dns plugin"},
    {"dns", 0, OPT_COMMA(struct network_words, dns), .arg = "ip",
	.help = "DNS servers this network will use"},
    {"driver", 'd', OPT_STRING(struct network_words, driver), .arg = "driver", .def = "bridge",
	.help = "driver to manage the network"},
    {"gateway", 0, OPT_LIST(struct network_words, gateway), .arg = "ip",
	.help = "IPv4 or IPv6 gateway for the subnet"},
    {"ignore", 0, OPT_BOOL(struct network_words, ignore),
	.help = "Don't fail if network already exists"},
    {"interface-name", 0, OPT_STRING(struct network_words, interface_name), .arg = "name",
	.help = "interface name which is used by the driver"},
    {"internal", 0, OPT_BOOL(struct network_words, internal),
	.help = "restrict external access from this network"},
    {"ip-range", 0, OPT_LIST(struct network_words, ip_range), .arg = "range",
	.help = "allocate container IP from range"},
    {"ipam-driver", 0, OPT_STRING(struct network_words, ipam_driver), .arg = "driver",
	.help = "IP Address Management Driver"},
    {"ipv6", 0, OPT_BOOL(struct network_words, ipv6), .help = "enable IPv6 networking"},
    {"label", 0, OPT_LIST(struct network_words, label), .arg = "label",
	.help = "set metadata on a network"},
    {"opt", 'o', OPT_LIST(struct network_words, opt), .arg = "option",
	.help = "Set driver specific options (default [])"},
    {"route", 0, OPT_LIST(struct network_words, route), .arg = "route",
	.help = "static routes for the network"},
    {"subnet", 0, OPT_LIST(struct network_words, subnet), .arg = "subnet",
	.help = "subnets in CIDR format"},
    OPT_END,
};

/* What --network takes as a mode, and so never as a network. */
static int
check_name(const char *name, struct err *e)
{
	static const char *const modes[] = {"none", "host", "bridge", "private", "slirp4netns",
	    "pasta", "container", "ns", "default"};

	for (size_t i = 0; i < COUNTOF(modes); i++)
		if (strcmp(name, modes[i]) == 0)
			return err_set(e, ERR_INVALID,
			    "cannot create network with name \"%s\" because it conflicts with a "
			    "valid network mode",
			    name);
	return 0;
}

/* "key=value" or "key"; a later one of the same key counts.  kind: what they are, for errors */
static int
read_pairs(const char *kind, const struct strv *words, struct rec_kv **v, size_t *n,
    struct arena *a, struct err *e)
{
	*v = arena_array(a, words->n + 1, sizeof(**v));
	*n = 0;
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i], *eq = strchr(word, '=');
		size_t k = 0;
		const char *key =
		    arena_strndup(a, word, eq != NULL ? (size_t)(eq - word) : strlen(word));

		if (*key == '\0')
			return err_set(e, ERR_INVALID,
			    "failed to parse %s: invalid label format: \"%s\"", kind, word);
		while (k < *n && strcmp((*v)[k].key, key) != 0)
			k++;
		(*v)[k].key = key;
		(*v)[k].value = eq != NULL ? eq + 1 : "";
		*n = k == *n ? k + 1 : *n;
	}
	return 0;
}

/* FIRST-LAST, or a subnet, which pod-net turns into that. */
static void
read_range(char *word, struct rec_net_subnet *s)
{
	char *dash = strchr(word, '-');

	s->range_start = word;
	if (dash == NULL)
		return;
	*dash = '\0';
	s->range_end = dash + 1;
}

static int
read_subnets(const struct network_words *o, struct rec_network *n, struct arena *a, struct err *e)
{
	if (o->gateway.n > 0 && o->subnet.n == 0)
		return err_set(e, ERR_INVALID, "every gateway must have a corresponding subnet");
	if (o->ip_range.n > 0 && o->subnet.n == 0)
		return err_set(e, ERR_INVALID, "every ip-range must have a corresponding subnet");
	if (o->gateway.n > o->subnet.n)
		return err_set(e, ERR_INVALID, "cannot set more gateways than subnets");
	if (o->ip_range.n > o->subnet.n)
		return err_set(e, ERR_INVALID, "cannot set more ranges than subnets");
	n->subnets.v = arena_array(a, o->subnet.n, sizeof(*n->subnets.v));
	n->subnets.n = o->subnet.n;
	for (size_t i = 0; i < o->subnet.n; i++) {
		n->subnets.v[i].subnet = o->subnet.v[i];
		if (i < o->gateway.n)
			n->subnets.v[i].gateway = o->gateway.v[i];
		if (i < o->ip_range.n)
			read_range(arena_strdup(a, o->ip_range.v[i]), &n->subnets.v[i]);
	}
	return 0;
}

/* DESTINATION,GATEWAY[,METRIC] or DESTINATION,TYPE[,METRIC]. */
static int
read_route(const char *whole, struct rec_net_route *r, struct arena *a, struct err *e)
{
	static const char *const types[] = {"blackhole", "unreachable", "prohibit"};
	char *rest = arena_strdup(a, whole), *second, *metric;

	r->destination = strsep(&rest, ",");
	second = strsep(&rest, ",");
	metric = strsep(&rest, ",");
	if (second == NULL || rest != NULL ||
	    (metric != NULL && text_to_u64(metric, UINT32_MAX, &r->metric) != 0))
		return err_set(e, ERR_INVALID,
		    "invalid route: %s: the format is <destination in CIDR>,<gateway>,<metric "
		    "(optional)>",
		    whole);
	for (size_t i = 0; i < COUNTOF(types); i++)
		if (strcmp(types[i], second) == 0) {
			r->type = types[i];
			return 0;
		}
	r->gateway = second;
	return 0;
}

static int
read_routes(const struct network_words *o, struct rec_network *n, struct arena *a, struct err *e)
{
	n->routes.v = arena_array(a, o->route.n, sizeof(*n->routes.v));
	n->routes.n = o->route.n;
	for (size_t i = 0; i < o->route.n; i++)
		if (read_route(o->route.v[i], &n->routes.v[i], a, e) == -1)
			return -1;
	return 0;
}

int
network_words_read(const struct network_words *o, const char *name, struct rec_network *n,
    struct arena *a, struct err *e)
{
	*n = (struct rec_network){.name = name,
	    .id = "",
	    .driver = o->driver,
	    .interface = o->interface_name,
	    .ipv6 = o->ipv6,
	    .internal = o->internal,
	    .dns = !o->disable_dns,
	    .dns_servers = {(const char **)o->dns.v, o->dns.n}};
	if (check_name(name, e) == -1 ||
	    read_pairs("labels", &o->label, &n->labels.v, &n->labels.n, a, e) == -1 ||
	    read_pairs("options", &o->opt, &n->options.v, &n->options.n, a, e) == -1)
		return -1;
	if (o->ipam_driver != NULL && *o->ipam_driver != '\0') {
		n->ipam_options.v = arena_array(a, 1, sizeof(*n->ipam_options.v));
		n->ipam_options.n = 1;
		n->ipam_options.v[0] = (struct rec_kv){.key = "driver", .value = o->ipam_driver};
	}
	return read_subnets(o, n, a, e) == -1 || read_routes(o, n, a, e) == -1 ? -1 : 0;
}
