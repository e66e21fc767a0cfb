/* SPDX-License-Identifier: ISC */
#include "pod-net/plugin.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/role/program.h"
#include "common/oci/network_json.h"
#include "pod-net/addr.h"
#include "pod-net/blame.h"
#include "pod-net/net.h"
#include "pod-net/netns.h"
#include "pod-net/network.h"
#include "pod-net/plugin_answer.h"
#include "pod-net/rootless_program.h"

#define API_MAJOR "1."

extern char **environ;

void
plugin_names(const struct strv *dirs, struct strv *out)
{
	for (size_t i = 0; i < dirs->n; i++) {
		own_dir DIR *d = opendir(dirs->v[i]);

		for (const struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;)
			if (entry->d_name[0] != '.' && strv_find(out, entry->d_name) == out->n &&
			    faccessat(dirfd(d), entry->d_name, X_OK, 0) == 0)
				strv_add(out, entry->d_name);
	}
}

/* --- Asking --------------------------------------------------------------------------------------- */

static void
make_environment(struct strv *env)
{
	for (char **v = environ; v != NULL && *v != NULL; v++)
		if (!text_has_prefix(*v, "PATH="))
			strv_add(env, *v);
	strv_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The plug-in's own words about its failure. */
static int
failed(const char *path, const struct program_result *r, struct err *e)
{
	struct err bad = {0};
	own_json json_t *o = r->out.n > 0 ? json_read(r->out.s, r->out.n, &bad) : NULL;
	const char *said = json_string_value(json_object_get(o, "error"));
	char text[512];

	if (said == NULL)
		said = r->err.n > 0 ? r->err.s : "it said nothing";
	text_escape(said, text, sizeof text);
	return err_set(e, ERR_INTERNAL, "plugin \"%s\" failed: exit code %d, message: %s",
	    name_of(path), r->status, text);
}

/* The answer, if one is wanted, must be an object.  n: where it makes links; NULL: it makes none. */
static int
ask(struct net *n, const char *path, const char *word, const char *netns, const char *input,
    json_t **answer, struct err *e)
{
	own_strv struct strv env = {0}, words = {0};
	own(program_free) struct program_result r = {0};
	struct program_run run = {.path = path,
	    .arguments = &words,
	    .environment = &env,
	    .input = input,
	    .input_size = strlen(input),
	    .time_ms = n != NULL ? blame_time_ms(n, path) : 0};

	make_environment(&env);
	strv_add(&words, word);
	if (netns != NULL)
		strv_add(&words, netns);
	if ((n != NULL ? rootless_program(n, &run, &r, e) : program_run(&run, &r, e)) != 0)
		return err_wrap(e, "plugin \"%s\" failed", name_of(path));
	if (r.status != 0)
		return failed(path, &r, e);
	if (answer == NULL)
		return 0;
	*answer = json_read(r.out.n > 0 ? r.out.s : "", r.out.n, e);
	if (*answer != NULL && json_is_object(*answer))
		return 0;
	if (*answer != NULL)
		err_set(e, ERR_FORMAT, "it is not an object");
	return err_wrap(e, "plugin \"%s\" failed: its answer to %s", name_of(path), word);
}

static char *
find(const struct strv *dirs, const char *driver, struct err *e)
{
	char *path = program_find(dirs, driver);

	if (path == NULL)
		err_set(e, ERR_NOTFOUND, "unknown network driver \"%s\"", driver);
	return path;
}

/* A plug-in that does not know the word, as none had to, is taken as one of the first protocol. */
static int
check_version(const char *path, struct err *e)
{
	own_json json_t *o = NULL;
	struct err none = {0};
	const char *version;
	char text[64];

	if (ask(NULL, path, "info", NULL, "", &o, &none) != 0) {
		if (none.class == ERR_TIMEOUT) {
			*e = none;
			return -1;
		}
		log_debug("%s", none.text);
		return 0;
	}
	version = json_string_value(json_object_get(o, "api_version"));
	if (version == NULL || text_has_prefix(version, API_MAJOR))
		return 0;
	text_escape(version, text, sizeof text);
	return err_set(e, ERR_UNSUPPORTED,
	    "plugin \"%s\" has version %s of the plug-in interface, which is not supported",
	    name_of(path), text);
}

/* --- create --------------------------------------------------------------------------------------- */

int
plugin_create(const struct strv *dirs, struct rec_network *x, struct arena *a, struct err *e)
{
	own_mem char *path = find(dirs, x->driver, e);
	own_json json_t *in = network_json(x), *out = NULL;
	own_mem char *input = json_text(in);
	struct rec_network made;

	if (path == NULL || check_version(path, e) != 0 ||
	    ask(NULL, path, "create", NULL, input, &out, e) != 0)
		return -1;
	if (network_read(out, x->name, &made, a, e) != 0)
		return err_wrap(e, "plugin \"%s\" failed: its answer to create", x->driver);
	if (strcmp(made.id, x->id) != 0 || strcmp(made.driver, x->driver) != 0)
		return err_set(e, ERR_INVALID,
		    "plugin \"%s\" failed: it changed the ID or the driver of the network",
		    x->driver);
	if (made.created == NULL)
		made.created = x->created;
	*x = made;
	return 0;
}

/* --- setup ---------------------------------------------------------------------------------------- */

static void
put_strs(json_t *o, const char *key, const struct strs *l)
{
	json_t *array = json_put_arr(o, key);

	for (size_t i = 0; i < l->n; i++)
		json_add_str(array, l->v[i]);
}

static void
put_ports(json_t *o, const struct plugin_join *j)
{
	json_t *array = j->nports > 0 ? json_put_arr(o, "port_mappings") : NULL;

	for (size_t i = 0; i < j->nports; i++) {
		const struct rec_port_map *p = &j->ports[i];
		json_t *one = json_add_obj(array);

		json_put_str(one, "host_ip", p->host_ip != NULL ? p->host_ip : "");
		json_put_int(one, "container_port", (int64_t)p->container_port);
		json_put_int(one, "host_port", (int64_t)p->host_port);
		json_put_int(one, "range", p->range != 0 ? (int64_t)p->range : 1);
		json_put_str(one, "protocol", p->protocol);
	}
}

/* The addresses without their lengths. */
static void
put_addresses(json_t *o, const struct rec_net_hold *h)
{
	json_t *array = h->addresses.n > 0 ? json_put_arr(o, "static_ips") : NULL;

	for (size_t i = 0; i < h->addresses.n; i++) {
		const char *s = h->addresses.v[i].ipnet;

		json_add_take(array, json_strn(s, strcspn(s, "/")));
	}
}

static json_t *
request(const struct plugin_join *j, const struct rec_net_hold *h)
{
	json_t *o = json_obj(), *options, *map;

	json_put_str(o, "container_id", j->id);
	json_put_str(o, "container_name", j->name != NULL ? j->name : "");
	put_ports(o, j);
	json_put_take(o, "network", network_json(j->network));
	options = json_put_obj(o, "network_options");
	json_put_str(options, "interface_name", h->name);
	put_addresses(options, h);
	if (j->mac != NULL)
		json_put_str(options, "static_mac", j->mac);
	put_strs(options, "aliases", &j->asked->aliases);
	map = json_put_obj(options, "options");
	for (size_t i = 0; i < j->asked->options.n; i++)
		json_put_str(map, j->asked->options.v[i].key, j->asked->options.v[i].value);
	return o;
}

int
plugin_plan(const struct strv *dirs, const struct plugin_join *j, struct rec_net_hold *h,
    struct arena *a, struct err *e)
{
	own_mem char *path = find(dirs, j->network->driver, e);
	own_json json_t *o = NULL;
	own_mem char *text = NULL;

	if (path == NULL)
		return -1;
	o = request(j, h);
	text = json_text(o);
	h->plugin = arena_strdup(a, path);
	h->request = arena_strdup(a, text);
	return 0;
}

int
plugin_setup(struct net *n, int netns, struct rec_net_hold *h, struct arena *a, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/fd/%d", (int)getpid(), netns);
	own_json json_t *o = NULL;

	if (ask(n, h->plugin, "setup", path, h->request, &o, e) == 0) {
		if (plugin_answer(o, h, a, e) == 0)
			return 0;
		err_wrap(e, "plugin \"%s\" failed: its answer to setup", name_of(h->plugin));
	}
	blame_put(n, h->plugin, e);
	return -1;
}

int
plugin_teardown(struct net *n, int netns, const struct rec_net_hold *h, struct err *e)
{
	own_fd int empty = netns < 0 ? netns_make(n->home, e) : -1;
	own_mem char *path = NULL;

	if (netns < 0 && empty < 0)
		return -1;
	path = xasprintf("/proc/%d/fd/%d", (int)getpid(), netns < 0 ? empty : netns);
	if (ask(n, h->plugin, "teardown", path, h->request, NULL, e) == 0)
		return 0;
	if (!blame_is(n, h->plugin))
		return -1;
	log_debug("%s", e->text);
	err_clear(e);
	return 0;
}
