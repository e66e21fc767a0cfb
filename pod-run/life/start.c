/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/process.h"
#include "common/base/text.h"
#include "common/base/warm.h"
#include "common/fs/lock.h"
#include "common/fs/path.h"
#include "common/oci/monitor.h"
#include "common/role/spawn.h"
#include "pod-run/life/listen.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/checkpoint.h"
#include "pod-run/life/cleanup.h"
#include "pod-run/life/end.h"
#include "pod-run/life/health.h"
#include "pod-run/life/landing.h"
#include "pod-run/life/notify.h"
#include "pod-run/life/mounts.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/life/volumes.h"
#include "pod-run/oci/covered.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/oci/spec_logging.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/state/event.h"

/* How long the monitor of the last run may take to have the runtime forget the container. */
#define LAST_MONITOR_MS 20000

void
start_init(struct start *s, struct ctx *x, struct ctr *c)
{
	*s = (struct start){.x = x,
	    .c = c,
	    .attach = -1,
	    .shm = -1,
	    .preserved = -1,
	    .bundle_fd = -1,
	    .live = -1,
	    .userns = USERNS_NONE};
}

void
start_free(struct start *s)
{
	scope_free(&s->scope);
	peer_free(s->monitor);
	userns_release(&s->userns);
	runtime_free(&s->runtime);
	free(s->bundle);
	fd_close(&s->bundle_fd);
	fd_close(&s->live);
	fd_close(&s->shm);
	for (size_t i = 0; i < s->mount_fds.n; i++)
		fd_close(&s->mount_fds.v[i]);
	free(s->mount_fds.v);
	peer_in_free(&s->rootfs);
	peer_in_free(&s->net);
	arena_free(&s->arena);
	start_init(s, NULL, NULL);
}

bool
start_needs_net(const struct rec_ctr_config *c)
{
	const char *mode = c->network_mode != NULL ? c->network_mode : "bridge";

	return strcmp(mode, "host") != 0 && strcmp(mode, "none") != 0 &&
	       !text_has_prefix(mode, "container:") && !text_has_prefix(mode, "ns:");
}

/* Whatever the container wants: where we are its monitor would be. */
static void
enter_scope(struct ctx *x)
{
	struct err ignored = {0};
	bool may_need = x->rootless.user && cgroup_layout() == CGROUP_V2;
	const struct containers_conf *conf = may_need ? ctx_conf(x, &ignored) : NULL;

	if (conf != NULL)
		scope_enter(x, ctx_cgroup_manager(x, conf));
}

int
start_helpers(struct start *s, bool net, struct err *e)
{
	s->x->starts = true;
	if (ctx_store(s->x, e) == NULL)
		return -1;
	/* What the network needs beyond this command starts where we are too. */
	if (s->monitor == NULL)
		enter_scope(s->x);
	if (net && ctx_net(s->x, e) == NULL)
		return -1;
	if (s->monitor == NULL) {
		warm_start();
		s->monitor = spawn_peer(ROLE_RUN, ROLE_MONITOR, &s->monitor_pid, e);
	}
	return s->monitor == NULL ? -1 : 0;
}

/* --- Asking -------------------------------------------------------------------------------------*/

static int
open_bundle(struct start *s, struct err *e)
{
	own_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -1;

	free(s->bundle);
	s->bundle = ctx_bundle(s->x, s->c->id);
	dir = path_mkdirs(root, s->bundle, PATH_IN_ROOT, 0700, NULL, e);
	if (dir == -1)
		return err_wrap(e, "making the bundle of container %s", s->c->id);
	if (mkdirat(dir, "rootfs", 0755) == -1 && errno != EEXIST)
		return err_sys(e, "making the bundle of container %s", s->c->id);
	fd_close(&s->bundle_fd);
	s->bundle_fd = path_reopen(dir, O_RDONLY | O_DIRECTORY, e);
	return s->bundle_fd == -1 ? -1 : 0;
}

