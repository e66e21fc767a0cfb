/* SPDX-License-Identifier: ISC */
/* The options of create and run, from words to the record. */
// objs: pod-run/oci/spec_rows.o pod-run/oci/spec_health.o pod-run/oci/spec_logging.o pod-run/oci/spec_options.o pod-run/oci/spec_env.o
// objs: pod-run/oci/spec_list.o pod-run/oci/spec_cap.o pod-run/oci/spec_limits.o
// objs: pod-run/oci/spec_mounts.o pod-run/oci/spec_mount_opts.o pod-run/oci/spec_network.o
// objs: pod-run/oci/spec_ports.o pod-run/oci/spec_security.o pod-run/oci/cgroup.o
// objs: pod-run/oci/spec_userns.o pod-run/oci/spec_systemd.o pod-run/idmap.o
// objs: pod-run/oci/cdi.o pod-run/oci/selinux.o
// objs: pod-run/oci/spec_secret.o
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/oci/spec_env.h"
#include "pod-run/oci/spec_health.h"
#include "pod-run/oci/spec_mounts.h"
#include "pod-run/oci/spec_options.h"

static struct arena arena;
static struct containers_conf conf;
static struct err error;

/* The record borrows from the options, so they live until the next call. */
static struct spec_options o;
static const struct opt_group groups[] = {
    {spec_options_rows, 0}, {spec_health_rows, offsetof(struct spec_options, health)}, {NULL, 0}};

static const struct rec_image_config image_config = {
    .user = "7:8",
    .env = {(const char *[]){"PATH=/image", "A=image"}, 2},
    .entrypoint = {(const char *[]){"/entry"}, 1},
    .cmd = {(const char *[]){"default", "words"}, 2},
    .working_dir = "/work",
    .labels = {(struct rec_kv[]){{.key = "l", .value = "image"}, {.key = "z", .value = "i"}}, 2},
    .volumes = {(const char *[]){"/vol"}, 1},
    .exposed_ports = {(const char *[]){"80/tcp"}, 1},
    .stop_signal = "QUIT",
};

static const struct rec_image image = {
    .id = "aa",
    .names = {(const char *[]){"localhost/x:latest"}, 1},
    .config = (struct rec_image_config *)(uintptr_t)&image_config,
};

/* Parses the words (of which the first is the image) into *c; -1 with the global error. */
static int
read_words(struct rec_ctr_config *c, bool rootless, int argc, const char *const *argv)
{
	static const char *const env[] = {"HOST=1", "HOSTB=2", "HTTP_PROXY=p", "BAD=\xff", NULL};
	struct opt_parse p = {.local = groups, .local_opts = &o, .stop_at_operand = true};
	struct spec_defaults d = {.conf = &conf,
	    .runtime = "crun",
	    .cgroup_manager = "cgroupfs",
	    .rootless = rootless,
	    .uid = 1000,
	    .gid = 1000,
	    .uids = 65537,
	    .gids = 65537,
	    .cgroup_usable = !rootless,
	    .cwd = "/cwd",
	    .environ = env};
	struct spec_input in = {.o = &o, .d = &d};
	int rc;

	err_clear(&error);
	memset(c, 0, sizeof(*c));
	opt_free(groups, &o);
	memset(&o, 0, sizeof(o));
	opt_defaults(groups, &o);
	if (opt_parse(&p, argc, (char **)(uintptr_t)argv, &error) < 0) {
		opt_done(&p);
		return -1;
	}
	in.image = argv[p.rest];
	in.words = argv + p.rest + 1;
	in.words_n = (size_t)(argc - p.rest - 1);
	rc = spec_options_read(&in, c, &arena, &error);
	if (rc == 0)
		rc = spec_options_merge(&in, &image, c, &arena, &error);
	opt_done(&p);
	return rc;
}

#define READ(c, ...)                                                                          \
	read_words((c), false, sizeof((const char *[]){"run", __VA_ARGS__}) / sizeof(char *), \
	    (const char *[]){"run", __VA_ARGS__, NULL})
