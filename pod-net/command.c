/* SPDX-License-Identifier: ISC */
#include "pod-net/command.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/cmd.h"
#include "common/cli/output.h"
#include "common/conf/host_root.h"
#include "common/conf/network_hello.h"
#include "common/oci/network_json.h"
#include "common/role/role.h"
#include "pod-net/net.h"
#include "pod-net/netns.h"
#include "pod-net/setup.h"

static const struct opt global_options[] = {
    {"root", 0, OPT_STRING(struct command_globals, root), .arg = "directory",
	.complete = COMPLETE_DIR,
	.help = "Graph root; an ordinary user's networks are defined below it"},
    {"runroot", 0, OPT_STRING(struct command_globals, runroot), .arg = "directory",
	.complete = COMPLETE_DIR, .help = "Directory of volatile state (root's: /run/pod)"},
    {"network-config-dir", 0, OPT_STRING(struct command_globals, config_dir), .arg = "directory",
	.complete = COMPLETE_DIR, .help = "Directory of network definitions"},
    OPT_END,
};

/* What containers.conf(5) says. */
static struct containers_conf config;

/* The role depends on the configuration, which is the caller's own. */
static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	(void)ctx;
	if (containers_conf_load(&config, host_uid(), NULL, e) != 0)
		return -1;
	return role_enter(network_hello_others(&config) ? ROLE_NET_PLUGIN : ROLE_NET, NULL, 0, e);
}

int
command_open(struct cli_ctx *ctx, struct net *n, struct err *e)
{
	const struct command_globals *g = ctx->globals;
	bool rootless = !host_userns();
	const char *run = rootless ? getenv("CONTAINERS_RUNROOT") : NULL;
	const char *graph = rootless ? getenv("CONTAINERS_GRAPHROOT") : NULL;
	own_arena struct arena a = {0};
	struct msg_hello hello = {.run_root = g->runroot != NULL ? g->runroot : run,
	    .graph_root = g->root != NULL ? g->root : graph,
	    .rootless = rootless};

	hello.options.v = arena_array(&a, network_hello_max(&config), sizeof *hello.options.v);
	hello.options.n = network_hello_options(&config, hello.options.v, &a);
	return net_open(n, &hello, e);
}

int
command_pools(struct msg_net_create *m, struct arena *a, struct err *e)
{
	return network_hello_pools(&config, m, a, e);
}

/* --- list, inspect -------------------------------------------------------------------------------- */

struct format_options {
	const char *format;
	bool quiet;
};

static const struct opt list_options[] = {
    {"format", 0, OPT_STRING(struct format_options, format), .arg = "format",
	.help = "json, table or a Go template"},
    {"quiet", 'q', OPT_BOOL(struct format_options, quiet), .help = "Only names"},
    OPT_END,
};

static json_t *
row(const struct rec_network *n)
{
	json_t *o = json_obj(), *full = network_json(n);

	json_put_take(o, "ID", json_strn(n->id, 12));
	json_put_str(o, "Name", n->name);
	json_put_str(o, "Driver", n->driver);
	json_object_update(o, full);
	json_decref(full);
	return o;
}

static int
list(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct format_options *o = opts;
	const struct command_globals *g = ctx->globals;
	own(network_list_free) struct network_list l = {0};
	own(net_close) struct net n = NET_CLOSED;
	own_json json_t *rows = json_arr();
	struct output out = {.format = o->format,
	    .table = "{{.ID}}\t{{.Name}}\t{{.Driver}}",
	    .quiet = o->quiet ? "{{.Name}}" : NULL,
	    .type = "Network"};

	(void)argc;
	(void)argv;
	if (command_open(ctx, &n, e) != 0 ||
	    n.backend->list(&n, net_config_dir(&n, g->config_dir), &l, e) != 0)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		json_add_take(
		    rows, output_is_json(o->format) ? network_json(&l.v[i]) : row(&l.v[i]));
	return output_list(&out, rows, NULL, stdout, e);
}

static const struct cmd cmd_list = {
    .name = "list",
    .aliases = "ls",
    .synopsis = "[options]",
    .brief = "List the networks",
    .examples = "list\nlist --format json",
    .opts = {{list_options}},
    .opts_size = sizeof(struct format_options),
    .run = list,
};

static int
inspect(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct format_options *o = opts;
	const struct command_globals *g = ctx->globals;
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	own_json json_t *array = json_arr();

	if (command_open(ctx, &n, e) != 0)
		return -1;
	for (int i = 0; i < argc; i++) {
		struct rec_network one;

		if (net_find(&n, net_config_dir(&n, g->config_dir), argv[i], &one, &a, e) != 0)
			return -1;
		json_add_take(array, network_json(&one));
	}
	return output_inspect(o->format, array, "Network", stdout, e);
}

static const struct opt inspect_options[] = {
    {"format", 'f', OPT_STRING(struct format_options, format), .arg = "format",
	.help = "json or a Go template"},
    OPT_END,
};

