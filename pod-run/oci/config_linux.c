/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/config_linux.h"

#include <fnmatch.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/config_devices.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/config_mounts.h"

/* --- Namespaces
 * ----------------------------------------------------------------------------------*/

/* given: the path the caller found for container:X, or of the namespace made for us. */
static void
write_namespace(struct strbuf *b, const char *type, const char *mode, const char *given)
{
	const char *path = mode != NULL && text_has_prefix(mode, "ns:") ? mode + 3 : given;

	if (mode != NULL && strcmp(mode, "host") == 0)
		return;
	config_json_open(b, NULL, '{');
	config_json_str(b, "type", type);
	if (path != NULL)
		config_json_str(b, "path", path);
	config_json_close(b, '}');
}

static void
write_map(struct strbuf *b, const char *key, const struct rec_id_range *v, size_t n)
{
	config_json_open(b, key, '[');
	for (size_t i = 0; i < n; i++) {
		config_json_open(b, NULL, '{');
		config_json_uint(b, "containerID", v[i].inside);
		config_json_uint(b, "hostID", v[i].outside);
		config_json_uint(b, "size", v[i].count);
		config_json_close(b, '}');
	}
	config_json_close(b, ']');
}

static void
write_namespaces(const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b)
{
	bool user = c->uid_map.n > 0 || f->userns != NULL ||
		    (c->user_ns != NULL && text_has_prefix(c->user_ns, "ns:"));

	/* A namespace that is joined has its map already, but runc 1.1 wants to be told. */
	if (c->uid_map.n > 0 && !text_has_prefix(c->user_ns, "ns:")) {
		write_map(b, "uidMappings", c->uid_map.v, c->uid_map.n);
		write_map(b, "gidMappings", c->gid_map.v, c->gid_map.n);
	}
	config_json_open(b, "namespaces", '[');
	write_namespace(b, "pid", c->pid_ns, f->pidns);
	write_namespace(b, "network", c->network_mode, f->netns);
	write_namespace(b, "ipc", c->ipc_ns, f->ipcns);
	write_namespace(b, "uts", c->uts_ns, f->utsns);
	write_namespace(b, "mount", NULL, NULL);
	write_namespace(b, "cgroup", c->cgroup_ns, f->cgroupns);
	if (user)
		write_namespace(b, "user",
		    c->user_ns != NULL && text_has_prefix(c->user_ns, "ns:") ? c->user_ns : NULL,
		    f->userns);
	config_json_close(b, ']');
}

/* --- Resources
 * -----------------------------------------------------------------------------------*/

static void
write_u64(struct strbuf *b, const char *key, uint64_t v)
{
	if (v != 0)
		config_json_uint(b, key, v);
}

static void
write_i64(struct strbuf *b, const char *key, int64_t v)
{
	if (v != 0)
		config_json_int(b, key, v);
}

/* On v1 the kernel may have been built or booted without a file that a limit needs. */
static bool
v1_lacks(const struct spec_facts *f, const char *file, const char *what)
{
	if (f->cgroup == CGROUP_V2 || access(file, F_OK) == 0)
		return false;
	log_warn(
	    "Your kernel does not support %s or the cgroup is not mounted: limit discarded", what);
	return true;
}

static void
write_memory(const struct rec_ctr_resources *r, const struct spec_facts *f, struct strbuf *b)
{
	bool any = r->memory != 0 || r->memory_reservation != 0 || r->memory_swap != 0 ||
		   r->swappiness != 0 || r->oom_kill_disable;

	if (!any)
		return;
	config_json_open(b, "memory", '{');
	write_i64(b, "limit", r->memory);
	write_i64(b, "reservation", r->memory_reservation);
	if (r->memory_swap != 0 && !v1_lacks(f, "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes",
				       "swap limit capabilities"))
		config_json_int(b, "swap", r->memory_swap);
	if (r->swappiness > 0)
		config_json_uint(b, "swappiness", r->swappiness - 1);
	if (r->oom_kill_disable)
		config_json_bool(b, "disableOOMKiller", true);
	config_json_close(b, '}');
}

