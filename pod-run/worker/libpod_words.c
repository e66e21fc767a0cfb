/* SPDX-License-Identifier: ISC */
#include "pod-run/worker/libpod_words.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"

#define SHORT_ID 12

struct dump {
	const json_t *config, *spec;
	struct strv *out, *entrypoint;
};

static const char *
text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL && *s != '\0' ? s : NULL;
}

static void
word(const struct dump *d, const char *option, const char *value)
{
	strv_addf(d->out, "--%s=%s", option, value);
}

/* --- Plain members ------------------------------------------------------------------------------*/

static const struct {
	const char *key, *option;
} strings[] = {{"user", "user"}, {"timezone", "tz"}, {"umask", "umask"},
    {"sdnotifyMode", "sdnotify"}, {"logDriver", "log-driver"}};

static const struct {
	const char *key, *option, *prefix;
} lists[] = {{"groups", "group-add", ""}, {"dnsServer", "dns", ""}, {"dnsSearch", "dns-search", ""},
    {"dnsOption", "dns-option", ""}, {"hostsAdd", "add-host", ""},
    {"labelopts", "security-opt", "label="}, {"host_users", "hostuser", ""},
    {"chroot_directories", "chrootdirs", ""}};

static const struct {
	const char *key, *option;
} numbers[] = {{"stopSignal", "stop-signal"}, {"stopTimeout", "stop-timeout"},
    {"timeout", "timeout"}, {"shmSize", "shm-size"}};

static const struct {
	const char *path[2], *option;
} limits[] = {{{"cpu", "shares"}, "cpu-shares"}, {{"cpu", "quota"}, "cpu-quota"},
    {{"cpu", "period"}, "cpu-period"}, {{"cpu", "realtimeRuntime"}, "cpu-rt-runtime"},
    {{"cpu", "realtimePeriod"}, "cpu-rt-period"}, {{"cpu", "cpus"}, "cpuset-cpus"},
    {{"cpu", "mems"}, "cpuset-mems"}, {{"memory", "limit"}, "memory"},
    {{"memory", "reservation"}, "memory-reservation"}, {{"memory", "swap"}, "memory-swap"},
    {{"memory", "swappiness"}, "memory-swappiness"}, {{"pids", "limit"}, "pids-limit"},
    {{"blockIO", "weight"}, "blkio-weight"}};

static void
number(const struct dump *d, const char *option, const json_t *v)
{
	if (!json_is_integer(v))
		return;
	strv_addf(d->out, "--%s=%" JSON_INTEGER_FORMAT, option, json_integer_value(v));
}

static void
add_plain(const struct dump *d)
{
	const json_t *resources = json_object_get(json_object_get(d->spec, "linux"), "resources");
	const json_t *v;
	size_t k;

	for (size_t i = 0; i < COUNTOF(strings); i++)
		if (text(d->config, strings[i].key) != NULL)
			word(d, strings[i].option, text(d->config, strings[i].key));
	for (size_t i = 0; i < COUNTOF(lists); i++)
		json_array_foreach (json_object_get(d->config, lists[i].key), k, v)
			if (json_is_string(v))
				strv_addf(d->out, "--%s=%s%s", lists[i].option, lists[i].prefix,
				    json_string_value(v));
	for (size_t i = 0; i < COUNTOF(numbers); i++) {
		v = json_object_get(d->config, numbers[i].key);
		if (json_integer_value(v) > 0)
			number(d, numbers[i].option, v);
	}
	for (size_t i = 0; i < COUNTOF(limits); i++) {
		v = json_object_get(
		    json_object_get(resources, limits[i].path[0]), limits[i].path[1]);
		if (json_is_string(v) && json_string_length(v) > 0)
			word(d, limits[i].option, json_string_value(v));
		number(d, limits[i].option, v);
	}
}

/* Objects whose values are strings; what the engine puts there by itself is left out. */
static void
add_maps(const struct dump *d)
{
	static const char *const ours[] = {"io.container.", "io.kubernetes.cri-o.",
	    "io.podman.annotations.", "org.opencontainers.image.stopSignal"};
	json_t *linux_part = json_object_get(d->spec, "linux");
	const char *key;
	json_t *v;

	json_object_foreach (json_object_get(d->config, "labels"), key, v)
		if (json_is_string(v))
			strv_addf(d->out, "--label=%s=%s", key, json_string_value(v));
	json_object_foreach (json_object_get(linux_part, "sysctl"), key, v)
		if (json_is_string(v) && strcmp(key, "net.ipv4.ping_group_range") != 0)
			strv_addf(d->out, "--sysctl=%s=%s", key, json_string_value(v));
	json_object_foreach (
	    json_object_get(json_object_get(linux_part, "resources"), "unified"), key, v)
		if (json_is_string(v))
			strv_addf(d->out, "--cgroup-conf=%s=%s", key, json_string_value(v));
	json_object_foreach (json_object_get(d->spec, "annotations"), key, v) {
		bool own = false;

		for (size_t i = 0; i < COUNTOF(ours); i++)
			own = own || text_has_prefix(key, ours[i]);
		if (!own && json_is_string(v))
			strv_addf(d->out, "--annotation=%s=%s", key, json_string_value(v));
	}
}