#define READ_USER(c, ...)                                                                    \
	read_words((c), true, sizeof((const char *[]){"run", __VA_ARGS__}) / sizeof(char *), \
	    (const char *[]){"run", __VA_ARGS__, NULL})

static bool
has(const struct strs *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

static void
setup(void)
{
	struct err e = {0};

	setenv("CONTAINERS_CONF", "/dev/null", 1);
	cr_assert_eq(containers_conf_load(&conf, 0, NULL, &e), 0, "%s", e.text);
}

static void
teardown(void)
{
	opt_free(groups, &o);
	containers_conf_free(&conf);
	arena_free(&arena);
}

TestSuite(options, .init = setup, .fini = teardown);

Test(options, image_fills_what_user_left)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "x"), 0, "%s", error.text);
	cr_assert_str_eq(c.entrypoint.v[0], "/entry");
	cr_assert_eq(c.command.n, 2);
	cr_assert_str_eq(c.user, "7:8");
	cr_assert_str_eq(c.workdir, "/work");
	cr_assert(c.make_workdir);
	cr_assert_str_eq(c.stop_signal, "SIGQUIT");
	cr_assert(has(&c.env, "PATH=/image"));
	cr_assert(has(&c.env, "HTTP_PROXY=p"));
	cr_assert_not(has(&c.env, "HOST=1"));
	cr_assert_eq(c.mounts.n, 1);
	cr_assert_str_eq(c.mounts.v[0].target, "/vol");
	cr_assert(c.mounts.v[0].anonymous);
	cr_assert_str_eq(c.network_mode, "bridge");
	cr_assert_eq(c.caps.n, 11);
	cr_assert_str_eq(c.caps.v[0], "CAP_CHOWN");
	cr_assert_eq(c.resources->pids_limit, 2048);
	cr_assert_eq(c.shm_size, 65536 * 1024);
	cr_assert_eq(c.stop_timeout_s, 10);
	cr_assert_eq(c.ports.n, 0);
}

Test(options, user_wins_over_image)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "-u", "root", "-w", "/a/../b", "-e", "A=user", "-e", "HOST*", "-l",
			 "l=user", "--stop-signal", "15", "x", "cmd"),
	    0, "%s", error.text);
	cr_assert_str_eq(c.user, "root");
	cr_assert_str_eq(c.workdir, "/b");
	cr_assert_not(c.make_workdir);
	cr_assert(has(&c.env, "A=user"));
	cr_assert(has(&c.env, "HOST=1") && has(&c.env, "HOSTB=2"));
	cr_assert_eq(c.command.n, 1);
	cr_assert_str_eq(c.labels.v[0].value, "user");
	cr_assert_str_eq(c.labels.v[1].value, "i");
	cr_assert_str_eq(c.stop_signal, "SIGTERM");
}

Test(options, entrypoint_forms)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "--entrypoint", "[\"a\",\"b c\"]", "x"), 0);
	cr_assert_eq(c.entrypoint.n, 2);
	cr_assert_str_eq(c.entrypoint.v[1], "b c");
	cr_assert_eq(c.command.n, 0, "the image's CMD is dropped");
	cr_assert_eq(READ(&c, "--entrypoint", "", "x", "w"), 0);
	cr_assert_eq(c.entrypoint.n, 0);
	cr_assert_eq(READ(&c, "--entrypoint", "", "x"), -1);
	cr_assert_str_eq(
	    error.text, "no command or entrypoint provided, and no CMD or ENTRYPOINT from image");
	cr_assert_eq(READ(&c, "--entrypoint", "[broken", "x"), 0);
	cr_assert_str_eq(c.entrypoint.v[0], "[broken");
}

