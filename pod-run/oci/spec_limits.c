/* SPDX-License-Identifier: ISC */
#include "pod-run/oci/spec_limits.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "common/fs/file.h"
#include "pod-run/oci/cdi.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mounts.h"

#define CPU_PERIOD 100000 /* microseconds, what --cpus is converted with */

static const struct {
	const char *name, *type;
} ulimits[] = {{"core", "RLIMIT_CORE"}, {"cpu", "RLIMIT_CPU"}, {"data", "RLIMIT_DATA"},
    {"fsize", "RLIMIT_FSIZE"}, {"locks", "RLIMIT_LOCKS"}, {"memlock", "RLIMIT_MEMLOCK"},
    {"msgqueue", "RLIMIT_MSGQUEUE"}, {"nice", "RLIMIT_NICE"}, {"nofile", "RLIMIT_NOFILE"},
    {"nproc", "RLIMIT_NPROC"}, {"rss", "RLIMIT_RSS"}, {"rtprio", "RLIMIT_RTPRIO"},
    {"rttime", "RLIMIT_RTTIME"}, {"sigpending", "RLIMIT_SIGPENDING"}, {"stack", "RLIMIT_STACK"}};

static int
limit_value(const char *s, size_t n, uint64_t *out)
{
	char text[32];
	int64_t value;

	if (n == 0 || n >= sizeof(text))
		return -1;
	memcpy(text, s, n);
	text[n] = '\0';
	if (text_to_i64(text, -1, INT64_MAX, &value) < 0)
		return -1;
	*out = value < 0 ? UINT64_MAX : (uint64_t)value;
	return 0;
}

int
spec_limits_ulimit(const char *word, struct rec_ctr_rlimit *out, struct err *e)
{
	size_t n = strcspn(word, "="), i, soft;
	const char *value = word + n + 1;

	if (word[n] == '\0')
		return err_set(e, ERR_INVALID, "invalid ulimit argument: %s", word);
	for (i = 0; i < COUNTOF(ulimits); i++)
		if (strlen(ulimits[i].name) == n && strncasecmp(ulimits[i].name, word, n) == 0)
			break;
	if (i == COUNTOF(ulimits))
		return err_set(e, ERR_INVALID, "invalid ulimit type: %.*s", (int)n, word);
	out->type = ulimits[i].type;
	soft = strcspn(value, ":");
	if (value[soft] == ':' && strchr(value + soft + 1, ':') != NULL)
		return err_set(e, ERR_INVALID,
		    "too many limit value arguments - %s, can only have up to two, `soft[:hard]`",
		    value);
	if (limit_value(value, soft, &out->soft) < 0 ||
	    (value[soft] == ':' &&
		limit_value(value + soft + 1, strlen(value + soft + 1), &out->hard) < 0))
		return err_set(e, ERR_INVALID, "invalid ulimit argument: %s", word);
	if (value[soft] == '\0')
		out->hard = out->soft;
	if (out->soft > out->hard)
		return err_set(e, ERR_INVALID,
		    "ulimit soft limit must be less than or equal to hard limit: %llu > %llu",
		    (unsigned long long)out->soft, (unsigned long long)out->hard);
	return 0;
}

static int
read_ulimits(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *l =
	    in->o->ulimit.n > 0 ? &in->o->ulimit : &in->d->conf->containers_default_ulimits;

	for (size_t i = 0; i < l->n; i++) {
		struct rec_ctr_rlimit r;
		size_t k;

		if (strcmp(l->v[i], "host") == 0) {
			c->host_rlimits = true;
			c->rlimits.n = 0;
			return 0;
		}
		if (spec_limits_ulimit(l->v[i], &r, e) < 0)
			return err_wrap(e,
			    "ulimit option \"%s\" requires name=SOFT:HARD, failed to be parsed",
			    l->v[i]);
		for (k = 0; k < c->rlimits.n && strcmp(c->rlimits.v[k].type, r.type) != 0; k++)
			;
		if (k == c->rlimits.n)
			SPEC_PUSH(a, &c->rlimits);
		c->rlimits.v[k] = r;
	}
	return 0;
}

