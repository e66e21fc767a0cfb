/* SPDX-License-Identifier: ISC */
#include "pod-net/conflist.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/role/program.h"
#include "pod-net/addr.h"

#define VERSION "0.4.0"
#define INDENT "   "
#define SUFFIX ".conflist"

static const char *
copy(const char *s, struct arena *a)
{
	return s != NULL && s[0] != '\0' ? arena_strdup(a, s) : NULL;
}

static const char *
str_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- What a list amounts to ----------------------------------------------------------------------- */

static void
read_words(const json_t *map, struct rec_kv **v, size_t *n, struct arena *a)
{
	const char *key;
	json_t *value;

	*v = arena_array(a, map != NULL ? json_object_size(map) + 4 : 4, sizeof **v);
	*n = 0;
	json_object_foreach ((json_t *)(uintptr_t)map, key, value) {
		if (!json_is_string(value))
			continue;
		(*v)[*n].key = arena_strdup(a, key);
		(*v)[(*n)++].value = arena_strdup(a, json_string_value(value));
	}
}

static void
add_option(struct rec_network *n, const char *key, const char *value, struct arena *a)
{
	for (size_t i = 0; i < n->options.n; i++)
		if (strcmp(n->options.v[i].key, key) == 0)
			return;
	n->options.v[n->options.n].key = key;
	n->options.v[n->options.n++].value = arena_strdup(a, value);
}

static void
add_number(struct rec_network *n, const json_t *plugin, const char *key, struct arena *a)
{
	json_int_t v = json_integer_value(json_object_get(plugin, key));
	own_mem char *text = xasprintf("%lld", (long long)v);

	if (v > 0)
		add_option(n, key, text, a);
}

static void
read_subnet(const json_t *range, struct rec_network *n, struct arena *a)
{
	struct rec_net_subnet *s = &n->subnets.v[n->subnets.n];
	char text[ADDR_TEXT];
	struct prefix p;
	struct addr gw;

	if (addr_parse_prefix(str_of(range, "subnet"), &p) != 0)
		return;
	p.addr = addr_first(&p);
	addr_format_prefix(&p, text);
	*s = (struct rec_net_subnet){.subnet = arena_strdup(a, text),
	    .gateway = copy(str_of(range, "gateway"), a),
	    .range_start = copy(str_of(range, "rangeStart"), a),
	    .range_end = copy(str_of(range, "rangeEnd"), a)};
	if (s->gateway == NULL && !n->internal) {
		gw = addr_next(&p.addr);
		addr_format(&gw, text);
		s->gateway = arena_strdup(a, text);
	}
	n->ipv6 |= p.addr.family == AF_INET6;
	n->subnets.n++;
}

static void
read_ipam(const json_t *plugin, struct rec_network *n, struct arena *a)
{
	json_t *ipam = json_object_get(plugin, "ipam"), *ranges, *set, *range;
	const char *type = str_of(ipam, "type");
	size_t i, k, count = 1;

	n->ipam_options.v = arena_alloc(a, sizeof *n->ipam_options.v);
	n->ipam_options.n = 1;
	n->ipam_options.v[0].key = "driver";
	n->ipam_options.v[0].value = type[0] != '\0' ? arena_strdup(a, type) : "none";
	if (strcmp(type, "host-local") != 0)
		return;
	ranges = json_object_get(ipam, "ranges");
	json_array_foreach (ranges, i, set)
		count += json_array_size(set);
	n->subnets.v = arena_array(a, count, sizeof *n->subnets.v);
	if (str_of(ipam, "subnet")[0] != '\0')
		read_subnet(ipam, n, a);
	json_array_foreach (ranges, i, set) {
		json_array_foreach (set, k, range)
			read_subnet(range, n, a);
	}
}

static void
read_first(const json_t *plugin, struct rec_network *n, struct arena *a)
{
	n->driver = arena_strdup(a, str_of(plugin, "type"));
	if (strcmp(n->driver, "bridge") == 0) {
		n->interface = copy(str_of(plugin, "bridge"), a);
		n->internal = !json_is_true(json_object_get(plugin, "isGateway"));
		add_number(n, plugin, "mtu", a);
		add_number(n, plugin, "vlan", a);
	} else if (strcmp(n->driver, "macvlan") == 0 || strcmp(n->driver, "ipvlan") == 0) {
		n->interface = copy(str_of(plugin, "master"), a);
		add_number(n, plugin, "mtu", a);
		if (str_of(plugin, "mode")[0] != '\0')
			add_option(n, "mode", str_of(plugin, "mode"), a);
	} else {
		return;
	}
	read_ipam(plugin, n, a);
}