Test(options, environment_templates_and_removal)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "--env-merge", "PATH=${PATH}:/more", "--unsetenv", "A", "x"), 0);
	cr_assert(has(&c.env, "PATH=/image:/more"));
	cr_assert_not(has(&c.env, "A=image"));
	cr_assert_eq(READ(&c, "--unsetenv-all", "-e", "Q=1", "x"), 0);
	cr_assert_eq(c.env.n, 1);
	cr_assert_eq(READ(&c, "--env-host", "x"), 0);
	cr_assert(has(&c.env, "HOST=1"));
	for (size_t i = 0; i < c.env.n; i++)
		cr_assert_neq(strncmp(c.env.v[i], "BAD=", 4), 0, "bytes that are not UTF-8");
}

struct port_case {
	const char *word;
	const char *ip;
	uint64_t host, container, range;
	const char *protocol, *error;
};

Test(options, publish)
{
	static const struct port_case cases[] = {
	    {"80", NULL, 0, 80, 1, "tcp", NULL},
	    {"8080:80/udp", NULL, 8080, 80, 1, "udp", NULL},
	    {"127.0.0.1::80", "127.0.0.1", 0, 80, 1, "tcp", NULL},
	    {"0.0.0.0:1-3:11-13", NULL, 1, 11, 3, "tcp", NULL},
	    {"[::1]:5:6/SCTP", "::1", 5, 6, 1, "sctp", NULL},
	    {"1-2:3", NULL, 0, 0, 0, NULL,
		"host and container port ranges have different lengths: 2 vs 1"},
	    {"0:80", NULL, 0, 0, 0, NULL,
		"parsing host port: port numbers must be between 1 and 65535 (inclusive), got 0"},
	    {"70000", NULL, 0, 0, 0, NULL,
		"parsing container port: port numbers must be between 1 and 65535 (inclusive), got "
		"70000"},
	    {"x:1:2", NULL, 0, 0, 0, NULL, "cannot parse \"x\" as an IP address"},
	    {"1:", NULL, 0, 0, 0, NULL, "must provide a non-empty container port to publish"},
	    {"1:2:3:4", NULL, 0, 0, 0, NULL,
		"invalid port format - format is [[hostIP:]hostPort:]containerPort"},
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		const struct port_case *t = &cases[i];
		struct rec_ctr_config c;
		int rc = READ(&c, "-p", t->word, "x");

		if (t->error != NULL) {
			cr_assert_eq(rc, -1, "%s", t->word);
			cr_assert_str_eq(error.text, t->error);
			continue;
		}
		cr_assert_eq(rc, 0, "%s: %s", t->word, error.text);
		cr_assert_eq(c.ports.v[0].host_port, t->host);
		cr_assert_eq(c.ports.v[0].container_port, t->container);
		cr_assert_eq(c.ports.v[0].range, t->range);
		cr_assert_str_eq(c.ports.v[0].protocol, t->protocol);
		cr_assert(t->ip == NULL ? c.ports.v[0].host_ip == NULL
					: strcmp(c.ports.v[0].host_ip, t->ip) == 0);
	}
}

Test(options, publish_all_takes_exposed_ports_once)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "-P", "-p", "9:80", "--expose", "90-91/udp", "x"), 0);
	cr_assert_eq(c.ports.n, 3);
	cr_assert_eq(c.ports.v[1].container_port, 90);
	cr_assert_eq(c.ports.v[1].host_port, 0);
	cr_assert_eq(READ(&c, "-p", "80:1", "-p", "79-81:2-4", "x"), -1);
	cr_assert_str_eq(error.text, "conflicting port mappings for host port 80 (protocol tcp)");
}

Test(options, publishing_the_same_twice_is_publishing_it_once)
{
	struct rec_ctr_config c;

	cr_assert_eq(
	    READ(&c, "-p", "9:80", "-p", "9:80", "-p", "80", "-p", "80", "x"), 0, "%s", error.text);
	cr_assert_eq(c.ports.n, 2);
	cr_assert_eq(
	    READ(&c, "-p", "80-85:10-15", "-p", "90-95:20-25", "-p", "84-91:14-21", "x"), 0);
	cr_assert_eq(c.ports.n, 1);
	cr_assert_eq(c.ports.v[0].host_port, 80);
	cr_assert_eq(c.ports.v[0].container_port, 10);
	cr_assert_eq(c.ports.v[0].range, 16);
	cr_assert_eq(READ(&c, "-p", "0.0.0.0:9:80", "-p", "9:80", "x"), 0);
	cr_assert_eq(c.ports.n, 1);
	cr_assert_null(c.ports.v[0].host_ip);
	cr_assert_eq(READ(&c, "-p", "9:80", "-p", "9:80/udp", "-p", "80", "x"), 0);
	cr_assert_eq(c.ports.n, 3);
	cr_assert_eq(READ(&c, "-p", "80-85:80-85", "-p", "83:84", "x"), -1);
	cr_assert_eq(READ(&c, "-p", "127.0.0.1:9:80", "-p", "9:80", "x"), -1);
}