/* Kernel settings that belong to a namespace; everything else would be the host's. */
static bool
sysctl_is_namespaced(const char *name, size_t n)
{
	static const char *const whole[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",
	    "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
	    "kernel.shm_rmid_forced"};
	static const char *const prefix[] = {"net.", "fs.mqueue."};

	/* The runtime makes a path of it: only what sysctl names consist of (CVE-2022-0811). */
	for (size_t i = 0; i < n; i++)
		if (name[i] == '\0' || strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789._-/:@",
					   name[i]) == NULL)
			return false;
	if (memmem(name, n, "..", 2) != NULL || memmem(name, n, "//", 2) != NULL)
		return false;
	for (size_t i = 0; i < COUNTOF(whole); i++)
		if (strlen(whole[i]) == n && memcmp(whole[i], name, n) == 0)
			return true;
	for (size_t i = 0; i < COUNTOF(prefix); i++)
		if (n > strlen(prefix[i]) && memcmp(prefix[i], name, strlen(prefix[i])) == 0)
			return true;
	return false;
}

static int
add_sysctl(struct rec_ctr_config *c, const char *word, struct arena *a, struct err *e)
{
	size_t n = strcspn(word, "=");

	if (word[n] == '\0' || n == 0)
		return err_set(e, ERR_INVALID,
		    "%s is invalid, sysctl values must be in the form of KEY=VALUE", word);
	if (!sysctl_is_namespaced(word, n) || strpbrk(word + n, "\n\r") != NULL)
		return err_set(e, ERR_INVALID, "sysctl '%.*s' is not allowed", (int)n, word);
	spec_list_kv_set(a, &c->sysctls.v, &c->sysctls.n, arena_strndup(a, word, n), word + n + 1);
	return 0;
}

static int
read_sysctls(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *conf = &in->d->conf->containers_default_sysctls;
	bool host_net = strcmp(c->network_mode, "host") == 0;
	bool host_ipc = c->ipc_ns != NULL && strcmp(c->ipc_ns, "host") == 0;

	for (size_t i = 0; i < conf->n; i++) {
		if (text_has_prefix(conf->v[i], "net.") ? host_net : host_ipc)
			continue;
		if (add_sysctl(c, conf->v[i], a, e) < 0)
			return err_wrap(e, "containers.conf");
	}
	for (size_t i = 0; i < in->o->sysctl.n; i++) {
		const char *word = in->o->sysctl.v[i];

		if (add_sysctl(c, word, a, e) < 0)
			return -1;
		if (text_has_prefix(word, "net.") ? host_net
						  : host_ipc && (text_has_prefix(word, "kernel.") ||
								    text_has_prefix(word, "fs.")))
			return err_set(e, ERR_INVALID,
			    "sysctl %s can't be set since %s Namespace set to host: invalid "
			    "argument",
			    word, host_net && text_has_prefix(word, "net.") ? "Network" : "IPC");
	}
	return 0;
}

/* HOST[:CONTAINER][:rwm] */
static int
add_device(
    struct rec_ctr_config *c, const char *word, const char *cwd, struct arena *a, struct err *e)
{
	char *rest = arena_strdup(a, word), *part[3] = {0};
	struct rec_ctr_device d = {.access = "rwm"};
	size_t n = 0;

	if (cdi_is_name(word)) {
		spec_list_add(a, &c->cdi_devices, word);
		return 0;
	}
	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, ":");
	if (rest != NULL || *part[0] == '\0')
		return err_set(e, ERR_INVALID, "invalid device specification: %s", word);
	if (*part[0] != '/')
		part[0] = arena_printf(a, "%s/%s", cwd, part[0]);
	d.source = d.target = spec_mounts_clean(part[0], a);
	for (size_t i = 1; i < n; i++) {
		bool mode = *part[i] != '\0' && part[i][strspn(part[i], "rwm")] == '\0' &&
			    strlen(part[i]) <= 3;

		if (mode && i == n - 1)
			d.access = part[i];
		else if (*part[i] == '/' && i == 1)
			d.target = spec_mounts_clean(part[i], a);
		else
			return err_set(e, ERR_INVALID, "invalid device mode: %s", part[i]);
	}
	*SPEC_PUSH(a, &c->devices) = d;
	return 0;
}

