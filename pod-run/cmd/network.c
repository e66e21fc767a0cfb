/* SPDX-License-Identifier: ISC */
/*
 * network ls, inspect, exists; the other commands of the group are in files of their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/oci/names.h"
#include "common/oci/network_json.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/life/join.h"
#include "pod-run/remote/networks.h"

int
network_list(struct ctx *x, const char *name, struct peer_in *in, struct err *e)
{
	struct msg_net_list m = {.network_dir = ctx_network_dir(x), .name = name};
	struct peer *net = ctx_net(x, e);

	return net != NULL ? peer_call(net, &msg_net_list_desc, &m, in, NULL, NULL, e) : -1;
}

/* A plug-in has its own options; our drivers know one of a container's. */
static int
check_options(const struct rec_net_attach *at, const char *driver, struct err *e)
{
	if (strcmp(driver, "bridge") != 0 && strcmp(driver, "macvlan") != 0 &&
	    strcmp(driver, "ipvlan") != 0)
		return 0;
	for (size_t i = 0; i < at->options.n; i++)
		if (strcmp(at->options.v[i].key, "host_interface_name") != 0)
			return err_set(e, ERR_INVALID,
			    "invalid option for network %s: unknown %s network option: %s",
			    at->network, driver, at->options.v[i].key);
	return 0;
}

int
network_check(struct ctx *x, const struct rec_ctr_config *c, struct err *e)
{
	for (size_t i = 0; i < c->networks.n; i++) {
		const struct rec_net_attach *at = &c->networks.v[i];
		own_peer_in struct peer_in in = {0};

		if (network_list(x, at->network, &in, e) == -1 ||
		    check_options(at, MSG_OF(&in, net_listed)->networks.v[0].driver, e) == -1)
			return -1;
	}
	return 0;
}

/* --- JSON ---------------------------------------------------------------------------------------*/

json_t *
network_shown(const struct rec_network *n)
{
	struct rec_network shown = *n;
	char created[HUMAN_MAX];
	int64_t ns;

	/* That of the default network is not written down. */
	if (n->created == NULL || human_parse_rfc3339(n->created, &ns) == -1)
		ns = ctx_now_ns();
	shown.created = human_rfc3339nano(ns, created, sizeof(created));
	return network_json(&shown);
}

/* --- Fields -------------------------------------------------------------------------------------*/

/* The names that templates use, as in Podman's types.Network. */
static const struct {
	const char *key, *field;
} names[] = {{"containers", "Containers"}, {"created", "Created"}, {"destination", "Destination"},
    {"dns_enabled", "DNSEnabled"}, {"driver", "Driver"}, {"end_ip", "EndIP"},
    {"gateway", "Gateway"}, {"id", "ID"}, {"interfaces", "Interfaces"}, {"internal", "Internal"},
    {"ipam_options", "IPAMOptions"}, {"ipnet", "IPNet"}, {"ipv6_enabled", "IPv6Enabled"},
    {"labels", "Labels"}, {"lease_range", "LeaseRange"}, {"mac_address", "MacAddress"},
    {"metric", "Metric"}, {"name", "Name"}, {"network_dns_servers", "NetworkDNSServers"},
    {"network_interface", "NetworkInterface"}, {"options", "Options"}, {"route_type", "RouteType"},
    {"routes", "Routes"}, {"start_ip", "StartIP"}, {"subnet", "Subnet"}, {"subnets", "Subnets"}};

static const char *
field_of(const char *key)
{
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(names[i].key, key) == 0)
			return names[i].field;
	return key;
}

/* What users put into maps keeps its spelling. */
static bool
is_user_map(const char *key)
{
	return strcmp(key, "labels") == 0 || strcmp(key, "options") == 0 ||
	       strcmp(key, "ipam_options") == 0;
}

static json_t *
rename_keys(json_t *j)
{
	json_t *out, *value;
	const char *key;
	size_t i;

	if (json_is_object(j)) {
		out = json_obj();
		json_object_foreach (j, key, value)
			json_put_take(out, field_of(key),
			    is_user_map(key) ? json_incref(value) : rename_keys(value));
		return out;
	}
	if (!json_is_array(j))
		return json_incref(j);
	out = json_arr();
	json_array_foreach (j, i, value)
		json_add_take(out, rename_keys(value));
	return out;
}

json_t *
network_fields(json_t *j)
{
	static const char *const maps[] = {"Labels", "Options", "IPAMOptions", "Containers"};
	static const char *const lists[] = {"Subnets", "Routes", "NetworkDNSServers"};
	json_t *o = rename_keys(j);

	for (size_t i = 0; i < COUNTOF(maps); i++)
		if (json_object_get(o, maps[i]) == NULL)
			json_put_obj(o, maps[i]);
	for (size_t i = 0; i < COUNTOF(lists); i++)
		if (json_object_get(o, lists[i]) == NULL)
			json_put_arr(o, lists[i]);
	if (json_object_get(o, "NetworkInterface") == NULL)
		json_put_str(o, "NetworkInterface", "");
	return o;
}

