/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/oci/manifest.h"
#include "common/role/spawn.h"
#include "pod-run/cmd/info_host.h"
#include "pod-run/life/runtime.h"
#include "pod-run/oci/cgroup.h"
#include "pod-run/oci/spec_logging.h"
#include "pod-run/state/event.h"
#include "pod-run/state/event_journal.h"

#define TEXT_MAX 65536

/* A small file of the kernel or of the system, "" if it cannot be read. */
static char *
read_small(const char *path)
{
	own_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err ignored = {0};
	char *text = NULL;
	size_t n;

	if (fd == -1 || file_slurp(fd, TEXT_MAX, path, &text, &n, &ignored) == -1)
		return xstrdup("");
	return text;
}

/* What "PROGRAM --version" prints, without the last newline; "" if it cannot be run. */
static char *
version_of(const char *program)
{
	char word[] = "--version", *argv[] = {NULL, word, NULL};
	own_mem char *path = xstrdup(program);
	own_fd int in = -1, out = -1;
	posix_spawn_file_actions_t actions;
	struct err ignored = {0};
	char *text = NULL;
	size_t n;
	int fd[2], r;
	pid_t pid;

	if (*program == '\0' || pipe2(fd, O_CLOEXEC) == -1)
		return xstrdup("");
	in = fd[0];
	out = fd[1];
	argv[0] = path;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	r = posix_spawn(&pid, path, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	fd_close(&out);
	if (r != 0)
		return xstrdup("");
	if (file_slurp(in, TEXT_MAX, path, &text, &n, &ignored) == -1)
		text = xstrdup("");
	waitpid(pid, NULL, 0);
	n = strlen(text);
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	return text;
}

/* The first of the directories of helpers, those of PATH and the usual ones that holds name; NULL if none does. */
static char *
find_program(const struct containers_conf *conf, const char *name)
{
	const char *path = getenv("PATH");
	own_strv struct strv dirs = {0};

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0 ? xstrdup(name) : NULL;
	strv_add_all(&dirs, (const char *const *)conf->engine_helper_binaries_dir.v,
	    conf->engine_helper_binaries_dir.n);
	strv_split(&dirs, path != NULL ? path : "", ':');
	strv_add_all(
	    &dirs, (const char *const[]){"/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"}, 4);
	for (size_t i = 0; i < dirs.n; i++) {
		char *at = xasprintf("%s/%s", dirs.v[i], name);

		if (*dirs.v[i] == '/' && access(at, X_OK) == 0)
			return at;
		free(at);
	}
	return NULL;
}

/* --- The machine --------------------------------------------------------------------------------*/

/* KEY=value of os-release(5). */
static char *
os_release(const char *text, const char *key)
{
	own_strv struct strv lines = {0};
	size_t n = strlen(key);

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		char *value;
		size_t len;

		if (strncmp(lines.v[i], key, n) != 0 || lines.v[i][n] != '=')
			continue;
		value = lines.v[i] + n + 1;
		len = strlen(value);
		if (len >= 2 && *value == '"' && value[len - 1] == '"')
			return xstrndup(value + 1, len - 2);
		return xstrdup(value);
	}
	return xstrdup("");
}

static void
put_distribution(json_t *o)
{
	static const struct {
		const char *field, *key;
	} fields[] = {{"Distribution", "ID"}, {"Variant", "VARIANT_ID"}, {"Version", "VERSION_ID"},
	    {"Codename", "VERSION_CODENAME"}};
	own_mem char *text = read_small("/etc/os-release");
	json_t *d = json_put_obj(o, "Distribution");

	for (size_t i = 0; i < COUNTOF(fields); i++) {
		own_mem char *value = os_release(text, fields[i].key);

		if (*value != '\0')
			json_put_str(d, fields[i].field, value);
	}
}

/* "MemTotal:   123 kB" of /proc/meminfo in bytes. */
static int64_t
meminfo(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at != NULL ? strtoll(at + strlen(key), NULL, 10) * 1024 : 0;
}

static void
put_memory(json_t *o)
{
	own_mem char *text = read_small("/proc/meminfo");

	json_put_int(o, "MemFree", meminfo(text, "MemFree:"));
	json_put_int(o, "MemTotal", meminfo(text, "MemTotal:"));
	json_put_int(o, "SwapFree", meminfo(text, "SwapFree:"));
	json_put_int(o, "SwapTotal", meminfo(text, "SwapTotal:"));
}