/* "TYPE MAJOR:MINOR ACCESS" */
static int
add_rule(struct rec_ctr_config *c, const char *word, struct arena *a, struct err *e)
{
	char *rest = arena_strdup(a, word), *part[3] = {0}, *minor;
	struct rec_ctr_device_rule r = {.major = -1, .minor = -1};
	size_t n = 0;

	while (rest != NULL && n < COUNTOF(part))
		part[n++] = strsep(&rest, " ");
	if (n != 3 || rest != NULL)
		return err_set(e, ERR_INVALID,
		    "invalid device cgroup rule requires type, major:Minor, and access rules: "
		    "\"%s\"",
		    word);
	if (strlen(part[0]) != 1 || strchr("abc", *part[0]) == NULL)
		return err_set(
		    e, ERR_INVALID, "invalid device type in device-access-add: %s", part[0]);
	minor = strchr(part[1], ':');
	if (minor != NULL)
		*minor++ = '\0';
	if ((strcmp(part[1], "*") != 0 && text_to_i64(part[1], 0, INT32_MAX, &r.major) < 0) ||
	    (minor != NULL && strcmp(minor, "*") != 0 &&
		text_to_i64(minor, 0, INT32_MAX, &r.minor) < 0))
		return err_set(
		    e, ERR_INVALID, "invalid device number in device-access-add: %s", word);
	if (*part[2] == '\0' || strlen(part[2]) > 3 || part[2][strspn(part[2], "rwm")] != '\0')
		return err_set(
		    e, ERR_INVALID, "invalid device access in device-access-add: %s", part[2]);
	r.type = part[0];
	r.access = part[2];
	*SPEC_PUSH(a, &c->device_rules) = r;
	return 0;
}

/* Found out before anything is made; what the device is then is looked up at each start. */
static int
check_device(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "stat %s", path);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a valid device: not a device node", path);
	return 0;
}

static int
read_devices(const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	const struct strv *conf = &in->d->conf->containers_devices;
	own_cdi struct cdi_edits edits = {0};

	for (size_t i = 0; i < conf->n; i++)
		if (add_device(c, conf->v[i], "", a, e) < 0)
			return err_wrap(e, "containers.conf");
	for (size_t i = 0; i < in->o->device.n; i++)
		if (add_device(c, in->o->device.v[i], in->d->cwd, a, e) < 0)
			return -1;
	for (size_t i = 0; i < in->o->gpus.n; i++)
		spec_list_addf(a, &c->cdi_devices, "nvidia.com/gpu=%s", in->o->gpus.v[i]);
	for (size_t i = 0; i < c->devices.n; i++)
		if (check_device(c->devices.v[i].source, e) < 0)
			return -1;
	if (c->cdi_devices.n > 0 && cdi_find(in->d->cdi_dirs, &c->cdi_devices, a, &edits, e) < 0)
		return -1;
	for (size_t i = 0; i < in->o->device_cgroup_rule.n; i++)
		if (add_rule(c, in->o->device_cgroup_rule.v[i], a, e) < 0)
			return -1;
	return 0;
}

enum throttle { RATE_BYTES, RATE_COUNT, RATE_WEIGHT };

static int
check_block(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_sys(e, "could not parse throttle device at %s", path);
	if (!S_ISBLK(st.st_mode))
		return err_set(e, ERR_INVALID,
		    "could not parse throttle device at %s: not a block device", path);
	return 0;
}

/* PATH:VALUE */
static int
throttle(const char *word, enum throttle kind, struct rec_ctr_throttle *out, struct arena *a,
    struct err *e)
{
	const char *colon = strrchr(word, ':');
	int64_t bytes = 0;
	bool good;

