/* SPDX-License-Identifier: ISC */
#include "common/oci/monitor.h"
#include "pod-run/oci/config_mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/config_devices.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_secret.h"

struct entry {
	const char *target, *type, *source;
	struct strs options;
	size_t order;
};

struct list {
	struct entry *v;
	size_t n;
	struct arena a;
	const struct rec_ctr_config *c;
	const struct spec_facts *f;
	bool user_dev; /* the user mounts /dev: nothing of ours goes below it */
};

static const struct rec_ctr_mount *
user_mount(const struct rec_ctr_config *c, const char *target)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].target, target) == 0)
			return &c->mounts.v[i];
	return NULL;
}

/* Adds a mount of ours unless the user has one there.  options are separated by commas. */
static void
add(struct list *l, const char *target, const char *type, const char *source, const char *options)
{
	struct entry *x;
	char *rest;

	if (user_mount(l->c, target) != NULL || (l->user_dev && text_has_prefix(target, "/dev/")))
		return;
	x = SPEC_PUSH(&l->a, l);
	*x = (struct entry){.target = target, .type = type, .source = source, .order = l->n};
	rest = arena_strdup(&l->a, options);
	for (char *o; (o = strsep(&rest, ",")) != NULL;)
		spec_list_add(&l->a, &x->options, o);
}

static bool
is_mode(const char *mode, const char *word)
{
	return mode != NULL && strcmp(mode, word) == 0;
}

static bool
in_userns(const struct rec_ctr_config *c, const struct spec_facts *f)
{
	return f->rootless || c->uid_map.n > 0 ||
	       (c->user_ns != NULL && text_has_prefix(c->user_ns, "ns:"));
}

bool
config_mounts_sys_is_host(const struct rec_ctr_config *c, const struct spec_facts *f)
{
	return in_userns(c, f) && is_mode(c->network_mode, "host");
}

static bool
map_has(const struct rec_id_range *v, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (id >= v[i].inside && id - v[i].inside < v[i].count)
			return true;
	return false;
}

/* devpts refuses a group that its user namespace does not know. */
static bool
gid_is_mapped(const struct list *l, uint64_t gid)
{
	own_file FILE *f = NULL;
	unsigned long long inside, outside, count;

	if (l->c->gid_map.n > 0)
		return map_has(l->c->gid_map.v, l->c->gid_map.n, gid);
	if (!l->f->rootless)
		return true;
	f = fopen("/proc/self/gid_map", "re");
	while (f != NULL && fscanf(f, "%llu %llu %llu", &inside, &outside, &count) == 3)
		if (gid >= inside && gid - inside < count)
			return true;
	return false;
}

static void
add_proc_and_sys(struct list *l)
{
	const struct rec_ctr_config *c = l->c;
	const char *rights = c->privileged ? "rw" : "ro";
	own_strbuf struct strbuf proc = {0};
	bool unmasked = spec_list_has(&c->unmask, "ALL") ||
			spec_list_has(&c->unmask, "/sys/fs/cgroup") ||
			(c->systemd && l->f->cgroup == CGROUP_V2);

	strbuf_add(&proc, "nosuid,noexec,nodev");
	for (size_t i = 0; i < c->proc_options.n; i++)
		strbuf_addf(&proc, ",%s", c->proc_options.v[i]);
	if (in_userns(c, l->f) && is_mode(c->pid_ns, "host"))
		add(l, "/proc", "bind", "/proc", "rbind,nosuid,noexec,nodev");
	else
		add(l, "/proc", "proc", "proc", proc.s);
	if (config_mounts_sys_is_host(c, l->f))
		add(l, "/sys", "bind", "/sys",
		    arena_printf(&l->a, "rprivate,nosuid,noexec,nodev,%s,rbind", rights));
	else
		add(l, "/sys", "sysfs", "sysfs",
		    arena_printf(&l->a, "nosuid,noexec,nodev,%s", rights));
	/* Over the host's as well: what is mounted below it stays writable, as the user's own cgroups are. */
	if (l->f->cgroup != CGROUP_NONE)
		add(l, "/sys/fs/cgroup", "cgroup", "cgroup",
		    arena_printf(&l->a, "rprivate,nosuid,noexec,nodev,relatime,%s",
			unmasked ? "rw" : rights));
	if (c->label_nested && access("/sys/fs/selinux/enforce", F_OK) == 0)
		add(l, "/sys/fs/selinux", "bind", "/sys/fs/selinux",
		    "bind,nosuid,noexec,rprivate,rw");
	if (c->systemd && l->f->cgroup != CGROUP_V2 && access("/sys/fs/cgroup/systemd", F_OK) == 0)
		add(l, "/sys/fs/cgroup/systemd", "bind", "/sys/fs/cgroup/systemd",
		    "bind,nodev,noexec,nosuid,rprivate");
}