/* The first line of /proc/stat: ticks since the start, as shares of the whole. */
static void
put_cpu(json_t *o)
{
	own_mem char *text = read_small("/proc/stat");
	unsigned long long user = 0, nice = 0, system = 0, idle = 0;
	json_t *c = json_put_obj(o, "CPUUtilization");
	double all;

	sscanf(text, "cpu %llu %llu %llu %llu", &user, &nice, &system, &idle);
	all = (double)(user + nice + system + idle);
	all = all > 0 ? all / 100 : 1;
	json_put_take(c, "UserPercent", json_real((double)(long)((double)user / all * 100) / 100));
	json_put_take(
	    c, "SystemPercent", json_real((double)(long)((double)system / all * 100) / 100));
	json_put_take(c, "IdlePercent", json_real((double)(long)((double)idle / all * 100) / 100));
}

static void
put_uptime(json_t *o)
{
	struct sysinfo s;
	long t = sysinfo(&s) == 0 ? s.uptime : 0;
	own_mem char *text = NULL;

	text = t >= 3600 ? xasprintf("%ldh %ldm %ld.00s (Approximately %.2f days)", t / 3600,
			       t / 60 % 60, t % 60, (double)t / 86400)
			 : xasprintf("%ldm %ld.00s", t / 60, t % 60);
	json_put_str(o, "Uptime", text);
}

/* Controllers that the host has, for v1 and hybrid hosts those of v1; of v2 an ordinary user has those delegated. */
static void
put_controllers(json_t *o, enum cgroup_layout layout, bool rootless)
{
	json_t *a = json_put_arr(o, "CgroupControllers");
	own_strv struct strv lines = {0};
	own_mem char *own = rootless ? cgroup_own() : NULL;
	own_mem char *path =
	    xasprintf("/sys/fs/cgroup%s/cgroup.controllers", own != NULL ? own : "");
	own_mem char *text = read_small(layout == CGROUP_V2 ? path : "/proc/cgroups");

	text[strlen(text) - (text_has_suffix(text, "\n") ? 1 : 0)] = '\0';
	strv_split(&lines, text, layout == CGROUP_V2 ? ' ' : '\n');
	for (size_t i = 0; i < lines.n; i++) {
		char *name = lines.v[i];
		size_t n = strcspn(name, "\t");
		bool enabled = layout == CGROUP_V2 || text_has_suffix(name, "\t1");

		if (*name != '#' && n > 0 && enabled)
			json_add_take(a, json_strn(name, n));
	}
}

static void
put_id_map(json_t *o, const char *field, const char *path)
{
	own_mem char *text = read_small(path);
	own_strv struct strv lines = {0};
	json_t *a = json_put_arr(o, field);

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		long long inside, outside, count;
		json_t *one;

		if (sscanf(lines.v[i], "%lld %lld %lld", &inside, &outside, &count) != 3)
			continue;
		one = json_add_obj(a);
		json_put_int(one, "container_id", inside);
		json_put_int(one, "host_id", outside);
		json_put_int(one, "size", count);
	}
}

static void
put_id_maps(json_t *o, const struct ctx *x)
{
	json_t *m = json_put_obj(o, "IDMappings");

	if (!x->rootless.user) {
		json_put_take(m, "GIDMap", json_null());
		json_put_take(m, "UIDMap", json_null());
		return;
	}
	put_id_map(m, "GIDMap", "/proc/self/gid_map");
	put_id_map(m, "UIDMap", "/proc/self/uid_map");
}

/* --- Our tools ----------------------------------------------------------------------------------*/

/* version NULL: it is asked for its version. */
static json_t *
put_tool(
    json_t *o, const char *field, const char *path_field, const char *path, const char *version)
{
	own_mem char *own_words = version == NULL ? version_of(path != NULL ? path : "") : NULL;
	json_t *t = json_put_obj(o, field);

	json_put_str(t, "Package", "Unknown");
	json_put_str(t, path_field, path != NULL ? path : "");
	json_put_str(t, "Version", version != NULL ? version : own_words);
	return t;
}

static int
put_runtime(json_t *o, struct ctx *x, struct err *e)
{
	own_runtime struct runtime r = {0};
	struct rec_ctr_config none = {0};
	const char *name, *slash;

	if (runtime_name(x, &name, e) == -1 || runtime_find(x, &none, &r, e) == -1)
		return -1;
	slash = strrchr(name, '/');
	json_put_str(put_tool(o, "OCIRuntime", "Path", r.path, NULL), "Name",
	    slash != NULL ? slash + 1 : name);
	return 0;
}