	if (colon == NULL)
		return err_set(e, ERR_INVALID, "bad format: %s", word);
	if (!text_has_prefix(word, "/dev/"))
		return err_set(e, ERR_INVALID, "bad format for device path: %s", word);
	out->path = arena_strndup(a, word, (size_t)(colon - word));
	if (kind == RATE_BYTES) {
		good = value_size(colon + 1, &bytes, e) == 0 && bytes >= 0;
		out->value = (uint64_t)bytes;
	} else {
		good = text_to_u64(
			   colon + 1, kind == RATE_WEIGHT ? 1000 : UINT64_MAX, &out->value) == 0 &&
		       (kind != RATE_WEIGHT || out->value == 0 || out->value >= 10);
	}
	if (good)
		return check_block(out->path, e);
	if (kind == RATE_WEIGHT)
		return err_set(e, ERR_INVALID, "invalid weight for device: %s", word);
	return err_set(e, ERR_INVALID,
	    "invalid rate for device: %s. The correct format is <device-path>:<number>%s. Number "
	    "must be a positive integer%s",
	    word, kind == RATE_BYTES ? "[<unit>]" : "",
	    kind == RATE_BYTES ? ". Unit is optional and can be kb, mb, or gb" : "");
}

#define THROTTLES(list, words, kind)                                                  \
	for (size_t i_ = 0; i_ < (words)->n; i_++)                                    \
		if (throttle((words)->v[i_], (kind), SPEC_PUSH(a, (list)), a, e) < 0) \
			return -1;

static int
read_io(const struct spec_input *in, struct rec_ctr_resources *r, struct arena *a, struct err *e)
{
	const struct spec_options *o = in->o;

	if (o->blkio_weight != NULL &&
	    (text_to_u64(o->blkio_weight, 1000, &r->blkio_weight) < 0 || r->blkio_weight < 10))
		return err_set(e, ERR_INVALID,
		    "invalid value for blkio-weight: range of blkio weight is from 10 to 1000: %s",
		    o->blkio_weight);
	THROTTLES(&r->blkio_weight_device, &o->blkio_weight_device, RATE_WEIGHT);
	THROTTLES(&r->read_bps, &o->device_read_bps, RATE_BYTES);
	THROTTLES(&r->write_bps, &o->device_write_bps, RATE_BYTES);
	THROTTLES(&r->read_iops, &o->device_read_iops, RATE_COUNT);
	THROTTLES(&r->write_iops, &o->device_write_iops, RATE_COUNT);
	return 0;
}

static int
memory_size(const char *option, const char *word, int64_t *out, struct err *e)
{
	if (word == NULL)
		return 0;
	if (strcmp(option, "memory-swap") == 0 && strcmp(word, "-1") == 0) {
		*out = -1;
		return 0;
	}
	if (value_size(word, out, e) < 0)
		return err_wrap(e, "invalid value for %s", option);
	if (*out < 0)
		return err_set(e, ERR_INVALID, "invalid value for %s: %s", option, word);
	return 0;
}

static int
read_memory(const struct spec_input *in, struct rec_ctr_resources *r, struct err *e)
{
	const struct spec_options *o = in->o;

	if (memory_size("memory", o->memory, &r->memory, e) < 0 ||
	    memory_size("memory-reservation", o->memory_reservation, &r->memory_reservation, e) <
		0 ||
	    memory_size("memory-swap", o->memory_swap, &r->memory_swap, e) < 0)
		return -1;
	if (r->memory > 0 && o->memory_swap == NULL && r->memory <= INT64_MAX / 2)
		r->memory_swap = 2 * r->memory;
	if (r->memory > 0 && r->memory_swap > 0 && r->memory_swap < r->memory)
		return err_set(e, ERR_INVALID,
		    "minimum memoryswap limit should be larger than memory limit, see usage");
	if (r->memory == 0 && r->memory_swap > 0)
		return err_set(e, ERR_INVALID,
		    "you should always set a memory limit when using a memoryswap limit, see "
		    "usage");
	if (r->memory > 0 && r->memory_reservation > r->memory)
		return err_set(e, ERR_INVALID,
		    "minimum memory limit cannot be less than memory reservation limit, see usage");
	if (o->memory_swappiness < -1 || o->memory_swappiness > 100)
		return err_set(e, ERR_INVALID,
		    "invalid value: %lld, valid memory swappiness range is 0-100",
		    (long long)o->memory_swappiness);
	r->swappiness = (uint64_t)(o->memory_swappiness + 1);
	if (r->swappiness > 0 && in->d->cgroup_v2)
		return err_set(e, ERR_UNSUPPORTED, "cannot set memory swappiness with cgroup v2");
	r->oom_kill_disable = o->oom_kill_disable;
	return 0;
}

