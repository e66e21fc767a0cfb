/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/remote/connections.h"

/* --- The file -----------------------------------------------------------------------------------*/

/* The object of that name, made if there is none. */
static json_t *
within(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return json_is_object(v) ? v : json_put_obj(o, key);
}

static json_t *
all_of(json_t *file)
{
	return within(within(file, "Connection"), "Connections");
}

static const char *
default_of(json_t *file)
{
	const char *s = json_string_value(json_object_get(within(file, "Connection"), "Default"));

	return s != NULL ? s : "";
}

static void
set_default(json_t *file, const char *name)
{
	json_put_str(within(file, "Connection"), "Default", name);
}

static int
undefined(const char *name, struct err *e)
{
	return err_set(e, ERR_NOTFOUND,
	    "\"%s\" destination is not defined. See \"podman system connection add ...\" to create "
	    "a connection",
	    name);
}

/* --- add ----------------------------------------------------------------------------------------*/

struct add_opts {
	const char *identity, *socket_path, *tls_ca, *tls_cert, *tls_key;
	int64_t port;
	bool is_default;
};

static const struct opt add_rows[] = {
    {"default", 'd', OPT_BOOL(struct add_opts, is_default), .help = "Set connection to be default"},
    {"identity", 0, OPT_STRING(struct add_opts, identity), .arg = "path", .complete = COMPLETE_FILE,
	.help = "path to SSH identity file"},
    {"port", 'p', OPT_INT(struct add_opts, port), .bits = 16, .arg = "port", .def = "22",
	.help = "SSH port number for destination"},
    {"socket-path", 0, OPT_STRING(struct add_opts, socket_path), .arg = "path",
	.complete = COMPLETE_FILE, .help = "path to podman socket on remote host"},
    {"tls-ca", 0, OPT_STRING(struct add_opts, tls_ca), .arg = "path", .complete = COMPLETE_FILE,
	.help = "path to TLS certificate Authority PEM file"},
    {"tls-cert", 0, OPT_STRING(struct add_opts, tls_cert), .arg = "path", .complete = COMPLETE_FILE,
	.help = "path to TLS client certificate PEM file"},
    {"tls-key", 0, OPT_STRING(struct add_opts, tls_key), .arg = "path", .complete = COMPLETE_FILE,
	.help = "path to TLS client certificate private key PEM file"},
    OPT_END,
};

static int
not_for(const char *option, const char *scheme, struct err *e)
{
	return err_set(e, ERR_USAGE, "--%s option not supported for %s scheme", option, scheme);
}

static int
check_options(
    const struct cli_ctx *cli, const struct add_opts *o, const char *scheme, struct err *e)
{
	bool ssh = strcmp(scheme, "ssh") == 0, tcp = strcmp(scheme, "tcp") == 0;

	if (!ssh && o->identity != NULL)
		return not_for("identity", scheme, e);
	if (!ssh && opt_given(&cli->parse, "port"))
		return not_for("port", scheme, e);
	if (tcp && o->socket_path != NULL)
		return not_for("socket-path", scheme, e);
	if (!tcp && (o->tls_ca != NULL || o->tls_cert != NULL || o->tls_key != NULL))
		return not_for(o->tls_ca != NULL     ? "tls-ca"
			       : o->tls_cert != NULL ? "tls-cert"
						     : "tls-key",
		    scheme, e);
	if ((o->tls_cert != NULL) != (o->tls_key != NULL))
		return err_set(e, ERR_USAGE, "--tls-cert and --tls-key are given together");
	return 0;
}

/* With the user, the port and the path that were meant. */
static char *
whole_uri(const struct add_opts *o, const char *text, const struct dest_uri *u)
{
	const char *path = o->socket_path != NULL ? o->socket_path : u->path;
	const struct passwd *me;
	bool colon = strchr(u->host, ':') != NULL;

	if (strcmp(u->scheme, "unix") == 0)
		return xasprintf("unix://%s", path);
	if (strcmp(u->scheme, "tcp") == 0)
		return xstrdup(text);
	me = *u->user == '\0' ? getpwuid(getuid()) : NULL;
	return xasprintf("ssh://%s%s%s%s%s:%s%s%s", me != NULL ? me->pw_name : u->user,
	    me != NULL || *u->user != '\0' ? "@" : "", colon ? "[" : "", u->host, colon ? "]" : "",
	    u->port, *path != '\0' && *path != '/' ? "/" : "", path);
}

