/* SPDX-License-Identifier: ISC */
#include "pod-net/netavark.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/cmd.h"
#include "common/fs/file.h"
#include "pod-net/attach.h"
#include "pod-net/connect.h"
#include "pod-net/create.h"
#include "pod-net/firewalld.h"
#include "pod-net/link.h"
#include "pod-net/net.h"
#include "pod-net/netns.h"
#include "pod-net/names.h"
#include "pod-net/plugin.h"
#include "pod-net/netavark_create.h"
#include "pod-net/netavark_json.h"
#include "pod-net/setup.h"

#ifdef __x86_64__
#define TARGET "x86_64-unknown-linux-gnu"
#else
#define TARGET "aarch64-unknown-linux-gnu"
#endif

struct globals {
	const char *config, *rootless, *aardvark, *file, *firewall;
	struct strv plugins;
	bool version;
};

static const struct opt global_options[] = {
    {"config", 'c', OPT_STRING(struct globals, config), .arg = "directory",
	.complete = COMPLETE_DIR, .help = "Directory of volatile state"},
    {"rootless", 'r', OPT_STRING(struct globals, rootless), .arg = "bool",
	.help = "Whether the caller is an ordinary user"},
    {"aardvark-binary", 'a', OPT_STRING(struct globals, aardvark), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Program that answers names"},
    {"file", 'f', OPT_STRING(struct globals, file), .arg = "path", .complete = COMPLETE_FILE,
	.help = "Where the request is read from; else from standard input"},
    {"firewall-driver", 0, OPT_STRING(struct globals, firewall), .arg = "driver",
	.help = "nftables, firewalld or none"},
    {"plugin-directory", 0, OPT_LIST(struct globals, plugins), .arg = "directory",
	.complete = COMPLETE_DIR, .help = "Directory of network drivers; repeatable"},
    {"version", 'V', OPT_BOOL(struct globals, version), .help = "Print the version"},
    OPT_END,
};

/* Everything one command works with. */
struct face {
	const struct globals *g;
	struct net net;
	struct netavark_input in;
	int netns;
};

/* What netavark says without the network's name. */
static const char *
without_network(const char *text)
{
	static const char *const bare[] = {
	    "unable to parse ", "unsupported ipam driver ", "unknown network driver "};
	const char *rest = text_has_prefix(text, "network ") ? strstr(text, ": ") : NULL;

	for (size_t i = 0; rest != NULL && i < COUNTOF(bare); i++)
		if (text_has_prefix(rest + 2, bare[i]))
			return rest + 2;
	return text;
}

/* Rust's words for an error of the system. */
static char *
as_netavark(const struct err *e)
{
	const char *text = without_network(e->text), *io = strstr(text, "IO error: ");

	if (text_has_suffix(text, " already exists on container namespace"))
		return xasprintf(
		    "%s: Netlink error: %s (os error %d)", text, strerror(EEXIST), EEXIST);
	if (io == NULL || e->no == 0)
		return xstrdup(text);
	return xasprintf("%.*s%s (os error %d)", (int)(io - text + (ptrdiff_t)strlen("IO error: ")),
	    text, strerror(e->no), e->no);
}

/* The caller decodes exactly this. */
static int
say_error(const struct err *e)
{
	own_json json_t *o = json_obj();
	own_mem char *text = NULL, *error = as_netavark(e);

	json_put_str(o, "error", error);
	text = json_text(o);
	puts(text);
	return 1;
}

static int
choose_firewall(struct face *f, struct err *e)
{
	const char *d = f->g->firewall != NULL ? f->g->firewall : getenv("NETAVARK_FW");

	return firewall_driver_find(d != NULL ? d : "", &f->net.firewall.driver, e);
}

/* Files and server are those that Podman expects. */
static void
choose_names(const struct globals *g, struct names *names)
{
	const char *port = getenv("NETAVARK_DNS_PORT");
	uint64_t number = 0;

	names_close(names);
	*names = (struct names){.dir = xasprintf("%s/aardvark-dns", g->config),
	    .lock = xasprintf("%s/aardvark.lock", g->config),
	    .program = g->aardvark};
	if (port != NULL && text_to_u64(port, 65535, &number) == 0)
		names->port = (uint16_t)number;
}

static bool
has_server(const struct globals *g)
{
	return g->aardvark != NULL && g->aardvark[0] != '\0';
}

static int
open_face(struct face *f, const char *what, struct err *e)
{
	struct msg_hello hello = {.run_root = f->g->config};

	if (f->g->config == NULL)
		return err_set(
		    e, ERR_USAGE, "--config not specified but required for netavark %s", what);
	if (net_open_foreign(&f->net, &hello, e) != 0 || choose_firewall(f, e) != 0)
		return -1;
	choose_names(f->g, &f->net.names);
	f->net.firewall.names_port = f->net.names.port;
	for (size_t i = 0; i < f->g->plugins.n; i++)
		strv_add(&f->net.plugin_dirs, f->g->plugins.v[i]);
	plugin_names(&f->net.plugin_dirs, &f->net.plugins);
	f->net.given = &f->in.networks;
	return 0;
}

/* The request's bytes, to be freed. */
static int
slurp_input(const struct globals *g, char **bytes, size_t *n, struct err *e)
{
	own_fd int fd = g->file != NULL ? open(g->file, O_RDONLY | O_CLOEXEC) : dup(0);

	if (fd < 0)
		return err_sys(e, "failed to load network options: IO error");
	return file_slurp(fd, NETAVARK_INPUT_MAX, "the request", bytes, n, e);
}

static int
read_input(struct face *f, struct err *e)
{
	own_mem char *bytes = NULL;
	size_t n;

	if (slurp_input(f->g, &bytes, &n, e) != 0)
		return -1;
	if (netavark_json_read(bytes, n, &f->in, e) != 0)
		return -1;
	for (size_t i = 0; i < f->in.networks.n; i++)
		f->in.networks.v[i].dns &= has_server(f->g);
	return 0;
}

static void
close_face(struct face *f)
{
	net_release(&f->net);
	net_close(&f->net);
	netavark_json_free(&f->in);
	fd_close(&f->netns);
}

/* --- setup ---------------------------------------------------------------------------------------- */

static int
join_more(struct face *f, struct arena *a, struct err *e)
{
	struct msg_net_connect m = {.id = f->in.id,
	    .name = f->in.name,
	    .hostname = f->in.hostname,
	    .netns = f->netns,
	    .dns_servers = f->in.dns_servers};
	struct msg_net_connected r;

	m.attach.v = f->in.attach;
	m.attach.n = f->in.nattach;
	return connect_container(&f->net, &m, &r, a, e);
}

static int
join_first(struct face *f, struct arena *a, struct err *e)
{
	struct msg_net_setup m = {.id = f->in.id,
	    .name = f->in.name,
	    .hostname = f->in.hostname,
	    .mode = "bridge",
	    .dns_servers = f->in.dns_servers};
	struct msg_net_setup_r r = {0};

	m.attach.v = f->in.attach;
	m.attach.n = f->in.nattach;
	m.ports.v = f->in.ports;
	m.ports.n = f->in.nports;
	return setup_container(&f->net, &m, f->netns, &r, a, e);
}

static bool
is_asked(const struct face *f, const char *network)
{
	for (size_t i = 0; i < f->in.nattach; i++)
		if (strcmp(f->in.attach[i].network, network) == 0)
			return true;
	return false;
}

/* True if the container's end of the network is in the namespace; -1 with e. */
static int
is_joined(struct face *f, const struct rec_net_hold *h, struct err *e)
{
	own_netlink struct netlink inside = {.fd = -1};
	struct link l;

	if (h->name == NULL)
		return 0;
	return netns_netlink(f->netns, f->net.home, &inside, e) != 0
		   ? -1
		   : link_find(&inside, h->name, &l, e);
}

/*
 * A further network of a container that is known is joined to the others.  If the namespace is another one, or
 * the network's interface has gone, the earlier set-up was never taken down.
 */
static int
join(struct face *f, struct arena *a, struct err *e)
{
	struct rec_net_state st;
	int known = state_read(&f->net.state, f->in.id, &st, a, e);

	if (known < 0)
		err_clear(e);
	if (known != 1 || st.netns != netns_number(f->netns))
		return join_first(f, a, e);
	for (size_t i = 0; i < st.networks.n; i++) {
		const struct rec_net_hold *h = &st.networks.v[i];
		struct msg_net_connected r;
		int joined = is_asked(f, h->network) ? is_joined(f, h, e) : 0;

		if (joined == 1)
			return err_set(e, ERR_EXISTS,
			    "create veth pair: interface %s already exists on container namespace",
			    h->name);
		if (joined < 0 ||
		    (is_asked(f, h->network) &&
			connect_leave(&f->net, f->in.id, f->netns, h->network, &r, a, e) != 0))
			return -1;
	}
	return join_more(f, a, e);
}

/* With names answered: the addresses of the bridges; else what the user asked for. */
static struct strs
servers_of(const struct face *f, const struct rec_net_hold *h, bool answered, struct arena *a)
{
	struct strs r = {.v = arena_array(a, h->addresses.n + 1, sizeof *r.v)};

	if (h->plugin != NULL)
		return h->dns_servers;
	if (!answered)
		return f->in.dns_servers;
	for (size_t i = 0; i < h->addresses.n; i++)
		if (h->addresses.v[i].gateway != NULL)
			r.v[r.n++] = h->addresses.v[i].gateway;
	return r;
}

static int
print_status(struct face *f, const struct rec_net_state *st, struct arena *a)
{
	const char *domain[] = {NAMES_DOMAIN};
	own_json json_t *o = json_obj();
	own_mem char *text = NULL;

	for (size_t i = 0; i < st->networks.n; i++) {
		const struct rec_net_hold *h = &st->networks.v[i];
		bool answered = names_answered(h);
		struct strs servers = servers_of(f, h, answered, a);

		struct strs domains = answered ? (struct strs){domain, 1} : h->dns_search;

		if (is_asked(f, h->network))
			json_put_take(o, h->network, netavark_json_status(h, &servers, &domains));
	}
	text = json_text(o);
	puts(text);
	return 0;
}

static int
do_setup(struct face *f, const char *path, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state st;

	if (open_face(f, "setup", e) != 0 || read_input(f, e) != 0)
		return -1;
	f->netns = netns_open(path, e);
	if (f->netns < 0)
		return -1;
	if (join(f, &a, e) != 0) {
		net_tidy(&f->net, true);
		return -1;
	}
	if (state_read(&f->net.state, f->in.id, &st, &a, e) != 1)
		return -1;
	return print_status(f, &st, &a);
}

/* --- teardown ------------------------------------------------------------------------------------- */

static int
leave_all(struct face *f, struct err *e)
{
	own_arena struct arena a = {0};
	own_strbuf struct strbuf errors = {0};
	size_t failed = 0;

	for (size_t i = 0; i < f->in.nattach; i++) {
		struct msg_net_connected r;

		if (connect_leave(
			&f->net, f->in.id, f->netns, f->in.attach[i].network, &r, &a, e) == 0)
			continue;
		if (e->class == ERR_NOTFOUND || e->class == ERR_STATE)
			err_set(e, ERR_NOTFOUND,
			    "failed to delete container veth %s: Netlink error: No such device (os "
			    "error 19)",
			    f->in.attach[i].interface);
		strbuf_addf(&errors, "\n\t- %s", e->text);
		failed++;
	}
	if (failed == 1)
		return err_set(e, ERR_STATE, "%s", errors.s + strlen("\n\t- "));
	return failed == 0
		   ? 0
		   : err_set(e, ERR_STATE, "netavark encountered multiple errors:%s", errors.s);
}

static int
do_teardown(struct face *f, const char *path, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_net_state st;
	struct err quiet = {0};
	int rc;

	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (open_face(f, "teardown", e) != 0 || read_input(f, e) != 0)
		return -1;
	/* It may be gone; what is on the host goes all the same. */
	f->netns = netns_open(path, &quiet);
	err_clear(&quiet);
	rc = leave_all(f, e);
	if (state_read(&f->net.state, f->in.id, &st, &a, &quiet) == 1 && st.networks.n == 0)
		(void)net_teardown(&f->net, f->in.id, -1, &quiet);
	net_tidy(&f->net, true);
	return rc;
}

/* --- The words ------------------------------------------------------------------------------------ */

static int
with_face(struct cli_ctx *ctx, const char *arg,
    int (*run)(struct face *f, const char *arg, struct err *e))
{
	struct face f = {.g = ctx->globals, .net = NET_CLOSED, .netns = -1};
	struct err e = {0};
	int rc = run(&f, arg, &e);

	close_face(&f);
	return rc == 0 ? 0 : say_error(&e);
}

static int
setup(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	(void)argc;
	(void)e;
	return with_face(ctx, argv[0], do_setup);
}

static int
teardown(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	(void)argc;
	(void)e;
	return with_face(ctx, argv[0], do_teardown);
}

static int
do_reload(struct face *f, const char *unused, struct err *e)
{
	(void)unused;
	return open_face(f, "firewall-reload", e) != 0 ? -1 : connect_reload_all(&f->net, e);
}

static int
firewall_reload(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	(void)argc;
	(void)argv;
	(void)e;
	return with_face(ctx, NULL, do_reload);
}

static int
reload_again(void *arg, struct err *e)
{
	struct face f = {.g = arg, .net = NET_CLOSED, .netns = -1};
	int rc = do_reload(&f, NULL, e);

	close_face(&f);
	return rc;
}

static int
firewalld_reload(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)opts;
	(void)argc;
	(void)argv;
	if (((const struct globals *)ctx->globals)->config == NULL)
		err_set(e, ERR_USAGE,
		    "--config not specified but required for netavark firewalld-reload");
	else
		(void)firewalld_follow(reload_again, ctx->globals, e);
	say_error(e);
	err_clear(e);
	return 1;
}

