/* SPDX-License-Identifier: ISC */
#include "pod-run/life/libpod.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "pod-run/life/create.h"
#include "pod-run/life/usermap.h"
#include "pod-run/oci/config_linux.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_logging.h"

#define VOLUMES "/var/lib/containers/storage/volumes" /* of a Podman that was told nothing else */

static void
mark_anonymous(const struct msg_dump_got *m, struct rec_ctr_config *g)
{
	for (size_t i = 0; i < g->mounts.n; i++)
		if (strcmp(g->mounts.v[i].type, "volume") == 0)
			g->mounts.v[i].anonymous =
			    spec_list_has(&m->anonymous, g->mounts.v[i].target);
}

/* Of the masked paths, those that every container has. */
static void
drop_masks(struct strv *security)
{
	static const char word[] = "mask=";

	for (size_t i = security->n; i-- > 0;)
		if (text_has_prefix(security->v[i], word) &&
		    config_linux_masks(security->v[i] + sizeof(word) - 1))
			strv_remove(security, i);
}

/* What the worker may say.  It read foreign bytes: no option that reads or writes files of its own is among them. */
static const char *const known[] = {"add-host", "annotation", "blkio-weight", "cap-add", "cap-drop",
    "cgroup-conf", "cgroup-parent", "cgroupns", "cgroups", "chrootdirs", "cpu-period", "cpu-quota",
    "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpuset-cpus", "cpuset-mems", "device", "dns",
    "dns-option", "dns-search", "entrypoint", "env", "expose", "gidmap", "group-add", "hostname",
    "hostuser", "http-proxy", "init", "interactive", "ipc", "label", "log-driver", "memory",
    "memory-reservation", "memory-swap", "memory-swappiness", "mount", "network", "no-hosts",
    "oom-score-adj", "passwd", "pid", "pids-limit", "privileged", "publish", "read-only",
    "read-only-tmpfs", "restart", "rm", "sdnotify", "security-opt", "shm-size", "stop-signal",
    "stop-timeout", "sysctl", "systemd", "timeout", "tmpfs", "tty", "tz", "uidmap", "ulimit",
    "umask", "unsetenv-all", "user", "uts", "volume", "workdir"};

static bool
is_known(const char *word)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < COUNTOF(known) && text_has_prefix(word, "--"); i++)
		if (strlen(known[i]) == n - 2 && strncmp(known[i], word + 2, n - 2) == 0)
			return true;
	return false;
}

static int
take_words(const struct strs *from, struct strv *out, struct err *e)
{
	bool options = true;

	strv_add(out, "create");
	for (size_t i = 0; i < from->n; i++) {
		options = options && strcmp(from->v[i], "--") != 0;
		if (options && !is_known(from->v[i]))
			return err_set(
			    e, ERR_FORMAT, "\"%s\" is none of the words it has", from->v[i]);
		strv_add(out, from->v[i]);
	}
	return 0;
}

/* The words have been parsed into cr's options: what "create" would make of them. */
static int
fill(struct create *cr, struct opt_parse *p, const struct msg_dump_got *m, struct ctr *c,
    struct err *e)
{
	own_strbuf struct strbuf packed = {0};
	own_fd int lock = -1;
	struct rec_ctr_config *g = &cr->config;

	if (create_defaults(cr, e) == -1)
		return -1;
	cr->input = (struct spec_input){.o = cr->o,
	    .d = &cr->defaults,
	    .image = p->operands[0],
	    .words = (const char *const *)p->operands + 1,
	    .words_n = (size_t)p->operand_n - 1};
	g->image_name = p->operands[0];
	if (spec_options_read(&cr->input, g, &cr->arena, e) == -1)
		return -1;
	for (size_t i = 0; i < m->entrypoint.n; i++)
		spec_list_add(&cr->arena, &g->entrypoint, m->entrypoint.v[i]);
	if (spec_options_merge(&cr->input, NULL, g, &cr->arena, e) == -1 ||
	    usermap_resolve(cr->x, g, &lock, &cr->arena, e) == -1)
		return -1;
	g->image_asked = m->image_asked != NULL ? m->image_asked : p->operands[0];
	g->image_id = m->image;
	g->created_ns = ctx_now_ns();
	g->seccomp_text = m->seccomp;
	if (m->health != NULL) {
		g->health = m->health;
		g->health_on_failure = m->health_on_failure;
	}
	mark_anonymous(m, g);
	wire_pack(&rec_ctr_config_desc, g, &packed);
	c->config = arena_alloc(&c->arena, rec_ctr_config_desc.size);
	return wire_unpack(&rec_ctr_config_desc, packed.s, packed.n, c->config, &c->arena, e);
}

