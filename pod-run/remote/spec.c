/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "pod-run/oci/spec_env.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/oci/spec_limits.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/oci/spec_mounts.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/oci/spec_secret.h"
#include "pod-run/remote/spec.h"
#include "pod-run/remote/spec_ids.h"

#define CPU_PERIOD 100000

int
spec_not_built(const char *option, const char *word, struct err *e)
{
	return err_set(
	    e, ERR_UNSUPPORTED, "--%s %s: not built for a remote service yet", option, word);
}

/* --- Options that are one key each --------------------------------------------------------------*/

static const struct {
	const char *option, *key;
} texts[] = {{"cgroup-parent", "cgroup_parent"}, {"cgroups", "cgroups_mode"},
    {"conmon-pidfile", "conmon_pid_file"}, {"group-entry", "group_entry"},
    {"hosts-file", "base_hosts_file"}, {"init-path", "init_path"}, {"passwd-entry", "passwd_entry"},
    {"sdnotify", "sdnotifyMode"}, {"seccomp-policy", "seccomp_policy"}, {"systemd", "systemd"},
    {"tz", "timezone"}, {"umask", "umask"}},
  lists[] = {{"chrootdirs", "chroot_directories"}, {"env-merge", "envmerge"},
      {"hostuser", "hostusers"}, {"requires", "dependencyContainers"}, {"unsetenv", "unsetenv"},
      {"volumes-from", "volumes_from"}},
  maps[] = {{"cgroup-conf", "unified"}, {"storage-opt", "storage_opts"}, {"sysctl", "sysctl"}},
  numbers[] = {{"oom-score-adj", "oom_score_adj"}, {"timeout", "timeout"}},
  switches[] = {{"http-proxy", "httpproxy"}, {"no-hosts", "use_image_hosts"},
      {"passwd", "manage_password"}},
  shm_sizes[] = {{"shm-size", "shm_size"}, {"shm-size-systemd", "shm_size_systemd"}},
  spaces[] = {{"cgroupns", "cgroupns"}, {"ipc", "ipcns"}, {"pid", "pidns"}, {"uts", "utsns"}};

/* "NAME=value" each. */
static int
put_map(json_t *o, const char *option, const char *key, const struct strv *words, struct err *e)
{
	json_t *map = words->n > 0 ? json_put_obj(o, key) : NULL;

	for (size_t i = 0; i < words->n; i++) {
		size_t n = strcspn(words->v[i], "=");
		own_mem char *name = xstrndup(words->v[i], n);

		if (words->v[i][n] != '=')
			return err_set(e, ERR_USAGE, "invalid --%s \"%s\": it must be NAME=VALUE",
			    option, words->v[i]);
		json_put_str(map, name, words->v[i] + n + 1);
	}
	return 0;
}

void
spec_put_space(json_t *o, const char *key, const char *word)
{
	const char *colon = strchr(word, ':');
	own_mem char *mode = xstrndup(word, strcspn(word, ":"));
	json_t *ns = json_put_obj(o, key);

	json_put_str(ns, "nsmode",
	    strcmp(mode, "ns") == 0	 ? "path"
	    : strcmp(mode, "nomap") == 0 ? "no-map"
					 : mode);
	if (colon != NULL)
		json_put_str(ns, "value", colon + 1);
}

static int
put_plain(json_t *o, const struct args *a, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(texts); i++)
		if (args_given(a, texts[i].option))
			json_put_str(o, texts[i].key, args_str(a, texts[i].option));
	for (size_t i = 0; i < COUNTOF(lists); i++)
		if (args_given(a, lists[i].option))
			json_put_strv(o, lists[i].key, args_list(a, lists[i].option));
	for (size_t i = 0; i < COUNTOF(numbers); i++)
		if (args_given(a, numbers[i].option))
			json_put_int(o, numbers[i].key, args_int(a, numbers[i].option));
	for (size_t i = 0; i < COUNTOF(switches); i++)
		if (args_given(a, switches[i].option))
			json_put_bool(o, switches[i].key, args_int(a, switches[i].option) == 1);
	for (size_t i = 0; i < COUNTOF(maps); i++)
		if (put_map(o, maps[i].option, maps[i].key, args_list(a, maps[i].option), e) == -1)
			return -1;
	for (size_t i = 0; i < COUNTOF(spaces); i++)
		if (args_given(a, spaces[i].option))
			spec_put_space(o, spaces[i].key, args_str(a, spaces[i].option));
	if (args_bool(a, "unsetenv-all"))
		json_put_bool(o, "unsetenvall", true);
	return 0;
}