static int
create(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct globals *g = ctx->globals;
	own_mem char *bytes = NULL, *made = NULL;
	size_t n;

	(void)opts;
	(void)argc;
	(void)argv;
	if (slurp_input(g, &bytes, &n, e) == 0 &&
	    (made = netavark_create(bytes, n, &g->plugins, e)) != NULL) {
		puts(made);
		return 0;
	}
	say_error(e);
	err_clear(e);
	return 1;
}

struct update_options {
	struct strv servers;
};

static const struct opt update_rows[] = {
    {"network-dns-servers", 0, OPT_LIST(struct update_options, servers), .arg = "address",
	.help = "Resolvers of the network, separated by commas; empty: none"},
    OPT_END,
};

static int
update(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct update_options *o = opts;
	const struct globals *g = ctx->globals;
	own(names_close) struct names names = {0};
	own_strv struct strv words = {0};
	struct strs servers;

	(void)argc;
	for (size_t i = 0; i < o->servers.n; i++)
		if (o->servers.v[i][0] != '\0')
			strv_split(&words, o->servers.v[i], ',');
	servers = (struct strs){(const char **)words.v, words.n};
	if (g->config == NULL) {
		err_set(e, ERR_USAGE, "--config not specified but required for netavark update");
	} else if (!network_name_valid(argv[0])) {
		err_set(e, ERR_INVALID, "invalid network name %s", argv[0]);
	} else {
		choose_names(g, &names);
		if (names_servers(&names, argv[0], &servers, e) == 0)
			return 0;
	}
	say_error(e);
	err_clear(e);
	return 1;
}

