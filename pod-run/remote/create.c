/* SPDX-License-Identifier: ISC */
/*
 * A container as a service makes it: what was asked for, in the words of its SpecGenerator.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/sig.h"
#include "common/base/text.h"
#include "common/cli/value.h"
#include "common/fs/file.h"
#include "pod-run/oci/spec_network.h"
#include "pod-run/oci/spec_options.h"
#include "pod-run/oci/spec_ports.h"
#include "pod-run/remote/create.h"
#include "pod-run/remote/images.h"
#include "pod-run/remote/spec.h"

#define CIDFILE "io.podman.annotations.cid-file" /* inspect tells it by that */

/* Options that are one key each. */
static const struct {
	const char *option, *key;
} texts[] = {{"name", "name"}, {"hostname", "hostname"}, {"user", "user"}, {"workdir", "work_dir"}},
  bools[] = {{"interactive", "stdin"}, {"tty", "terminal"}, {"rm", "remove"},
      {"publish-all", "publish_image_ports"}, {"env-host", "env_host"}},
  switches[] = {{"privileged", "privileged"}, {"read-only", "read_only_filesystem"},
      {"init", "init"}},
  lists[] = {{"cap-add", "cap_add"}, {"cap-drop", "cap_drop"}, {"dns", "dns_server"},
      {"dns-option", "dns_option"}, {"dns-search", "dns_search"}, {"add-host", "hostadd"},
      {"group-add", "groups"}};

static void
put_plain(json_t *o, const struct args *a)
{
	for (size_t i = 0; i < COUNTOF(texts); i++)
		if (args_given(a, texts[i].option))
			json_put_str(o, texts[i].key, args_str(a, texts[i].option));
	for (size_t i = 0; i < COUNTOF(bools); i++)
		if (args_bool(a, bools[i].option))
			json_put_bool(o, bools[i].key, true);
	for (size_t i = 0; i < COUNTOF(switches); i++)
		if (args_given(a, switches[i].option))
			json_put_bool(o, switches[i].key, args_int(a, switches[i].option) == 1);
	for (size_t i = 0; i < COUNTOF(lists); i++)
		if (args_given(a, lists[i].option))
			json_put_strv(o, lists[i].key, args_list(a, lists[i].option));
}

json_t *
create_env(const struct strv *words)
{
	json_t *o = json_obj();

	for (size_t i = 0; i < words->n; i++) {
		const char *eq = strchr(words->v[i], '='), *value;
		own_mem char *name = xstrndup(
		    words->v[i], eq != NULL ? (size_t)(eq - words->v[i]) : strlen(words->v[i]));

		value = eq != NULL ? eq + 1 : getenv(name);
		if (value != NULL)
			json_put_str(o, name, value);
	}
	return o;
}

static void
put_map(json_t *o, const char *key, const struct strv *words)
{
	json_t *map = words->n == 0			? NULL
		      : json_object_get(o, key) != NULL ? json_object_get(o, key)
							: json_put_obj(o, key);

	for (size_t i = 0; i < words->n; i++) {
		size_t n = strcspn(words->v[i], "=");
		own_mem char *name = xstrndup(words->v[i], n);

		json_put_str(map, name, words->v[i][n] == '=' ? words->v[i] + n + 1 : "");
	}
}

/* --entrypoint: an array of JSON, else one word; an empty one takes that of the image away. */
static void
put_entrypoint(json_t *o, const char *text)
{
	struct err ignored = {0};
	own_json json_t *j = *text == '[' ? json_read(text, strlen(text), &ignored) : NULL;
	json_t *list;

	if (json_is_array(j)) {
		json_put_take(o, "entrypoint", json_incref(j));
		return;
	}
	list = json_put_arr(o, "entrypoint");
	json_add_str(list, text);
}