static int
put_more(json_t *o, const struct args *a, struct err *e)
{
	const char *image_volume = args_str(a, "image-volume");
	int64_t bytes;

	/* As Podman has it. */
	if (image_volume != NULL)
		json_put_str(o, "image_volume_mode",
		    strcmp(image_volume, "bind") == 0 ? "anonymous" : image_volume);
	if (args_given(a, "personality"))
		json_put_str(json_put_obj(o, "personality"), "domain", args_str(a, "personality"));
	if (args_given(a, "rdt-class"))
		json_put_str(json_put_obj(o, "intelRdt"), "closID", args_str(a, "rdt-class"));
	if (args_bool(a, "no-hostname"))
		json_put_bool(o, "use_image_hostname", true);
	for (size_t i = 0; i < COUNTOF(shm_sizes); i++) {
		if (!args_given(a, shm_sizes[i].option))
			continue;
		if (value_size(args_str(a, shm_sizes[i].option), &bytes, e) == -1)
			return err_wrap(e, "unable to translate --%s", shm_sizes[i].option);
		json_put_int(o, shm_sizes[i].key, bytes);
	}
	return 0;
}

/* --- Limits -------------------------------------------------------------------------------------*/

/* The object of that name, made if there is none. */
static json_t *
within(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v != NULL ? v : json_put_obj(o, key);
}

static int
put_memory(json_t *o, const struct args *a, struct err *e)
{
	static const struct {
		const char *option, *key;
	} sizes[] = {
	    {"memory", "limit"}, {"memory-reservation", "reservation"}, {"memory-swap", "swap"}};
	int64_t n;

	for (size_t i = 0; i < COUNTOF(sizes); i++) {
		const char *word = args_str(a, sizes[i].option);

		if (!args_given(a, sizes[i].option))
			continue;
		if (strcmp(sizes[i].key, "swap") == 0 && strcmp(word, "-1") == 0)
			n = -1;
		else if (value_size(word, &n, e) == -1)
			return err_wrap(e, "invalid value for %s", sizes[i].option);
		json_put_int(within(within(o, "resource_limits"), "memory"), sizes[i].key, n);
	}
	if (args_given(a, "memory-swappiness") && args_int(a, "memory-swappiness") >= 0)
		json_put_int(within(within(o, "resource_limits"), "memory"), "swappiness",
		    args_int(a, "memory-swappiness"));
	if (args_bool(a, "oom-kill-disable"))
		json_put_bool(
		    within(within(o, "resource_limits"), "memory"), "disableOOMKiller", true);
	return 0;
}

static int
put_cpu(json_t *o, const struct args *a, struct err *e)
{
	static const struct {
		const char *option, *key;
	} counts[] = {{"cpu-period", "period"}, {"cpu-quota", "quota"},
	    {"cpu-rt-period", "realtimePeriod"}, {"cpu-rt-runtime", "realtimeRuntime"},
	    {"cpu-shares", "shares"}},
	  sets[] = {{"cpuset-cpus", "cpus"}, {"cpuset-mems", "mems"}};

	if (args_given(a, "cpus") && (args_given(a, "cpu-period") || args_given(a, "cpu-quota")))
		return err_set(e, ERR_USAGE, "--cpu-%s and --cpus cannot be set together",
		    args_given(a, "cpu-period") ? "period" : "quota");
	for (size_t i = 0; i < COUNTOF(counts); i++)
		if (args_given(a, counts[i].option))
			json_put_int(within(within(o, "resource_limits"), "cpu"), counts[i].key,
			    args_int(a, counts[i].option));
	for (size_t i = 0; i < COUNTOF(sets); i++)
		if (args_given(a, sets[i].option))
			json_put_str(within(within(o, "resource_limits"), "cpu"), sets[i].key,
			    args_str(a, sets[i].option));
	if (args_given(a, "cpus")) {
		json_t *cpu = within(within(o, "resource_limits"), "cpu");

		json_put_int(cpu, "period", CPU_PERIOD);
		json_put_int(cpu, "quota", (int64_t)(args_float(a, "cpus") * CPU_PERIOD));
	}
	return 0;
}

