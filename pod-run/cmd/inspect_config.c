/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/cli/human.h"
#include "pod-run/cmd/image_json.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/life/bundle.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/config_process.h"
#include "pod-run/oci/etc_files.h"
#include "pod-run/oci/spec_cap.h"
#include "pod-run/oci/spec_logging.h"

/* --- Config -------------------------------------------------------------------------------------*/

static json_t *
command(const struct rec_ctr_config *g)
{
	return g->command.n > 0 ? inspect_strs(&g->command) : json_null();
}

static json_t *
startup(const struct rec_ctr_config *g)
{
	json_t *o = image_json_health(g->health_startup);

	if (g->health_startup_success != 0)
		json_put_int(o, "Successes", (int64_t)g->health_startup_success);
	return o;
}

static void
put_environment(json_t *o, const struct ctr *c)
{
	static const char prefix[] = "HOSTNAME=";
	const struct strs *env = &c->config->env;
	char hostname[256];
	bool has = false;
	json_t *a = json_put_arr(o, "Env");

	for (size_t i = 0; i < env->n; i++) {
		json_add_str(a, env->v[i]);
		has = has || strncmp(env->v[i], prefix, sizeof(prefix) - 1) == 0;
	}
	if (!has) {
		own_mem char *word = NULL;

		etc_files_hostname(c->config, c->id, hostname);
		word = xasprintf("%s%s", prefix, hostname);
		json_add_str(a, word);
	}
}

static void
put_volumes(json_t *o, const struct rec_ctr_config *g)
{
	json_t *v = NULL;

	for (size_t i = 0; i < g->mounts.n; i++) {
		if (!g->mounts.v[i].from_image)
			continue;
		if (v == NULL)
			v = json_put_obj(o, "Volumes");
		json_put_obj(v, g->mounts.v[i].target);
	}
	if (v == NULL)
		json_put_take(o, "Volumes", json_null());
}

static void
put_exposed(json_t *o, const struct ctr *c)
{
	own_json json_t *ports = inspect_port_bindings(c, true);
	const char *key;
	json_t *value, *e;

	if (json_object_size(ports) == 0)
		return;
	e = json_put_obj(o, "ExposedPorts");
	json_object_foreach (ports, key, value)
		json_put_obj(e, key);
}

static void
put_secrets(json_t *o, const struct rec_ctr_config *g)
{
	json_t *list;

	if (g->secrets.n == 0)
		return;
	list = json_put_arr(o, "Secrets");
	for (size_t i = 0; i < g->secrets.n; i++) {
		const struct rec_ctr_secret *s = &g->secrets.v[i];
		json_t *one = json_add_obj(list);

		json_put_str(one, "Name", s->name);
		json_put_str(one, "ID", inspect_or(s->id, ""));
		json_put_int(one, "UID", (int64_t)s->uid);
		json_put_int(one, "GID", (int64_t)s->gid);
		json_put_int(one, "Mode", s->env ? 0 : (int64_t)s->mode);
	}
}

json_t *
inspect_config(struct ctx *x, const struct ctr *c)
{
	const struct rec_ctr_config *g = c->config;
	json_t *o = json_obj();
	char hostname[256];

	(void)x;
	etc_files_hostname(g, c->id, hostname);
	json_put_str(o, "Hostname", hostname);
	json_put_str(o, "Domainname", "");
	json_put_str(o, "User", inspect_or(g->user, ""));
	json_put_bool(o, "AttachStdin", false);
	json_put_bool(o, "AttachStdout", false);
	json_put_bool(o, "AttachStderr", false);
	put_exposed(o, c);
	json_put_bool(o, "Tty", g->tty);
	json_put_bool(o, "OpenStdin", g->stdin_open);
	json_put_bool(o, "StdinOnce", false);
	put_environment(o, c);
	json_put_take(o, "Cmd", command(g));
	json_put_str(o, "Image", inspect_or(g->image_name, ""));
	put_volumes(o, g);
	json_put_str(o, "WorkingDir", inspect_or(g->workdir, "/"));
	json_put_take(
	    o, "Entrypoint", g->entrypoint.n > 0 ? inspect_strs(&g->entrypoint) : json_null());
	json_put_take(o, "OnBuild", json_null());
	json_put_take(
	    o, "Labels", g->labels.n > 0 ? inspect_kvs(g->labels.v, g->labels.n) : json_null());
	json_put_take(o, "Annotations",
	    g->annotations.n > 0 ? inspect_kvs(g->annotations.v, g->annotations.n) : json_null());
	json_put_str(o, "StopSignal", inspect_or(g->stop_signal, "SIGTERM"));
	if (g->health != NULL)
		json_put_take(o, "Healthcheck", image_json_health(g->health));
	if (g->health_startup != NULL)
		json_put_take(o, "StartupHealthCheck", startup(g));
	if (g->health != NULL) {
		json_put_str(
		    o, "HealthcheckOnFailureAction", inspect_or(g->health_on_failure, "none"));
		json_put_str(
		    o, "HealthLogDestination", inspect_or(g->health_log_destination, "local"));
		json_put_int(o, "HealthcheckMaxLogCount", (int64_t)g->health_max_log_count);
		json_put_int(o, "HealthcheckMaxLogSize", (int64_t)g->health_max_log_size);
	}
	put_secrets(o, g);
	json_put_take(o, "CreateCommand", inspect_strs(&g->create_command));
	if (g->tz != NULL)
		json_put_str(o, "Timezone", g->tz);
	json_put_str(o, "Umask", inspect_or(g->umask, "0022"));
	json_put_int(o, "Timeout", (int64_t)g->timeout_s);
	json_put_int(o, "StopTimeout", (int64_t)g->stop_timeout_s);
	json_put_bool(o, "Passwd", !g->no_passwd);
	if (g->chroot_dirs.n > 0)
		json_put_take(o, "ChrootDirs", inspect_strs(&g->chroot_dirs));
	if (g->systemd)
		json_put_bool(o, "SystemdMode", true);
	json_put_str(o, "sdNotifyMode", inspect_or(g->sdnotify, "container"));
	return o;
}