static const struct cmd cmd_inspect = {
    .name = "inspect",
    .synopsis = "[options] NETWORK [NETWORK...]",
    .brief = "Show the definitions of networks",
    .examples = "inspect podman",
    .opts = {{inspect_options}},
    .opts_size = sizeof(struct format_options),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_NETWORK,
    .run = inspect,
};

/* --- setup, teardown, sweep ----------------------------------------------------------------------- */

struct setup_options {
	const char *id, *name, *mode;
	struct strv networks, ips, publish;
};

static const struct opt setup_options[] = {
    {"id", 0, OPT_STRING(struct setup_options, id), .arg = "ID",
	.help = "Container ID; needed to take it down again"},
    {"name", 0, OPT_STRING(struct setup_options, name), .arg = "name",
	.help = "Container name, for comments"},
    {"mode", 0, OPT_STRING(struct setup_options, mode), .arg = "mode", .def = "bridge",
	.help = "bridge, pasta, slirp4netns or none"},
    {"network", 0, OPT_LIST(struct setup_options, networks), .arg = "name",
	.complete = COMPLETE_NETWORK, .help = "Network to join; repeatable"},
    {"ip", 0, OPT_LIST(struct setup_options, ips), .arg = "address",
	.help = "Address on the first network; repeatable for IPv4 and IPv6"},
    {"publish", 'p', OPT_LIST(struct setup_options, publish), .arg = "port",
	.help = "[[IP:]HOSTPORT:]PORT[-PORT][/PROTOCOL]; repeatable"},
    OPT_END,
};

/* "8080" or "8080-8090". */
static int
parse_range(const char *s, uint64_t *first, uint64_t *count, struct err *e)
{
	const char *dash = strchr(s, '-');
	own_mem char *low = dash != NULL ? xstrndup(s, (size_t)(dash - s)) : xstrdup(s);
	uint64_t last;

	if (text_to_u64(low, 65535, first) != 0 ||
	    (dash != NULL && text_to_u64(dash + 1, 65535, &last) != 0))
		return err_set(e, ERR_USAGE, "invalid port %s", s);
	if (dash != NULL && last < *first)
		return err_set(e, ERR_USAGE, "invalid port range %s", s);
	*count = dash != NULL ? last - *first + 1 : 1;
	return 0;
}

static int
parse_publish(const char *s, struct rec_port_map *m, struct arena *a, struct err *e)
{
	char *work = arena_strdup(a, s), *slash = strchr(work, '/'), *colon;
	uint64_t count;

	*m = (struct rec_port_map){.protocol = "tcp"};
	if (slash != NULL) {
		*slash = '\0';
		m->protocol = slash + 1;
	}
	colon = strrchr(work, ':');
	if (parse_range(colon != NULL ? colon + 1 : work, &m->container_port, &m->range, e) != 0)
		return -1;
	if (colon == NULL)
		return 0;
	*colon = '\0';
	colon = strrchr(work, ':');
	if (colon != NULL) {
		*colon = '\0';
		m->host_ip = work;
		if (work[0] == '[' && colon > work + 1 && colon[-1] == ']') {
			colon[-1] = '\0';
			m->host_ip = work + 1;
		}
	}
	work = colon != NULL ? colon + 1 : work;
	if (work[0] == '\0')
		return 0;
	if (parse_range(work, &m->host_port, &count, e) != 0)
		return -1;
	return count == m->range ? 0
				 : err_set(e, ERR_USAGE, "port ranges of different length: %s", s);
}

static int
setup_request(const struct setup_options *o, const struct command_globals *g,
    struct msg_net_setup *m, struct arena *a, struct err *e)
{
	size_t n = o->networks.n > 0 ? o->networks.n : 1;

	*m = (struct msg_net_setup){
	    .id = o->id, .name = o->name, .mode = o->mode, .network_dir = g->config_dir};
	if (o->id == NULL)
		return err_set(e, ERR_USAGE, "option --id is needed");
	if (strcmp(o->mode, "bridge") == 0) {
		m->attach.v = arena_array(a, n, sizeof *m->attach.v);
		m->attach.n = n;
		for (size_t i = 0; i < n; i++)
			m->attach.v[i].network =
			    o->networks.n > 0 ? o->networks.v[i] : NETWORK_DEFAULT;
		m->attach.v[0].static_ips = (struct strs){(const char **)o->ips.v, o->ips.n};
	}
	m->ports.v = arena_array(a, o->publish.n, sizeof *m->ports.v);
	m->ports.n = o->publish.n;
	for (size_t i = 0; i < o->publish.n; i++)
		if (parse_publish(o->publish.v[i], &m->ports.v[i], a, e) != 0)
			return -1;
	return 0;
}

static json_t *
ports_json(const struct msg_net_setup_r *r)
{
	json_t *array = json_arr();

	for (size_t i = 0; i < r->ports.n; i++) {
		const struct rec_port_map *p = &r->ports.v[i];
		json_t *o = json_add_obj(array);

		json_put_str(o, "host_ip", p->host_ip != NULL ? p->host_ip : "");
		json_put_int(o, "container_port", (int64_t)p->container_port);
		json_put_int(o, "host_port", (int64_t)p->host_port);
		json_put_int(o, "range", (int64_t)p->range);
		json_put_str(o, "protocol", p->protocol);
	}
	return array;
}

