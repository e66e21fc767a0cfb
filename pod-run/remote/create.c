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
#include "pod-run/oci/spec_ports.h"
#include "pod-run/remote/create.h"
#include "pod-run/remote/images.h"
#include "pod-run/remote/spec.h"

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

static int
put_network(json_t *o, const struct strv *words, struct err *e)
{
	static const char *const modes[] = {
	    "none", "host", "bridge", "private", "slirp4netns", "pasta"};
	json_t *ns, *list = NULL;

	if (words->n == 0)
		return 0;
	ns = json_put_obj(o, "netns");
	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];

		/* A name with options, or another container's network: neither is a network's own name. */
		if (strchr(word, ':') != NULL)
			return err_set(e, ERR_UNSUPPORTED,
			    "--network %s: not built for a remote service yet", word);
		for (size_t k = 0; k < COUNTOF(modes) && words->n == 1; k++)
			if (strcmp(modes[k], word) == 0) {
				json_put_str(ns, "nsmode", word);
				return 0;
			}
		json_put_str(ns, "nsmode", "bridge");
		if (list == NULL)
			list = json_put_obj(o, "Networks");
		json_put_obj(list, word);
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

/* The image is brought there first, as --pull says. */
static int
bring(struct remote *r, const struct args *a, const char *image, struct err *e)
{
	const char *policy = args_str(a, "pull");

	if (policy == NULL || *policy == '\0')
		policy = "missing";
	if (strcmp(policy, "never") == 0)
		return 0;
	if (strcmp(policy, "missing") == 0) {
		if (images_exists(r, image, e) == 0)
			return 0;
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
	}
	return images_pull(r, a, image, policy, e);
}

int
create_container(struct remote *r, const struct args *a, char **id, struct err *e)
{
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	own_json json_t *spec = json_obj();
	const char *got;
	json_t *words;
	size_t i;
	const json_t *one;

	if (a->argc == 0)
		return err_set(e, ERR_USAGE, "requires at least 1 arg(s), only received 0");
	json_put_str(spec, "image", a->argv[0]);
	words = a->argc > 1 ? json_put_arr(spec, "command") : NULL;
	for (int k = 1; k < a->argc; k++)
		json_add_str(words, a->argv[k]);
	put_plain(spec, a);
	if (put_network(spec, args_list(a, "network"), e) == -1 || spec_put(spec, a, e) == -1 ||
	    put_rest(spec, a, e) == -1 || bring(r, a, a->argv[0], e) == -1)
		return -1;
	question_path(&q, "/containers/create");
	q.body = spec;
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	got = json_string_value(json_object_get(reply.document, "Id"));
	if (got == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	json_array_foreach (json_object_get(reply.document, "Warnings"), i, one) {
		char safe[1024];

		text_escape(json_is_string(one) ? json_string_value(one) : "", safe, sizeof(safe));
		fprintf(stderr, "%s\n", safe);
	}
	*id = xstrdup(got);
	return 0;
}