/* --- HostConfig ---------------------------------------------------------------------------------*/

static void
put_binds(json_t *o, const struct rec_ctr_config *g)
{
	json_t *a = json_put_arr(o, "Binds");

	for (size_t i = 0; i < g->mounts.n; i++) {
		const struct rec_ctr_mount *m = &g->mounts.v[i];
		own_strbuf struct strbuf b = {0};
		const char *mode = inspect_mount_mode(m);

		if (m->implied || m->source == NULL ||
		    (strcmp(m->type, "bind") != 0 && strcmp(m->type, "volume") != 0))
			continue;
		strbuf_addf(&b, "%s:%s:", m->source, m->target);
		if (*mode != '\0')
			strbuf_addf(&b, "%s,", mode);
		if (m->no_copy)
			strbuf_add(&b, "nocopy,");
		for (size_t k = 0; k < m->options.n; k++)
			strbuf_addf(&b, "%s,", m->options.v[k]);
		b.s[--b.n] = '\0';
		json_add_str(a, b.s);
	}
}

static void
put_tmpfs(json_t *o, const struct rec_ctr_config *g)
{
	json_t *t = json_put_obj(o, "Tmpfs");

	for (size_t i = 0; i < g->mounts.n; i++) {
		const struct rec_ctr_mount *m = &g->mounts.v[i];
		own_strbuf struct strbuf b = {0};

		/* Those of --read-only-tmpfs are shown, those of systemd mode are not. */
		if (strcmp(m->type, "tmpfs") != 0 || (m->implied && !g->read_only))
			continue;
		for (size_t k = 0; k < m->options.n; k++)
			strbuf_addf(&b, "%s%s", k > 0 ? "," : "", m->options.v[k]);
		json_put_str(t, m->target, b.s != NULL ? b.s : "");
	}
}

static json_t *
throttles(const struct rec_ctr_throttle *v, size_t n, const char *key)
{
	json_t *a;

	if (n == 0)
		return json_null();
	a = json_arr();
	for (size_t i = 0; i < n; i++) {
		json_t *o = json_add_obj(a);

		json_put_str(o, "Path", v[i].path);
		json_put_int(o, key, (int64_t)v[i].value);
	}
	return a;
}

static void
put_limits(json_t *o, const struct rec_ctr_config *g)
{
	static const struct rec_ctr_resources none;
	const struct rec_ctr_resources *r = g->resources != NULL ? g->resources : &none;

	json_put_int(o, "CpuShares", (int64_t)r->cpu_shares);
	json_put_int(o, "Memory", r->memory);
	json_put_int(o, "NanoCpus",
	    r->cpu_period > 0 ? r->cpu_quota * 1000000000 / (int64_t)r->cpu_period : 0);
	json_put_int(o, "BlkioWeight", (int64_t)r->blkio_weight);
	json_put_take(o, "BlkioWeightDevice",
	    throttles(r->blkio_weight_device.v, r->blkio_weight_device.n, "Weight"));
	json_put_take(o, "BlkioDeviceReadBps", throttles(r->read_bps.v, r->read_bps.n, "Rate"));
	json_put_take(o, "BlkioDeviceWriteBps", throttles(r->write_bps.v, r->write_bps.n, "Rate"));
	json_put_take(o, "BlkioDeviceReadIOps", throttles(r->read_iops.v, r->read_iops.n, "Rate"));
	json_put_take(
	    o, "BlkioDeviceWriteIOps", throttles(r->write_iops.v, r->write_iops.n, "Rate"));
	json_put_int(o, "CpuPeriod", (int64_t)r->cpu_period);
	json_put_int(o, "CpuQuota", r->cpu_quota);
	json_put_int(o, "CpuRealtimePeriod", (int64_t)r->cpu_rt_period);
	json_put_int(o, "CpuRealtimeRuntime", r->cpu_rt_runtime);
	json_put_str(o, "CpusetCpus", inspect_or(r->cpuset_cpus, ""));
	json_put_str(o, "CpusetMems", inspect_or(r->cpuset_mems, ""));
	json_put_int(o, "KernelMemory", 0);
	json_put_int(o, "MemoryReservation", r->memory_reservation);
	json_put_int(o, "MemorySwap", r->memory_swap);
	json_put_int(o, "MemorySwappiness", (int64_t)r->swappiness - 1);
	json_put_bool(o, "OomKillDisable", r->oom_kill_disable);
	json_put_int(o, "PidsLimit", r->pids_limit);
}