int
libpod_read(struct ctx *x, const struct msg_dump_got *m, struct ctr *c, struct err *e)
{
	static const struct opt_group groups[] = {
	    {spec_options_rows, 0}, {spec_health_rows, offsetof(struct spec_options, health)}, {0}};
	struct rec_ctr_run run = {0};
	own_strv struct strv words = {0};
	struct spec_options o = {0};
	struct opt_parse p = {.local = groups, .local_opts = &o, .stop_at_operand = false};
	own_create struct create cr;
	int r;

	create_init(&cr, x, &o);
	if (take_words(&m->words, &words, e) == -1)
		return err_wrap(e, "taking over the container of another engine");
	opt_defaults(groups, &o);
	r = opt_parse(&p, (int)words.n, words.v, e);
	if (r == 0 && p.operand_n == 0)
		r = err_set(e, ERR_FORMAT, "it names no image");
	drop_masks(&o.security_opt);
	if (r == 0)
		r = fill(&cr, &p, m, c, e);
	opt_done(&p);
	opt_free(groups, &o);
	if (r == -1)
		return err_wrap(e, "taking over the container of another engine");
	run.interfaces.v = m->interfaces.v;
	run.interfaces.n = m->interfaces.n;
	wire_copy(&rec_ctr_run_desc, &run, &c->run, &c->arena);
	return 0;
}

/* --- For Podman ---------------------------------------------------------------------------------*/

static void
put_strs(json_t *o, const char *key, const struct strs *l)
{
	json_t *v;

	if (l->n == 0)
		return;
	v = json_put_arr(o, key);
	for (size_t i = 0; i < l->n; i++)
		json_add_str(v, l->v[i]);
}

static void
put_mounts(const struct rec_ctr_config *g, json_t *o)
{
	json_t *named = json_put_arr(o, "namedVolumes"),
	       *images = json_put_arr(o, "ctrImageVolumes");
	json_t *users = json_put_arr(o, "userVolumes"), *one;

	for (size_t i = 0; i < g->mounts.n; i++) {
		const struct rec_ctr_mount *m = &g->mounts.v[i];

		json_add_str(users, m->target);
		if (strcmp(m->type, "image") == 0) {
			one = json_add_obj(images);
			json_put_str(one, "source", m->source);
			json_put_bool(one, "rw", m->writable);
		} else if (strcmp(m->type, "volume") == 0) {
			one = json_add_obj(named);
			json_put_str(one, "volumeName", m->source);
			json_put_bool(one, "isAnonymous", m->anonymous);
			put_strs(one, "options", &m->options);
		} else {
			continue;
		}
		json_put_str(one, "dest", m->target);
	}
}

static void
put_network(const struct ctr *c, json_t *o)
{
	const struct rec_ctr_config *g = c->config;
	const char *mode = g->network_mode != NULL ? g->network_mode : "bridge";
	bool bridge = strcmp(mode, "bridge") == 0;
	json_t *networks, *ports = json_put_arr(o, "newPortMappings");

	json_put_bool(o, "createNetNS",
	    bridge || strcmp(mode, "pasta") == 0 || strcmp(mode, "slirp4netns") == 0);
	json_put_str(o, "networkMode", mode);
	networks = bridge ? json_put_obj(o, "newNetworks") : NULL;
	for (size_t i = 0; bridge && i < c->run.interfaces.n; i++) {
		const struct rec_net_interface *f = &c->run.interfaces.v[i];

		json_put_str(json_put_obj(networks, f->network), "interface_name", f->name);
	}
	for (size_t i = 0; i < g->networks.n && bridge; i++) {
		const struct rec_net_attach *a = &g->networks.v[i];
		json_t *one = json_object_get(networks, a->network);

		if (one == NULL)
			one = json_put_obj(networks, a->network);
		put_strs(one, "static_ips", &a->static_ips);
		put_strs(one, "aliases", &a->aliases);
		if (a->static_mac != NULL)
			json_put_str(one, "static_mac", a->static_mac);
	}
	for (size_t i = 0; i < c->run.ports.n; i++) {
		const struct rec_port_map *m = &c->run.ports.v[i];
		json_t *one = json_add_obj(ports);

		json_put_str(one, "host_ip", m->host_ip != NULL ? m->host_ip : "");
		json_put_int(one, "host_port", (int64_t)m->host_port);
		json_put_int(one, "container_port", (int64_t)m->container_port);
		json_put_int(one, "range", m->range > 0 ? (int64_t)m->range : 1);
		json_put_str(one, "protocol", m->protocol);
	}
	put_strs(o, "dnsServer", &g->dns_servers);
	put_strs(o, "dnsSearch", &g->dns_search);
	put_strs(o, "dnsOption", &g->dns_options);
	put_strs(o, "hostsAdd", &g->add_hosts);
}