static void
write_cpu(const struct rec_ctr_resources *r, struct strbuf *b)
{
	bool any = r->cpu_shares != 0 || r->cpu_quota != 0 || r->cpu_period != 0 ||
		   r->cpu_rt_period != 0 || r->cpu_rt_runtime != 0 || r->cpuset_cpus != NULL ||
		   r->cpuset_mems != NULL;

	if (!any)
		return;
	config_json_open(b, "cpu", '{');
	write_u64(b, "shares", r->cpu_shares);
	/* No limit is what there is without it. */
	if (r->cpu_quota > 0)
		config_json_int(b, "quota", r->cpu_quota);
	write_u64(b, "period", r->cpu_period);
	write_i64(b, "realtimeRuntime", r->cpu_rt_runtime);
	write_u64(b, "realtimePeriod", r->cpu_rt_period);
	if (r->cpuset_cpus != NULL)
		config_json_str(b, "cpus", r->cpuset_cpus);
	if (r->cpuset_mems != NULL)
		config_json_str(b, "mems", r->cpuset_mems);
	config_json_close(b, '}');
}

/* Values for block devices, whose numbers are looked up now. */
static int
write_throttle(struct strbuf *b, const char *key, const char *value,
    const struct rec_ctr_throttle *v, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	config_json_open(b, key, '[');
	for (size_t i = 0; i < n; i++) {
		struct stat st;

		if (stat(v[i].path, &st) < 0)
			return err_sys(e, "could not parse throttle device at %s", v[i].path);
		config_json_open(b, NULL, '{');
		config_json_uint(b, "major", major(st.st_rdev));
		config_json_uint(b, "minor", minor(st.st_rdev));
		config_json_uint(b, value, v[i].value);
		config_json_close(b, '}');
	}
	config_json_close(b, ']');
	return 0;
}

static int
write_block_io(
    const struct rec_ctr_resources *r, const struct spec_facts *f, struct strbuf *b, struct err *e)
{
	uint64_t weight = r->blkio_weight;
	size_t weights = r->blkio_weight_device.n;

	if (weight != 0 && access("/sys/fs/cgroup/blkio/blkio.bfq.weight", F_OK) < 0 &&
	    v1_lacks(f, "/sys/fs/cgroup/blkio/blkio.weight", "Block I/O weight"))
		weight = 0;
	if (weights != 0 && access("/sys/fs/cgroup/blkio/blkio.bfq.weight_device", F_OK) < 0 &&
	    v1_lacks(f, "/sys/fs/cgroup/blkio/blkio.weight_device", "Block I/O weight_device"))
		weights = 0;
	if (weight == 0 &&
	    weights + r->read_bps.n + r->write_bps.n + r->read_iops.n + r->write_iops.n == 0)
		return 0;
	config_json_open(b, "blockIO", '{');
	write_u64(b, "weight", weight);
	if (write_throttle(b, "weightDevice", "weight", r->blkio_weight_device.v, weights, e) < 0 ||
	    write_throttle(b, "throttleReadBpsDevice", "rate", r->read_bps.v, r->read_bps.n, e) <
		0 ||
	    write_throttle(b, "throttleWriteBpsDevice", "rate", r->write_bps.v, r->write_bps.n, e) <
		0 ||
	    write_throttle(b, "throttleReadIOPSDevice", "rate", r->read_iops.v, r->read_iops.n, e) <
		0 ||
	    write_throttle(
		b, "throttleWriteIOPSDevice", "rate", r->write_iops.v, r->write_iops.n, e) < 0)
		return -1;
	config_json_close(b, '}');
	return 0;
}

static void
write_rule(struct strbuf *b, bool allow, const char *type, int64_t major_, int64_t minor_,
    const char *access_)
{
	config_json_open(b, NULL, '{');
	config_json_bool(b, "allow", allow);
	if (type != NULL)
		config_json_str(b, "type", type);
	if (major_ >= 0)
		config_json_int(b, "major", major_);
	if (minor_ >= 0)
		config_json_int(b, "minor", minor_);
	config_json_str(b, "access", access_);
	config_json_close(b, '}');
}