/* "DEVICE:VALUE" each, by the device. */
static int
put_throttle(json_t *o, const struct args *a, const char *option, const char *key,
    const char *member, bool bytes, struct err *e)
{
	const struct strv *words = args_list(a, option);

	for (size_t i = 0; i < words->n; i++) {
		const char *colon = strrchr(words->v[i], ':');
		own_mem char *path = NULL;
		int64_t n;

		if (colon == NULL || *words->v[i] != '/' ||
		    (bytes ? value_size(colon + 1, &n, e)
			   : text_to_i64(colon + 1, 0, INT64_MAX, &n)) == -1)
			return err_set(e, ERR_USAGE, "invalid --%s \"%s\"", option, words->v[i]);
		path = xstrndup(words->v[i], (size_t)(colon - words->v[i]));
		json_put_int(json_put_obj(within(o, key), path), member, n);
	}
	return 0;
}

static int
put_io(json_t *o, const struct args *a, struct err *e)
{
	int64_t n;

	if (args_given(a, "blkio-weight")) {
		if (text_to_i64(args_str(a, "blkio-weight"), 0, 1000, &n) == -1)
			return err_set(e, ERR_USAGE, "invalid value for blkio-weight: %s",
			    args_str(a, "blkio-weight"));
		json_put_int(within(within(o, "resource_limits"), "blockIO"), "weight", n);
	}
	return put_throttle(o, a, "blkio-weight-device", "weightDevice", "weight", false, e) ==
			   -1 ||
		       put_throttle(o, a, "device-read-bps", "throttleReadBpsDevice", "rate", true,
			   e) == -1 ||
		       put_throttle(o, a, "device-write-bps", "throttleWriteBpsDevice", "rate",
			   true, e) == -1 ||
		       put_throttle(o, a, "device-read-iops", "throttleReadIOPSDevice", "rate",
			   false, e) == -1 ||
		       put_throttle(o, a, "device-write-iops", "throttleWriteIOPSDevice", "rate",
			   false, e) == -1
		   ? -1
		   : 0;
}

static int
put_limits(json_t *o, const struct args *a, struct err *e)
{
	const struct strv *words = args_list(a, "ulimit");
	json_t *list = words->n > 0 ? json_put_arr(o, "r_limits") : NULL;
	int64_t n;

	if (put_memory(o, a, e) == -1 || put_cpu(o, a, e) == -1 || put_io(o, a, e) == -1)
		return -1;
	if (args_given(a, "pids-limit")) {
		if (text_to_i64(args_str(a, "pids-limit"), -1, INT_MAX, &n) == -1)
			return err_set(e, ERR_USAGE, "invalid value for pids-limit: %s",
			    args_str(a, "pids-limit"));
		json_put_int(within(within(o, "resource_limits"), "pids"), "limit", n);
	}
	for (size_t i = 0; i < words->n; i++) {
		struct rec_ctr_rlimit l = {0};
		json_t *one;

		/* Those of the service's own process. */
		if (strcmp(words->v[i], "host") == 0)
			return spec_not_built("ulimit", "host", e);
		if (spec_limits_ulimit(words->v[i], &l, e) == -1)
			return -1;
		one = json_add_obj(list);
		json_put_str(one, "type", l.type + strlen("RLIMIT_"));
		/* No limit is 2^64-1 there, which no integer of ours is. */
		if (l.soft > INT64_MAX || l.hard > INT64_MAX)
			return spec_not_built("ulimit", words->v[i], e);
		json_put_int(one, "soft", (int64_t)l.soft);
		json_put_int(one, "hard", (int64_t)l.hard);
	}
	return 0;
}

/* --- Devices and what confines ------------------------------------------------------------------*/