/* NAME[:ip=…,mac=…,…], one of the networks to join. */
static int
join(json_t *o, const char *word, struct err *e)
{
	own_arena struct arena arena = {0};
	struct rec_ctr_config c = {0};
	const struct rec_net_attach *n;
	json_t *list = json_object_get(o, "Networks"), *one;

	if (spec_network_join(word, &c, &arena, e) == -1)
		return -1;
	if (list == NULL)
		list = json_put_obj(o, "Networks");
	for (size_t i = 0; i < c.networks.n; i++) {
		n = &c.networks.v[i];
		one = json_put_obj(list, n->network);
		if (n->options.n > 0)
			return err_set(e, ERR_UNSUPPORTED,
			    "--network %s: %s: not built for a remote service yet", word,
			    n->options.v[0].key);
		remote_put_strs(one, "static_ips", &n->static_ips);
		remote_put_strs(one, "aliases", &n->aliases);
		if (n->static_mac != NULL)
			json_put_str(one, "static_mac", n->static_mac);
		if (n->interface != NULL)
			json_put_str(one, "interface_name", n->interface);
	}
	return 0;
}

/* What is behind "pasta:" and "slirp4netns:". */
static void
put_network_options(json_t *o, const char *mode, const char *options)
{
	own_strv struct strv list = {0};
	json_t *words;

	if (*options == '\0')
		return;
	strv_split(&list, options, ',');
	words = json_put_arr(json_put_obj(o, "network_options"), mode);
	for (size_t i = 0; i < list.n; i++)
		json_add_str(words, list.v[i]);
}

static int
put_network(json_t *o, const struct strv *words, struct err *e)
{
	static const char *const modes[] = {
	    "none", "host", "bridge", "private", "slirp4netns", "pasta", "container", "ns"};

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		own_mem char *mode = xstrndup(word, strcspn(word, ":"));
		const char *rest = word + strlen(mode);
		own_mem char *name = NULL;
		own_strv struct strv names = {0};
		bool is_mode = false;

		for (size_t k = 0; k < COUNTOF(modes); k++)
			is_mode |= strcmp(modes[k], mode) == 0;
		if (is_mode && words->n > 1)
			return err_set(e, ERR_INVALID,
			    "can only set extra network names, selected mode %s conflicts with "
			    "bridge: invalid argument",
			    mode);
		if (is_mode && strcmp(mode, "pasta") != 0 && strcmp(mode, "slirp4netns") != 0 &&
		    (strcmp(mode, "bridge") != 0 || *rest == '\0')) {
			spec_put_space(o, "netns", word);
			return 0;
		}
		json_put_str(json_put_obj(o, "netns"), "nsmode", is_mode ? mode : "bridge");
		if (is_mode && strcmp(mode, "bridge") != 0) {
			put_network_options(o, mode, rest + (*rest == ':'));
			return 0;
		}
		/* "default" is what the service takes for its own. */
		name = is_mode ? xasprintf("default%s", rest) : xstrdup(word);
		if (*rest == '\0')
			strv_split(&names, name, ',');
		else
			strv_add(&names, name);
		for (size_t k = 0; k < names.n; k++)
			if (join(o, names.v[k], e) == -1)
				return -1;
	}
	return 0;
}

static int
put_ports(json_t *o, const struct strv *words, struct err *e)
{
	json_t *list = words->n > 0 ? json_put_arr(o, "portmappings") : NULL;

	for (size_t i = 0; i < words->n; i++) {
		own_arena struct arena arena = {0};
		struct rec_port_map m = {0};
		json_t *one;

		if (spec_ports_parse(words->v[i], &arena, &m, e) == -1)
			return -1;
		one = json_add_obj(list);
		json_put_str(one, "host_ip", m.host_ip != NULL ? m.host_ip : "");
		json_put_int(one, "host_port", (int64_t)m.host_port);
		json_put_int(one, "container_port", (int64_t)m.container_port);
		json_put_int(one, "range", m.range > 0 ? (int64_t)m.range : 1);
		json_put_str(one, "protocol", m.protocol);
	}
	return 0;
}

/* "on-failure:3" */
static int
put_restart(json_t *o, const char *text, struct err *e)
{
	const char *colon = strchr(text, ':');
	own_mem char *policy = xstrndup(text, strcspn(text, ":"));
	int64_t tries;

	json_put_str(o, "restart_policy", policy);
	if (colon == NULL)
		return 0;
	if (text_to_i64(colon + 1, 0, INT_MAX, &tries) == -1)
		return err_set(e, ERR_USAGE, "invalid restart policy \"%s\"", text);
	json_put_int(o, "restart_tries", tries);
	return 0;
}