/* The lock that the monitor will hold; the last one's must have been given back. */
static int
take_live_lock(struct start *s, struct err *e)
{
	char name[NAMES_ID_LEN + sizeof(SYNC_LIVE_SUFFIX)];

	snprintf(name, sizeof(name), "%s" SYNC_LIVE_SUFFIX, s->c->id);
	s->live = lock_acquire(s->x->lock_fd, name, LOCK_EXCLUSIVE, LAST_MONITOR_MS, e);
	return s->live == -1 ? err_wrap(e, "waiting for the last monitor of container %s", s->c->id)
			     : 0;
}

/* Where nothing lies on it, the empty resolv.conf among the usual mount points says what none would. */
static bool
has_usual_files(const struct rec_ctr_config *c)
{
	unsigned usual = strcmp(c->network_mode, "none") == 0 ? ETC_USUAL & ~ETC_RESOLV : ETC_USUAL;

	return (etc_files_wanted(c) & usual) == usual;
}

static int
ask_rootfs(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	struct peer *store = ctx_store(s->x, e);
	own_fd int dir = -1;
	struct msg_rootfs_open m = {.id = s->c->id,
	    .image = c->image_id,
	    .dir = -1,
	    .volatile_ = c->remove,
	    .used = s->c->started_ns != 0,
	    .user = c->user,
	    .groups = c->groups,
	    .workdir = c->workdir,
	    .make_workdir = c->make_workdir,
	    .workdir_mounted = c->workdir != NULL && covered_path(c, true, c->workdir),
	    .no_passwd = c->no_passwd,
	    .passwd_entry = c->passwd_entry,
	    .group_entry = c->group_entry,
	    .mount_label = c->mount_label,
	    .label_nested = c->label_nested,
	    .size = c->storage_size,
	    .host_users = c->host_users,
	    .mountpoints = has_usual_files(c),
	    .etc_dir = s->bundle_fd};

	if (store == NULL)
		return -1;
	if (c->rootfs != NULL) {
		m.dir = dir = mounts_rootfs(s, e);
		if (dir == -1)
			return -1;
	}
	m.uid_map.v = c->uid_map.v;
	m.uid_map.n = c->uid_map.n;
	m.gid_map.v = c->gid_map.v;
	m.gid_map.n = c->gid_map.n;
	covered_homes(c, &m.homes, &s->arena);
	m.volumes.n = spec_options_volumes(c, &s->arena, &m.volumes.v);
	if (mounts_volumes(s, m.volumes.v, m.volumes.n, e) == -1)
		return -1;
	if (userns_hold(&s->userns, c, start_needs_net(c), e) == -1)
		return -1;
	/* Only root of the first namespace may have the kernel map owners. */
	m.userns = s->x->rootless.userns ? -1 : s->userns.user;
	s->rootfs_seq = peer_next_seq(store);
	if (peer_send(store, &msg_rootfs_open_desc, s->rootfs_seq, &m, e) == -1)
		return -1;
	return mounts_ask(s, e);
}

static void
add_addresses(struct start *s, const struct rec_net_interface *was, struct strs *out)
{
	for (size_t i = 0; i < was->addresses.n; i++) {
		const char *a = was->addresses.v[i].ipnet;

		spec_list_add(
		    &s->arena, out, arena_printf(&s->arena, "%.*s", (int)strcspn(a, "/"), a));
	}
}

/* The addresses of the last run, in a copy of what is asked for. */
static void
keep_addresses(struct start *s, struct msg_net_setup *m)
{
	const struct start_restore *r = s->restore;
	struct rec_net_attach *v = arena_array(&s->arena, m->attach.n + 1, sizeof(*v));

	for (size_t i = 0; i < m->attach.n; i++) {
		const struct rec_net_interface *was = NULL;

		v[i] = m->attach.v[i];
		for (size_t k = 0; k < r->interfaces_n && was == NULL; k++)
			if (strcmp(r->interfaces[k].network, v[i].network) == 0)
				was = &r->interfaces[k];
		if (!r->keep_address)
			v[i].static_ips.n = 0;
		if (!r->keep_mac)
			v[i].static_mac = NULL;
		if (was == NULL)
			continue;
		if (r->keep_mac && v[i].static_mac == NULL)
			v[i].static_mac = was->mac;
		if (r->keep_address && v[i].static_ips.n == 0)
			add_addresses(s, was, &v[i].static_ips);
	}
	m->attach.v = v;
}

