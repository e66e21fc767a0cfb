/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <sys/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/conf/selinux_conf.h"
#include "common/fs/file.h"
#include "common/oci/monitor.h"
#include "pod-run/life/bundle.h"
#include "pod-run/life/notify.h"
#include "pod-run/life/secrets.h"
#include "pod-run/life/mounts.h"
#include "pod-run/life/mounts_conf.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/hooks.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/oci/seccomp.h"
#include "pod-run/oci/selinux.h"
#include "pod-run/oci/detached.h"
#include "pod-run/oci/spec_config.h"
#include "pod-run/oci/spec_secret.h"

/* Path of a namespace of the container named in "container:ID", which must run. */
static int
joined(struct start *s, const char *mode, const char *kind, const char **path, pid_t *pid,
    const char **bundle, struct err *e)
{
	own_ctr struct ctr other = {0};
	struct db *db = ctx_db(s->x, e);

	*path = NULL;
	if (mode == NULL || !text_has_prefix(mode, "container:"))
		return 0;
	if (db == NULL || ctr_load(db, mode + strlen("container:"), &other, e) == -1)
		return -1;
	sync_look(s->x, &other);
	if (other.status != CTR_RUNNING && other.status != CTR_PAUSED)
		return err_set(e, ERR_STATE,
		    "cannot get namespace path unless container %s is running: container is %s",
		    other.id, ctr_status_name(other.status));
	*path = arena_printf(&s->arena, "/proc/%d/ns/%s", (int)other.pid, kind);
	if (pid != NULL)
		*pid = other.pid;
	if (bundle != NULL) {
		own_mem char *dir = ctx_bundle(s->x, other.id);

		*bundle = arena_strdup(&s->arena, dir);
	}
	return 0;
}

/* One that was told to have none shares none. */
static void
look_for_files(struct spec_facts *f)
{
	static const struct {
		const char *name;
		unsigned bit;
	} files[] = {{"hosts", ETC_HOSTS}, {"resolv.conf", ETC_RESOLV}};

	for (size_t i = 0; f->net_bundle != NULL && i < COUNTOF(files); i++) {
		own_mem char *path = xasprintf("%s/%s", f->net_bundle, files[i].name);

		if (access(path, F_OK) == -1)
			f->net_lacks |= files[i].bit;
	}
}

static int
join_all(struct start *s, struct spec_facts *f, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	pid_t ipc = 0;

	if (joined(s, c->network_mode, "net", &f->netns, NULL, &f->net_bundle, e) == -1 ||
	    joined(s, c->pid_ns, "pid", &f->pidns, NULL, NULL, e) == -1 ||
	    joined(s, c->ipc_ns, "ipc", &f->ipcns, &ipc, NULL, e) == -1 ||
	    joined(s, c->uts_ns, "uts", &f->utsns, NULL, NULL, e) == -1 ||
	    joined(s, c->cgroup_ns, "cgroup", &f->cgroupns, NULL, NULL, e) == -1 ||
	    joined(s, c->user_ns, "user", &f->userns, NULL, NULL, e) == -1)
		return -1;
	look_for_files(f);
	if (ipc != 0) {
		s->shm = detached_shm(ipc, e);
		if (s->shm == -1)
			return -1;
	}
	if (s->shm != -1) {
		f->shm_from = arena_printf(&s->arena, "%s/" MONITOR_SHM, s->bundle);
	}
	/* One that is joined is there already; ours is then only for mapping owners. */
	if (s->userns.pid != 0 && f->userns == NULL && !text_has_prefix(c->user_ns, "ns:"))
		f->userns = arena_printf(&s->arena, "/proc/%d/ns/user", (int)s->userns.pid);
	if (s->net_asked)
		f->netns = arena_printf(&s->arena, MONITOR_NETNS_PATH, (int)s->monitor_pid);
	return 0;
}

static bool
has_cap(unsigned cap)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0}};

	return capget(&h, d) == 0 && (d[cap / 32].effective & (1u << cap % 32)) != 0;
}

bool
bundle_may_raise_limits(const struct ctx *x)
{
	return !x->rootless.userns && has_cap(CAP_SYS_RESOURCE);
}

void
bundle_facts(struct ctx *x, const struct ctr *c, const struct runtime *r, const char *bundle,
    struct arena *a, struct spec_facts *f)
{
	char hostname[256];