static int
put_rest(json_t *o, const struct args *a, struct err *e)
{
	int number;

	put_map(o, "labels", args_list(a, "label"));
	put_map(o, "annotations", args_list(a, "annotation"));
	if (args_given(a, "cidfile")) {
		json_t *map = json_object_get(o, "annotations");

		json_put_str(map != NULL ? map : json_put_obj(o, "annotations"), CIDFILE,
		    args_str(a, "cidfile"));
	}
	if (args_bool(a, "rmi")) {
		json_put_bool(o, "remove", true);
		json_put_bool(o, "removeImage", true);
	}
	if (args_list(a, "env")->n > 0) {
		own_json json_t *env = create_env(args_list(a, "env"));

		if (json_object_get(o, "env") == NULL)
			json_put_obj(o, "env");
		json_object_update(json_object_get(o, "env"), env);
	}
	if (args_given(a, "entrypoint"))
		put_entrypoint(o, args_str(a, "entrypoint"));
	if (args_given(a, "restart") && put_restart(o, args_str(a, "restart"), e) == -1)
		return -1;
	if (args_given(a, "stop-signal")) {
		if (sig_parse(args_str(a, "stop-signal"), &number, e) == -1)
			return -1;
		json_put_int(o, "stop_signal", number);
	}
	if (args_given(a, "stop-timeout"))
		json_put_int(o, "stop_timeout", args_int(a, "stop-timeout"));
	return put_ports(o, args_list(a, "publish"), e);
}

/* --- What it is made of -------------------------------------------------------------------------*/

/* DIR[:OPTION] of the service's. */
static int
put_rootfs(json_t *o, const char *word, struct err *e)
{
	const char *colon = strchr(word, ':'), *option = colon != NULL ? colon + 1 : "";
	own_mem char *path = xstrndup(word, strcspn(word, ":"));

	if (*path != '/')
		return err_set(e, ERR_INVALID,
		    "--rootfs %s: a directory of a service is named by an absolute path", word);
	json_put_str(o, "rootfs", path);
	if (strcmp(option, "O") == 0)
		json_put_bool(o, "rootfs_overlay", true);
	else if (text_has_prefix(option, "idmap"))
		json_put_str(o, "rootfs_mapping", option);
	else if (*option != '\0')
		return err_set(e, ERR_INVALID, "invalid rootfs option \"%s\"", option);
	return 0;
}

static int
put_image(json_t *o, const struct args *a, struct err *e)
{
	own_arena struct arena arena = {0};
	struct spec_platform p;

	if (a->argc == 0)
		return err_set(e, ERR_USAGE, "requires at least 1 arg(s), only received 0");
	if (a->argc > 1) {
		json_t *words = json_put_arr(o, "command");

		for (int k = 1; k < a->argc; k++)
			json_add_str(words, a->argv[k]);
	}
	if (args_bool(a, "rootfs"))
		return put_rootfs(o, a->argv[0], e);
	json_put_str(o, "image", a->argv[0]);
	if (spec_options_platform(args_group(a, spec_options_rows), &p, &arena, e) == -1)
		return -1;
	if (p.os != NULL)
		json_put_str(o, "image_os", p.os);
	if (p.arch != NULL)
		json_put_str(o, "image_arch", p.arch);
	if (p.variant != NULL)
		json_put_str(o, "image_variant", p.variant);
	return 0;
}