/* Those of the configuration, then the container's, which win. */
static struct strs
mode_options(struct start *s, const char *mode, const struct containers_conf *conf)
{
	const struct strv *l = NULL;
	struct strs out = {0};

	if (strcmp(mode, "pasta") == 0)
		l = &conf->network_pasta_options;
	else if (strcmp(mode, "slirp4netns") == 0)
		l = &conf->engine_network_cmd_options;
	if (l == NULL || l->n == 0)
		return s->c->config->network_options;
	spec_list_add_all(&s->arena, &out, l);
	for (size_t i = 0; i < s->c->config->network_options.n; i++)
		spec_list_add(&s->arena, &out, s->c->config->network_options.v[i]);
	return out;
}

static int
ask_net(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	struct msg_net_setup m = {.id = s->c->id,
	    .name = s->c->name,
	    .hostname = c->hostname,
	    .mode = c->network_mode != NULL ? c->network_mode : "bridge",
	    .dns_servers = c->dns_servers,
	    .network_dir = ctx_network_dir(s->x),
	    .netns = s->userns.net};
	struct rec_net_attach first = {0};
	const struct containers_conf *conf = ctx_conf(s->x, e);
	struct peer *net;

	if (conf == NULL)
		return -1;
	if (!start_needs_net(c))
		return 0;
	m.mode_options = mode_options(s, m.mode, conf);
	net = ctx_net(s->x, e);
	if (net == NULL || end_await_net(s->x, s->c->id, e) == -1)
		return -1;
	if (strcmp(m.mode, "bridge") == 0 && c->networks.n == 0 && !c->networks_set) {
		first.network = conf->network_default_network;
		m.attach.v = &first;
		m.attach.n = 1;
	} else {
		m.attach.v = c->networks.v;
		m.attach.n = c->networks.n;
	}
	m.ports.v = c->ports.v;
	m.ports.n = c->ports.n;
	if (s->restore != NULL)
		keep_addresses(s, &m);
	s->net_seq = peer_next_seq(net);
	if (peer_send(net, &msg_net_setup_desc, s->net_seq, &m, e) == -1)
		return -1;
	s->net_asked = true;
	return 0;
}

int
start_begin(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;

	if (start_helpers(s, start_needs_net(s->c->config), e) == -1 ||
	    take_live_lock(s, e) == -1 || open_bundle(s, e) == -1 || ask_rootfs(s, e) == -1 ||
	    ask_net(s, e) == -1)
		return -1;
	if (c->cgroups != NULL && strcmp(c->cgroups, "split") == 0 &&
	    cgroup_split(c->cgroup_parent, e) == -1)
		return -1;
	/* An old exit file would be taken for the end of this run. */
	unlinkat(s->x->exit_fd, s->c->id, 0);
	unlinkat(s->bundle_fd, "oom", 0);
	unlinkat(s->bundle_fd, MONITOR_PIDFILE, 0);
	return runtime_find(s->x, s->c->config, &s->runtime, e);
}

int
start_prepare_rootfs(struct ctx *x, const struct ctr *c, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct rec_ctr_config *g = c->config;
	struct msg_rootfs_open m = {
	    .id = c->id, .image = g->image_id, .prepare = true, .size = g->storage_size};
	struct peer *store = ctx_store(x, e);

	m.uid_map.v = g->uid_map.v;
	m.uid_map.n = g->uid_map.n;
	m.gid_map.v = g->gid_map.v;
	m.gid_map.n = g->gid_map.n;
	return store == NULL ? -1 : peer_call(store, &msg_rootfs_open_desc, &m, &in, NULL, NULL, e);
}

void
start_undo(struct start *s)
{
	volumes_release(s->x, s->c->id, &s->volumes);
	s->volumes.n = 0;
	if (s->net_asked)
		end_give_back_net(s->x, s->c->id);
	s->net_asked = false;
}