static int
version(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_json json_t *o = json_obj();
	own_strbuf struct strbuf b = {0};

	(void)ctx;
	(void)opts;
	(void)argc;
	(void)argv;
	(void)e;
	json_put_str(o, "version", POD_VERSION);
	json_put_str(o, "commit", "");
	json_put_str(o, "build_time", "");
	json_put_str(o, "target", TARGET);
	json_put_str(o, "default_fw_driver", "nftables");
	json_go(o, "  ", &b);
	puts(b.s);
	return 0;
}

static const struct cmd cmd_setup = {
    .name = "setup",
    .synopsis = "NETNS",
    .brief = "Join a container to networks",
    .examples = "--config /run/containers/networks setup /run/netns/web <request.json",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_FILE,
    .run = setup,
};

static const struct cmd cmd_teardown = {
    .name = "teardown",
    .synopsis = "NETNS",
    .brief = "Take a container off networks",
    .examples = "--config /run/containers/networks teardown /run/netns/web <request.json",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_FILE,
    .run = teardown,
};

static const struct cmd cmd_update = {
    .name = "update",
    .synopsis = "[options] NETWORK",
    .brief = "Change the resolvers of a network",
    .examples = "--config /run/containers/networks update web --network-dns-servers 192.0.2.1",
    .opts = {{update_rows}},
    .opts_size = sizeof(struct update_options),
    .min = 1,
    .max = 1,
    .run = update,
};

