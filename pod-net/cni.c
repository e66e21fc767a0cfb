/* SPDX-License-Identifier: ISC */
#include "pod-net/cni.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/oci/base64.h"
#include "common/role/program.h"
#include "pod-net/blame.h"
#include "pod-net/bridge.h"
#include "pod-net/cni_answer.h"
#include "pod-net/conflist.h"
#include "pod-net/rootless_program.h"

#define CACHE "/var/lib/cni/results"
#define USER_CACHE ROOTLESS_PROGRAM_DIR "/cni/results" /* in RUNROOT/net */
#define CACHE_MAX ((size_t)4 << 20)
#define BUS "DBUS_SYSTEM_BUS_ADDRESS=" /* D-Bus Specification, Well-known Message Bus Instances */

extern char **environ;

/* One network of one container, as its plug-ins are asked about it. */
struct call {
	struct net *n;
	const char *id, *interface;
	int netns;
	json_t *list;	      /* borrowed */
	json_t *capabilities; /* arguments by the names of capabilities; borrowed */
	const char *arguments;
};

static const char *
str_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- Asking one plug-in --------------------------------------------------------------------------- */

static void
make_environment(const struct call *c, const char *command, struct strv *env)
{
	for (char **v = environ; v != NULL && *v != NULL; v++)
		if (!text_has_prefix(*v, "CNI_") && !text_has_prefix(*v, "PATH=") &&
		    !(c->n->rootless && text_has_prefix(*v, BUS)))
			strv_add(env, *v);
	strv_add(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	strv_addf(env, "CNI_COMMAND=%s", command);
	/* The usual file is root's, and a firewalld on the bus that of another namespace. */
	if (c->n->rootless) {
		strv_addf(env, "XTABLES_LOCKFILE=%s/net/" ROOTLESS_PROGRAM_DIR "/xtables.lock",
		    c->n->run_root);
		strv_add(env, BUS "unix:path=/dev/null");
	}
	strv_addf(env, "CNI_CONTAINERID=%s", c->id);
	if (c->netns >= 0)
		strv_addf(env, "CNI_NETNS=/proc/%d/fd/%d", (int)getpid(), c->netns);
	else
		strv_add(env, "CNI_NETNS=");
	strv_addf(env, "CNI_IFNAME=%s", c->interface);
	strv_addf(env, "CNI_ARGS=%s", c->arguments);
	for (size_t i = 0; i < c->n->cni_dirs.n; i++) {
		own_mem char *so_far = i > 0 ? xstrdup(env->v[env->n - 1]) : NULL;

		if (i > 0)
			strv_remove(env, env->n - 1);
		strv_addf(env, "%s%s%s", i > 0 ? so_far : "CNI_PATH=", i > 0 ? ":" : "",
		    c->n->cni_dirs.v[i]);
	}
}

/* The plug-in's own object with what the caller of plug-ins has to put in. */
static char *
make_input(const struct call *c, const json_t *plugin, json_t *previous)
{
	own_json json_t *conf = json_deep_copy(plugin);
	json_t *wanted = json_object_get(plugin, "capabilities"), *given, *runtime = NULL;
	const char *key;

	json_put_str(conf, "name", str_of(c->list, "name"));
	json_put_str(conf, "cniVersion", str_of(c->list, "cniVersion"));
	if (previous != NULL)
		json_put_take(conf, "prevResult", json_incref(previous));
	json_object_foreach (c->capabilities, key, given) {
		if (!json_is_true(json_object_get(wanted, key)))
			continue;
		if (runtime == NULL)
			runtime = json_put_obj(conf, "runtimeConfig");
		json_put_take(runtime, key, json_incref(given));
	}
	return json_text(conf);
}

/* The plug-in's own words about its failure. */
static int
failed(const char *type, const struct program_result *r, struct err *e)
{
	struct err bad = {0};
	own_json json_t *o = r->out.n > 0 ? json_read(r->out.s, r->out.n, &bad) : NULL;
	char text[512], details[512];

	if (o != NULL && str_of(o, "msg")[0] != '\0') {
		text_escape(str_of(o, "msg"), text, sizeof text);
		text_escape(str_of(o, "details"), details, sizeof details);
		return err_set(e, ERR_INTERNAL, "cni plugin %s failed: %s%s%s", type, text,
		    details[0] != '\0' ? ": " : "", details);
	}
	text_escape(r->err.n > 0 ? r->err.s : "", text, sizeof text);
	return err_set(e, ERR_INTERNAL, "cni plugin %s failed: %s (exit status %d)", type,
	    text[0] != '\0' ? text : "it said nothing", r->status);
}

static int
answer_of(const char *type, const struct program_result *r, json_t **result, struct err *e)
{
	own_json json_t *o = json_read(r->out.n > 0 ? r->out.s : "", r->out.n, e);

	if (o == NULL || !json_is_object(o))
		return err_set(
		    e, ERR_FORMAT, "cni plugin %s: its answer is not a JSON object", type);
	*result = json_incref(o);
	return 0;
}

/* *result, if not NULL, gets the answer. */
static int
ask(const char *path, const struct call *c, const json_t *plugin, const char *command,
    json_t *previous, json_t **result, struct err *e)
{
	const char *type = str_of(plugin, "type");
	own_mem char *input = make_input(c, plugin, previous);
	own_strv struct strv env = {0};
	own(program_free) struct program_result r = {0};
	struct program_run run = {.path = path,
	    .environment = &env,
	    .input = input,
	    .input_size = strlen(input),
	    .time_ms = blame_time_ms(c->n, path)};

	make_environment(c, command, &env);
	if (rootless_program(c->n, &run, &r, e) != 0)
		return err_wrap(e, "cni plugin %s", type);
	if (r.status != 0)
		return failed(type, &r, e);
	return result != NULL ? answer_of(type, &r, result, e) : 0;
}

static char *
find(const struct call *c, const json_t *plugin, struct err *e)
{
	const char *type = str_of(plugin, "type");
	char *path = program_find(&c->n->cni_dirs, type);

	if (path == NULL)
		err_set(e, ERR_NOTFOUND, "failed to find plugin \"%s\" in the plugin directories",
		    type);
	return path;
}

static int
add(const struct call *c, const json_t *plugin, json_t *previous, json_t **result, struct err *e)
{
	own_mem char *path = find(c, plugin, e);

	if (path == NULL)
		return -1;
	if (ask(path, c, plugin, "ADD", previous, result, e) == 0)
		return 0;
	blame_put(c->n, path, e);
	return -1;
}

static int
del(const struct call *c, const json_t *plugin, json_t *previous, struct err *e)
{
	own_mem char *path = find(c, plugin, e);

	if (path == NULL)
		return -1;
	if (ask(path, c, plugin, "DEL", previous, NULL, e) == 0)
		return 0;
	if (!blame_is(c->n, path))
		return -1;
	log_debug("%s", e->text);
	err_clear(e);
	return 0;
}

/* --- A whole list --------------------------------------------------------------------------------- */

static int
del_list(const struct call *c, json_t *previous, size_t upto, struct err *e)
{
	json_t *plugins = json_object_get(c->list, "plugins");
	int rc = 0;

	for (size_t i = upto; i-- > 0;) {
		struct err one = {0};

		if (del(c, json_array_get(plugins, i), previous, &one) == 0)
			continue;
		if (rc == 0)
			*e = one;
		rc = -1;
	}
	return rc;
}

static int
add_list(const struct call *c, json_t **result, struct err *e)
{
	json_t *plugins = json_object_get(c->list, "plugins"), *last = NULL;

	for (size_t i = 0; i < json_array_size(plugins); i++) {
		json_t *got = NULL;
		struct err ignored = {0};

		if (add(c, json_array_get(plugins, i), last, &got, e) != 0) {
			/* The one that failed may have done half of it. */
			(void)del_list(c, last, i + 1, &ignored);
			json_decref(last);
			return -1;
		}
		json_decref(last);
		last = got;
	}
	*result = last;
	return 0;
}

/* --- The cache ------------------------------------------------------------------------------------ */

static int
open_cache(const struct net *n, struct err *e)
{
	own_fd int root = n->rootless ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;

	dir = n->rootless ? path_mkdirs(n->dir, USER_CACHE, PATH_BENEATH, 0700, NULL, e)
			  : path_mkdirs(root, &CACHE[1], PATH_IN_ROOT, 0700, NULL, e);
	return dir < 0 ? -1 : path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
}

static char *
cache_name(const struct call *c)
{
	return xasprintf("%s-%s-%s", str_of(c->list, "name"), c->id, c->interface);
}

static int
cache_write(const struct call *c, json_t *result, struct err *e)
{
	own_fd int dir = open_cache(c->n, e);
	own_mem char *name = cache_name(c), *config = json_text(c->list), *text = NULL;
	own_mem char *coded = base64_encode(config, strlen(config));
	own_json json_t *o = json_obj();

	if (dir < 0)
		return -1;
	json_put_str(o, "kind", "cniCacheV1");
	json_put_str(o, "containerId", c->id);
	json_put_str(o, "config", coded);
	json_put_str(o, "ifName", c->interface);
	json_put_str(o, "networkName", str_of(c->list, "name"));
	json_put_take(o, "capabilityArgs", json_incref(c->capabilities));
	json_put_take(o, "result", json_incref(result));
	text = json_text(o);
	return file_write(dir, name, text, strlen(text), 0600, 0, e);
}

/* What was cached when it was added, or NULL. */
static json_t *
cache_read(const struct net *n, const char *network, const char *id, const char *interface)
{
	struct err e = {0};
	own_fd int dir = open_cache(n, &e);
	own_mem char *name = xasprintf("%s-%s-%s", network, id, interface), *text = NULL;
	size_t size;

	if (dir < 0 || file_read(dir, name, CACHE_MAX, &text, &size, &e) != 0)
		return NULL;
	return json_read(text, size, &e);
}

static void
cache_remove(const struct call *c)
{
	struct err e = {0};
	own_fd int dir = open_cache(c->n, &e);
	own_mem char *name = cache_name(c);

	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
}

/* --- Planning ------------------------------------------------------------------------------------- */

static bool
name_taken(const struct cni_join *j, const char *name)
{
	for (size_t i = 0; i < j->state->networks.n; i++)
		if (strcmp(j->state->networks.v[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < j->nattach; i++)
		if (j->attach[i].interface != NULL && strcmp(j->attach[i].interface, name) == 0)
			return true;
	return false;
}

static const char *
choose_name(const struct cni_join *j, const struct rec_net_attach *at)
{
	const char *name = NULL;

	if (at->interface != NULL)
		return arena_strdup(j->a, at->interface);
	for (unsigned k = 0; name == NULL || name_taken(j, name); k++)
		name = arena_printf(j->a, "eth%u", k);
	return name;
}

/* Static addresses must lie in a subnet, where subnets are known. */
static int
check_static(const struct rec_network *n, const struct rec_net_attach *at, struct err *e)
{
	for (size_t i = 0; i < at->static_ips.n; i++) {
		struct addr addr;
		struct prefix p;
		bool in = n->subnets.n == 0;

		if (addr_parse(at->static_ips.v[i], &addr) != 0)
			return err_set(
			    e, ERR_INVALID, "%s is not an IP address", at->static_ips.v[i]);
		for (size_t k = 0; k < n->subnets.n; k++)
			in |= addr_parse_prefix(n->subnets.v[k].subnet, &p) == 0 &&
			      addr_in(&addr, &p);
		if (!in)
			return err_set(e, ERR_INVALID,
			    "requested static ip %s not in any subnet on network %s",
			    at->static_ips.v[i], n->name);
	}
	return 0;
}

/* Whose hosts are neighbours, and no clients from elsewhere. */
static void
copy_subnets(struct rec_net_hold *h, const struct rec_network *n, struct arena *a)
{
	h->subnets.v = arena_array(a, n->subnets.n + 1, sizeof *h->subnets.v);
	for (size_t i = 0; i < n->subnets.n; i++)
		h->subnets.v[h->subnets.n++] = n->subnets.v[i].subnet;
}

int
cni_plan(struct cni_join *j, struct err *e)
{
	struct rec_net_state *st = j->state;
	size_t had = st->networks.n;
	struct rec_net_hold *v = arena_array(j->a, had + j->nattach, sizeof *v);

	if (had > 0)
		memcpy(v, st->networks.v, had * sizeof *v);
	st->networks.v = v;
	for (size_t i = 0; i < j->nattach; i++) {
		const struct rec_net_attach *at = &j->attach[i];
		struct rec_net_hold *h = &v[st->networks.n];
		struct rec_network n;

		if (conflist_find(
			j->dir, &j->n->cni_dirs, &j->n->fallback, at->network, &n, j->a, e) != 0 ||
		    check_static(&n, at, e) != 0)
			return -1;
		for (size_t k = 0; k < st->networks.n; k++)
			if (strcmp(v[k].network, n.name) == 0)
				return err_set(e, ERR_EXISTS, "network %s is given twice", n.name);
		*h = (struct rec_net_hold){.network = n.name,
		    .id = n.id,
		    .driver = n.driver,
		    .interface = n.interface,
		    .name = choose_name(j, at),
		    .aliases = at->aliases,
		    .internal = n.internal,
		    .cni = true};
		copy_subnets(h, &n, j->a);
		st->networks.n++;
	}
	return 0;
}

/* --- Adding --------------------------------------------------------------------------------------- */

static void
put_ports(json_t *capabilities, const struct port_list *ports)
{
	json_t *list =
	    ports != NULL && ports->n > 0 ? json_put_arr(capabilities, "portMappings") : NULL;

	for (size_t i = 0; list != NULL && i < ports->n; i++) {
		const struct port *p = &ports->v[i];
		char host[ADDR_TEXT] = "";

		addr_format(&p->host, host);
		for (unsigned k = 0; k < p->count; k++) {
			json_t *o = json_add_obj(list);

			json_put_int(o, "hostPort", p->host_port + (int)k);
			json_put_int(o, "containerPort", p->container_port + (int)k);
			json_put_str(o, "protocol", port_protocol_name(p->protocol));
			if (host[0] != '\0')
				json_put_str(o, "hostIP", host);
		}
	}
}

static void
put_strs(json_t *o, const char *key, const struct strs *l)
{
	json_t *list = json_put_arr(o, key);

	for (size_t i = 0; i < l->n; i++)
		json_add_str(list, l->v[i]);
}

static json_t *
make_capabilities(const struct cni_join *j, const struct rec_net_attach *at, const char *network)
{
	json_t *c = json_obj();

	if (!j->n->rootless)
		put_ports(c, j->ports);
	if (at->static_ips.n > 1)
		put_strs(c, "ips", &at->static_ips);
	if (at->aliases.n > 0)
		put_strs(json_put_obj(c, "aliases"), network, &at->aliases);
	return c;
}

static char *
make_arguments(const struct cni_join *j, const struct rec_net_attach *at)
{
	own_strbuf struct strbuf b = {0};

	strbuf_addf(&b, "IgnoreUnknown=1;K8S_POD_NAME=%s", j->name != NULL ? j->name : "");
	if (at->static_mac != NULL)
		strbuf_addf(&b, ";MAC=%s", at->static_mac);
	if (at->static_ips.n == 1)
		strbuf_addf(&b, ";IP=%s", at->static_ips.v[0]);
	return strbuf_take(&b);
}

/* Several addresses travel by a capability that the first plug-in must have. */
static void
need_ips(json_t *list)
{
	json_t *first = json_array_get(json_object_get(list, "plugins"), 0);
	json_t *caps = json_object_get(first, "capabilities");

	if (caps == NULL)
		caps = json_put_obj(first, "capabilities");
	json_put_bool(caps, "ips", true);
}

/*
 * A bridge whose first container failed stays without a port and with the hardware address 0, which the plug-in wants
 * to set for ever after, and is refused.  Nobody can use it, so it goes, to be made anew.
 */
static void
drop_spoilt(struct net *n, const char *name)
{
	static const uint8_t none[LINK_MAC_SIZE];
	struct err e = {0};
	struct link l;

	if (name == NULL || net_need_route(n, &e) != 0 || link_find(&n->route, name, &l, &e) != 1 ||
	    memcmp(l.mac, none, sizeof none) != 0)
		return;
	if (bridge_remove(&n->route, name, &e) < 0)
		log_warn("bridge %s: %s", name, e.text);
}

static int
add_one(struct cni_join *j, const struct rec_net_attach *at, struct rec_net_hold *h, struct err *e)
{
	own_json json_t *list = conflist_load(j->dir, &j->n->fallback, h->network, e);
	own_json json_t *capabilities = make_capabilities(j, at, h->network);
	own_json json_t *result = NULL;
	own_mem char *arguments = make_arguments(j, at);
	struct call c = {.n = j->n,
	    .id = j->id,
	    .interface = h->name,
	    .netns = j->netns,
	    .list = list,
	    .capabilities = capabilities,
	    .arguments = arguments};
	struct err ignored = {0};

	if (list == NULL)
		return -1;
	if (at->static_ips.n > 1)
		need_ips(list);
	drop_spoilt(j->n, h->interface);
	if (add_list(&c, &result, e) != 0) {
		drop_spoilt(j->n, h->interface);
		return err_wrap(e, "network %s", h->network);
	}
	if (cache_write(&c, result, e) == 0 && cni_answer(result, h, j->a, e) == 0)
		return 0;
	(void)del_list(&c, result, json_array_size(json_object_get(list, "plugins")), &ignored);
	cache_remove(&c);
	return -1;
}

int
cni_add(struct cni_join *j, size_t first, struct err *e)
{
	struct err ignored = {0};

	for (size_t i = 0; i < j->nattach; i++) {
		struct rec_net_hold *h = &j->state->networks.v[first + i];

		if (add_one(j, &j->attach[i], h, e) == 0)
			continue;
		while (i-- > 0)
			(void)cni_delete(
			    j->n, j->id, j->netns, &j->state->networks.v[first + i], &ignored);
		return -1;
	}
	return 0;
}

/* --- Deleting ------------------------------------------------------------------------------------- */

static json_t *
cached_list(const json_t *cache)
{
	const char *coded = str_of(cache, "config");
	struct err e = {0};
	size_t n = 0;
	own_mem void *text = base64_decode(coded, &n);

	return text != NULL ? json_read(text, n, &e) : NULL;
}

int
cni_delete(struct net *n, const char *id, int netns, const struct rec_net_hold *h, struct err *e)
{
	own_json json_t *cache = cache_read(n, h->network, id, h->name != NULL ? h->name : "");
	own_json json_t *list = cache != NULL ? cached_list(cache) : NULL;
	struct call c = {.n = n,
	    .id = id,
	    .interface = h->name != NULL ? h->name : "",
	    .netns = netns,
	    .arguments = "IgnoreUnknown=1"};

	if (list == NULL)
		list = conflist_load(n->config_dir, &n->fallback, h->network, e);
	if (list == NULL)
		return -1;
	c.list = list;
	c.capabilities = json_object_get(cache, "capabilityArgs");
	if (del_list(&c, json_object_get(cache, "result"),
		json_array_size(json_object_get(list, "plugins")), e) != 0)
		return err_wrap(e, "network %s", h->network);
	cache_remove(&c);
	return 0;
}