void
start_forget(struct start *s)
{
	end_abandon(s->x, s->c->id, s->net_asked);
	s->net_asked = false;
}

/* --- Starting -----------------------------------------------------------------------------------*/

static int
collect(struct start *s, struct err *e)
{
	if (peer_wait(ctx_store(s->x, e), &msg_rootfs_open_desc, s->rootfs_seq, &s->rootfs, NULL,
		NULL, e) == -1)
		return -1;
	if (!s->net_asked)
		return 0;
	return peer_wait(ctx_net(s->x, e), &msg_net_setup_desc, s->net_seq, &s->net, NULL, NULL, e);
}

static struct strs
strs_of(const struct strv *l)
{
	return (struct strs){.v = (const char **)l->v, .n = l->n};
}

static int
prepare_log(struct start *s, struct rec_log_target *t, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	own_mem char *dir = NULL;
	own_fd int root = -1, fd = -1;

	bool to_file = spec_logging_is_file(c->log_driver);

	*t = (struct rec_log_target){.driver = to_file ? LOGGING_FILE : c->log_driver,
	    .size_max = c->log_size_max,
	    .files_max = c->log_files_max,
	    .tag = c->log_tag,
	    .labels = c->log_labels,
	    .volatile_ = c->remove,
	    .path = c->log_path};
	if (!to_file || (t->path != NULL && *t->path != '\0'))
		return 0;
	dir = ctx_static_dir(s->x, s->c->id);
	t->path = arena_printf(&s->arena, "%s/ctr.log", dir);
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = path_mkdirs(root, dir, PATH_IN_ROOT, 0700, NULL, e);
	return fd == -1 ? -1 : 0;
}

/* The far end of a socket in whose queue the mounts wait; -1 in *queue if there are none. */
static int
queue_mounts(struct start *s, int *queue, struct err *e)
{
	own_fd int ours = -1, theirs = -1;
	int pair[2];

	if (s->mount_fds.n == 0)
		return 0;
	if (peer_pair(pair, e) == -1)
		return -1;
	ours = pair[0];
	theirs = pair[1];
	if (peer_queue_fds(ours, s->mount_fds.v, s->mount_fds.n, e) == -1)
		return -1;
	*queue = fd_take(&theirs);
	return 0;
}

const char *
start_mount(struct start *s, int mount, bool file, struct err *e)
{
	const char *name = arena_printf(&s->arena, "mount.%zu", s->mounts.n);
	own_fd int taken = mount, fd = -1;

	unlinkat(s->bundle_fd, name, file ? AT_REMOVEDIR : 0);
	if (file)
		fd = openat(s->bundle_fd, name, O_CREAT | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file ? fd == -1 : mkdirat(s->bundle_fd, name, 0755) == -1 && errno != EEXIST) {
		err_sys(e, "making a place for a mount of container %s", s->c->id);
		return NULL;
	}
	s->mount_fds.v =
	    mem_grow(s->mount_fds.v, &s->mount_fds.cap, s->mount_fds.n + 1, sizeof(int));
	s->mount_fds.v[s->mount_fds.n++] = fd_take(&taken);
	spec_list_add(&s->arena, &s->mounts, name);
	return arena_printf(&s->arena, "%s/%s", s->bundle, name);
}

/* The monitor keeps the timer; one of 0 means that checks are made by hand. */
static void
put_health(struct start *s, struct strv *command, struct msg_monitor_start *m)
{
	const struct rec_ctr_config *c = s->c->config;

	/* Also without a check: update can give the container one. */
	cleanup_health_command(s->x, s->c->id, command);
	m->health_command = strs_of(command);
	if (!spec_health_has(c->health) || c->health->interval <= 0 || s->create_only)
		return;
	m->health_interval_ms = (uint64_t)(c->health->interval / 1000000);
	if (spec_health_has(c->health_startup))
		m->health_startup_ms = (uint64_t)(c->health_startup->interval / 1000000);
}