/* --- Process and rights -------------------------------------------------------------------------*/

static bool
annotated(const struct dump *d, const char *name)
{
	own_mem char *key = xasprintf("io.podman.annotations.%s", name);
	const char *v = text(json_object_get(d->spec, "annotations"), key);

	return v != NULL && strcmp(v, "TRUE") == 0;
}

static void
add_process(const struct dump *d)
{
	const json_t *p = json_object_get(d->spec, "process");
	const char *id = text(d->config, "id"), *policy = text(d->config, "restart_policy");
	const json_t *v;
	size_t k;

	if (json_is_true(json_object_get(p, "terminal")))
		strv_add(d->out, "--tty");
	if (json_is_true(json_object_get(d->config, "stdin")))
		strv_add(d->out, "--interactive");
	if (annotated(d, "init"))
		strv_add(d->out, "--init");
	if (annotated(d, "autoremove"))
		strv_add(d->out, "--rm");
	else if (policy != NULL && strcmp(policy, "on-failure") == 0)
		strv_addf(d->out, "--restart=on-failure:%" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(d->config, "restart_retries")));
	else if (policy != NULL)
		word(d, "restart", policy);
	if (json_is_true(json_object_get(d->config, "systemd")))
		strv_add(d->out, "--systemd=always");
	if (text(p, "cwd") != NULL)
		word(d, "workdir", text(p, "cwd"));
	number(d, "oom-score-adj", json_object_get(p, "oomScoreAdj"));
	strv_add(d->out, "--http-proxy=false");
	strv_add(d->out, "--unsetenv-all");
	json_array_foreach (json_object_get(p, "env"), k, v) {
		const char *s = json_string_value(v);

		/* One that was made of the ID is made again. */
		if (s != NULL && !(text_has_prefix(s, "HOSTNAME=") && id != NULL &&
				     strncmp(s + strlen("HOSTNAME="), id, SHORT_ID) == 0))
			word(d, "env", s);
	}
}