/* Names and addresses of the containers that run in the network. */
static int
put_containers(struct ctx *x, json_t *o, const char *network, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	struct db *db = ctx_db(x, e);
	json_t *all;

	if (db == NULL || ctr_list(db, &l, e) == -1)
		return -1;
	all = json_put_obj(o, "containers");
	for (size_t i = 0; i < l.n; i++) {
		const struct ctr *c = &l.v[i];

		for (size_t j = 0; j < c->run.interfaces.n && c->status == CTR_RUNNING; j++) {
			const struct rec_net_interface *f = &c->run.interfaces.v[j];
			json_t *one, *interface, *subnets;

			if (strcmp(f->network, network) != 0)
				continue;
			one = json_put_obj(all, c->id);
			json_put_str(one, "name", c->name);
			interface = json_put_obj(json_put_obj(one, "interfaces"), f->name);
			subnets = json_put_arr(interface, "subnets");
			for (size_t k = 0; k < f->addresses.n; k++) {
				json_t *address = json_add_obj(subnets);

				json_put_str(address, "ipnet", f->addresses.v[k].ipnet);
				if (f->addresses.v[k].gateway != NULL)
					json_put_str(address, "gateway", f->addresses.v[k].gateway);
			}
			if (f->mac != NULL)
				json_put_str(interface, "mac_address", f->mac);
		}
	}
	return 0;
}

int
inspect_network(struct ctx *x, const char *word, bool size, json_t **out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct rec_network *n;

	(void)size;
	if (network_list(x, word, &in, e) == -1)
		return err_wrap(e, "network %s", word);
	n = &MSG_OF(&in, net_listed)->networks.v[0];
	*out = network_shown(n);
	if (put_containers(x, *out, n->name, e) == 0)
		return 0;
	json_decref(*out);
	return -1;
}

/* --- Filters ------------------------------------------------------------------------------------*/

static bool
match_name(const struct term *t, const void *o)
{
	return terms_name(t, ((const struct rec_network *)o)->name);
}

static bool
match_id(const struct term *t, const void *o)
{
	return text_has_prefix(((const struct rec_network *)o)->id, t->value);
}

static bool
match_driver(const struct term *t, const void *o)
{
	return strcmp(((const struct rec_network *)o)->driver, t->value) == 0;
}

static bool
match_label(const struct term *t, const void *o)
{
	const struct rec_network *n = o;

	return terms_label(t->value, n->labels.v, n->labels.n);
}

static bool
match_not_label(const struct term *t, const void *o)
{
	return !match_label(t, o);
}

static bool
match_until(const struct term *t, const void *o)
{
	const struct rec_network *n = o;
	int64_t ns;

	return n->created != NULL && human_parse_rfc3339(n->created, &ns) == 0 && ns < t->number;
}

/* Of prune: also how long unused ones must have been there. */
const struct terms_key network_prune_keys[] = {
    {"label", true, NULL, match_label},
    {"label!", true, NULL, match_not_label},
    {"until", false, terms_prepare_time, match_until},
    {0},
};

/* number: whether networks without containers are wanted; the names of the others are in value. */
static int
prepare_dangling(struct ctx *x, struct term *t, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	own_strbuf struct strbuf used = {0};
	const struct containers_conf *conf = ctx_conf(x, e);
	struct db *db = ctx_db(x, e);

	if (conf == NULL || db == NULL || terms_prepare_bool(x, t, e) == -1 ||
	    ctr_list(db, &l, e) == -1)
		return -1;
	/* The default one cannot be removed, so it never lies about. */
	strbuf_addf(&used, " %s ", conf->network_default_network);
	for (size_t i = 0; i < l.n; i++) {
		own_strv struct strv mine = {0};

		if (ctr_config(&l.v[i], e) == -1)
			return -1;
		join_networks(&l.v[i], conf->network_default_network, &mine);
		for (size_t k = 0; k < mine.n; k++)
			strbuf_addf(&used, "%s ", mine.v[k]);
	}
	free(t->value);
	t->value = strbuf_take(&used);
	return 0;
}

static bool
match_dangling(const struct term *t, const void *o)
{
	own_mem char *word = xasprintf(" %s ", ((const struct rec_network *)o)->name);

	return (strstr(t->value, word) == NULL) == (t->number != 0);
}

static const struct terms_key keys[] = {
    {"dangling", false, prepare_dangling, match_dangling},
    {"driver", false, NULL, match_driver},
    {"id", false, NULL, match_id},
    {"label", true, NULL, match_label},
    {"label!", true, NULL, match_not_label},
    {"name", false, terms_prepare_name, match_name},
    {"until", false, terms_prepare_time, match_until},
    {0},
};

/* --- Commands -----------------------------------------------------------------------------------*/