static void
put_tools(json_t *o, const struct containers_conf *conf)
{
	const char *backend =
	    strcmp(conf->network_network_backend, "cni") == 0 ? "cni" : "netavark";
	own_mem char *monitor = spawn_program(ROLE_MONITOR), *net = spawn_program(ROLE_NET);
	const char *slirp_path = conf->engine_network_cmd_path;
	own_mem char *pasta = find_program(conf, "pasta");
	own_mem char *slirp = find_program(conf, *slirp_path != '\0' ? slirp_path : "slirp4netns");

	put_tool(o, "Conmon", "Path", monitor, "pod-monitor version " POD_VERSION);
	put_tool(o, "Pasta", "Executable", pasta, NULL);
	put_tool(o, "Slirp4NetNS", "Executable", slirp, NULL);
	json_put_str(o, "NetworkBackend", backend);
	json_put_str(put_tool(o, "NetworkBackendInfo", "Path", net, "pod-net version " POD_VERSION),
	    "Backend", backend);
}

static void
put_security(json_t *o, const struct ctx *x, const struct containers_conf *conf)
{
	static const char *const profiles[] = {
	    "/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json"};
	own_strbuf struct strbuf caps = {0};
	own_mem char *apparmor = read_small("/sys/module/apparmor/parameters/enabled");
	json_t *s = json_put_obj(o, "Security");
	const char *profile = conf->containers_seccomp_profile;

	for (size_t i = 0; i < COUNTOF(profiles) && *profile == '\0'; i++)
		if (access(profiles[i], R_OK) == 0)
			profile = profiles[i];
	for (size_t i = 0; i < conf->containers_default_capabilities.n; i++) {
		const char *c = conf->containers_default_capabilities.v[i];

		strbuf_addf(
		    &caps, "%s%s%s", i > 0 ? "," : "", text_has_prefix(c, "CAP_") ? "" : "CAP_", c);
	}
	json_put_bool(s, "AppArmorEnabled", *apparmor == 'Y');
	json_put_str(s, "DefaultCapabilities", caps.n > 0 ? caps.s : "");
	json_put_bool(s, "Rootless", x->rootless.user);
	json_put_bool(s, "SECCOMPEnabled", access("/proc/sys/kernel/seccomp", F_OK) == 0);
	json_put_str(s, "SECCOMPProfilePath", profile);
	json_put_bool(s, "SELinuxEnabled", access("/sys/fs/selinux/enforce", F_OK) == 0);
}

static const char *
events_logger(struct ctx *x)
{
	enum event_backend b;
	struct err ignored = {0};

	return event_backend(x, &b, &ignored) == 0 ? event_backend_name(b) : "none";
}

static void
put_engine(json_t *o, struct ctx *x, const struct containers_conf *conf)
{
	enum cgroup_layout layout = cgroup_layout();
	own_mem char *socket = NULL;
	json_t *remote;

	json_put_str(o, "CgroupManager", ctx_cgroup_manager(x, conf));
	json_put_str(o, "CgroupsVersion", layout == CGROUP_V2 ? "v2" : "v1");
	put_controllers(o, layout, x->rootless.user);
	json_put_str(o, "DatabaseBackend", "sqlite");
	json_put_str(o, "EventLogger", events_logger(x));
	json_put_str(o, "LogDriver", spec_logging_default(conf, event_journal_usable()));
	json_put_str(o, "Linkmode", "dynamic");
	json_put_bool(o, "ServiceIsRemote", false);
	socket = xasprintf("%s/pod.sock", x->run_root);
	remote = json_put_obj(o, "RemoteSocket");
	json_put_str(remote, "Path", socket);
	json_put_bool(remote, "Exists", access(socket, F_OK) == 0);
	/* What builds images is part of the suite. */
	json_put_str(o, "BuildahVersion", POD_VERSION);
	json_put_str(o, "RootlessNetworkCmd", conf->network_default_rootless_network_cmd);
}

json_t *
info_host(struct ctx *x, struct err *e)
{
	const struct containers_conf *conf = ctx_conf(x, e);
	own_json json_t *o = json_obj();
	struct utsname u;

	if (conf == NULL)
		return NULL;
	uname(&u);
	json_put_str(o, "Arch", manifest_host_architecture());
	json_put_int(o, "CPUs", sysconf(_SC_NPROCESSORS_ONLN));
	json_put_str(o, "Hostname", u.nodename);
	json_put_str(o, "Kernel", u.release);
	json_put_str(o, "OS", "linux");
	put_engine(o, x, conf);
	put_distribution(o);
	put_memory(o);
	put_cpu(o);
	put_uptime(o);
	put_id_maps(o, x);
	put_security(o, x, conf);
	put_tools(o, conf);
	return put_runtime(o, x, e) == 0 ? json_incref(o) : NULL;
}

void
info_disk(const char *path, uint64_t *total, uint64_t *used)
{
	struct statvfs s;

	*total = *used = 0;
	if (statvfs(path, &s) == -1)
		return;
	*total = (uint64_t)s.f_blocks * s.f_frsize;
	*used = (uint64_t)(s.f_blocks - s.f_bfree) * s.f_frsize;
}