/* The image is brought there first, as --pull says.  Whether one is of the platform asked for, the service knows. */
static int
bring(struct remote *r, const struct args *a, const json_t *o, struct err *e)
{
	static const char *const keys[][2] = {
	    {"image_os", "OS"}, {"image_arch", "Arch"}, {"image_variant", "Variant"}};
	own_question struct question q = {0};
	const char *policy = args_str(a, "pull");

	if (policy == NULL || *policy == '\0')
		policy = "missing";
	if (args_bool(a, "rootfs") || strcmp(policy, "never") == 0)
		return 0;
	for (size_t i = 0; i < COUNTOF(keys); i++)
		if (json_object_get(o, keys[i][0]) != NULL)
			question_put(
			    &q, keys[i][1], json_string_value(json_object_get(o, keys[i][0])));
	if (strcmp(policy, "missing") == 0 && q.query.n == 0) {
		if (images_exists(r, a->argv[0], e) == 0)
			return 0;
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
	}
	question_put(&q, "policy", policy);
	if (args_given(a, "retry"))
		question_put_int(&q, "retry", args_int(a, "retry"));
	if (args_given(a, "retry-delay"))
		question_put(&q, "retrydelay", args_str(a, "retry-delay"));
	return images_pull(r, a, &q, a->argv[0], e);
}

/* --- Before and after ---------------------------------------------------------------------------*/

/* Options that a service passes over unless it is at least of that version: nothing shall be silently not done. */
static int
check_versions(struct remote *r, const struct args *a, struct err *e)
{
	static const struct {
		const char *options;
		int major, minor;
	} since[] = {
	    {"group-entry,health-startup-cmd,health-startup-interval,health-startup-retries,"
	     "health-startup-success,health-startup-timeout,rdt-class,shm-size-systemd",
		4, 4},
	    {"retry,retry-delay", 5, 0},
	    {"health-log-destination,health-max-log-count,health-max-log-size,hosts-file,"
	     "no-hostname",
		5, 3}};

	for (size_t i = 0; i < COUNTOF(since); i++)
		for (size_t k = 0; k < a->cli->parse.given_n; k++) {
			const char *name = a->cli->parse.given[k]->name;

			if (!opt_in_list(since[i].options, name, strlen(name)))
				continue;
			if (remote_is_since(r, since[i].major, since[i].minor, e) == -1)
				return err_wrap(e, "--%s", name);
		}
	return 0;
}

static int
check_identity(const struct args *a, struct err *e)
{
	const char *file = args_str(a, "cidfile"), *name = args_str(a, "name");

	if (args_bool(a, "replace") && (name == NULL || *name == '\0'))
		return err_set(e, ERR_INVALID, "cannot replace container without --name being set");
	return spec_options_cidfile(file, e);
}

/* One of that name goes, with its anonymous volumes. */
static int
make_room(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};

	if (!args_bool(a, "replace"))
		return 0;
	question_path(&q, "/containers/%s", args_str(a, "name"));
	question_put_bool(&q, "force", true);
	question_put_bool(&q, "v", true);
	if (remote_ask(r, &q, &reply, e) == 0)
		return 0;
	if (e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	return 0;
}

static int
ask(struct remote *r, const json_t *spec, char **id, struct err *e)
{
	own_question struct question q = {.method = "POST", .body = spec};
	own_reply struct reply reply = {0};
	const json_t *one;
	const char *got;
	size_t i;

	question_path(&q, "/containers/create");
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	got = json_string_value(json_object_get(reply.document, "Id"));
	if (got == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	json_array_foreach (json_object_get(reply.document, "Warnings"), i, one)
		remote_print(stderr, "", json_is_string(one) ? json_string_value(one) : "");
	*id = xstrdup(got);
	return 0;
}

int
create_container(struct remote *r, const struct args *a, char **id, struct err *e)
{
	own_json json_t *spec = json_obj();
	const char *file = args_str(a, "cidfile");

	if (put_image(spec, a, e) == -1 || check_identity(a, e) == -1 ||
	    check_versions(r, a, e) == -1)
		return -1;
	put_plain(spec, a);
	if (put_network(spec, args_list(a, "network"), e) == -1 || spec_put(spec, a, e) == -1 ||
	    put_rest(spec, a, e) == -1 || bring(r, a, spec, e) == -1 || make_room(r, a, e) == -1 ||
	    ask(r, spec, id, e) == -1)
		return -1;
	return file != NULL ? file_write_place(file, "cidfile", *id, e) : 0;
}