static const struct cmd cmd_create = {
    .name = "create",
    .brief = "Complete and check the definition of a network",
    .examples = "--file request.json create",
    .max = 0,
    .run = create,
};

/* Service managers start it beside Podman. */
static int
dhcp_proxy(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)ctx;
	(void)opts;
	(void)argc;
	(void)argv;
	(void)e;
	log_info("no proxy is needed: setup gets leases, and pod-net-dhcp keeps them");
	return 0;
}

struct proxy_options {
	const char *dir, *socket, *timeout;
};

static const struct opt proxy_rows[] = {
    {"dir", 0, OPT_STRING(struct proxy_options, dir), .arg = "directory", .complete = COMPLETE_DIR,
	.help = "Taken for the sake of others"},
    {"uds", 0, OPT_STRING(struct proxy_options, socket), .arg = "path", .complete = COMPLETE_FILE,
	.help = "Taken for the sake of others"},
    {"activity-timeout", 0, OPT_STRING(struct proxy_options, timeout), .arg = "seconds",
	.help = "Taken for the sake of others"},
    OPT_END,
};

static const struct cmd cmd_dhcp_proxy = {
    .name = "dhcp-proxy",
    .brief = "End at once: leases by DHCP need no proxy",
    .examples = "dhcp-proxy",
    .opts = {{proxy_rows}},
    .opts_size = sizeof(struct proxy_options),
    .max = 0,
    .run = dhcp_proxy,
};

