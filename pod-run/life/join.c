/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/life/join.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/state/summary.h"

static const char *
mode_of(const struct ctr *c)
{
	return c->config->network_mode != NULL ? c->config->network_mode : "bridge";
}

void
join_networks(const struct ctr *c, const char *default_network, struct strv *out)
{
	if (summary_networks(c->config, out))
		strv_add(out, default_network);
}

int
join_users(struct ctx *x, const char *network, struct strv *ids, struct err *e)
{
	own_ctr_list struct ctr_list l = {0};
	const struct containers_conf *conf = ctx_conf(x, e);
	struct db *db = ctx_db(x, e);

	if (conf == NULL || db == NULL || ctr_list(db, &l, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++) {
		own_strv struct strv names = {0};

		if (ctr_config(&l.v[i], e) == -1)
			return -1;
		join_networks(&l.v[i], conf->network_default_network, &names);
		if (strv_find(&names, network) < names.n)
			strv_add(ids, l.v[i].id);
	}
	return 0;
}

static int
check(const struct ctr *c, struct err *e)
{
	if (strcmp(mode_of(c), "bridge") == 0)
		return 0;
	return err_set(e, ERR_INVALID, "\"%s\" is not supported: invalid network mode", mode_of(c));
}

static size_t
place_of(const struct rec_ctr_config *c, const char *network)
{
	size_t i = 0;

	while (i < c->networks.n && strcmp(c->networks.v[i].network, network) != 0)
		i++;
	return i;
}

/* The list of networks becomes one of its own: with the default one, if that was meant, and room for more. */
static int
spell_out(struct ctx *x, struct ctr *c, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	struct rec_ctr_config *f = c->config;
	struct rec_net_attach *v = arena_array(&c->arena, f->networks.n + 2, sizeof(*v));

	if (conf == NULL)
		return -1;
	if (f->networks.n > 0)
		memcpy(v, f->networks.v, f->networks.n * sizeof(*v));
	f->networks.v = v;
	if (f->networks.n == 0 && !f->networks_set)
		v[f->networks.n++].network = conf->network_default_network;
	f->networks_set = true;
	return 0;
}

/* --- Of one that runs ---------------------------------------------------------------------------*/

static int
open_netns(const struct ctr *c, struct err *e)
{
	own_mem char *path = xasprintf("/proc/%d/ns/net", (int)c->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd != -1 ? fd : err_sys(e, "opening the network namespace of container %s", c->id);
}

static struct etc_net
etc_net_of(const struct rec_ctr_run *r)
{
	return (struct etc_net){.own_netns = true,
	    .interfaces = r->interfaces.v,
	    .interfaces_n = r->interfaces.n,
	    .dns_servers = r->dns_servers,
	    .dns_search = r->dns_search,
	    .host_address = r->host_address};
}

/* Records what pod-net said and changes the files that the container sees. */
static int
take_answer(struct ctx *x, struct ctr *c, const struct msg_net_connected *m, struct err *e)
{
	own_mem char *path = ctx_bundle(x, c->id);
	own_fd int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct containers_conf *conf = ctx_conf(x, e);
	struct etc_net before = etc_net_of(&c->run), after;
	struct msg_net_connected copy;

	if (conf == NULL)
		return -1;
	wire_copy(&msg_net_connected_desc, m, &copy, &c->arena);
	c->run.interfaces.v = copy.interfaces.v;
	c->run.interfaces.n = copy.interfaces.n;
	c->run.dns_servers = copy.dns_servers;
	c->run.dns_search = copy.dns_search;
	c->run.host_address =
	    etc_files_host_address(conf->containers_host_containers_internal_ip, copy.host_address);
	after = etc_net_of(&c->run);
	if (dir == -1)
		return err_sys(e, "opening the bundle of container %s", c->id);
	return etc_files_change(dir, c->config, c->id, c->name, &before, &after, e);
}

static int
connect_live(struct ctx *x, struct ctr *c, const struct rec_net_attach *at, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int netns = open_netns(c, e);
	struct peer *net = ctx_net(x, e);
	char hostname[256];
	struct rec_net_attach copy = *at;
	struct msg_net_connect m = {.id = c->id,
	    .name = c->name,
	    .hostname = hostname,
	    .netns = netns,
	    .dns_servers = c->config->dns_servers,
	    .network_dir = ctx_network_dir(x)};

	m.attach.v = &copy;
	m.attach.n = 1;
	if (netns == -1 || net == NULL)
		return -1;
	etc_files_hostname(c->config, c->id, hostname);
	if (peer_call(net, &msg_net_connect_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	return take_answer(x, c, MSG_OF(&in, net_connected), e);
}

static int
disconnect_live(struct ctx *x, struct ctr *c, const char *network, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int netns = open_netns(c, e);
	struct peer *net = ctx_net(x, e);
	struct msg_net_disconnect m = {.id = c->id, .netns = netns, .network = network};

	if (netns == -1 || net == NULL ||
	    peer_call(net, &msg_net_disconnect_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	return take_answer(x, c, MSG_OF(&in, net_connected), e);
}

/* --- Both ---------------------------------------------------------------------------------------*/

int
join_connect(struct ctx *x, struct ctr *c, const struct rec_net_attach *at, struct err *e)
{
	struct db *db = ctx_db(x, e);
	struct rec_ctr_config *f;

	if (db == NULL || ctr_config(c, e) == -1 || check(c, e) == -1 || spell_out(x, c, e) == -1)
		return -1;
	f = c->config;
	if (place_of(f, at->network) < f->networks.n)
		return err_set(e, ERR_EXISTS,
		    "container %s is already connected to network \"%s\": network is already "
		    "connected",
		    c->id, at->network);
	if (ctr_has_process(c) && connect_live(x, c, at, e) == -1)
		return -1;
	wire_copy(&rec_net_attach_desc, at, &f->networks.v[f->networks.n++], &c->arena);
	return ctr_save_config(db, c, e) == -1 ? -1 : ctr_save(db, c, e);
}

int
join_disconnect(struct ctx *x, struct ctr *c, const char *network, bool force, struct err *e)
{
	struct db *db = ctx_db(x, e);
	struct rec_ctr_config *f;
	size_t i;

	if (db == NULL || ctr_config(c, e) == -1 || check(c, e) == -1 || spell_out(x, c, e) == -1)
		return -1;
	f = c->config;
	i = place_of(f, network);
	if (i == f->networks.n)
		return force ? 0
			     : err_set(e, ERR_NOTFOUND,
				   "container %s is not connected to network \"%s\": network is "
				   "not connected",
				   c->id, network);
	if (ctr_has_process(c) && disconnect_live(x, c, network, e) == -1) {
		if (!force || e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
	}
	memmove(&f->networks.v[i], &f->networks.v[i + 1],
	    (f->networks.n - i - 1) * sizeof(*f->networks.v));
	f->networks.n--;
	return ctr_save_config(db, c, e) == -1 ? -1 : ctr_save(db, c, e);
}