static void
put_interface(json_t *interfaces, const struct rec_net_interface *x)
{
	json_t *o = json_put_obj(interfaces, x->name), *subnets;

	json_put_str(o, "network", x->network);
	json_put_str(o, "mac_address", x->mac);
	subnets = json_put_arr(o, "subnets");
	for (size_t i = 0; i < x->addresses.n; i++) {
		json_t *s = json_add_obj(subnets);

		json_put_str(s, "ipnet", x->addresses.v[i].ipnet);
		json_put_str(s, "gateway", x->addresses.v[i].gateway);
	}
}

json_t *
command_joined(const struct rec_net_interface *v, size_t n, const struct strs *dns_servers,
    const char *host_address)
{
	json_t *o = json_obj(), *list = json_put_obj(o, "interfaces");

	for (size_t i = 0; i < n; i++)
		put_interface(list, &v[i]);
	list = json_put_arr(o, "dns_servers");
	for (size_t i = 0; i < dns_servers->n; i++)
		json_add_str(list, dns_servers->v[i]);
	if (host_address != NULL)
		json_put_str(o, "host_address", host_address);
	return o;
}

static int
print_answer(const struct msg_net_setup_r *r, struct err *e)
{
	own_json json_t *o =
	    command_joined(r->interfaces.v, r->interfaces.n, &r->dns_servers, r->host_address);

	json_put_take(o, "ports", ports_json(r));
	return output_json(o, stdout, e);
}

static int
setup(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own(net_close) struct net n = NET_CLOSED;
	own_arena struct arena a = {0};
	struct msg_net_setup m;
	struct msg_net_setup_r r = {0};
	own_fd int netns = netns_open(argv[0], e);
	int rc;

	(void)argc;
	if (netns < 0 || setup_request(opts, ctx->globals, &m, &a, e) != 0 ||
	    command_open(ctx, &n, e) != 0)
		return -1;
	if (setup_container(&n, &m, netns, &r, &a, e) != 0) {
		net_tidy(&n, true);
		return -1;
	}
	rc = print_answer(&r, e);
	(void)fd_take(&r.netns);
	wire_close_fds(&msg_net_setup_r_desc, &r);
	return rc;
}

static const struct cmd cmd_setup = {
    .name = "setup",
    .synopsis = "--id ID [options] NETNS",
    .brief = "Join a network namespace to networks",
    .examples = "setup --id web1 --network podman -p 8080:80 /run/netns/web1",
    .opts = {{setup_options}},
    .opts_size = sizeof(struct setup_options),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_FILE,
    .run = setup,
};

struct teardown_options {
	const char *netns;
};

static const struct opt teardown_options[] = {
    {"netns", 0, OPT_STRING(struct teardown_options, netns), .arg = "file",
	.complete = COMPLETE_FILE,
	.help = "The namespace, if it stays: programs of others undo in it what they did"},
    OPT_END,
};

static int
teardown(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct teardown_options *o = opts;
	own(net_close) struct net n = NET_CLOSED;
	own_fd int netns = -1;

	if (o->netns != NULL && (netns = netns_open(o->netns, e)) < 0)
		return -1;
	if (command_open(ctx, &n, e) != 0)
		return -1;
	for (int i = 0; i < argc; i++)
		if (net_teardown(&n, argv[i], netns, e) != 0)
			return -1;
	net_tidy(&n, true);
	return 0;
}

static const struct cmd cmd_teardown = {
    .name = "teardown",
    .synopsis = "[options] ID [ID...]",
    .brief = "Give back what setup took",
    .examples = "teardown web1",
    .opts = {{teardown_options}},
    .opts_size = sizeof(struct teardown_options),
    .min = 1,
    .max = CMD_ANY,
    .run = teardown,
};

static int
sweep(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own(net_close) struct net n = NET_CLOSED;
	struct strs running = {(const char **)argv, (size_t)argc};

	(void)opts;
	if (command_open(ctx, &n, e) != 0 || net_sweep(&n, &running, e) != 0)
		return -1;
	net_tidy(&n, true);
	return 0;
}

static const struct cmd cmd_sweep = {
    .name = "sweep",
    .synopsis = "[ID...]",
    .brief = "Give back what containers other than those named hold",
    .examples = "sweep web1",
    .max = CMD_ANY,
    .run = sweep,
};

static const struct cmd_place places[] = {{&command_connect}, {&command_create},
    {&command_disconnect}, {&command_drivers}, {&cmd_inspect}, {&cmd_list}, {&command_reload},
    {&command_remove}, {&cmd_setup}, {&cmd_sweep}, {&cmd_teardown}, {&command_update}, {0}};

static const struct cmd root = {
    .name = "pod-net",
    .brief = "Networks of containers",
    .sub = places,
};

static const struct cli cli = {
    .names = "pod-net",
    .root = &root,
    .global = global_options,
    .global_size = sizeof(struct command_globals),
    .prepare = prepare,
};

int
command_main(int argc, char **argv)
{
	int status = cmd_main(&cli, argc, argv);

	containers_conf_free(&config);
	return status;
}
