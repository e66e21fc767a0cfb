/* SPDX-License-Identifier: ISC */
/* config.json: pieces of what is written for typical records. */
// objs: pod-run/state/summary.o pod-run/oci/spec_config.o pod-run/oci/config_json.o pod-run/oci/config_linux.o
// objs: pod-run/oci/config_mounts.o pod-run/oci/config_process.o pod-run/oci/config_devices.o
// objs: pod-run/oci/spec_list.o pod-run/oci/spec_cap.o pod-run/oci/cgroup.o pod-run/oci/etc_files.o pod-run/oci/covered.o pod-run/oci/cdi.o pod-run/oci/hooks.o
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "pod-run/oci/config_json.h"
#include "pod-run/oci/spec_config.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct err error;
static struct rec_ctr_resources limits = {.pids_limit = 2048};
static const char *const caps[] = {"CAP_CHOWN", "CAP_KILL"};
static const char *words[] = {"sh", "-c", "x"};
static const char *path[] = {"PATH=/bin"};
static struct rec_ctr_config c;
static struct spec_facts f;
static json_t *config;

static void
setup(void)
{
	c = (struct rec_ctr_config){.command = {words, 3},
	    .env = {path, 1},
	    .workdir = "/",
	    .umask = "0022",
	    .caps = {(const char **)(uintptr_t)caps, 2},
	    .network_mode = "bridge",
	    .pid_ns = "private",
	    .ipc_ns = "shareable",
	    .uts_ns = "private",
	    .cgroup_ns = "host",
	    .user_ns = "host",
	    .cgroups = "enabled",
	    .cgroup_manager = "cgroupfs",
	    .shm_size = 65536000,
	    .stop_signal = "SIGTERM",
	    .resources = &limits};
	f = (struct spec_facts){.id = ID,
	    .name = "n",
	    .bundle = "/b",
	    .hostname = "h",
	    .netns = "/proc/self/fd/9",
	    .cgroup = CGROUP_V1,
	    .cgroup_usable = true,
	    .home = "/root"};
	limits = (struct rec_ctr_resources){.pids_limit = 2048};
}

static void
teardown(void)
{
	json_decref(config);
}

TestSuite(spec, .init = setup, .fini = teardown);

static int
build(void)
{
	own_strbuf struct strbuf b = {0};

	err_clear(&error);
	json_decref(config);
	config = NULL;
	if (spec_config_json(&c, &f, &b, &error) < 0)
		return -1;
	config = json_read(b.s, b.n, &error);
	cr_assert_not_null(config, "%s\n%s", error.text, b.s);
	return 0;
}

/* The value at a path as "linux.namespaces.0.type", as compact text. */
static const char *
at(const char *where)
{
	static char *text;
	own_mem char *copy = xstrdup(where);
	char *rest = copy;
	json_t *j = config;

	for (char *key; j != NULL && (key = strsep(&rest, ".")) != NULL;)
		j = json_is_array(j) ? json_array_get(j, strtoul(key, NULL, 10))
				     : json_object_get(j, key);
	free(text);
	text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	return text == NULL ? "absent" : text;
}

static json_t *
mount_at(const char *target)
{
	json_t *mounts = json_object_get(config, "mounts"), *m;
	size_t i;

	json_array_foreach (mounts, i, m)
		if (strcmp(json_string_value(json_object_get(m, "destination")), target) == 0)
			return m;
	return NULL;
}

static bool
mount_has(const char *target, const char *option)
{
	json_t *o;
	size_t i;

	json_array_foreach (json_object_get(mount_at(target), "options"), i, o)
		if (strcmp(json_string_value(o), option) == 0)
			return true;
	return false;
}