/* Nothing but what is listed; the runtime adds the devices that every container has. */
static void
write_device_rules(
    const struct rec_ctr_config *c, const struct device_list *devices, struct strbuf *b)
{
	config_json_open(b, "devices", '[');
	write_rule(b, c->privileged, NULL, -1, -1, "rwm");
	for (size_t i = 0; !c->privileged && i < devices->n; i++) {
		const struct device *d = &devices->v[i];

		write_rule(b, true, S_ISBLK(d->st.st_mode) ? "b" : "c", major(d->st.st_rdev),
		    minor(d->st.st_rdev), d->access);
	}
	for (size_t i = 0; i < c->device_rules.n; i++) {
		const struct rec_ctr_device_rule *r = &c->device_rules.v[i];

		write_rule(b, true, r->type, r->major, r->minor, r->access);
	}
	config_json_close(b, ']');
}

/* devices NULL: their rules stay as they are. */
static int
write_resources(const struct rec_ctr_config *c, const struct spec_facts *f, const char *key,
    const struct device_list *devices, struct strbuf *b, struct err *e)
{
	static const struct rec_ctr_resources none;
	const struct rec_ctr_resources *r = c->resources != NULL ? c->resources : &none;

	if (!f->cgroup_usable || !cgroup_wanted(c))
		return 0;
	config_json_open(b, key, '{');
	if (!f->rootless && devices != NULL)
		write_device_rules(c, devices, b);
	write_memory(r, f, b);
	write_cpu(r, b);
	if (r->pids_limit > 0) {
		config_json_open(b, "pids", '{');
		config_json_int(b, "limit", r->pids_limit);
		config_json_close(b, '}');
	}
	if (write_block_io(r, f, b, e) < 0)
		return -1;
	if (r->unified.n > 0) {
		config_json_open(b, "unified", '{');
		for (size_t i = 0; i < r->unified.n; i++)
			config_json_str(b, r->unified.v[i].key, r->unified.v[i].value);
		config_json_close(b, '}');
	}
	config_json_close(b, '}');
	return 0;
}

int
config_linux_resources(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e)
{
	return write_resources(c, f, NULL, NULL, b, e);
}

static void
write_devices(const struct device_list *devices, struct strbuf *b)
{
	config_json_open(b, "devices", '[');
	for (size_t i = 0; i < devices->n; i++) {
		const struct device *d = &devices->v[i];

		config_json_open(b, NULL, '{');
		config_json_str(b, "path", d->target);
		config_json_str(b, "type", S_ISBLK(d->st.st_mode) ? "b" : "c");
		config_json_uint(b, "major", major(d->st.st_rdev));
		config_json_uint(b, "minor", minor(d->st.st_rdev));
		config_json_uint(b, "fileMode", d->st.st_mode & 0777);
		config_json_uint(b, "uid", d->st.st_uid);
		config_json_uint(b, "gid", d->st.st_gid);
		config_json_close(b, '}');
	}
	config_json_close(b, ']');
}

/* --- Masked and read-only paths
 * ------------------------------------------------------------------*/

#define SELINUXFS "/sys/fs/selinux"
static const char *const masked[] = {"/proc/acpi", "/proc/kcore", "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
    "/proc/timer_stats", "/proc/interrupts", "/sys/devices/virtual/powercap", "/sys/firmware",
    SELINUXFS};