static void
put_ulimit(json_t *a, const char *type, int64_t soft, int64_t hard)
{
	json_t *u = json_add_obj(a);

	json_put_str(u, "Name", type);
	json_put_int(u, "Soft", soft);
	json_put_int(u, "Hard", hard);
}

/* With those that each container gets, as it would now. */
static void
put_ulimits(json_t *o, struct ctx *x, const struct rec_ctr_config *g)
{
	static const struct {
		const char *type;
		int resource;
	} all[] = {{"RLIMIT_NOFILE", RLIMIT_NOFILE}, {"RLIMIT_NPROC", RLIMIT_NPROC}};
	json_t *a = json_put_arr(o, "Ulimits");
	uint64_t soft, hard;

	for (size_t i = 0; i < g->rlimits.n; i++)
		put_ulimit(a, g->rlimits.v[i].type, (int64_t)g->rlimits.v[i].soft,
		    (int64_t)g->rlimits.v[i].hard);
	for (size_t i = 0; i < COUNTOF(all) && !g->host_rlimits; i++) {
		bool given = false;

		for (size_t k = 0; k < g->rlimits.n; k++)
			given = given || strcmp(g->rlimits.v[k].type, all[i].type) == 0;
		if (given)
			continue;
		config_process_default_limit(
		    bundle_may_raise_limits(x), all[i].resource, &soft, &hard);
		put_ulimit(a, all[i].type, (int64_t)soft, (int64_t)hard);
	}
}

static void
put_devices(json_t *o, const struct rec_ctr_config *g)
{
	json_t *a = json_put_arr(o, "Devices");

	for (size_t i = 0; i < g->devices.n; i++) {
		json_t *d = json_add_obj(a);

		json_put_str(d, "PathOnHost", g->devices.v[i].source);
		json_put_str(d, "PathInContainer", g->devices.v[i].target);
		json_put_str(d, "CgroupPermissions", g->devices.v[i].access);
	}
}

static void
put_log(json_t *o, struct ctx *x, const struct ctr *c)
{
	own_mem char *dir = ctx_static_dir(x, c->id);
	own_mem char *path = xasprintf("%s/ctr.log", dir);
	const char *driver = c->config->log_driver;
	json_t *l = json_put_obj(o, "LogConfig");
	char size[HUMAN_MAX];

	json_put_str(l, "Type", inspect_or(driver, LOGGING_FILE));
	json_put_take(l, "Config", json_null());
	json_put_str(
	    l, "Path", spec_logging_is_file(driver) ? inspect_or(c->config->log_path, path) : "");
	json_put_str(l, "Tag", inspect_or(c->config->log_tag, ""));
	json_put_str(l, "Size",
	    human_size(c->config->log_size_max > 0 ? (double)c->config->log_size_max : 0, size,
		sizeof(size)));
}

/* How the bounding set differs from what containers had at first, as Podman counts it: whatever made it differ. */
static void
put_cap_changes(json_t *o, const struct rec_ctr_config *g)
{
	static const char *const usual[] = {"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE",
	    "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
	    "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
	    "CAP_SYS_CHROOT"};
	const struct strs names = {.v = (const char **)(uintptr_t)usual, .n = COUNTOF(usual)};
	uint64_t before = spec_cap_mask(&names), now = spec_cap_mask(&g->caps);
	own_arena struct arena a = {0};
	struct strs add = {0}, drop = {0};

	if (!g->privileged) {
		spec_cap_list(now & ~before, &a, &add);
		spec_cap_list(before & ~now, &a, &drop);
	}
	json_put_take(o, "CapAdd", inspect_strs(&add));
	json_put_take(o, "CapDrop", inspect_strs(&drop));
}

static void
put_security(json_t *o, const struct rec_ctr_config *g)
{
	put_cap_changes(o, g);
	json_put_bool(o, "Privileged", g->privileged);
	json_put_take(o, "SecurityOpt", inspect_strs(&g->security_opts));
	json_put_bool(o, "ReadonlyRootfs", g->read_only);
}