/* "c 1:3 rwm" */
static int
put_rule(json_t *list, const char *word, struct err *e)
{
	own_strv struct strv part = {0}, number = {0};
	int64_t major = -1, minor = -1;
	json_t *o;

	strv_split(&part, word, ' ');
	if (part.n == 3)
		strv_split(&number, part.v[1], ':');
	if (part.n != 3 || number.n != 2 || strlen(part.v[0]) != 1 ||
	    strchr("abc", *part.v[0]) == NULL ||
	    (strcmp(number.v[0], "*") != 0 && text_to_i64(number.v[0], 0, INT_MAX, &major) == -1) ||
	    (strcmp(number.v[1], "*") != 0 && text_to_i64(number.v[1], 0, INT_MAX, &minor) == -1) ||
	    *part.v[2] == '\0' || strspn(part.v[2], "rwm") != strlen(part.v[2]))
		return err_set(
		    e, ERR_USAGE, "invalid device cgroup rule \"%s\": TYPE MAJOR:MINOR MODE", word);
	o = json_add_obj(list);
	json_put_bool(o, "allow", true);
	json_put_str(o, "type", part.v[0]);
	json_put_int(o, "major", major);
	json_put_int(o, "minor", minor);
	json_put_str(o, "access", part.v[2]);
	return 0;
}

static int
put_devices(json_t *o, const struct args *a, struct err *e)
{
	const struct strv *words = args_list(a, "device"), *gpus = args_list(a, "gpus"),
			  *rules = args_list(a, "device-cgroup-rule");
	json_t *list = words->n + gpus->n > 0 ? json_put_arr(o, "devices") : NULL;

	/* The service takes the word apart. */
	for (size_t i = 0; i < words->n; i++)
		json_put_str(json_add_obj(list), "path", words->v[i]);
	for (size_t i = 0; i < gpus->n; i++) {
		own_mem char *name = xasprintf("nvidia.com/gpu=%s", gpus->v[i]);

		json_put_str(json_add_obj(list), "path", name);
	}
	list = rules->n > 0 ? json_put_arr(o, "device_cgroup_rule") : NULL;
	for (size_t i = 0; i < rules->n; i++)
		if (put_rule(list, rules->v[i], e) == -1)
			return -1;
	return 0;
}

static json_t *
within_list(json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	return v != NULL ? v : json_put_arr(o, key);
}

static void
add_parts(json_t *o, const char *key, const char *value, char mark)
{
	own_strv struct strv parts = {0};

	strv_split(&parts, value, mark);
	for (size_t i = 0; i < parts.n; i++)
		json_add_str(within_list(o, key), parts.v[i]);
}

static int
put_security(json_t *o, const char *word, struct err *e)
{
	size_t n = strcspn(word, strchr(word, '=') != NULL ? "=" : ":");
	own_mem char *name = xstrndup(word, n);
	const char *value = word[n] != '\0' ? word + n + 1 : "";
	bool flag = true;

	if (strcmp(name, "no-new-privileges") == 0) {
		if (word[n] != '\0' && value_bool(value, &flag, e) == -1)
			return err_set(e, ERR_INVALID, "invalid --security-opt 2: \"%s\"", word);
		json_put_bool(o, "no_new_privileges", flag);
		return 0;
	}
	if (*value == '\0')
		return err_set(e, ERR_INVALID, "invalid --security-opt 1: \"%s\"", word);
	if (strcmp(name, "seccomp") == 0)
		json_put_str(o, "seccomp_profile_path", value);
	else if (strcmp(name, "apparmor") == 0)
		json_put_str(o, "apparmor_profile", value);
	else if (strcmp(name, "label") == 0)
		json_add_str(within_list(o, "selinux_opts"), value);
	else if (strcmp(name, "mask") == 0)
		add_parts(o, "mask", value, ':');
	else if (strcmp(name, "unmask") == 0)
		add_parts(o, "unmask", value, ':');
	else if (strcmp(name, "proc-opts") == 0)
		add_parts(o, "procfs_opts", value, ',');
	else if (strcmp(name, "systempaths") == 0 && strcmp(value, "unconfined") == 0)
		json_add_str(within_list(o, "unmask"), "ALL");
	else
		return err_set(e, ERR_INVALID, "invalid --security-opt 2: \"%s\"", word);
	return 0;
}

/* --- Mounts and secrets -------------------------------------------------------------------------*/