	etc_files_hostname(c->config, c->id, hostname);
	*f = (struct spec_facts){.id = c->id,
	    .name = c->name,
	    .bundle = bundle,
	    .notify = notify_of_container(c->config) != NULL,
	    .hostname = arena_strdup(a, hostname),
	    .rootless = x->rootless.userns,
	    .runtime_is_crun = r->is_crun,
	    .sys_resource = bundle_may_raise_limits(x),
	    .cgroup = cgroup_layout(),
	    .cgroup_usable = r->cgroup_usable};
}

static void
add_rootfs(const struct msg_rootfs_opened *m, struct spec_facts *f)
{
	f->uid = (uint32_t)m->uid;
	f->gid = (uint32_t)m->gid;
	f->groups = m->groups.v;
	f->groups_n = m->groups.n;
	f->home = m->home;
	f->passwd_made = m->passwd_made;
	f->group_made = m->group_made;
	f->volume_paths = m->volume_paths.v;
	f->volume_paths_n = m->volume_paths.n;
}

static int
write_etc(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	const char *mode = c->network_mode != NULL ? c->network_mode : "bridge";
	const struct containers_conf *conf = ctx_conf(s->x, e);
	struct etc_net net = {
	    .own_netns = strcmp(mode, "host") != 0, .pasta = strcmp(mode, "pasta") == 0};

	if (s->net_asked) {
		const struct msg_net_setup_r *n = MSG_OF(&s->net, net_setup_r);

		net.interfaces = n->interfaces.v;
		net.interfaces_n = n->interfaces.n;
		net.dns_servers = n->dns_servers;
		net.dns_search = n->dns_search;
		net.host_address = n->host_address;
	}
	if (conf == NULL)
		return -1;
	net.host_address =
	    etc_files_host_address(conf->containers_host_containers_internal_ip, net.host_address);
	return etc_files_write(s->bundle_fd, c, s->c->id, s->c->name, &net,
	    MSG_OF(&s->rootfs, rootfs_opened)->root, s->x->rootless.userns, e);
}

static int
prepare_seccomp(struct start *s, struct seccomp_result *out, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	struct seccomp_request q = {.profile = c->seccomp,
	    .text = c->seccomp_text,
	    .caps = c->caps.v,
	    .caps_n = c->caps.n,
	    .run_root = s->x->run_root};

	/* A profile that was named is asked for; the host's own is not for what is privileged. */
	if ((c->privileged && c->seccomp == NULL) ||
	    (c->seccomp != NULL && strcmp(c->seccomp, "unconfined") == 0))
		return 0;
	return seccomp_prepare(&q, s->runtime.is_crun, out, e);
}

/* --- A user namespace without us -------------------------------------------------------------------*/

#define NO_ID UINT32_MAX

static uint32_t
outside(const struct rec_id_range *v, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return (uint32_t)(v[i].outside + (id - v[i].inside));
	return NO_ID;
}

static bool
has_our_root(const struct rec_id_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].outside == 0)
			return true;
	return false;
}

/*
 * The runtime walks to the bundle as the container's root.  Its own directory lets in that root's group;
 * those above, which hold nothing but names that cannot be guessed, everybody.
 */
static int
open_way(struct start *s, uint32_t gid, struct err *e)
{
	own_mem char *path = xstrdup(s->bundle);
	struct stat st;

	if (fchown(s->bundle_fd, (uid_t)-1, gid) == -1 || fchmod(s->bundle_fd, 0710) == -1)
		return err_sys(e, "opening the bundle to the container's root");
	for (char *slash; (slash = strrchr(path, '/')) != NULL && slash != path;) {
		*slash = '\0';
		if (stat(path, &st) == -1)
			return err_sys(e, "looking at %s", path);
		if ((st.st_mode & 0011) != 0011 && st.st_uid == 0 &&
		    chmod(path, (st.st_mode & 07777) | 0011) == -1)
			return err_sys(e, "opening %s to the container's root", path);
	}
	return 0;
}

/* As the peers, whose containers may write into these files. */
static int
give_files(struct start *s, uint32_t uid, uint32_t gid, struct err *e)
{
	static const char *const names[] = {
	    "hosts", "resolv.conf", "hostname", ".containerenv", "passwd", "group"};

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (fchownat(s->bundle_fd, names[i], uid, gid, AT_SYMLINK_NOFOLLOW) == -1 &&
		    errno != ENOENT)
			return err_sys(e, "giving %s to the container's root", names[i]);
	return 0;
}