/*
 * Whether the container is created first and let go once its monitor is there.  Mounts in what others may
 * change are looked at in between; and systemd removes a cgroup with its last process, so the monitor of one
 * that may run out of memory must have the counter open before the program begins.
 */
static bool
stepwise(struct start *s)
{
	const struct rec_ctr_resources *r = s->c->config->resources;

	if (s->restore != NULL)
		return false;
	return landing_doubtful(&s->runtime, &s->nested) ||
	       (s->runtime.systemd_cgroup && r != NULL && r->memory > 0);
}

static int
send_start(struct start *s, uint32_t seq, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	own_strv struct strv environment = {0}, cleanup = {0}, health = {0};
	own_mem char *state_dir = NULL, *cgroup = NULL, *own_cgroup = NULL;
	struct rec_log_target log;
	struct msg_monitor_start m = {.id = s->c->id,
	    .name = s->c->name,
	    .bundle = s->bundle,
	    .rootfs = arena_printf(&s->arena, "%s/rootfs", s->bundle),
	    .runtime = s->runtime.path,
	    .runtime_args = strs_of(&s->runtime.args),
	    .systemd_cgroup = s->runtime.systemd_cgroup,
	    .terminal = c->tty,
	    .stdin_ = c->stdin_open,
	    .leave_stdin_open = c->stdin_open && c->tty,
	    .exit_dir = s->x->exit_dir,
	    .persist_dir = s->bundle,
	    .pid_file = c->pid_file,
	    .monitor_pid_file = c->monitor_pid_file != NULL
				    ? c->monitor_pid_file
				    : arena_printf(&s->arena, "%s/" BUNDLE_MONITOR_PID, s->bundle),
	    .timeout_s = c->timeout_s,
	    .rows = s->rows,
	    .columns = s->columns,
	    .preserve_fds = s->preserve_fds,
	    .root = MSG_OF(&s->rootfs, rootfs_opened)->root,
	    .shm = s->shm,
	    .netns = s->net_asked ? MSG_OF(&s->net, net_setup_r)->netns : -1,
	    .holder = s->net_asked ? MSG_OF(&s->net, net_setup_r)->holder : -1,
	    .attach = s->attach,
	    .lock = s->live,
	    .preserved = s->preserved,
	    .preserved_as = s->preserved_as,
	    .mounts = s->mounts,
	    .mount_queue = -1};
	const struct containers_conf *conf = ctx_conf(s->x, e);
	own_fd int queue = -1;

	if (conf == NULL || queue_mounts(s, &queue, e) == -1)
		return -1;
	m.no_pivot = conf->engine_no_pivot_root;
	m.no_new_keyring = !conf->containers_keyring;
	m.mount_queue = queue;
	m.create_only = s->create_only || stepwise(s);
	if (s->restore != NULL) {
		m.restore = s->restore->images;
		m.runtime_opts = s->restore->options;
		/* Both were settled when the container was made. */
		m.no_pivot = m.no_new_keyring = false;
	}
	if (prepare_log(s, &log, e) == -1)
		return -1;
	if (!s->has_poststop)
		m.state_dir = state_dir = runtime_state_dir(s->x, &s->runtime, s->c->id);
	if (s->runtime.cgroup_usable)
		m.cgroup = cgroup = cgroup_oci_path(c, s->c->id);
	if (!notify_makes_service(c))
		m.own_cgroup = own_cgroup = cgroup_monitor_path(c, s->runtime.cgroup_usable);
	m.logs.v = &log;
	m.logs.n = 1;
	cleanup_environment(&environment);
	cleanup_command(s->x, s->c->id, &cleanup);
	put_health(s, &health, &m);
	m.notify_socket = notify_of_container(c);
	m.environment = strs_of(&environment);
	m.exit_command = strs_of(&cleanup);
	if (s->adopt && peer_send(s->monitor, &msg_monitor_adopt_desc, 0,
			    &(struct msg_monitor_adopt){0}, e) == -1)
		return -1;
	return peer_send(s->monitor, &msg_monitor_start_desc, seq, &m, e);
}