struct ls_opts {
	bool no_trunc, noheading, quiet;
	const char *format;
	struct strv filter;
};

static const struct opt ls_rows[] = {
    {"filter", 'f', OPT_LIST(struct ls_opts, filter), .arg = "filter",
	.help = "Provide filter values (e.g. 'name=podman')"},
    {"format", 0, OPT_STRING(struct ls_opts, format), .arg = "format",
	.help = "Pretty-print networks to JSON or using a Go template"},
    {"no-trunc", 0, OPT_BOOL(struct ls_opts, no_trunc), .help = "Do not truncate the network ID"},
    {"noheading", 'n', OPT_BOOL(struct ls_opts, noheading), .help = "Do not print headers"},
    {"quiet", 'q', OPT_BOOL(struct ls_opts, quiet), .help = "display only names"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"ID", "NETWORK ID"},
    {"Name", "NAME"},
    {NULL, NULL},
};

/* shown: with the keys of network_shown. */
static json_t *
template_row(json_t *shown, bool no_trunc)
{
	own_strbuf struct strbuf labels = {0};
	json_t *o = network_fields(shown), *network = json_copy(o), *value;
	const char *id = json_string_value(json_object_get(shown, "id")), *key;

	json_object_foreach (json_object_get(shown, "labels"), key, value)
		if (json_is_string(value))
			strbuf_addf(&labels, "%s%s=%s", labels.n > 0 ? "," : "", key,
			    json_string_value(value));
	id = id != NULL ? id : "";
	json_put_take(
	    o, "ID", no_trunc ? json_str(id) : json_strn(id, strnlen(id, NAMES_SHORT_LEN)));
	json_put_str(o, "Labels", labels.n > 0 ? labels.s : "");
	json_object_del(network, "Containers");
	json_put_take(o, "Network", network);
	return o;
}

static int
ls(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct ls_opts *o = opts;
	own_terms struct terms terms = {0};
	own_peer_in struct peer_in in = {0};
	own_json json_t *list = json_arr(), *shown = json_arr();
	struct output out = {.format = o->format,
	    .table = "{{.ID}}\t{{.Name}}\t{{.Driver}}",
	    .quiet = o->quiet ? "{{.Name}}" : NULL,
	    .type = "networks.ListPrintReports",
	    .headings = headings,
	    .noheading = o->noheading};
	struct remote *r = ctx_of(cli)->remote;
	const struct msg_net_listed *l;
	json_t *one;
	size_t k;

	(void)argc;
	(void)argv;
	if (r != NULL) {
		own_json json_t *theirs = networks_list(r, &o->filter, e);

		if (theirs == NULL)
			return -1;
		json_array_foreach (theirs, k, one)
			json_add_take(list, template_row(one, o->no_trunc));
		return output_list(&out, list, theirs, stdout, e);
	}
	if (terms_parse(ctx_of(cli), keys, &o->filter, &terms, e) == -1 ||
	    network_list(ctx_of(cli), NULL, &in, e) == -1)
		return -1;
	l = MSG_OF(&in, net_listed);
	for (size_t i = 0; i < l->networks.n; i++) {
		const struct rec_network *n = &l->networks.v[i];

		if (!terms_match(&terms, n))
			continue;
		one = network_shown(n);
		json_add_take(shown, one);
		json_add_take(list, template_row(one, o->no_trunc));
	}
	return output_list(&out, list, shown, stdout, e);
}

static int
exists(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	(void)opts;
	(void)argc;
	if (network_list(ctx_of(cli), argv[0], &in, e) == 0)
		return 0;
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

static const struct cmd cmd_ls = {
    .name = "ls",
    .aliases = "list",
    .synopsis = "[options]",
    .brief = "List networks",
    .text = "List networks",
    .examples = "network list",
    .opts = {{ls_rows, 0}},
    .opts_size = sizeof(struct ls_opts),
    .max = 0,
    .run = ls,
};

static const struct cmd cmd_exists = {
    .name = "exists",
    .synopsis = "NETWORK",
    .brief = "Check if network exists",
    .text = "If the named network exists, podman network exists exits with 0, otherwise the exit "
	    "code will be 1.",
    .examples = "network exists net1",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_NETWORK,
    .run = exists,
};

static const struct cmd_place sub[] = {
    {.cmd = &cmd_network_connect},
    {.cmd = &cmd_network_create},
    {.cmd = &cmd_network_disconnect},
    {.cmd = &cmd_exists},
    {.cmd = &cmd_network_inspect},
    {.cmd = &cmd_ls},
    {.cmd = &cmd_network_prune},
    {.cmd = &cmd_network_reload},
    {.cmd = &cmd_network_rm},
    {.cmd = &cmd_network_update},
    {0},
};

const struct cmd cmd_network = {
    .name = "network",
    .brief = "Manage networks",
    .text = "Manage networks",
    .sub = sub,
};