static int
put_mount(json_t *o, const struct rec_ctr_mount *m, struct err *e)
{
	own_strv struct strv options = {0};
	json_t *one;

	if (m->subpath != NULL || m->no_create || m->no_dereference)
		return err_set(e, ERR_UNSUPPORTED,
		    "a mount on %s with such options: not built for a remote service yet",
		    m->target);
	strv_add_all(&options, m->options.v, m->options.n);
	if (m->relabel != NULL)
		strv_add(&options, strcmp(m->relabel, "shared") == 0 ? "z" : "Z");
	if (m->chown)
		strv_add(&options, "U");
	if (m->no_copy)
		strv_add(&options, "nocopy");
	if (m->idmap != NULL)
		strv_add(&options, m->idmap);
	if (m->upper_dir != NULL)
		strv_addf(&options, "upperdir=%s", m->upper_dir);
	if (m->work_dir != NULL)
		strv_addf(&options, "workdir=%s", m->work_dir);
	if (strcmp(m->type, "image") == 0) {
		one = json_add_obj(within_list(o, "image_volumes"));
		json_put_str(one, "source", m->source);
		json_put_str(one, "destination", m->target);
		json_put_bool(one, "rw", m->writable);
		return 0;
	}
	one = json_add_obj(within_list(o, m->overlay			   ? "overlay_volumes"
					  : strcmp(m->type, "volume") == 0 ? "volumes"
									   : "mounts"));
	if (m->overlay) {
		json_put_str(one, "source", m->source);
		json_put_str(one, "destination", m->target);
	} else if (strcmp(m->type, "volume") == 0) {
		json_put_str(one, "Name", m->anonymous ? "" : m->source);
		json_put_str(one, "Dest", m->target);
	} else {
		json_put_str(one, "type", m->type);
		json_put_str(one, "source", m->source != NULL ? m->source : m->type);
		json_put_str(one, "destination", m->target);
	}
	json_put_strv(
	    one, !m->overlay && strcmp(m->type, "volume") == 0 ? "Options" : "options", &options);
	return 0;
}

/* With --read-only: services of version 4 leave it to who asks, later ones do it, where nothing else is. */
static void
put_read_only_tmpfs(json_t *o, const struct args *a)
{
	static const char *const places[] = {"/run", "/tmp", "/var/tmp"};
	static const char *const options[] = {"rw", "rprivate", "nosuid", "nodev", "tmpcopyup"};
	bool wanted = args_int(a, "read-only-tmpfs") != 0;

	if (!args_given(a, "read-only") || args_int(a, "read-only") != 1)
		return;
	json_put_bool(o, "read_write_tmpfs", wanted);
	for (size_t i = 0; wanted && i < COUNTOF(places); i++) {
		json_t *mounts = within_list(o, "mounts"), *list, *one;
		bool taken = false;
		size_t k;

		json_array_foreach (mounts, k, one)
			taken |= strcmp(json_string_value(json_object_get(one, "destination")),
				     places[i]) == 0;
		json_array_foreach (json_object_get(o, "volumes"), k, one)
			taken |=
			    strcmp(json_string_value(json_object_get(one, "Dest")), places[i]) == 0;
		if (taken)
			continue;
		one = json_add_obj(mounts);
		json_put_str(one, "type", "tmpfs");
		json_put_str(one, "source", "tmpfs");
		json_put_str(one, "destination", places[i]);
		list = json_put_arr(one, "options");
		for (k = 0; k < COUNTOF(options); k++)
			json_add_str(list, options[k]);
	}
}

static void
put_secret(json_t *o, const struct rec_ctr_secret *s)
{
	json_t *one;

	if (s->env) {
		json_put_str(within(o, "secret_env"), s->target, s->name);
		return;
	}
	one = json_add_obj(within_list(o, "secrets"));
	json_put_str(one, "Source", s->name);
	json_put_str(one, "Target", s->target);
	json_put_int(one, "UID", (int64_t)s->uid);
	json_put_int(one, "GID", (int64_t)s->gid);
	json_put_int(one, "Mode", (int64_t)s->mode);
}