static int
give_bundle(struct start *s, struct err *e)
{
	const struct rec_ctr_config *c = s->c->config;
	uint32_t uid = outside(c->uid_map.v, c->uid_map.n, 0);
	uint32_t gid = outside(c->gid_map.v, c->gid_map.n, 0);

	if (uid == NO_ID || gid == NO_ID)
		return 0;
	if (give_files(s, uid, gid, e) == -1)
		return -1;
	return has_our_root(c->uid_map.v, c->uid_map.n) ? 0 : open_way(s, gid, e);
}

int
bundle_label(const struct start *s, const char *name, struct err *e)
{
	const char *label = s->c->config->mount_label;
	own_mem char *path = NULL;
	own_fd int fd = -1;

	if (label == NULL || *label == '\0' || !selinux_conf_enabled())
		return 0;
	path = xasprintf("%s/%s", s->bundle, name);
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd == -1 ? 0 : selinux_relabel(fd, path, label, e);
}

/* The monitor's socket gets the label of the directory that it finds. */
static int
label_notify(const struct start *s, struct err *e)
{
	if (notify_of_container(s->c->config) == NULL)
		return 0;
	if (mkdirat(s->bundle_fd, MONITOR_NOTIFY_DIR, 0755) == -1 && errno != EEXIST)
		return err_sys(e, "making directory " MONITOR_NOTIFY_DIR);
	return bundle_label(s, MONITOR_NOTIFY_DIR, e);
}

/* The files of the bundle that the container sees get its label. */
static int
label_files(const struct start *s, struct err *e)
{
	static const char *const names[] = {
	    "hosts", "resolv.conf", "hostname", ".containerenv", "localtime", "passwd", "group"};
	const struct rec_ctr_config *c = s->c->config;

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (bundle_label(s, names[i], e) == -1)
			return -1;
	for (size_t i = 0; i < c->secrets.n; i++) {
		char name[32];

		snprintf(name, sizeof(name), SPEC_SECRET_FILE "%zu", i);
		if (bundle_label(s, name, e) == -1)
			return -1;
	}
	return label_notify(s, e);
}

int
bundle_write(struct start *s, struct err *e)
{
	own_seccomp struct seccomp_result seccomp = {0};
	own_cdi struct cdi_edits cdi = {0};
	const struct strv *cdi_dirs = ctx_cdi_dirs(s->x, e);
	own_strbuf struct strbuf json = {0};
	own_strv struct strv secret_env = {0};
	const struct strv *hook_dirs;
	struct spec_facts f;

	bundle_facts(s->x, s->c, &s->runtime, s->bundle, &s->arena, &f);
	f.listen_fds = s->listen_fds;
	f.rows = s->rows;
	f.columns = s->columns;
	add_rootfs(MSG_OF(&s->rootfs, rootfs_opened), &f);
	s->nested = (struct nested_mounts){.a = &s->arena};
	f.nested = &s->nested;
	if (join_all(s, &f, e) == -1 || prepare_seccomp(s, &seccomp, e) == -1)
		return -1;
	if (cdi_dirs == NULL ||
	    cdi_find(cdi_dirs, &s->c->config->cdi_devices, &s->arena, &cdi, e) == -1 ||
	    mounts_prepare(s, &f, e) == -1 || mounts_conf_prepare(s, &f, e) == -1)
		return -1;
	if (secrets_write(s->x, s->c, s->bundle_fd, e) == -1 ||
	    secrets_env(s->x, s->c->config, &secret_env, e) == -1)
		return -1;
	f.secret_env = &secret_env;
	hook_dirs = ctx_hooks_dirs(s->x, e);
	if (hook_dirs == NULL || hooks_find(hook_dirs, s->c->config, &cdi.hooks, e) == -1)
		return -1;
	f.hooks = cdi.hooks;
	f.cdi = &cdi;
	f.seccomp_json = seccomp.json;
	f.seccomp_bpf = seccomp.bpf;
	if (write_etc(s, e) == -1 || label_files(s, e) == -1 || give_bundle(s, e) == -1 ||
	    spec_config_json(s->c->config, &f, &json, e) == -1 ||
	    hooks_precreate(cdi.hooks, &json, e) == -1)
		return -1;
	s->has_poststop = strstr(json.s, "\"poststop\"") != NULL;
	return file_write(s->bundle_fd, "config.json", json.s, json.n, 0600, 0, e);
}