static void
put_health(const struct rec_health *h, json_t *o)
{
	json_t *check;

	if (h == NULL)
		return;
	check = json_put_obj(o, "healthcheck");
	put_strs(check, "Test", &h->test);
	json_put_int(check, "Interval", h->interval);
	json_put_int(check, "Timeout", h->timeout);
	json_put_int(check, "StartPeriod", h->start_period);
	json_put_int(check, "Retries", (int64_t)h->retries);
}

void
libpod_put(const struct ctr *c, json_t *o)
{
	const struct rec_ctr_config *g = c->config;
	struct err ignored = {0};
	int signal;
	json_t *labels = json_put_obj(o, "labels");

	json_put_str(o, "RawImageName", g->image_asked != NULL ? g->image_asked : "");
	json_put_int(o, "shmSize", g->shm_size);
	json_put_bool(o, "passwd", !g->no_passwd);
	json_put_bool(o, "privileged", g->privileged);
	json_put_bool(o, "stdin", g->stdin_open);
	if (g->user != NULL)
		json_put_str(o, "user", g->user);
	if (g->umask != NULL)
		json_put_str(o, "umask", g->umask);
	put_strs(o, "groups", &g->groups);
	put_strs(o, "entrypoint", &g->entrypoint);
	put_strs(o, "command", &g->command);
	for (size_t i = 0; i < g->labels.n; i++)
		json_put_str(labels, g->labels.v[i].key, g->labels.v[i].value);
	if (sig_parse(g->stop_signal != NULL ? g->stop_signal : "", &signal, &ignored) == -1)
		signal = SIGTERM;
	json_put_int(o, "stopSignal", signal);
	json_put_int(o, "stopTimeout", (int64_t)g->stop_timeout_s);
	json_put_str(o, "logDriver", g->log_driver != NULL ? g->log_driver : LOGGING_FILE);
	json_put_str(o, "cgroupsMode", g->cgroups != NULL ? g->cgroups : "enabled");
	json_put_str(o, "sdnotifyMode", g->sdnotify != NULL ? g->sdnotify : "container");
	if (g->restart != NULL && strcmp(g->restart, "no") != 0) {
		json_put_str(o, "restart_policy", g->restart);
		json_put_int(o, "restart_retries", (int64_t)g->restart_max);
	}
	put_mounts(g, o);
	put_network(c, o);
	put_health(g->health, o);
}

static const char *
volume_at(const struct rec_ctr_config *g, const char *target)
{
	for (size_t i = 0; i < g->mounts.n && target != NULL; i++)
		if (strcmp(g->mounts.v[i].type, "volume") == 0 &&
		    strcmp(g->mounts.v[i].target, target) == 0)
			return g->mounts.v[i].source;
	return NULL;
}

void
libpod_put_spec(const struct ctr *c, const char *bundle, json_t *spec)
{
	json_t *mounts = json_object_get(spec, "mounts"), *v;
	size_t i, n = strlen(bundle);

	for (i = json_array_size(mounts); i-- > 0;) {
		json_t *m = json_array_get(mounts, i);
		const char *source = json_string_value(json_object_get(m, "source"));
		const char *volume =
		    volume_at(c->config, json_string_value(json_object_get(m, "destination")));
		own_mem char *there =
		    volume != NULL ? xasprintf(VOLUMES "/%s/_data", volume) : NULL;

		if (there != NULL)
			json_object_set_new(m, "source", json_str(there));
		else if (source != NULL && strncmp(source, bundle, n) == 0 && source[n] == '/')
			json_array_remove(mounts, i);
	}
	json_array_foreach (json_object_get(json_object_get(spec, "linux"), "namespaces"), i, v)
		json_object_del(v, "path");
}