static json_t *
put_check(json_t *o, const char *key, const struct rec_health *h)
{
	json_t *one = json_put_obj(o, key), *test = json_put_arr(one, "Test");

	for (size_t i = 0; i < h->test.n; i++)
		json_add_str(test, h->test.v[i]);
	json_put_int(one, "Interval", h->interval);
	json_put_int(one, "Timeout", h->timeout);
	json_put_int(one, "StartPeriod", h->start_period);
	json_put_int(one, "Retries", (int64_t)h->retries);
	return one;
}

/* Services that keep a log of results take none of its limits for granted. */
static void
put_health(json_t *o, const struct rec_ctr_config *c, const char *log_destination)
{
	/* As Podman numbers them. */
	static const char *const actions[] = {"none", "invalid", "kill", "restart", "stop"};

	for (size_t i = 0; c->health_on_failure != NULL && i < COUNTOF(actions); i++)
		if (strcmp(actions[i], c->health_on_failure) == 0)
			json_put_int(o, "health_check_on_failure_action", (int64_t)i);
	json_put_str(
	    o, "healthLogDestination", log_destination != NULL ? log_destination : "local");
	json_put_int(o, "healthMaxLogCount", (int64_t)c->health_max_log_count);
	json_put_int(o, "healthMaxLogSize", (int64_t)c->health_max_log_size);
	if (c->health != NULL)
		put_check(o, "healthconfig", c->health);
	if (c->health_startup != NULL)
		json_put_int(put_check(o, "startupHealthConfig", c->health_startup), "Successes",
		    (int64_t)c->health_startup_success);
}

/* What our own readers make of the words, with nothing of this machine's configuration. */
static int
put_records(json_t *o, const struct args *a, struct err *e)
{
	own_arena struct arena arena = {0};
	own_mem char *here = getcwd(NULL, 0);
	const struct spec_options *so = args_group(a, spec_options_rows);
	struct containers_conf *conf = arena_alloc(&arena, sizeof(*conf));
	const struct spec_defaults d = {.conf = conf, .cwd = here != NULL ? here : "/"};
	struct spec_options known = *so;
	const struct spec_input in = {.o = &known, .d = &d};
	struct rec_ctr_config c = {.health_max_log_count = SPEC_HEALTH_LOG_COUNT,
	    .health_max_log_size = SPEC_HEALTH_LOG_SIZE};

	known.volumes_from = (struct strv){0};
	known.health.log_destination = NULL; /* is a place over there */
	if (spec_mounts_read(&in, &c, &arena, e) == -1 ||
	    spec_secret_read(&so->secret, &c, &arena, e) == -1 ||
	    spec_health(&known.health, &c, &arena, e) == -1)
		return -1;
	for (size_t i = 0; i < c.mounts.n; i++)
		if (put_mount(o, &c.mounts.v[i], e) == -1)
			return -1;
	put_read_only_tmpfs(o, a);
	for (size_t i = 0; i < c.secrets.n; i++)
		put_secret(o, &c.secrets.v[i]);
	put_health(o, &c, so->health.log_destination);
	return 0;
}

/* --- Logs, files, networks ----------------------------------------------------------------------*/

static int
put_log(json_t *o, const struct args *a, struct err *e)
{
	const struct strv *words = args_list(a, "log-opt");
	json_t *log = NULL;

	if (!args_given(a, "log-driver") && words->n == 0)
		return 0;
	log = json_put_obj(o, "log_configuration");
	if (args_given(a, "log-driver"))
		json_put_str(log, "driver", args_str(a, "log-driver"));
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		size_t n = strcspn(word, "=");
		own_mem char *name = xstrndup(word, n);
		int64_t bytes;

		if (word[n] != '=')
			return err_set(e, ERR_USAGE, "invalid log option \"%s\"", word);
		if (strcmp(name, "path") == 0) {
			json_put_str(log, "path", word + n + 1);
		} else if (strcmp(name, "max-size") == 0) {
			if (value_size(word + n + 1, &bytes, e) == -1)
				return err_wrap(e, "invalid log option \"%s\"", word);
			json_put_int(log, "size", bytes);
		} else {
			json_put_str(within(log, "options"), name, word + n + 1);
		}
	}
	return 0;
}