Test(options, volumes)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "-v", "/tmp:/a/b:ro,z", "-v", "named:/a", "-v", "/anon", "--tmpfs",
			 "/t:size=1m", "--mount", "type=bind,src=/,dst=/root,ro=true", "x"),
	    0, "%s", error.text);
	cr_assert_eq(c.mounts.n, 6);
	cr_assert_str_eq(c.mounts.v[0].target, "/a", "parents come first");
	cr_assert_str_eq(c.mounts.v[0].type, "volume");
	cr_assert_str_eq(c.mounts.v[5].target, "/a/b");
	cr_assert_str_eq(c.mounts.v[5].relabel, "shared");
	cr_assert(has(&c.mounts.v[5].options, "ro"));
	cr_assert(has(&c.mounts.v[5].options, "rbind"));
	cr_assert(has(&c.mounts.v[5].options, "rprivate"));
	cr_assert_not(has(&c.mounts.v[5].options, "rw"));
	for (size_t i = 0; i < c.mounts.n; i++)
		if (strcmp(c.mounts.v[i].type, "tmpfs") == 0) {
			cr_assert(has(&c.mounts.v[i].options, "tmpcopyup"));
			cr_assert(has(&c.mounts.v[i].options, "nosuid"));
			cr_assert(has(&c.mounts.v[i].options, "size=1m"));
		}
}

Test(options, bad_mounts)
{
	static const char *const cases[][3] = {
	    {"-v", "/tmp:/a:ro,rw",
		"invalid options \"ro, rw\", can only specify 1 'rw' or 'ro' option"},
	    {"-v", "/tmp:/a:nonsense", "invalid option type \"nonsense\""},
	    {"-v", "/tmp:rel", "invalid container path \"rel\", must be an absolute path"},
	    {"-v", ":/a", "host directory cannot be empty"},
	    {"-v", "/nonexistent-path:/a", "statfs /nonexistent-path: no such file or directory"},
	    {"-v", "/a:/b:ro:x",
		"/a:/b:ro:x: incorrect volume format, should be [host-dir:]ctr-dir[:option]"},
	    {"--mount", "type=nosuch,dst=/a", "invalid filesystem type \"nosuch\""},
	    {"--mount", "type=tmpfs", "must set volume destination"},
	    {"--mount", "type=tmpfs,src=/x,dst=/a", "source is not supported with tmpfs mounts"},
	    {"-v", "/tmp:/", "invalid container path \"/\", cannot be the root of the container"},
	    {"-v", "/tmp:/a:O,ro", "can't use 'O' with other options"},
	    {"-v", "/tmp:/a:O,Z",
		"invalid options \"O, Z\", can only specify 1 'z', 'Z', or 'O' option"},
	    {"-v", "/tmp:/a:O,upperdir=/x", "must set both `upperdir` and `workdir`"},
	};
	struct rec_ctr_config c;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		cr_assert_eq(READ(&c, cases[i][0], cases[i][1], "x"), -1, "%s", cases[i][1]);
		cr_expect(
		    strcasecmp(error.text, cases[i][2]) == 0, "%s: %s", cases[i][1], error.text);
	}
	cr_assert_eq(READ(&c, "-v", "/tmp:/a", "--tmpfs", "/a/", "x"), -1);
	cr_assert_str_eq(error.text, "/a: duplicate mount destination");
}