static const char *const read_only[] = {
    "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};

#define THROTTLE_DIR "/sys/devices/system/cpu/cpu0/thermal_throttle"
#define THROTTLE_GLOB "/sys/devices/system/cpu/cpu*/thermal_throttle"

bool
config_linux_masks(const char *path)
{
	for (size_t i = 0; i < COUNTOF(masked); i++)
		if (strcmp(masked[i], path) == 0)
			return true;
	return fnmatch(THROTTLE_GLOB, path, FNM_PATHNAME) == 0;
}

static bool
is_unmasked(const struct rec_ctr_config *c, const char *path)
{
	for (size_t i = 0; i < c->unmask.n; i++)
		if (strcasecmp(c->unmask.v[i], "all") == 0 ||
		    fnmatch(c->unmask.v[i], path, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static void
write_list(const struct rec_ctr_config *c, const char *const *v, size_t n, struct strbuf *b)
{
	for (size_t i = 0; i < n; i++)
		if (!is_unmasked(c, v[i]) && !(c->label_nested && strcmp(v[i], SELINUXFS) == 0))
			config_json_str(b, NULL, v[i]);
}

static void
write_masks(const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b)
{
	glob_t g = {0};

	if (c->privileged)
		return;
	config_json_open(b, "maskedPaths", '[');
	write_list(c, masked, COUNTOF(masked), b);
	if (config_mounts_sys_is_host(c, f) && !is_unmasked(c, "/sys/kernel"))
		config_json_str(b, NULL, "/sys/kernel");
	if (access(THROTTLE_DIR, F_OK) == 0 && glob(THROTTLE_GLOB, GLOB_NOSORT, NULL, &g) == 0)
		write_list(c, (const char *const *)g.gl_pathv, g.gl_pathc, b);
	globfree(&g);
	for (size_t i = 0; i < c->mask.n; i++)
		config_json_str(b, NULL, c->mask.v[i]);
	config_json_close(b, ']');
	config_json_open(b, "readonlyPaths", '[');
	write_list(c, read_only, COUNTOF(read_only), b);
	config_json_close(b, ']');
}

/* --- The object
 * ----------------------------------------------------------------------------------*/

/* A volume with propagation needs a root that passes it on. */
static void
write_propagation(const struct rec_ctr_config *c, struct strbuf *b)
{
	const char *found = NULL;

	for (size_t i = 0; i < c->mounts.n; i++)
		for (size_t k = 0; k < c->mounts.v[i].options.n; k++) {
			const char *o = c->mounts.v[i].options.v[k];

			if (strcmp(o, "shared") == 0 || strcmp(o, "rshared") == 0)
				found = "shared";
			else if (found == NULL &&
				 (strcmp(o, "slave") == 0 || strcmp(o, "rslave") == 0))
				found = "rslave";
		}
	if (found != NULL)
		config_json_str(b, "rootfsPropagation", found);
}

static void
write_sysctls(const struct rec_ctr_config *c, struct strbuf *b)
{
	config_json_open(b, "sysctl", '{');
	for (size_t i = 0; i < c->sysctls.n; i++)
		config_json_str(b, c->sysctls.v[i].key, c->sysctls.v[i].value);
	config_json_close(b, '}');
}

static void
write_rdt(const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b)
{
	const char *class = c->rdt_class != NULL ? c->rdt_class
			    : f->cdi != NULL	 ? f->cdi->rdt_class
						 : NULL;

	if (class == NULL)
		return;
	config_json_open(b, "intelRdt", '{');
	config_json_str(b, "closID", class);
	config_json_close(b, '}');
}

int
config_linux_write(
    const struct rec_ctr_config *c, const struct spec_facts *f, struct strbuf *b, struct err *e)
{
	own_arena struct arena a = {0};
	own_mem char *cgroup = f->cgroup_usable ? cgroup_oci_path(c, f->id) : NULL;
	struct device_list devices = {0};

	if (!f->rootless && config_devices_find(c, f->cdi, &a, &devices, e) < 0)
		return -1;
	config_json_open(b, "linux", '{');
	write_namespaces(c, f, b);
	if (write_resources(c, f, "resources", &devices, b, e) < 0)
		return -1;
	if (devices.n > 0)
		write_devices(&devices, b);
	if (cgroup != NULL)
		config_json_str(b, "cgroupsPath", cgroup);
	write_rdt(c, f, b);
	if (c->sysctls.n > 0)
		write_sysctls(c, b);
	write_propagation(c, b);
	if (f->seccomp_json != NULL)
		config_json_raw(b, "seccomp", f->seccomp_json);
	write_masks(c, f, b);
	if (c->mount_label != NULL && *c->mount_label != '\0')
		config_json_str(b, "mountLabel", c->mount_label);
	if (c->personality != NULL) {
		config_json_open(b, "personality", '{');
		config_json_str(b, "domain", c->personality);
		config_json_close(b, '}');
	}
	config_json_close(b, '}');
	return 0;
}