Test(spec, defaults)
{
	cr_assert_eq(build(), 0, "%s", error.text);
	cr_assert_str_eq(at("process.args"), "[\"sh\",\"-c\",\"x\"]");
	cr_assert_str_eq(at("process.env"), "[\"PATH=/bin\",\"HOSTNAME=h\",\"HOME=/root\"]");
	cr_assert_str_eq(at("process.user"), "{\"uid\":0,\"gid\":0,\"umask\":18}");
	cr_assert_str_eq(at("process.capabilities.effective"), "[\"CAP_CHOWN\",\"CAP_KILL\"]");
	cr_assert_str_eq(at("process.capabilities.inheritable"), "absent");
	cr_assert_str_eq(at("root"), "{\"path\":\"/b/rootfs\"}");
	cr_assert_str_eq(at("hostname"), "\"h\"");
	cr_assert_str_eq(at("linux.cgroupsPath"), "\"/libpod_parent/libpod-" ID "\"");
	cr_assert_str_eq(at("linux.resources"),
	    "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],\"pids\":{\"limit\":2048}}");
	cr_assert_str_eq(at("linux.namespaces"), "[{\"type\":\"pid\"},{\"type\":\"network\","
						 "\"path\":\"/proc/self/fd/9\"},{\"type\":\"ipc\"},"
						 "{\"type\":\"uts\"},{\"type\":\"mount\"}]");
	cr_assert_str_eq(at("linux.maskedPaths.0"), "\"/proc/acpi\"");
	cr_assert_str_eq(at("linux.readonlyPaths.4"), "\"/proc/sys\"");
	cr_assert_str_eq(at("mounts.0.destination"), "\"/dev\"");
	cr_assert(mount_has("/dev/pts", "gid=5"));
	cr_assert(mount_has("/sys", "ro") && mount_has("/sys/fs/cgroup", "ro"));
	cr_assert(mount_has("/dev/shm", "size=65536000"));
	cr_assert_not_null(mount_at("/etc/hosts"));
	cr_assert_str_eq(at("annotations"),
	    "{\"io.container.manager\":\"libpod\",\"org.opencontainers.image.stopSignal\":\"15\"}");
}

Test(spec, other_user_keeps_only_added_capabilities)
{
	static const struct rec_gid groups[] = {{.id = 7}, {.id = 9}};

	f.uid = 1000;
	f.gid = 100;
	f.groups = groups;
	f.groups_n = 2;
	c.cap_add = (struct strs){(const char *[]){"CAP_KILL"}, 1};
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("process.capabilities.bounding"), "[\"CAP_CHOWN\",\"CAP_KILL\"]");
	cr_assert_str_eq(at("process.capabilities.effective"), "[\"CAP_KILL\"]");
	cr_assert_str_eq(at("process.capabilities.ambient"), "[\"CAP_KILL\"]");
	cr_assert_str_eq(at("process.user.additionalGids"), "[7,9]");
	c.user = "1000";
	c.cap_add.n = 0;
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("process.capabilities.effective"), "[]");
	cr_assert_str_eq(at("process.user.additionalGids"), "[7,9,100]");
	cr_assert_str_eq(at("process.capabilities.ambient"), "absent");
}

Test(spec, privileged)
{
	c.privileged = true;
	cr_assert_eq(build(), 0, "%s", error.text);
	cr_assert_str_eq(at("linux.maskedPaths"), "absent");
	cr_assert_str_eq(at("linux.resources.devices.0"), "{\"allow\":true,\"access\":\"rwm\"}");
	cr_assert(mount_has("/sys", "rw"));
}

Test(spec, namespaces_of_the_host)
{
	c.pid_ns = c.ipc_ns = c.uts_ns = "host";
	c.network_mode = "host";
	f.rootless = true;
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.namespaces"), "[{\"type\":\"mount\"}]");
	cr_assert_str_eq(at("hostname"), "absent");
	cr_assert_str_eq(at("linux.resources.devices"), "absent", "an ordinary user has no rules");
	cr_assert(mount_has("/sys", "rbind"));
	cr_assert(mount_has("/proc", "rbind"));
	cr_assert(mount_has("/sys/fs/cgroup", "ro"));
}

Test(spec, no_cgroup_without_delegation)
{
	f.cgroup_usable = false;
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.cgroupsPath"), "absent");
	cr_assert_str_eq(at("linux.resources"), "absent");
}

Test(spec, systemd_scope)
{
	c.cgroup_manager = "systemd";
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.cgroupsPath"), "\"machine.slice:libpod:" ID "\"");
}

Test(spec, limits)
{
	limits = (struct rec_ctr_resources){.memory = 1048576,
	    .cpu_shares = 5,
	    .cpu_quota = 50000,
	    .cpu_period = 100000,
	    .cpuset_cpus = "0",
	    .swappiness = 1,
	    .pids_limit = -1};
	f.cgroup = CGROUP_V2;
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.resources.memory"), "{\"limit\":1048576,\"swappiness\":0}");
	cr_assert_str_eq(at("linux.resources.cpu"),
	    "{\"shares\":5,\"quota\":50000,\"period\":100000,\"cpus\":\"0\"}");
	cr_assert_str_eq(at("linux.resources.pids"), "absent");
}