/* After the root file system is there, before the monitor takes it away. */
static int
fill_rootfs(struct start *s, struct err *e)
{
	if (s->restore == NULL || s->restore->fill == NULL)
		return 0;
	return s->restore->fill(s, MSG_OF(&s->rootfs, rootfs_opened)->root, s->restore->arg, e);
}

static void
remember(struct start *s, const struct containers_conf *conf)
{
	struct ctr *c = s->c;

	const struct msg_rootfs_opened *r = MSG_OF(&s->rootfs, rootfs_opened);

	c->run = (struct rec_ctr_run){.uid = r->uid, .gid = r->gid, .home = r->home};
	c->run.volumes = s->volumes;
	c->run.groups.v = r->groups.v;
	c->run.groups.n = r->groups.n;
	if (s->net_asked) {
		const struct msg_net_setup_r *n = MSG_OF(&s->net, net_setup_r);

		c->run.interfaces.v = n->interfaces.v;
		c->run.interfaces.n = n->interfaces.n;
		c->run.ports.v = n->ports.v;
		c->run.ports.n = n->ports.n;
		c->run.dns_servers = n->dns_servers;
		c->run.dns_search = n->dns_search;
		c->run.host_address = etc_files_host_address(
		    conf->containers_host_containers_internal_ip, n->host_address);
	}
}

/* A host port that was chosen at the first start stays the container's. */
static int
keep_ports(struct start *s, struct db *db, struct err *e)
{
	struct ctr *c = s->c;
	bool changed = false;

	for (size_t i = 0; i < c->run.ports.n && i < c->config->ports.n; i++)
		if (c->config->ports.v[i].host_port == 0) {
			c->config->ports.v[i].host_port = c->run.ports.v[i].host_port;
			changed = true;
		}
	return changed ? ctr_save_config(db, c, e) : 0;
}

static void
fill_running(struct start *s, const struct msg_monitor_started *m)
{
	struct ctr *c = s->c;

	c->status = s->create_only ? CTR_CREATED : CTR_RUNNING;
	c->pid = (pid_t)m->pid;
	c->pid_start = m->start_time != 0 ? m->start_time : process_start(c->pid);
	c->monitor_pid = (pid_t)m->monitor_pid;
	if (!s->create_only)
		c->started_ns = m->started_ns != 0 ? (int64_t)m->started_ns : ctx_now_ns();
	c->exit_code = 0;
	c->oom = false;
	c->error = "";
}

/* "RUNTIME start": the process that was created becomes the container's program. */
static int
let_go(struct start *s, pid_t monitor, struct err *e)
{
	own_strv struct strv words = {0};

	strv_add(&words, "start");
	strv_add(&words, s->c->id);
	return runtime_run(&s->runtime, &words, monitor, "start", s->c->id, e);
}

/* Ends what was created and may not run, and waits until nothing speaks of it. */
static void
take_back(struct start *s, const struct msg_monitor_started *m)
{
	struct ctr c = {.pid = (pid_t)m->pid, .pid_start = m->start_time};
	struct err ignored = {0};

	memcpy(c.id, s->c->id, sizeof(c.id));
	if (stop_signal(&c, SIGKILL, &ignored) == 0)
		stop_wait(s->x, &c, -1);
	unlinkat(s->x->exit_fd, c.id, 0);
}

static int
look_and_let_go(struct start *s, const struct msg_monitor_started *m, struct err *e)
{
	if (!stepwise(s))
		return 0;
	if ((!landing_doubtful(&s->runtime, &s->nested) ||
		landing_check((pid_t)m->pid, &s->nested, e) == 0) &&
	    (s->create_only || let_go(s, (pid_t)m->monitor_pid, e) == 0))
		return 0;
	take_back(s, m);
	return -1;
}

static void
tell_of_start(struct start *s)
{
	event_ctr(s->x, s->c, EVENT_START);
	notify_started(s->c);
}