static int
add(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct add_opts *o = opts;
	const struct {
		const char *key, *value;
	} words[] = {{"Identity", o->identity}, {"TLSCA", o->tls_ca}, {"TLSCert", o->tls_cert},
	    {"TLSKey", o->tls_key}};
	own_dest_uri struct dest_uri u = {0};
	own_mem char *text = NULL, *uri = NULL;
	own_json json_t *file = NULL;
	own_fd int lock = -1;
	json_t *one;

	(void)argc;
	if (*argv[0] == '\0')
		return err_set(e, ERR_USAGE, "a connection needs a name");
	text = strstr(argv[1], "://") != NULL ? xstrdup(argv[1]) : xasprintf("ssh://%s", argv[1]);
	if (dest_uri_parse(text, &u, e) == -1 || check_options(cli, o, u.scheme, e) == -1)
		return -1;
	if (o->port < 1)
		return err_set(e, ERR_USAGE, "invalid port %lld", (long long)o->port);
	if (*u.port == '\0') {
		free(u.port);
		u.port = xasprintf("%lld", (long long)o->port);
	}
	uri = whole_uri(o, text, &u);
	file = connections_edit(&lock, e);
	if (file == NULL)
		return -1;
	if (o->is_default || json_object_size(all_of(file)) == 0)
		set_default(file, argv[0]);
	one = json_put_obj(all_of(file), argv[0]);
	json_put_str(one, "URI", uri);
	for (size_t i = 0; i < COUNTOF(words); i++)
		if (words[i].value != NULL)
			json_put_str(one, words[i].key, words[i].value);
	return connections_write(file, e);
}

/* --- default, remove, rename ----------------------------------------------------------------------*/

static int
make_default(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(ctx_of(cli), e);
	own_json json_t *file = NULL;
	own_fd int lock = -1;

	(void)opts;
	(void)argc;
	if (conf == NULL || (file = connections_edit(&lock, e)) == NULL)
		return -1;
	if (json_object_get(all_of(file), argv[0]) == NULL &&
	    json_object_get(conf->engine_service_destinations, argv[0]) == NULL)
		return undefined(argv[0], e);
	set_default(file, argv[0]);
	return connections_write(file, e);
}

struct remove_opts {
	bool all;
};

static const struct opt remove_rows[] = {
    {"all", 'a', OPT_BOOL(struct remove_opts, all), .help = "Remove all connections"},
    {"force", 'f', OPT_NO_BOOL, .flags = OPT_HIDDEN,
	.help = "Accepted for compatibility: has no effect"},
    OPT_END,
};

static int
remove_(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct remove_opts *o = opts;
	own_json json_t *file = NULL;
	own_fd int lock = -1;

	(void)cli;
	if (o->all == (argc > 0))
		return err_set(e, ERR_USAGE,
		    o->all ? "--all and a name cannot be used together"
			   : "connection name must be specified");
	file = connections_edit(&lock, e);
	if (file == NULL)
		return -1;
	if (o->all) {
		json_object_clear(all_of(file));
		set_default(file, "");
	} else if (json_object_del(all_of(file), argv[0]) == -1) {
		return err_set(e, ERR_NOTFOUND, "connection \"%s\" not found", argv[0]);
	} else if (strcmp(default_of(file), argv[0]) == 0) {
		set_default(file, "");
	}
	return connections_write(file, e);
}

static int
rename_(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_json json_t *file = NULL;
	own_fd int lock = -1;
	json_t *one;

	(void)cli;
	(void)opts;
	(void)argc;
	file = connections_edit(&lock, e);
	if (file == NULL)
		return -1;
	one = json_object_get(all_of(file), argv[0]);
	if (one == NULL)
		return undefined(argv[0], e);
	if (json_object_get(all_of(file), argv[1]) != NULL)
		return err_set(e, ERR_EXISTS, "destination \"%s\" already exists", argv[1]);
	json_put_take(all_of(file), argv[1], json_incref(one));
	json_object_del(all_of(file), argv[0]);
	if (strcmp(default_of(file), argv[0]) == 0)
		set_default(file, argv[1]);
	return connections_write(file, e);
}

/* --- list ---------------------------------------------------------------------------------------*/

struct list_opts {
	const char *format;
	bool quiet;
};

static const struct opt list_rows[] = {
    {"format", 'f', OPT_STRING(struct list_opts, format), .arg = "format",
	.help = "Custom Go template for printing connections"},
    {"quiet", 'q', OPT_BOOL(struct list_opts, quiet), .help = "Show only names"},
    OPT_END,
};

static void
put_text(json_t *row, const char *key, const json_t *o, const char *from)
{
	const char *s = json_string_value(json_object_get(o, from));

	json_put_str(row, key, s != NULL ? s : "");
}