#define SET_MAX 8192

/* "0-2,5" as bits; false if it is no such list. */
static bool
parse_set(const char *s, uint8_t bits[SET_MAX / 8])
{
	own_mem char *copy = xstrdup(s);
	char *rest = copy, *word;

	memset(bits, 0, SET_MAX / 8);
	while ((word = strsep(&rest, ",")) != NULL) {
		char *dash = strchr(word, '-');
		uint64_t first, last;

		if (dash != NULL)
			*dash++ = '\0';
		if (text_to_u64(word, SET_MAX - 1, &first) == -1 ||
		    text_to_u64(dash != NULL ? dash : word, SET_MAX - 1, &last) == -1 ||
		    last < first)
			return false;
		for (uint64_t i = first; i <= last; i++)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
	}
	return true;
}

/* Processors or memory nodes that are there, as /sys shows them; a host without that file has its way. */
static int
check_cpuset(const char *option, const char *what, const char *online, const char *s, struct err *e)
{
	uint8_t wanted[SET_MAX / 8], there[SET_MAX / 8];
	own_mem char *text = NULL;
	struct err ignored = {0};
	size_t n;

	if (s == NULL)
		return 0;
	if (!parse_set(s, wanted))
		return err_set(e, ERR_INVALID, "invalid value %s for cpuset %s", s, option);
	if (file_read(AT_FDCWD, online, 4096, &text, &n, &ignored) == -1)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (!parse_set(text, there))
		return 0;
	for (size_t i = 0; i < sizeof(wanted); i++)
		if ((wanted[i] & ~there[i]) != 0)
			return err_set(e, ERR_INVALID,
			    "requested %s are not available - requested %s, available: %s", what, s,
			    text);
	return 0;
}

static int
read_cpu(const struct spec_input *in, struct rec_ctr_resources *r, struct err *e)
{
	const struct spec_options *o = in->o;

	if (!(o->cpus >= 0))
		return err_set(e, ERR_INVALID, "invalid value %g for --cpus", o->cpus);
	if (o->cpus > 0 && o->cpu_period > 0)
		return err_set(e, ERR_INVALID, "--cpu-period and --cpus cannot be set together");
	if (o->cpus > 0 && o->cpu_quota != 0)
		return err_set(e, ERR_INVALID, "--cpu-quota and --cpus cannot be set together");
	/* The kernel's own bounds (kernel/sched/core.c, max_cfs_quota_period). */
	if (o->cpu_period > 0 && (o->cpu_period < 1000 || o->cpu_period > 1000000))
		return err_set(e, ERR_INVALID,
		    "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. "
		    "1000000)");
	if ((o->cpu_quota > 0 && o->cpu_quota < 1000) ||
	    (o->cpus > 0 && o->cpus * CPU_PERIOD + 0.5 < 1000))
		return err_set(e, ERR_INVALID, "CPU cfs quota cannot be less than 1ms (i.e. 1000)");
	if (check_cpuset("cpus", "CPUs", "/sys/devices/system/cpu/online", o->cpuset_cpus, e) < 0 ||
	    check_cpuset(
		"mems", "memory nodes", "/sys/devices/system/node/online", o->cpuset_mems, e) < 0)
		return -1;
	r->cpu_period = o->cpu_period;
	r->cpu_quota = o->cpu_quota;
	if (o->cpus > 0) {
		if (o->cpus > 1e6)
			return err_set(e, ERR_INVALID, "invalid value %g for --cpus", o->cpus);
		r->cpu_period = CPU_PERIOD;
		r->cpu_quota = (int64_t)(o->cpus * CPU_PERIOD + 0.5);
	}
	r->cpu_shares = o->cpu_shares;
	r->cpu_rt_period = o->cpu_rt_period;
	r->cpu_rt_runtime = o->cpu_rt_runtime;
	r->cpuset_cpus = o->cpuset_cpus;
	r->cpuset_mems = o->cpuset_mems;
	return 0;
}

/* Will the container have a cgroup? */
static bool
can_limit(const struct spec_input *in, const struct rec_ctr_config *c)
{
	return in->d->cgroup_usable || (in->d->cgroup_delegated && c->cgroup_parent != NULL);
}