Test(options, read_only_root_gets_tmpfs)
{
	struct rec_ctr_config c;
	size_t implied = 0;

	cr_assert_eq(READ(&c, "--read-only", "-v", "/tmp:/run", "x"), 0);
	for (size_t i = 0; i < c.mounts.n; i++)
		implied += c.mounts.v[i].implied;
	cr_assert_eq(implied, 2, "/run is the user's");
	cr_assert_eq(READ(&c, "--read-only", "--read-only-tmpfs=false", "x"), 0);
	for (size_t i = 0; i < c.mounts.n; i++)
		cr_assert_not(c.mounts.v[i].implied);
}

Test(options, limits)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "-m", "64m", "--cpus", ".5", "--pids-limit", "-1", "--ulimit",
			 "nofile=10:20", "--sysctl", "net.ipv4.ip_forward=1", "x"),
	    0, "%s", error.text);
	cr_assert_eq(c.resources->memory, 67108864);
	cr_assert_eq(c.resources->memory_swap, 134217728);
	cr_assert_eq(c.resources->cpu_quota, 50000);
	cr_assert_eq(c.resources->cpu_period, 100000);
	cr_assert_eq(c.resources->pids_limit, -1);
	cr_assert_str_eq(c.rlimits.v[0].type, "RLIMIT_NOFILE");
	cr_assert_eq(c.rlimits.v[0].hard, 20);
	cr_assert_eq(c.sysctls.n, 2);
}

Test(options, bad_values)
{
	static const char *const cases[][3] = {
	    {"--memory-swap", "1m",
		"you should always set a memory limit when using a memoryswap limit, see usage"},
	    {"--ulimit", "nofile=9:3",
		"ulimit option \"nofile=9:3\" requires name=SOFT:HARD, failed to be parsed: ulimit "
		"soft limit must be less than or equal to hard limit: 9 > 3"},
	    {"--sysctl", "kernel.core_pattern=|/x", "sysctl 'kernel.core_pattern' is not allowed"},
	    {"--sysctl", "net.a/../../kernel/x=1", "sysctl 'net.a/../../kernel/x' is not allowed"},
	    {"--restart", "sometimes",
		"running container create option: \"sometimes\" is not a valid restart policy: "
		"invalid argument"},
	    {"--restart", "always:3",
		"restart policy retries can only be specified with on-failure restart policy"},
	    {"--cap-add", "nosuch", "\"CAP_NOSUCH\": unknown capability"},
	    {"--user-ns", "x", "unknown flag: --user-ns"},
	    {"--userns", "auto:foo", "invalid option specified: \"foo\""},
	    {"--userns", "auto:size=x", "strconv.ParseUint: parsing \"x\": invalid syntax"},
	    {"--name", "-bad",
		"running container create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: "
		"invalid argument"},
	    {"--workdir", "rel",
		"the working directory \"rel\" is invalid, it needs to be an absolute path"},
	    {"--workdir", "/proc/self/fd/7",
		"the working directory \"/proc/self/fd/7\" is invalid: it names a file descriptor"},
	    {"--stop-signal", "FOO", "invalid signal: FOO"},
	    {"--add-host", "nocolon", "bad format for add-host: \"nocolon\""},
	    {"--add-host", "a:300.1.1.1", "invalid IP address in add-host: \"300.1.1.1\""},
	    {"--dns", "x", "x is not an ip address"},
	    {"--umask", "99",
		"running container create option: invalid umask string 99: invalid argument"},
	    {"--tz", "../../etc/shadow",
		"running container create option: finding timezone: unknown time zone "
		"../../etc/shadow"},
	    {"--cpu-period", "1",
		"CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. "
		"1000000)"},
	    {"--cpu-quota", "1", "CPU cfs quota cannot be less than 1ms (i.e. 1000)"},
	    {"--cpus", "0.001", "CPU cfs quota cannot be less than 1ms (i.e. 1000)"},
	    {"--sysctl", "kernel.domainname=x", "sysctl 'kernel.domainname' is not allowed"},
	    {"--pull", "maybe", "unsupported pull policy \"maybe\""},
	    {"--env", "=x", "invalid environment variable: \"=x\""},
	    {"--attach", "foo",
		"invalid stream \"foo\" for --attach - must be one of stdin, stdout, or stderr: "
		"invalid argument"},
	    {"--log-driver", "journal", "invalid log driver \"journal\": invalid argument"},
	    {"--security-opt", "nosuch=1", "invalid --security-opt 2: \"nosuch=1\""},
	};
	struct rec_ctr_config c;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		cr_expect_eq(
		    READ(&c, cases[i][0], cases[i][1], "x"), -1, "%s %s", cases[i][0], cases[i][1]);
		cr_expect_str_eq(error.text, cases[i][2]);
	}
	cr_assert_eq(READ(&c, "--rm", "--restart", "always", "x"), -1);
	cr_assert_eq(READ(&c, "-e", "A=\xff", "x"), -1);
}