/* ours: of the user's file, whose keys are not those of containers.conf. */
static void
add_row(json_t *list, const char *name, const json_t *o, bool is_default, bool ours)
{
	static const char *const keys[][3] = {{"URI", "URI", "uri"},
	    {"Identity", "Identity", "identity"}, {"TLSCA", "TLSCA", "tls_ca"},
	    {"TLSCert", "TLSCert", "tls_cert"}, {"TLSKey", "TLSKey", "tls_key"}};
	json_t *row = json_add_obj(list);

	json_put_str(row, "Name", name);
	for (size_t i = 0; i < COUNTOF(keys); i++)
		put_text(row, keys[i][0], o, keys[i][ours ? 1 : 2]);
	json_put_bool(row, "IsMachine", json_is_true(json_object_get(o, "IsMachine")));
	json_put_bool(row, "Default", is_default);
	json_put_bool(row, "ReadWrite", ours);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
list(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	/* Podman's are no capitals here. */
	static const struct output_heading headings[] = {{"Name", "Name"}, {"URI", "URI"},
	    {"Identity", "Identity"}, {"Default", "Default"}, {"ReadWrite", "ReadWrite"},
	    {NULL, NULL}};
	const struct list_opts *o = opts;
	const struct containers_conf *conf = ctx_conf(ctx_of(cli), e);
	struct output out = {.format = o->format,
	    .table = "{{.Name}}\t{{.URI}}\t{{.Identity}}\t{{.Default}}\t{{.ReadWrite}}",
	    .quiet = o->quiet ? "{{.Name}}" : NULL,
	    .type = "system.namedDestination",
	    .headings = headings};
	own_json json_t *file = conf != NULL ? connections_read(e) : NULL, *rows = json_arr();
	own_strv struct strv names = {0};
	const char *name, *chosen;
	json_t *v;

	(void)argc;
	(void)argv;
	if (file == NULL)
		return -1;
	chosen = connections_default(file, conf);
	json_object_foreach (all_of(file), name, v)
		strv_add(&names, name);
	json_object_foreach (conf->engine_service_destinations, name, v)
		if (json_object_get(all_of(file), name) == NULL)
			strv_add(&names, name);
	if (names.n > 0)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (size_t i = 0; i < names.n; i++) {
		const json_t *ours = json_object_get(all_of(file), names.v[i]);

		add_row(rows, names.v[i],
		    ours != NULL ? ours
				 : json_object_get(conf->engine_service_destinations, names.v[i]),
		    chosen != NULL && strcmp(chosen, names.v[i]) == 0, ours != NULL);
	}
	return output_list(&out, rows, NULL, stdout, e);
}

/* --- The table ----------------------------------------------------------------------------------*/

static const struct cmd cmd_add = {
    .name = "add",
    .synopsis = "[options] NAME DESTINATION",
    .brief = "Record destination for the Podman service",
    .text = "Add destination to podman configuration. \"destination\" is one of the form: "
	    "[user@]hostname (will default to ssh), "
	    "ssh://[user@]hostname[:port][/path], unix://path, tcp://hostname:port",
    .examples = "system connection add laptop server.fubar.com\nsystem connection add --identity "
		"~/.ssh/dev_rsa testing ssh://root@server.fubar.com:2222\nsystem connection add "
		"debug tcp://localhost:8080",
    .opts = {{add_rows, 0}},
    .opts_size = sizeof(struct add_opts),
    .min = 2,
    .max = 2,
    .run = add,
};

static const struct cmd cmd_default = {
    .name = "default",
    .synopsis = "NAME",
    .brief = "Set named destination as default",
    .text = "Set named destination as default for the Podman service",
    .examples = "system connection default testing",
    .min = 1,
    .max = 1,
    .run = make_default,
};

static const struct cmd cmd_list = {
    .name = "list",
    .aliases = "ls",
    .synopsis = "[options]",
    .brief = "List destination for the Podman service(s)",
    .text = "List destination information for the Podman service(s) in podman configuration",
    .examples = "system connection list\nsystem connection ls --format=json",
    .opts = {{list_rows, 0}},
    .opts_size = sizeof(struct list_opts),
    .max = 0,
    .run = list,
};

static const struct cmd cmd_remove = {
    .name = "remove",
    .aliases = "rm",
    .synopsis = "[options] NAME",
    .brief = "Delete named destination",
    .text = "Delete named destination from podman configuration",
    .examples = "system connection remove devl\nsystem connection rm --all",
    .opts = {{remove_rows, 0}},
    .opts_size = sizeof(struct remove_opts),
    .max = 1,
    .run = remove_,
};

static const struct cmd cmd_connection_rename = {
    .name = "rename",
    .aliases = "mv",
    .synopsis = "OLD NEW",
    .brief = "Rename \"old\" to \"new\"",
    .text = "Rename destination for the Podman service from \"old\" to \"new\"",
    .examples = "system connection rename laptop devl",
    .min = 2,
    .max = 2,
    .run = rename_,
};

static const struct cmd_place sub[] = {
    {.cmd = &cmd_add},
    {.cmd = &cmd_default},
    {.cmd = &cmd_list},
    {.cmd = &cmd_remove},
    {.cmd = &cmd_connection_rename},
    {0},
};

const struct cmd cmd_system_connection = {
    .name = "connection",
    .brief = "Manage remote API service destinations",
    .text = "Manage remote API service destination information in podman configuration",
    .sub = sub,
};