/* Files of ours; what is said on the command line wins. */
static int
put_files(json_t *o, const char *key, const struct strv *paths, struct err *e)
{
	extern char **environ;

	for (size_t i = 0; i < paths->n; i++) {
		own_arena struct arena arena = {0};
		struct strs found = {0};

		if (spec_env_file(paths->v[i], (const char *const *)environ, &arena, &found, e) ==
		    -1)
			return -1;
		for (size_t k = 0; k < found.n; k++) {
			size_t n = strcspn(found.v[k], "=");
			own_mem char *name = xstrndup(found.v[k], n);

			json_put_str(
			    within(o, key), name, found.v[k][n] == '=' ? found.v[k] + n + 1 : "");
		}
	}
	return 0;
}

/* "80", "80-90/udp" */
static int
put_expose(json_t *o, const char *word, struct err *e)
{
	size_t n = strcspn(word, "/");
	own_mem char *range = xstrndup(word, n);
	const char *protocol = word[n] == '/' ? word + n + 1 : "tcp", *dash = strchr(range, '-');
	own_mem char *start = xstrndup(range, strcspn(range, "-"));
	int64_t first, last;

	if (text_to_i64(start, 1, 65535, &first) == -1 ||
	    text_to_i64(dash != NULL ? dash + 1 : start, first, 65535, &last) == -1)
		return err_set(e, ERR_USAGE, "invalid --expose \"%s\"", word);
	for (; first <= last; first++) {
		char port[8];
		const char *before;

		snprintf(port, sizeof(port), "%d", (int)first);
		before = json_string_value(json_object_get(within(o, "expose"), port));
		if (before == NULL) {
			json_put_str(within(o, "expose"), port, protocol);
		} else {
			own_mem char *both = xasprintf("%s,%s", before, protocol);

			json_put_str(within(o, "expose"), port, both);
		}
	}
	return 0;
}

/* For the one network there is; "default" is what the service takes for its own. */
static int
put_addresses(json_t *o, const struct args *a, struct err *e)
{
	const struct strv *aliases = args_list(a, "network-alias");
	json_t *networks = json_object_get(o, "Networks"), *one;
	const char *key;

	if (!args_given(a, "ip") && !args_given(a, "ip6") && !args_given(a, "mac-address") &&
	    aliases->n == 0)
		return 0;
	if (networks == NULL && json_object_get(o, "netns") != NULL)
		return err_set(
		    e, ERR_USAGE, "--ip, --ip6, --mac-address and --network-alias need a network");
	if (networks == NULL) {
		json_put_str(json_put_obj(o, "netns"), "nsmode", "bridge");
		json_put_obj(networks = json_put_obj(o, "Networks"), "default");
	}
	if (json_object_size(networks) > 1 &&
	    (args_given(a, "ip") || args_given(a, "ip6") || args_given(a, "mac-address")))
		return err_set(e, ERR_USAGE,
		    "--ip, --ip6 and --mac-address can only be set for a single network");
	json_object_foreach (networks, key, one) {
		if (aliases->n > 0)
			json_put_strv(one, "aliases", aliases);
		if (args_given(a, "ip"))
			json_add_str(within_list(one, "static_ips"), args_str(a, "ip"));
		if (args_given(a, "ip6"))
			json_add_str(within_list(one, "static_ips"), args_str(a, "ip6"));
		if (args_given(a, "mac-address"))
			json_put_str(one, "static_mac", args_str(a, "mac-address"));
	}
	return 0;
}

int
spec_put(json_t *o, const struct args *a, struct err *e)
{
	const struct strv *security = args_list(a, "security-opt"),
			  *expose = args_list(a, "expose");

	if (put_plain(o, a, e) == -1 || put_more(o, a, e) == -1 || put_limits(o, a, e) == -1 ||
	    put_devices(o, a, e) == -1 || spec_ids_put(o, a, e) == -1 ||
	    put_records(o, a, e) == -1 || put_log(o, a, e) == -1 || put_addresses(o, a, e) == -1 ||
	    put_files(o, "env", args_list(a, "env-file"), e) == -1 ||
	    put_files(o, "labels", args_list(a, "label-file"), e) == -1)
		return -1;
	for (size_t i = 0; i < security->n; i++)
		if (put_security(o, security->v[i], e) == -1)
			return -1;
	for (size_t i = 0; i < expose->n; i++)
		if (put_expose(o, expose->v[i], e) == -1)
			return -1;
	return 0;
}