/* What a list amounts to; ctime_ns is the time of its file. */
static int
conflist_read(
    const json_t *list, int64_t ctime_ns, struct rec_network *out, struct arena *a, struct err *e)
{
	json_t *plugins = json_object_get(list, "plugins"), *plugin, *args;
	const char *name = str_of(list, "name");
	struct rec_network n = {0};
	char id[SHA256_HEX], created[HUMAN_MAX];
	size_t i;

	if (!network_name_valid(name))
		return err_set(e, ERR_FORMAT, "invalid network name \"%s\"", name);
	if (json_array_size(plugins) == 0)
		return err_set(e, ERR_FORMAT, "no plugins");
	json_array_foreach (plugins, i, plugin) {
		if (str_of(plugin, "type")[0] == '\0')
			return err_set(e, ERR_FORMAT, "plugins[%zu]: no type", i);
	}
	sha256_hex(name, strlen(name), id);
	args = json_object_get(list, "args");
	n.name = arena_strdup(a, name);
	n.id = arena_strdup(a, id);
	n.created = arena_strdup(a, human_rfc3339nano(ctime_ns, created, sizeof created));
	read_words(json_object_get(args, "podman_labels"), &n.labels.v, &n.labels.n, a);
	read_words(json_object_get(args, "podman_options"), &n.options.v, &n.options.n, a);
	read_first(json_array_get(plugins, 0), &n, a);
	json_array_foreach (plugins, i, plugin) {
		n.dns |= strcmp(str_of(plugin, "type"), "dnsname") == 0;
		if (strcmp(str_of(plugin, "ingressPolicy"), "same-bridge") == 0)
			add_option(&n, "isolate", "true", a);
	}
	*out = n;
	return 0;
}

/* --- Files ---------------------------------------------------------------------------------------- */

static json_t *
load_file(int dir, const char *file, int64_t *ctime_ns, struct err *e)
{
	own_mem char *bytes = NULL;
	struct stat st;
	size_t n;

	if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "reading %s", file), NULL;
	*ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	if (file_read(dir, file, NETWORK_FILE_MAX, &bytes, &n, e) != 0)
		return NULL;
	return json_read_max(bytes, n, NETWORK_FILE_MAX, 24, e);
}

static int
check_plugins(const json_t *list, const struct strv *dirs, struct err *e)
{
	json_t *plugin;
	size_t i;

	json_array_foreach (json_object_get(list, "plugins"), i, plugin) {
		own_mem char *path = program_find(dirs, str_of(plugin, "type"));

		if (path == NULL)
			return err_set(e, ERR_NOTFOUND,
			    "could not find plugin \"%s\" in the plugin directories",
			    str_of(plugin, "type"));
	}
	return 0;
}

static bool
is_listed(const struct network_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name, name) == 0)
			return true;
	return false;
}

/* A file that has gone meanwhile is no error. */
static int
add_file(int dir, const char *file, const struct strv *plugin_dirs, struct network_list *l,
    struct err *e)
{
	int64_t ctime_ns = 0;
	own_json json_t *list = load_file(dir, file, &ctime_ns, e);

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof *l->v);
	if (list != NULL && conflist_read(list, ctime_ns, &l->v[l->n], &l->arena, e) == 0 &&
	    check_plugins(list, plugin_dirs, e) == 0) {
		if (!is_listed(l, l->v[l->n].name)) {
			l->n++;
			return 0;
		}
		err_set(e, ERR_EXISTS, "network name %s is already used", l->v[l->n].name);
	}
	if (e->no != ENOENT)
		return err_wrap(e, "reading network config file \"%s\"", file);
	err_clear(e);
	return 0;
}

static int
open_dir(const char *path, struct strv *files, struct err *e)
{
	own_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_fd int again = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	own_dir DIR *d = again >= 0 ? fdopendir(again) : NULL;

	if (fd < 0)
		return errno == ENOENT ? -1 : err_sys(e, "opening %s", path);
	if (d != NULL)
		(void)fd_take(&again);
	for (const struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;)
		if (text_has_suffix(entry->d_name, SUFFIX))
			strv_add(files, entry->d_name);
	strv_sort(files);
	return fd_take(&fd);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct rec_network *)a)->name, ((const struct rec_network *)b)->name);
}

/* IDs of CNI are made of names. */
static void
make_default(const struct network_default *d, struct rec_network *out, struct arena *a)
{
	char id[65];

	network_default_make(d, CONFLIST_DEFAULT_BRIDGE, out, a);
	sha256_hex(out->name, strlen(out->name), id);
	out->id = arena_strdup(a, id);
}