static void
add_dev(struct list *l)
{
	const struct rec_ctr_config *c = l->c;
	const char *ro = c->read_only && !c->read_only_tmpfs ? ",ro" : "";

	l->user_dev = user_mount(c, "/dev") != NULL;
	add(l, "/dev", "tmpfs", "tmpfs",
	    arena_printf(&l->a, "nosuid,strictatime,mode=755,size=65536k%s", ro));
	add(l, "/dev/pts", "devpts", "devpts",
	    gid_is_mapped(l, 5) ? "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"
				: "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620");
	if (is_mode(c->ipc_ns, "host")) {
		/* Not every host has them mounted. */
		if (access("/dev/mqueue", F_OK) == 0)
			add(l, "/dev/mqueue", "bind", "/dev/mqueue", "bind,nosuid,noexec,nodev");
		if (access("/dev/shm", F_OK) == 0)
			add(l, "/dev/shm", "bind", "/dev/shm", "bind,nosuid,noexec,nodev");
		return;
	}
	add(l, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
	if (l->f->shm_from != NULL)
		add(l, "/dev/shm", "bind", l->f->shm_from, "bind,rprivate,nosuid,noexec,nodev");
	else if (!is_mode(c->ipc_ns, "none"))
		add(l, "/dev/shm", "tmpfs", "shm",
		    arena_printf(&l->a, "nosuid,noexec,nodev,mode=1777,size=%lld%s",
			(long long)c->shm_size, ro));
}

/* A file of the bundle. */
static void
add_file(struct list *l, const char *target, const char *name)
{
	add(l, target, "bind", arena_printf(&l->a, "%s/%s", l->f->bundle, name), "bind,rprivate");
}

static void
add_files(struct list *l)
{
	const struct rec_ctr_config *c = l->c;
	unsigned wanted = etc_files_wanted(c);
	const char *net = l->f->net_bundle != NULL ? l->f->net_bundle : l->f->bundle;

	wanted &= ~l->f->net_lacks;
	if (wanted & ETC_HOSTS)
		add(l, "/etc/hosts", "bind", arena_printf(&l->a, "%s/hosts", net), "bind,rprivate");
	if (wanted & ETC_RESOLV)
		add(l, "/etc/resolv.conf", "bind", arena_printf(&l->a, "%s/resolv.conf", net),
		    "bind,rprivate");
	for (size_t i = 0; i < c->chroot_dirs.n; i++) {
		if (wanted & ETC_HOSTS)
			add(l, arena_printf(&l->a, "%s/etc/hosts", c->chroot_dirs.v[i]), "bind",
			    arena_printf(&l->a, "%s/hosts", net), "bind,rprivate");
		if (wanted & ETC_RESOLV)
			add(l, arena_printf(&l->a, "%s/etc/resolv.conf", c->chroot_dirs.v[i]),
			    "bind", arena_printf(&l->a, "%s/resolv.conf", net), "bind,rprivate");
	}
	if (wanted & ETC_HOSTNAME)
		add_file(l, "/etc/hostname", "hostname");
	if (wanted & ETC_CONTAINERENV)
		add_file(l, "/run/.containerenv", ".containerenv");
	if (l->f->notify)
		add_file(l, "/run/" MONITOR_NOTIFY_DIR, MONITOR_NOTIFY_DIR);
	if (wanted & ETC_LOCALTIME)
		add_file(l, "/etc/localtime", "localtime");
	if (l->f->passwd_made)
		add_file(l, "/etc/passwd", "passwd");
	if (l->f->group_made)
		add_file(l, "/etc/group", "group");
	for (size_t i = 0; i < c->secrets.n; i++) {
		const struct rec_ctr_secret *s = &c->secrets.v[i];

		if (!s->env)
			add_file(l,
			    *s->target == '/' ? s->target
					      : arena_printf(&l->a, "/run/secrets/%s", s->target),
			    arena_printf(&l->a, SPEC_SECRET_FILE "%zu", i));
	}
	if (c->init)
		add(l, "/run/podman-init", "bind", c->init_path, "bind,ro,rprivate");
}

/* An ordinary user cannot make device nodes; the host's are mounted instead. */
static int
add_devices(struct list *l, struct err *e)
{
	struct device_list d = {0};

	if (!l->f->rootless)
		return 0;
	if (config_devices_find(l->c, l->f->cdi, &l->a, &d, e) < 0)
		return -1;
	for (size_t i = 0; i < d.n; i++)
		add(l, d.v[i].target, "bind", d.v[i].source,
		    l->c->privileged ? "bind,private" : "rbind,slave,nosuid,noexec,rw");
	return 0;
}

/* Binds of the host: the mount's own source, or what was made of it.  Owners are mapped by the runtime. */
static int
set_source(struct list *l, size_t i, struct entry *x, size_t *volume, struct err *e)
{
	const struct rec_ctr_mount *m = &l->c->mounts.v[i];
	bool is_volume = strcmp(m->type, "volume") == 0;

	if (!is_volume && strcmp(m->type, "bind") != 0 && strcmp(m->type, "image") != 0)
		return 0;
	x->type = "bind";
	if (is_volume) {
		if (*volume >= l->f->volume_paths_n)
			return err_set(e, ERR_INTERNAL, "no directory for volume %s", m->source);
		x->source = l->f->volume_paths[(*volume)++];
	}
	if (l->f->mount_sources != NULL && l->f->mount_sources[i] != NULL)
		x->source = l->f->mount_sources[i];
	if (m->overlay || strcmp(m->type, "image") == 0) {
		spec_list_add(&l->a, &x->options, "bind");
		spec_list_add(&l->a, &x->options, "rprivate");
	}
	if (strcmp(m->type, "image") == 0 && !m->writable)
		spec_list_add(&l->a, &x->options, "ro");
	if (m->no_dereference)
		spec_list_add(&l->a, &x->options, "copy-symlink");
	if (m->idmap != NULL)
		spec_list_add(&l->a, &x->options, m->idmap);
	if (strcmp(m->type, "bind") == 0 && !m->no_dereference && access(x->source, F_OK) < 0)
		return err_sys(e, "statfs %s", x->source);
	return 0;
}

static int
add_user(struct list *l, struct err *e)
{
	const struct rec_ctr_config *c = l->c;
	size_t volume = 0;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct rec_ctr_mount *m = &c->mounts.v[i];
		struct entry *x = SPEC_PUSH(&l->a, l);

		*x = (struct entry){.target = m->target,
		    .type = m->type,
		    .source = m->source != NULL ? m->source : m->type,
		    .order = l->n};
		for (size_t k = 0; k < m->options.n; k++)
			spec_list_add(&l->a, &x->options, m->options.v[k]);
		if (m->chown && strcmp(m->type, "tmpfs") == 0) {
			spec_list_addf(&l->a, &x->options, "uid=%u", l->f->uid);
			spec_list_addf(&l->a, &x->options, "gid=%u", l->f->gid);
		}
		if (set_source(l, i, x, &volume, e) < 0)
			return -1;
	}
	return 0;
}