static const struct cmd cmd_version = {
    .name = "version",
    .brief = "Show the version as JSON",
    .examples = "version",
    .max = 0,
    .run = version,
};

static const struct cmd cmd_reload = {
    .name = "firewall-reload",
    .brief = "Restore the packet filter of all containers",
    .examples = "--config /run/containers/networks firewall-reload",
    .max = 0,
    .run = firewall_reload,
};

static const struct cmd cmd_follow = {
    .name = "firewalld-reload",
    .brief = "Restore it now and each time firewalld has reloaded its rules",
    .examples = "--config /run/containers/networks firewalld-reload",
    .max = 0,
    .run = firewalld_reload,
};

static const struct cmd_place places[] = {{&cmd_create}, {&cmd_dhcp_proxy}, {&cmd_reload},
    {&cmd_follow}, {&cmd_setup}, {&cmd_teardown}, {&cmd_update}, {&cmd_version}, {0}};

static const struct cmd root = {
    .name = "netavark",
    .brief = "Networks of Podman's containers",
    .sub = places,
};

static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	const struct globals *g = ctx->globals;

	(void)e;
	if (!g->version)
		return 0;
	puts("netavark " POD_VERSION);
	return 1;
}

static const struct cli cli = {
    .names = "netavark",
    .root = &root,
    .global = global_options,
    .global_size = sizeof(struct globals),
    .prepare = prepare,
};

int
netavark_main(int argc, char **argv)
{
	int rc = cmd_main(&cli, argc, argv);

	return rc == 125 ? 2 : rc;
}