static void
add_rlimits(const struct dump *d)
{
	const json_t *l = json_object_get(json_object_get(d->spec, "process"), "rlimits"), *v;
	size_t k;

	json_array_foreach (l, k, v) {
		own_mem char *name = NULL;
		const char *type = text(v, "type");

		if (type == NULL || !text_has_prefix(type, "RLIMIT_"))
			continue;
		name = xstrdup(type + strlen("RLIMIT_"));
		for (char *c = name; *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
		strv_addf(d->out, "--ulimit=%s=%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
		    name, json_integer_value(json_object_get(v, "soft")),
		    json_integer_value(json_object_get(v, "hard")));
	}
}

static void
add_rights(const struct dump *d)
{
	const json_t *p = json_object_get(d->spec, "process");
	const json_t *l = json_object_get(d->spec, "linux"), *v;
	bool privileged = json_is_true(json_object_get(d->config, "privileged"));
	size_t k;

	if (privileged)
		strv_add(d->out, "--privileged");
	else
		strv_add(d->out, "--cap-drop=all");
	json_array_foreach (json_object_get(json_object_get(p, "capabilities"), "bounding"), k, v)
		if (!privileged && json_is_string(v))
			word(d, "cap-add", json_string_value(v));
	if (json_is_true(json_object_get(p, "noNewPrivileges")))
		strv_add(d->out, "--security-opt=no-new-privileges");
	if (text(p, "apparmorProfile") != NULL)
		strv_addf(d->out, "--security-opt=apparmor=%s", text(p, "apparmorProfile"));
	if (!privileged && !json_is_object(json_object_get(l, "seccomp")))
		strv_add(d->out, "--security-opt=seccomp=unconfined");
	if (!privileged && json_array_size(json_object_get(l, "maskedPaths")) == 0)
		strv_add(d->out, "--security-opt=unmask=ALL");
	/* Masking a path twice does no harm; these may be the user's own. */
	json_array_foreach (json_object_get(l, "maskedPaths"), k, v)
		if (!privileged && json_is_string(v))
			strv_addf(d->out, "--security-opt=mask=%s", json_string_value(v));
	if (json_is_true(json_object_get(json_object_get(d->spec, "root"), "readonly"))) {
		strv_add(d->out, "--read-only");
		strv_add(d->out, "--read-only-tmpfs=false");
	}
	json_array_foreach (json_object_get(d->config, "device_host_src"), k, v)
		if (text(v, "path") != NULL)
			word(d, "device", text(v, "path"));
}

/* --- Namespaces and network ---------------------------------------------------------------------*/

static const json_t *
namespace_of(const struct dump *d, const char *type)
{
	const json_t *l = json_object_get(json_object_get(d->spec, "linux"), "namespaces"), *v;
	size_t k;

	json_array_foreach (l, k, v)
		if (text(v, "type") != NULL && strcmp(text(v, "type"), type) == 0)
			return v;
	return NULL;
}

static int
add_namespaces(const struct dump *d, struct err *e)
{
	static const struct {
		const char *type, *option;
	} types[] = {{"pid", "pid"}, {"ipc", "ipc"}, {"uts", "uts"}, {"cgroup", "cgroupns"}};
	const char *host = text(d->spec, "hostname"), *id = text(d->config, "id");
	static const char *const maps[][2] = {{"uidMappings", "uidmap"}, {"gidMappings", "gidmap"}};
	const json_t *v;
	size_t k;

	for (size_t i = 0; i < COUNTOF(types); i++) {
		const json_t *n = namespace_of(d, types[i].type);

		if (text(n, "path") != NULL)
			return err_set(e, ERR_UNSUPPORTED,
			    "the container shares its %s namespace: nothing here is the same one",
			    types[i].type);
		word(d, types[i].option, n != NULL ? "private" : "host");
	}
	if (host != NULL && namespace_of(d, "uts") != NULL &&
	    (id == NULL || strncmp(host, id, SHORT_ID) != 0))
		word(d, "hostname", host);
	for (size_t i = 0; i < COUNTOF(maps) && namespace_of(d, "user") != NULL; i++)
		json_array_foreach (
		    json_object_get(json_object_get(d->spec, "linux"), maps[i][0]), k, v)
			strv_addf(d->out,
			    "--%s=%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT
			    ":%" JSON_INTEGER_FORMAT,
			    maps[i][1], json_integer_value(json_object_get(v, "containerID")),
			    json_integer_value(json_object_get(v, "hostID")),
			    json_integer_value(json_object_get(v, "size")));
	return 0;
}

/* NAME:ip=…,mac=…,alias=…,interface_name=… */
static void
add_attachment(const struct dump *d, const char *name, const json_t *o)
{
	own_strbuf struct strbuf b = {0};
	const json_t *v;
	char sep = ':';
	size_t k;

	strbuf_add(&b, name);
	json_array_foreach (json_object_get(o, "static_ips"), k, v)
		if (json_is_string(v)) {
			strbuf_addf(&b, "%cip=%s", sep, json_string_value(v));
			sep = ',';
		}
	json_array_foreach (json_object_get(o, "aliases"), k, v) {
		const char *id = text(d->config, "id"), *s = json_string_value(v);

		if (s == NULL || (id != NULL && strncmp(s, id, SHORT_ID) == 0))
			continue;
		strbuf_addf(&b, "%calias=%s", sep, s);
		sep = ',';
	}
	if (text(o, "static_mac") != NULL) {
		strbuf_addf(&b, "%cmac=%s", sep, text(o, "static_mac"));
		sep = ',';
	}
	if (text(o, "interface_name") != NULL)
		strbuf_addf(&b, "%cinterface_name=%s", sep, text(o, "interface_name"));
	word(d, "network", b.s);
}

/* "8080", or "8080-8083" */
static void
add_range(struct strbuf *b, json_int_t first, json_int_t n)
{
	strbuf_addf(b, "%d", (int)first);
	if (n > 1)
		strbuf_addf(b, "-%d", (int)(first + n - 1));
}

static void
add_ports(const struct dump *d)
{
	const json_t *v;
	json_t *protocols;
	const char *port;
	size_t k;

	json_array_foreach (json_object_get(d->config, "newPortMappings"), k, v) {
		json_int_t host = json_integer_value(json_object_get(v, "host_port"));
		json_int_t inside = json_integer_value(json_object_get(v, "container_port"));
		json_int_t n = json_integer_value(json_object_get(v, "range"));
		const char *ip = text(v, "host_ip"), *protocol = text(v, "protocol");
		own_strbuf struct strbuf b = {0};

		if (host < 0 || host > 65535 || inside < 0 || inside > 65535 || n < 0 || n > 65535)
			continue;
		if (ip != NULL)
			strbuf_addf(&b, strchr(ip, ':') != NULL ? "[%s]:" : "%s:", ip);
		add_range(&b, host, n);
		strbuf_addc(&b, ':');
		add_range(&b, inside, n);
		strbuf_addf(&b, "/%s", protocol != NULL ? protocol : "tcp");
		word(d, "publish", b.s);
	}
	json_object_foreach (json_object_get(d->config, "exposedPorts"), port, protocols)
		json_array_foreach (protocols, k, v)
			if (json_is_string(v))
				strv_addf(d->out, "--expose=%s/%s", port, json_string_value(v));
}

static int
add_network(const struct dump *d, struct err *e)
{
	const char *mode = text(d->config, "networkMode"), *name;
	json_t *networks = json_object_get(d->config, "newNetworks"), *o;

	if (json_is_true(json_object_get(d->config, "UseImageHosts")))
		strv_add(d->out, "--no-hosts");
	if (json_is_true(json_object_get(d->config, "UseImageResolvConf")))
		strv_add(d->out, "--dns=none");
	if (!json_is_true(json_object_get(d->config, "createNetNS"))) {
		const json_t *n = namespace_of(d, "network");

		if (text(n, "path") != NULL)
			return err_set(e, ERR_UNSUPPORTED,
			    "the container shares its network namespace: nothing here is the same "
			    "one");
		word(d, "network", n != NULL ? "none" : "host");
		return 0;
	}
	json_object_foreach (networks, name, o)
		add_attachment(d, name, o);
	if (json_object_size(networks) == 0)
		word(d, "network", mode != NULL ? mode : "bridge");
	add_ports(d);
	return 0;
}

/* --- Mounts -------------------------------------------------------------------------------------*/

/* One word of --volume cannot name a path with a colon. */
static int
add_volume(const struct dump *d, const char *source, const char *target, const json_t *options,
    const char *more, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	const json_t *v;
	size_t k;

	if (source == NULL || target == NULL || strchr(source, ':') != NULL ||
	    strchr(target, ':') != NULL)
		return err_set(e, ERR_UNSUPPORTED, "the mount of \"%s\" cannot be taken over",
		    target != NULL ? target : "");
	strbuf_addf(&b, "%s:%s:%s", source, target, more);
	json_array_foreach (options, k, v)
		if (json_is_string(v) && strcmp(json_string_value(v), more) != 0)
			strbuf_addf(
			    &b, "%s%s", b.s[b.n - 1] == ':' ? "" : ",", json_string_value(v));
	if (b.s[b.n - 1] == ':')
		strbuf_add(&b, "rw");
	word(d, "volume", b.s);
	return 0;
}

static int
add_named(const struct dump *d, struct err *e)
{
	const json_t *v;
	size_t k;

	json_array_foreach (json_object_get(d->config, "namedVolumes"), k, v)
		if (add_volume(d, text(v, "volumeName"), text(v, "dest"),
			json_object_get(v, "options"), "", e) == -1)
			return -1;
	json_array_foreach (json_object_get(d->config, "overlayVolumes"), k, v)
		if (add_volume(d, text(v, "source"), text(v, "dest"), json_object_get(v, "options"),
			"O", e) == -1)
			return -1;
	json_array_foreach (json_object_get(d->config, "ctrImageVolumes"), k, v) {
		strv_addf(d->out, "--mount=type=image,source=%s,destination=%s,rw=%s",
		    text(v, "source") != NULL ? text(v, "source") : "",
		    text(v, "dest") != NULL ? text(v, "dest") : "",
		    json_is_true(json_object_get(v, "rw")) ? "true" : "false");
	}
	return 0;
}

static bool
is_listed(const json_t *list, const char *target)
{
	const json_t *v;
	size_t k;

	json_array_foreach (list, k, v)
		if (text(v, "dest") != NULL && strcmp(text(v, "dest"), target) == 0)
			return true;
	return false;
}

/* path lies in the directory of the file whose name is at key, or in that directory itself. */
static bool
is_below(const struct dump *d, const char *key, bool file, const char *path)
{
	const char *dir = text(d->config, key), *end;
	size_t n;

	if (dir == NULL || (file && strrchr(dir, '/') == NULL))
		return false;
	end = file ? strrchr(dir, '/') : dir + strlen(dir);
	n = (size_t)(end - dir);
	return n > 1 && strncmp(dir, path, n) == 0 && path[n] == '/';
}

/* Podman made it for this container, as we shall for ours. */
static bool
is_engines(const struct dump *d, const char *type, const char *source, const char *target)
{
	static const char *const targets[] = {
	    "/dev", "/dev/shm", "/proc", "/sys", "/run/podman-init"};
	static const char *const systemd[] = {"/run", "/run/lock", "/tmp", "/var/log/journal"};

	for (size_t i = 0; i < COUNTOF(targets); i++)
		if (strcmp(target, targets[i]) == 0)
			return true;
	for (size_t i = 0; i < COUNTOF(systemd); i++)
		if (strcmp(target, systemd[i]) == 0 && strcmp(type, "tmpfs") == 0 &&
		    json_is_true(json_object_get(d->config, "systemd")))
			return true;
	return is_listed(json_object_get(d->config, "namedVolumes"), target) ||
	       (source != NULL && (is_below(d, "staticDir", false, source) ||
				      is_below(d, "conmonPidFile", true, source)));
}

static int
add_mounts(const struct dump *d, struct err *e)
{
	const json_t *v, *options, *o;
	size_t k, i;

	json_array_foreach (json_object_get(d->spec, "mounts"), k, v) {
		const char *type = text(v, "type"), *target = text(v, "destination");
		own_strbuf struct strbuf b = {0};

		options = json_object_get(v, "options");
		if (type == NULL || target == NULL ||
		    is_engines(d, type, text(v, "source"), target))
			continue;
		if (strcmp(type, "bind") == 0 &&
		    add_volume(d, text(v, "source"), target, options, "", e) == -1)
			return -1;
		if (strcmp(type, "tmpfs") != 0)
			continue;
		strbuf_add(&b, target);
		json_array_foreach (options, i, o)
			if (json_is_string(o))
				strbuf_addf(&b, "%c%s", i == 0 ? ':' : ',', json_string_value(o));
		word(d, "tmpfs", b.s);
	}
	return 0;
}

/* --- All of it ----------------------------------------------------------------------------------*/

static int
check(const struct dump *d, struct err *e)
{
	static const struct {
		const char *key, *text;
	} out[] = {{"Dependencies", "cannot import checkpoints of containers with dependencies"},
	    {"secrets", "the container has secrets, which no checkpoint holds"}};

	if (text(d->config, "pod") != NULL)
		return err_set(e, ERR_UNSUPPORTED, "cannot restore pod container without --pod");
	for (size_t i = 0; i < COUNTOF(out); i++)
		if (json_array_size(json_object_get(d->config, out[i].key)) > 0)
			return err_set(e, ERR_UNSUPPORTED, "%s", out[i].text);
	if (text(d->config, "rootfsImageName") == NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "the container was made of a directory, which no checkpoint holds");
	return 0;
}

/* The entry point by itself, if it is one; else all words are the command, and the image's counts for nothing. */
static void
add_command(const struct dump *d)
{
	const json_t *args = json_object_get(json_object_get(d->spec, "process"), "args"), *v;
	json_t *entry = json_object_get(d->config, "entrypoint");
	size_t skip = annotated(d, "init") ? 2 : 0, n = json_array_size(entry), k;
	bool same = n > 0 && skip + n <= json_array_size(args);

	for (k = 0; same && k < n; k++)
		same = json_is_string(json_array_get(entry, k)) &&
		       json_equal(json_array_get(entry, k), json_array_get(args, skip + k));
	for (k = 0; same && k < n; k++)
		strv_add(d->entrypoint, json_string_value(json_array_get(entry, k)));
	if (same)
		skip += n;
	word(d, "entrypoint", "");
	strv_add(d->out, "--");
	strv_add(d->out, text(d->config, "rootfsImageName"));
	json_array_foreach (args, k, v)
		if (k >= skip && json_is_string(v))
			strv_add(d->out, json_string_value(v));
}

int
libpod_words(const json_t *config, const json_t *spec, struct strv *out, struct strv *entrypoint,
    struct err *e)
{
	struct dump d = {.config = config, .spec = spec, .out = out, .entrypoint = entrypoint};

	if (check(&d, e) == -1)
		return -1;
	add_plain(&d);
	add_maps(&d);
	add_process(&d);
	add_rlimits(&d);
	add_rights(&d);
	if (add_namespaces(&d, e) == -1 || add_network(&d, e) == -1 || add_named(&d, e) == -1 ||
	    add_mounts(&d, e) == -1)
		return -1;
	add_command(&d);
	return 0;
}