static void
add_foreign(struct list *l, const struct cdi_mount *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cdi_mount *m = &v[i];

		if (user_mount(l->c, m->target) == NULL)
			*SPEC_PUSH(&l->a, l) = (struct entry){.target = m->target,
			    .type = m->type,
			    .source = m->source,
			    .options = m->options,
			    .order = l->n};
	}
}

static size_t
depth(const char *path)
{
	size_t n = 0;

	for (; *path != '\0'; path++)
		n += *path == '/';
	return n;
}

/* What lies below another mount comes after it. */
static int
by_depth(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	size_t da = depth(a->target), db = depth(b->target);

	return da != db ? (da < db ? -1 : 1) : (a->order < b->order ? -1 : 1);
}

/* What others may share: not what each container gets anew. */
static bool
is_shared(const struct list *l, const struct entry *x)
{
	const struct rec_ctr_mount *m = user_mount(l->c, x->target);

	return m != NULL && (strcmp(m->type, "volume") == 0 || strcmp(m->type, "bind") == 0);
}

/* l is sorted by depth, so the last one that holds another is the deepest. */
static void
find_nested(const struct list *l, struct nested_mounts *out)
{
	for (size_t i = 0; i < l->n; i++) {
		const char *within = NULL;

		for (size_t k = 0; k < i; k++) {
			size_t n = strlen(l->v[k].target);

			if (strncmp(l->v[i].target, l->v[k].target, n) == 0 &&
			    l->v[i].target[n] == '/')
				within = is_shared(l, &l->v[k]) ? l->v[k].target : NULL;
		}
		if (within == NULL)
			continue;
		spec_list_add(out->a, &out->within, arena_strdup(out->a, within));
		spec_list_add(out->a, &out->at, arena_strdup(out->a, l->v[i].target));
	}
}

static void
write_entry(const struct entry *x, struct strbuf *b)
{
	config_json_open(b, NULL, '{');
	config_json_str(b, "destination", x->target);
	config_json_str(b, "type", x->type);
	config_json_str(b, "source", x->source);
	config_json_strs(b, "options", x->options.v, x->options.n);
	config_json_close(b, '}');
}

int
config_mounts_write(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e)
{
	struct list l = {.c = c, .f = f};
	int rc;

	add_dev(&l);
	add_proc_and_sys(&l);
	add_files(&l);
	if (f->cdi != NULL)
		add_foreign(&l, f->cdi->mounts.v, f->cdi->mounts.n);
	add_foreign(&l, f->conf_mounts, f->conf_mounts_n);
	rc = add_devices(&l, e) < 0 || add_user(&l, e) < 0 ? -1 : 0;
	if (rc == 0) {
		qsort(l.v, l.n, sizeof(*l.v), by_depth);
		if (f->nested != NULL)
			find_nested(&l, f->nested);
		config_json_open(b, "mounts", '[');
		for (size_t i = 0; i < l.n; i++)
			write_entry(&l.v[i], b);
		config_json_close(b, ']');
	}
	arena_free(&l.a);
	return rc;
}