Test(spec, user_mounts_replace_ours_and_are_ordered)
{
	struct rec_ctr_mount mounts[] = {
	    {.type = "tmpfs", .target = "/dev/shm", .options = {(const char *[]){"rw"}, 1}},
	    {.type = "volume", .source = "v", .target = "/a/b"},
	    {.type = "bind", .source = "/tmp", .target = "/run"},
	    {.type = "bind",
		.source = "/tmp",
		.target = "/etc/hosts",
		.options = {(const char *[]){"rslave"}, 1}}};
	const char *paths[] = {"/store/v"};

	c.mounts.v = mounts;
	c.mounts.n = 4;
	f.volume_paths = paths;
	f.volume_paths_n = 1;
	cr_assert_eq(build(), 0, "%s", error.text);
	cr_assert_eq(json_array_size(json_object_get(mount_at("/dev/shm"), "options")), 1);
	cr_assert_str_eq(
	    json_string_value(json_object_get(mount_at("/a/b"), "source")), "/store/v");
	cr_assert_str_eq(json_string_value(json_object_get(mount_at("/a/b"), "type")), "bind");
	cr_assert_str_eq(
	    json_string_value(json_object_get(mount_at("/etc/hosts"), "source")), "/tmp");
	cr_assert_null(mount_at("/run/.containerenv"), "/run is the user's");
	cr_assert_str_eq(at("linux.rootfsPropagation"), "\"rslave\"");
	mounts[2].source = "/nonexistent-path";
	cr_assert_eq(build(), -1);
	cr_assert_eq(strcmp(error.text, "statfs /nonexistent-path: no such file or directory"), 0,
	    "%s", error.text);
}

Test(spec, unmask)
{
	c.unmask = (struct strs){(const char *[]){"/proc/a*", "/proc/sys"}, 2};
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.maskedPaths.0"), "\"/proc/kcore\"");
	cr_assert_str_eq(at("linux.readonlyPaths.3"), "\"/proc/sysrq-trigger\"");
	c.unmask = (struct strs){(const char *[]){"ALL"}, 1};
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(at("linux.maskedPaths"), "[]");
}

Test(spec, hostile_strings_stay_strings)
{
	c.env = (struct strs){(const char *[]){"A=\"},{\n\x01\x7f\\", "B=\xff\xc3\xa4"}, 2};
	c.annotations.v = (struct rec_kv[]){{.key = "run.oci.seccomp_bpf_data", .value = "evil"}};
	c.annotations.n = 1;
	cr_assert_eq(build(), 0);
	cr_assert_str_eq(json_string_value(json_array_get(
			     json_object_get(json_object_get(config, "process"), "env"), 0)),
	    "A=\"},{\n\x01\x7f\\");
	cr_assert_str_eq(json_string_value(json_array_get(
			     json_object_get(json_object_get(config, "process"), "env"), 1)),
	    "B=\xef\xbf\xbd\xc3\xa4");
	cr_assert_str_eq(at("annotations.run"), "absent");
	cr_assert_null(
	    json_object_get(json_object_get(config, "annotations"), "run.oci.seccomp_bpf_data"));
}

Test(spec, devices)
{
	struct rec_ctr_device d[] = {{.source = "/dev/null", .target = "/dev/x", .access = "rw"}};

	c.devices.v = d;
	c.devices.n = 1;
	cr_assert_eq(build(), 0, "%s", error.text);
	cr_assert_str_eq(at("linux.resources.devices.1"),
	    "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rw\"}");
	cr_assert_str_eq(at("linux.devices.0.path"), "\"/dev/x\"");
	d[0].source = "/etc/passwd";
	cr_assert_eq(build(), -1);
	f.rootless = true;
	d[0].source = "/dev/null";
	cr_assert_eq(build(), 0);
	cr_assert_not_null(mount_at("/dev/x"));
}

Test(spec, exec)
{
	own_strbuf struct strbuf b = {0};
	const char *args[] = {"id"}, *env[] = {"PATH=/x"};
	struct spec_exec x = {.args = args,
	    .args_n = 1,
	    .env = env,
	    .env_n = 1,
	    .cwd = "/w",
	    .tty = true,
	    .uid = 5,
	    .gid = 6};

	cr_assert_eq(spec_config_exec_json(&c, &f, &x, &b, &error), 0);
	config = json_read(b.s, b.n, &error);
	cr_assert_not_null(config);
	cr_assert_str_eq(at("terminal"), "true");
	cr_assert_str_eq(at("env"), "[\"PATH=/x\",\"HOSTNAME=h\",\"TERM=xterm\",\"HOME=/\"]");
	cr_assert_str_eq(at("cwd"), "\"/w\"");
	cr_assert_str_eq(at("user.uid"), "5");
	cr_assert_str_eq(at("capabilities.effective"), "[]");
}