int
start_end(struct start *s, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct containers_conf *conf = ctx_conf(s->x, e);
	const struct msg_monitor_started *started;
	struct db *db = ctx_db(s->x, e);
	uint32_t seq = peer_next_seq(s->monitor);

	if (db == NULL || conf == NULL || collect(s, e) == -1 || fill_rootfs(s, e) == -1 ||
	    (s->restore == NULL && listen_preserve(s, e) == -1) || bundle_write(s, e) == -1 ||
	    send_start(s, seq, e) == -1) {
		start_undo(s);
		return -1;
	}
	if (peer_wait(s->monitor, &msg_monitor_start_desc, seq, &in, NULL, NULL, e) == -1 ||
	    look_and_let_go(s, MSG_OF(&in, monitor_started), e) == -1) {
		start_undo(s);
		return -1;
	}
	warm_end();
	started = MSG_OF(&in, monitor_started);
	scope_ask(&s->scope, s->x, s->c, (pid_t)started->monitor_pid, (pid_t)started->worker_pid);
	userns_release(&s->userns);
	remember(s, conf);
	fill_running(s, started);
	/* The monitor holds the lock now; as long as we do too, nobody could see it end. */
	fd_close(&s->live);
	if (!s->create_only)
		health_started(s->x, s->c);
	if (keep_ports(s, db, e) == -1 || ctr_save(db, s->c, e) == -1)
		return -1;
	/* Our caller may be a service that ends as soon as we do. */
	if (!s->adopt)
		scope_await(&s->scope);
	if (s->restore != NULL) {
		event_ctr(s->x, s->c, EVENT_RESTORE);
		notify_started(s->c);
		return 0;
	}
	checkpoint_forget(s->x, s->c->id);
	event_ctr(s->x, s->c, EVENT_INIT);
	if (!s->create_only)
		tell_of_start(s);
	return 0;
}

/*
 * Starts one that was created by an earlier command.  The row says so first: who comes after a crash in
 * between must not start it a second time.
 */
static int
start_created(struct start *s, struct err *e)
{
	struct db *db = ctx_db(s->x, e);
	struct ctr *c = s->c;

	if (db == NULL || runtime_find(s->x, c->config, &s->runtime, e) == -1)
		return -1;
	c->status = CTR_RUNNING;
	c->started_ns = ctx_now_ns();
	if (ctr_save(db, c, e) == -1)
		return -1;
	if (let_go(s, c->monitor_pid, e) == -1) {
		/* Its monitor sees the end, and cleans up. */
		stop_signal(c, SIGKILL, &(struct err){0});
		return -1;
	}
	tell_of_start(s);
	return spec_health_has(c->config->health) ? health_tell_monitor(s->x, c, e) : 0;
}

/* --- Whole --------------------------------------------------------------------------------------*/

static int
start_needed(struct ctx *x, const char *id, struct err *e)
{
	own_ctr struct ctr c = {0};
	own_fd int lock = sync_open(x, id, &c, e);
	own_start struct start s;

	start_init(&s, x, &c);
	if (lock == -1 || start_whole(&s, true, e) == -1)
		return err_wrap(e, "starting dependency %s", id);
	return 0;
}

int
start_run_needed(struct start *s, struct err *e)
{
	own_strv struct strv ids = {0};

	if (ctr_needs(ctx_db(s->x, e), s->c->id, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (start_needed(s->x, ids.v[i], e) == -1)
			return -1;
	return 0;
}

int
start_whole(struct start *s, bool manual, struct err *e)
{
	struct ctr *c = s->c;

	if (c->status == CTR_RUNNING)
		return 0;
	if (c->status != CTR_CONFIGURED && c->status != CTR_CREATED && c->status != CTR_STOPPED &&
	    c->status != CTR_EXITED)
		return err_set(e, ERR_STATE,
		    "unable to start container \"%s\": container state improper: it is %s", c->id,
		    ctr_status_name(c->status));
	if (manual) {
		c->restarts = 0;
		c->stopped_by_user = false;
	}
	if (ctr_config(c, e) == -1 || start_run_needed(s, e) == -1)
		return -1;
	if (ctr_has_process(c))
		return s->create_only ? 0 : start_created(s, e);
	if (start_begin(s, e) == -1) {
		start_undo(s);
		return -1;
	}
	return start_end(s, e);
}
