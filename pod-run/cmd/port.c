/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/sync.h"
#include "pod-run/remote/containers.h"

struct port_opts {
	bool all, latest;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct port_opts, all),
	.help = "Display port information for all containers"},
    {"latest", 'l', OPT_BOOL(struct port_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    OPT_END,
};

/* What is looked for: one port of the container, or all if number is 0. */
struct wanted {
	uint64_t number;
	const char *protocol;
};

static int
read_wanted(const char *word, struct wanted *w, struct err *e)
{
	const char *slash = strchr(word, '/');
	own_mem char *number =
	    slash != NULL ? xstrndup(word, (size_t)(slash - word)) : xstrdup(word);

	w->protocol = slash != NULL ? slash + 1 : "tcp";
	if (text_to_u64(number, 65535, &w->number) == -1 || w->number == 0)
		return err_set(e, ERR_INVALID, "invalid port number \"%s\"", word);
	return 0;
}

static void
print_address(const struct rec_port_map *m, uint64_t offset)
{
	const char *ip = m->host_ip != NULL && *m->host_ip != '\0' ? m->host_ip : "0.0.0.0";
	bool six = strchr(ip, ':') != NULL;

	printf(
	    "%s%s%s:%u\n", six ? "[" : "", ip, six ? "]" : "", (unsigned)(m->host_port + offset));
}

/* Returns how many ports were printed. */
static size_t
print_ports(const struct ctr *c, const struct wanted *w, bool with_id)
{
	const struct rec_port_map *v = c->run.ports.v;
	size_t printed = 0;

	for (size_t i = 0; i < c->run.ports.n; i++)
		for (uint64_t k = 0; k < (v[i].range > 0 ? v[i].range : 1); k++) {
			uint64_t port = v[i].container_port + k;

			if (w->number != 0 &&
			    (port != w->number || strcmp(v[i].protocol, w->protocol) != 0))
				continue;
			printed++;
			if (w->number == 0) {
				if (with_id)
					printf(NAMES_SHORT_FMT "\t", c->id);
				printf("%u/%s -> ", (unsigned)port, v[i].protocol);
			}
			print_address(&v[i], k);
		}
	return printed;
}

static int
all(struct ctx *x, struct err *e)
{
	static const struct strv none;
	const struct containers_wanted w = {.last = -1, .filters = &none};
	own_ctr_list struct ctr_list l = {0};
	own_json json_t *told = NULL;
	struct wanted any = {0};

	if ((x->remote != NULL ? containers_list(x->remote, &w, &l, &told, e)
			       : sync_list(x, &l, e)) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].status == CTR_RUNNING)
			print_ports(&l.v[i], &any, true);
	return 0;
}

static int
find(struct ctx *x, const char *word, bool latest, struct ctr *c, struct err *e)
{
	char id[NAMES_ID_LEN + 1];

	if (x->remote != NULL)
		return containers_get(x->remote, word, c, e);
	if (select_one(x, word, latest, id, e) == -1 || ctr_load(ctx_db(x, e), id, c, e) == -1)
		return -1;
	sync_look(x, c);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct port_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	int named = o->latest || o->all ? 0 : 1;
	struct wanted w = {0};
	own_ctr struct ctr c = {0};

	if (o->all && o->latest)
		return err_set(e, ERR_USAGE, "all and latest cannot be specified at the same time");
	if (o->all)
		return argc > 0 ? err_set(e, ERR_USAGE, "no arguments are needed with --all")
				: all(x, e);
	if (argc < named)
		return err_set(e, ERR_USAGE, "you must supply a running container name or id");
	if (argc > named && read_wanted(argv[named], &w, e) == -1)
		return -1;
	if (find(x, named == 1 ? argv[0] : NULL, o->latest, &c, e) == -1)
		return -1;
	if ((c.status != CTR_RUNNING || print_ports(&c, &w, false) == 0) && w.number != 0)
		return err_set(
		    e, ERR_NOTFOUND, "failed to find published port \"%s\"", argv[named]);
	return 0;
}

const struct cmd cmd_port = {
    .name = "port",
    .synopsis = "[options] CONTAINER [PORT]",
    .brief = "List port mappings or a specific mapping for the container",
    .text = "List port mappings for the CONTAINER, or look up the public-facing port that is "
	    "NAT-ed to the PRIVATE_PORT",
    .examples = "port --all\nport ctrID 80/tcp\nport --latest 80",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct port_opts),
    .max = 2,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