static int
read_pids(const struct spec_input *in, const struct rec_ctr_config *c, struct rec_ctr_resources *r,
    struct err *e)
{
	const char *word = in->o->pids_limit;
	int64_t n = in->d->conf->containers_pids_limit;

	if (word != NULL && text_to_i64(word, INT64_MIN, INT64_MAX, &n) < 0)
		return err_set(e, ERR_INVALID,
		    "invalid argument \"%s\" for \"--pids-limit\" flag: strconv.ParseInt: parsing "
		    "\"%s\": invalid syntax",
		    word, word);
	if (n > PIDS_LIMIT_MAX)
		return err_set(e, ERR_INVALID,
		    "invalid value %lld for --pids-limit: must be at most %d", (long long)n,
		    PIDS_LIMIT_MAX);
	/* Of the user's own cgroups only systemd's are known to have the controller. */
	if (word == NULL && (!can_limit(in, c) ||
				(in->d->rootless && strcmp(in->d->cgroup_manager, "systemd") != 0)))
		return 0;
	r->pids_limit = n <= 0 ? -1 : n;
	return 0;
}

static int
read_unified(const struct strv *l, struct rec_ctr_resources *r, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		size_t n = strcspn(l->v[i], "=");

		if (l->v[i][n] == '\0' || n == 0 || memchr(l->v[i], '/', n) != NULL)
			return err_set(e, ERR_INVALID, "--cgroup-conf must be formatted KEY=VALUE");
		spec_list_kv_set(
		    a, &r->unified.v, &r->unified.n, arena_strndup(a, l->v[i], n), l->v[i] + n + 1);
	}
	return 0;
}

/* Files of cgroup v2: the configuration of a host that has none of it counts for nothing. */
static int
read_both_unified(
    const struct spec_input *in, struct rec_ctr_resources *r, struct arena *a, struct err *e)
{
	bool v2 = cgroup_layout() == CGROUP_V2;

	if (v2 && read_unified(&in->d->conf->containers_cgroup_conf, r, a, e) < 0)
		return -1;
	if (read_unified(&in->o->cgroup_conf, r, a, e) < 0)
		return -1;
	if (!v2 && in->o->cgroup_conf.n > 0)
		return err_set(e, ERR_UNSUPPORTED, "cannot use --cgroup-conf without cgroup v2");
	return 0;
}

static bool
limits_asked(const struct spec_options *o)
{
	return o->memory != NULL || o->memory_reservation != NULL || o->memory_swap != NULL ||
	       o->cpus > 0 || o->cpu_shares > 0 || o->cpu_period > 0 || o->cpu_quota != 0 ||
	       o->cpuset_cpus != NULL || o->cpuset_mems != NULL || o->pids_limit != NULL ||
	       o->blkio_weight != NULL || o->memory_swappiness >= 0 ||
	       o->blkio_weight_device.n + o->device_read_bps.n + o->device_write_bps.n +
		       o->device_read_iops.n + o->device_write_iops.n >
		   0;
}

void
spec_limits_ignored(void)
{
	log_warn("Resource limits are ignored: --cgroups=disabled gives the container no cgroup");
}

int
spec_limits_read(
    const struct spec_input *in, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	struct rec_ctr_resources *r = arena_alloc(a, sizeof(*r));
	const char *mode =
	    in->o->cgroups != NULL ? in->o->cgroups : in->d->conf->containers_cgroups;

	if (read_memory(in, r, e) < 0 || read_cpu(in, r, e) < 0 || read_pids(in, c, r, e) < 0 ||
	    read_io(in, r, a, e) < 0 || read_both_unified(in, r, a, e) < 0)
		return -1;
	c->resources = r;
	if (!can_limit(in, c) && limits_asked(in->o)) {
		log_warn(
		    "Resource limits are not supported and ignored on this host for an ordinary "
		    "user: no cgroup was delegated");
		c->resources = NULL;
	} else if (strcmp(mode, "disabled") == 0 && limits_asked(in->o)) {
		spec_limits_ignored();
	}
	return read_ulimits(in, c, a, e) < 0 || read_sysctls(in, c, a, e) < 0 ||
		       read_devices(in, c, a, e) < 0
		   ? -1
		   : 0;
}