/* Why the file that is called so cannot be used, if there is one, goes to *why; that of others is said. */
static int
list_all(const char *path, const struct strv *plugin_dirs, const struct network_default *fallback,
    const char *wanted, struct err *why, struct network_list *out, struct err *e)
{
	own_strv struct strv files = {0};
	own_fd int dir = open_dir(path, &files, e);

	*out = (struct network_list){0};
	if (dir < 0 && err_is_set(e))
		return -1;
	for (size_t i = 0; i < files.n; i++) {
		struct err bad = {0};

		if (add_file(dir, files.v[i], plugin_dirs, out, &bad) == 0)
			continue;
		if (wanted != NULL && strcmp(files.v[i], wanted) == 0)
			*why = bad;
		else
			log_warn("Error %s", bad.text);
	}
	out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof *out->v);
	make_default(fallback, &out->v[out->n], &out->arena);
	if (!is_listed(out, out->v[out->n].name))
		out->n++;
	qsort(out->v, out->n, sizeof *out->v, by_name);
	return 0;
}

int
conflist_list(const char *path, const struct strv *plugin_dirs,
    const struct network_default *fallback, struct network_list *out, struct err *e)
{
	return list_all(path, plugin_dirs, fallback, NULL, NULL, out, e);
}

int
conflist_find(const char *dir, const struct strv *plugin_dirs, const struct network_default *d,
    const char *name, struct rec_network *out, struct arena *a, struct err *e)
{
	own(network_list_free) struct network_list l = {0};
	own_mem char *file = xasprintf("%s" SUFFIX, name);
	struct err why = {0};

	if (list_all(dir, plugin_dirs, d, file, &why, &l, e) != 0)
		return -1;
	if (network_pick(&l, name, out, a, e) == 0) {
		if (err_is_set(&why))
			log_warn("Error %s", why.text);
		return 0;
	}
	if (err_is_set(&why))
		*e = why;
	return -1;
}

json_t *
conflist_load(const char *path, const struct network_default *d, const char *name, struct err *e)
{
	own_strv struct strv files = {0};
	own_fd int dir = open_dir(path, &files, e);
	own_arena struct arena a = {0};
	struct rec_network n;

	if (dir < 0 && err_is_set(e))
		return NULL;
	for (size_t i = 0; i < files.n; i++) {
		struct err bad = {0};
		int64_t ctime_ns;
		own_json json_t *list = load_file(dir, files.v[i], &ctime_ns, &bad);

		if (list != NULL && strcmp(str_of(list, "name"), name) == 0)
			return json_incref(list);
	}
	if (!network_is_default(d, name)) {
		err_set(e, ERR_NOTFOUND, "network %s: network not found", name);
		return NULL;
	}
	make_default(d, &n, &a);
	return conflist_make(&n, e);
}

/* --- Making --------------------------------------------------------------------------------------- */

static const char *
option_of(const struct rec_network *n, const char *key)
{
	for (size_t i = 0; i < n->options.n; i++)
		if (strcmp(n->options.v[i].key, key) == 0)
			return n->options.v[i].value;
	return NULL;
}

static void
put_words(json_t *args, const char *key, const struct rec_kv *v, size_t n)
{
	json_t *map = n > 0 ? json_put_obj(args, key) : NULL;

	for (size_t i = 0; i < n; i++)
		json_put_str(map, v[i].key, v[i].value);
}

static void
put_number(json_t *plugin, const struct rec_network *n, const char *key)
{
	const char *value = option_of(n, key);
	uint64_t v;

	if (value != NULL && text_to_u64(value, 65535, &v) == 0 && v > 0)
		json_put_int(plugin, key, (int64_t)v);
}

static void
put_range(json_t *ranges, const struct rec_net_subnet *s)
{
	json_t *set = json_arr(), *one = json_add_obj(set);

	json_put_str(one, "subnet", s->subnet);
	if (s->range_start != NULL)
		json_put_str(one, "rangeStart", s->range_start);
	if (s->range_end != NULL)
		json_put_str(one, "rangeEnd", s->range_end);
	if (s->gateway != NULL)
		json_put_str(one, "gateway", s->gateway);
	json_add_take(ranges, set);
}

static void
put_ipam(json_t *plugin, const struct rec_network *n)
{
	json_t *ipam = json_put_obj(plugin, "ipam"), *routes, *ranges;
	bool done4 = false, done6 = false;

	for (size_t i = 0; i < n->ipam_options.n; i++)
		if (strcmp(n->ipam_options.v[i].key, "driver") == 0 &&
		    strcmp(n->ipam_options.v[i].value, "none") != 0)
			json_put_str(ipam, "type", n->ipam_options.v[i].value);
	if (n->subnets.n == 0)
		return;
	routes = json_arr();
	ranges = json_arr();
	for (size_t i = 0; i < n->subnets.n; i++) {
		bool v6 = strchr(n->subnets.v[i].subnet, ':') != NULL, *done = v6 ? &done6 : &done4;

		if (!*done && !n->internal)
			json_put_str(json_add_obj(routes), "dst", v6 ? "::/0" : "0.0.0.0/0");
		*done = true;
		put_range(ranges, &n->subnets.v[i]);
	}
	json_put_take(ipam, "routes", routes);
	json_put_take(ipam, "ranges", ranges);
}