static void
put_namespaces(json_t *o, const struct rec_ctr_config *g)
{
	json_put_str(o, "NetworkMode", inspect_or(g->network_mode, "bridge"));
	json_put_str(o, "IpcMode", inspect_or(g->ipc_ns, "shareable"));
	json_put_str(o, "PidMode", inspect_or(g->pid_ns, "private"));
	json_put_str(o, "UTSMode", inspect_or(g->uts_ns, "private"));
	json_put_str(
	    o, "UsernsMode", strcmp(inspect_or(g->user_ns, "host"), "host") == 0 ? "" : g->user_ns);
	json_put_str(o, "CgroupMode", inspect_or(g->cgroup_ns, "private"));
}

static void
put_ranges(json_t *o, const char *key, const struct rec_id_range *v, size_t n)
{
	json_t *a = json_put_arr(o, key);

	for (size_t i = 0; i < n; i++) {
		own_mem char *range = xasprintf("%llu:%llu:%llu", (unsigned long long)v[i].inside,
		    (unsigned long long)v[i].outside, (unsigned long long)v[i].count);

		json_add_str(a, range);
	}
}

/* Only maps that were given or settled when the container was made. */
static void
put_maps(json_t *o, const struct rec_ctr_config *g)
{
	json_t *m;

	if (g->uid_map.n == 0 && g->gid_map.n == 0)
		return;
	m = json_put_obj(o, "IDMappings");
	put_ranges(m, "UidMap", g->uid_map.v, g->uid_map.n);
	put_ranges(m, "GidMap", g->gid_map.v, g->gid_map.n);
}

static void
put_restart(json_t *o, const struct rec_ctr_config *g)
{
	json_t *r = json_put_obj(o, "RestartPolicy");

	json_put_str(r, "Name", inspect_or(g->restart, "no"));
	json_put_int(r, "MaximumRetryCount", (int64_t)g->restart_max);
}

json_t *
inspect_host_config(struct ctx *x, const struct ctr *c)
{
	const struct rec_ctr_config *g = c->config;
	json_t *o = json_obj();

	put_binds(o, g);
	json_put_str(o, "CgroupManager", inspect_or(g->cgroup_manager, "cgroupfs"));
	put_namespaces(o, g);
	put_maps(o, g);
	json_put_str(o, "ContainerIDFile", inspect_or(g->cid_file, ""));
	put_log(o, x, c);
	json_put_take(o, "PortBindings", inspect_port_bindings(c, false));
	put_restart(o, g);
	json_put_bool(o, "AutoRemove", g->remove);
	json_put_bool(o, "AutoRemoveImage", g->remove_image);
	json_put_take(o, "Annotations", inspect_kvs(g->annotations.v, g->annotations.n));
	json_put_str(o, "VolumeDriver", "");
	json_put_take(o, "VolumesFrom", inspect_strs(&g->volumes_from));
	put_security(o, g);
	json_put_take(o, "Dns", inspect_strs(&g->dns_servers));
	json_put_take(o, "DnsOptions", inspect_strs(&g->dns_options));
	json_put_take(o, "DnsSearch", inspect_strs(&g->dns_search));
	json_put_take(o, "ExtraHosts", inspect_strs(&g->add_hosts));
	json_put_str(o, "HostsFile", inspect_or(g->hosts_file, ""));
	json_put_take(o, "GroupAdd", inspect_strs(&g->groups));
	json_put_str(o, "Cgroup", "");
	json_put_str(o, "Cgroups", inspect_or(g->cgroups, "default"));
	json_put_take(o, "Links", json_null());
	json_put_int(o, "OomScoreAdj", g->oom_score_adj);
	json_put_bool(o, "PublishAllPorts", g->publish_all);
	put_tmpfs(o, g);
	json_put_int(o, "ShmSize", g->shm_size);
	json_put_str(o, "Runtime", "oci");
	json_put_take(o, "ConsoleSize", json_pack("[ii]", 0, 0));
	json_put_str(o, "Isolation", "");
	json_put_bool(o, "Init", g->init);
	json_put_take(o, "Sysctls", inspect_kvs(g->sysctls.v, g->sysctls.n));
	put_limits(o, g);
	put_devices(o, g);
	json_put_int(o, "DiskQuota", 0);
	put_ulimits(o, x, g);
	json_put_int(o, "CpuCount", 0);
	json_put_int(o, "CpuPercent", 0);
	json_put_int(o, "IOMaximumIOps", 0);
	json_put_int(o, "IOMaximumBandwidth", 0);
	json_put_str(o, "CgroupParent", inspect_or(g->cgroup_parent, ""));
	json_put_take(o, "CgroupConf", json_null());
	return o;
}