Test(options, networks)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "--network", "n1:ip=10.0.0.5,alias=a,interface_name=net0",
			 "--network", "n2", "x"),
	    0, "%s", error.text);
	cr_assert_eq(c.networks.n, 2);
	cr_assert_str_eq(c.networks.v[0].static_ips.v[0], "10.0.0.5");
	cr_assert_str_eq(c.networks.v[0].interface, "net0");
	cr_assert_eq(READ(&c, "--network", "host", "--network", "n2", "x"), -1);
	cr_assert_eq(READ(&c, "--ip", "10.88.0.9", "x"), 0);
	cr_assert_str_eq(c.networks.v[0].network, "podman");
	cr_assert_eq(READ(&c, "--network", "none", "--ip", "10.88.0.9", "x"), -1);
	cr_assert_eq(READ(&c, "--network", "container:other", "x"), 0);
	cr_assert_str_eq(c.network_mode, "container:other");
	cr_assert_eq(READ(&c, "--mac-address", "92:d0:c6:0a:29:33", "x"), 0, "%s", error.text);
	cr_assert_eq(READ(&c, "--mac-address", "92:d0:c6:0a:29", "x"), -1);
}

Test(options, ordinary_user)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ_USER(&c, "--userns", "keep-id", "x"), 0, "%s", error.text);
	cr_assert_str_eq(c.network_mode, "pasta");
	cr_assert_str_eq(c.user, "1000:1000");
	cr_assert_eq(c.uid_map.n, 3);
	cr_assert_eq(c.uid_map.v[0].outside, 1);
	cr_assert_eq(c.uid_map.v[0].count, 1000);
	cr_assert_eq(c.uid_map.v[1].inside, 1000);
	cr_assert_eq(c.uid_map.v[1].outside, 0);
	cr_assert_eq(c.uid_map.v[2].inside, 1001);
	cr_assert_eq(c.uid_map.v[2].count, 65537 - 1001);
}

Test(options, capabilities)
{
	struct rec_ctr_config c;

	cr_assert_eq(READ(&c, "--cap-drop", "all", "--cap-add", "net_raw", "x"), 0);
	cr_assert_eq(c.caps.n, 1);
	cr_assert_str_eq(c.caps.v[0], "CAP_NET_RAW");
	cr_assert_eq(READ(&c, "--cap-drop", "CAP_CHOWN", "x"), 0);
	cr_assert_eq(c.caps.n, 10);
	cr_assert_eq(READ(&c, "--cap-add", "chown", "--cap-drop", "chown", "x"), -1);
	cr_assert_str_eq(error.text, "capability \"CAP_CHOWN\" cannot be dropped and added");
}

Test(options, clean_paths)
{
	static const char *const cases[][2] = {{"/a/./b//c/", "/a/b/c"}, {"/../x", "/x"},
	    {"/a/../..", "/"}, {"a/../..", ".."}, {"a/..", "."}, {"", "."}};

	for (size_t i = 0; i < COUNTOF(cases); i++)
		cr_expect_str_eq(spec_mounts_clean(cases[i][0], &arena), cases[i][1]);
}