static void
put_bridge(json_t *plugins, const struct rec_network *n)
{
	const char *isolate = option_of(n, "isolate");
	json_t *p = json_add_obj(plugins);

	json_put_str(p, "type", "bridge");
	json_put_str(p, "bridge", n->interface);
	json_put_bool(p, "isGateway", !n->internal);
	json_put_bool(p, "ipMasq", !n->internal);
	json_put_bool(p, "hairpinMode", true);
	put_number(p, n, "mtu");
	put_number(p, n, "vlan");
	put_ipam(p, n);
	if (n->subnets.n > 0)
		json_put_bool(json_put_obj(p, "capabilities"), "ips", true);
	p = json_add_obj(plugins);
	json_put_str(p, "type", "portmap");
	json_put_bool(json_put_obj(p, "capabilities"), "portMappings", true);
	p = json_add_obj(plugins);
	json_put_str(p, "type", "firewall");
	json_put_str(p, "backend", "");
	if (isolate != NULL && strcmp(isolate, "true") == 0)
		json_put_str(p, "ingressPolicy", "same-bridge");
	json_put_str(json_add_obj(plugins), "type", "tuning");
}

static void
put_child(json_t *plugins, const struct rec_network *n)
{
	json_t *p = json_add_obj(plugins);

	json_put_str(p, "type", n->driver);
	if (n->interface != NULL)
		json_put_str(p, "master", n->interface);
	put_ipam(p, n);
	put_number(p, n, "mtu");
	if (option_of(n, "mode") != NULL)
		json_put_str(p, "mode", option_of(n, "mode"));
	if (n->subnets.n > 0)
		json_put_bool(json_put_obj(p, "capabilities"), "ips", true);
}

static int
check(const struct rec_network *n, struct err *e)
{
	static const char *const known[] = {"mtu", "vlan", "mode", "isolate"};

	for (size_t i = 0; i < n->options.n; i++) {
		size_t k = 0;

		while (k < COUNTOF(known) && strcmp(known[k], n->options.v[i].key) != 0)
			k++;
		if (k == COUNTOF(known))
			return err_set(e, ERR_INVALID, "unsupported %s network option %s",
			    n->driver, n->options.v[i].key);
	}
	if (n->dns_servers.n > 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "NetworkDNSServers cannot be configured for backend CNI: invalid argument");
	if (n->routes.n > 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "routes cannot be configured for backend CNI: invalid argument");
	return 0;
}

json_t *
conflist_make(const struct rec_network *n, struct err *e)
{
	own_json json_t *list = json_obj();
	json_t *args, *plugins;

	if (check(n, e) != 0)
		return NULL;
	if (n->labels.n + n->options.n > 0) {
		args = json_put_obj(list, "args");
		put_words(args, "podman_labels", n->labels.v, n->labels.n);
		put_words(args, "podman_options", n->options.v, n->options.n);
	}
	json_put_str(list, "cniVersion", VERSION);
	json_put_str(list, "name", n->name);
	plugins = json_put_arr(list, "plugins");
	if (strcmp(n->driver, "bridge") == 0)
		put_bridge(plugins, n);
	else
		put_child(plugins, n);
	return json_incref(list);
}

static int
open_write(const char *path, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;

	dir = path_mkdirs(root, path + 1, PATH_IN_ROOT, 0755, NULL, e);
	return dir < 0 ? -1 : path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
}

int
conflist_write(const char *path, const struct rec_network *n, struct err *e)
{
	own_json json_t *list = conflist_make(n, e);
	own_fd int dir = list != NULL ? open_write(path, e) : -1;
	own_mem char *file = xasprintf("%s" SUFFIX, n->name);
	own_strbuf struct strbuf b = {0};

	if (dir < 0)
		return -1;
	json_go(list, INDENT, &b);
	strbuf_addc(&b, '\n');
	return file_write(dir, file, b.s, b.n, 0644, 0, e);
}

int
conflist_remove(const char *path, const char *name, struct err *e)
{
	own_strv struct strv files = {0};
	own_fd int dir = open_dir(path, &files, e);

	for (size_t i = 0; dir >= 0 && i < files.n; i++) {
		struct err bad = {0};
		int64_t ctime_ns;
		own_json json_t *list = load_file(dir, files.v[i], &ctime_ns, &bad);

		if (list != NULL && strcmp(str_of(list, "name"), name) == 0 &&
		    unlinkat(dir, files.v[i], 0) != 0)
			return err_sys(e, "removing %s", files.v[i]);
	}
	return dir >= 0 || !err_is_set(e) ? 0 : -1;
}
