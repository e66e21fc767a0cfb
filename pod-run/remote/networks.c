/* SPDX-License-Identifier: ISC */
/*
 * What a service does with networks and volumes.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/network_words.h"
#include "common/oci/network_json.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/removal.h"
#include "common/oci/names.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/networks.h"

#define IN_USE 409

/* --- Lists --------------------------------------------------------------------------------------*/

static json_t *
list(struct remote *r, const char *path, const struct strv *filters, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	strbuf_add(&q.path, path);
	if (question_put_filters(&q, "filters", filters, e) == -1 || remote_ask(r, &q, &a, e) == -1)
		return NULL;
	if (json_is_array(a.document))
		return json_incref(a.document);
	if (a.document == NULL || json_is_null(a.document))
		return json_arr();
	err_set(e, ERR_FORMAT, "the answer of the service is no list");
	return NULL;
}

json_t *
networks_list(struct remote *r, const struct strv *filters, struct err *e)
{
	return list(r, "/networks/json", filters, e);
}

json_t *
networks_volumes(struct remote *r, const struct strv *filters, struct err *e)
{
	return list(r, "/volumes/json", filters, e);
}

/* --- Making -------------------------------------------------------------------------------------*/

/* Prints the name that the new one has. */
static int
make(struct remote *r, const char *path, const json_t *body, bool ignore, const char *key,
    struct err *e)
{
	own_question struct question q = {.method = "POST", .body = body};
	own_reply struct reply a = {0};
	const char *name;

	strbuf_add(&q.path, path);
	if (ignore)
		question_put_bool(&q, "ignoreIfExists", true);
	if (remote_ask(r, &q, &a, e) == -1)
		return -1;
	name = json_string_value(json_object_get(a.document, key));
	if (name == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	remote_print(stdout, "", name);
	return 0;
}

static int
create_network(struct remote *r, const struct args *a, struct err *e)
{
	const struct network_words *o = a->opts;
	own_arena struct arena arena = {0};
	own_json json_t *body = NULL;
	struct rec_network n;

	if (network_words_read(o, a->argc > 0 ? a->argv[0] : "", &n, &arena, e) == -1)
		return -1;
	body = network_json(&n);
	return make(r, "/networks/create", body, o->ignore, "name", e);
}

static void
put_pairs(json_t *body, const char *key, const struct strv *words)
{
	json_t *o = json_put_obj(body, key);

	for (size_t i = 0; i < words->n; i++) {
		size_t n = strcspn(words->v[i], "=");
		own_mem char *name = xstrndup(words->v[i], n);

		json_put_str(o, name, words->v[i][n] == '=' ? words->v[i] + n + 1 : "");
	}
}

static int
create_volume(struct remote *r, const struct args *a, struct err *e)
{
	own_json json_t *body = json_obj();

	if (a->argc > 0)
		json_put_str(body, "Name", a->argv[0]);
	json_put_str(body, "Driver", args_str(a, "driver"));
	put_pairs(body, "Labels", args_list(a, "label"));
	put_pairs(body, "Options", args_list(a, "opt"));
	return make(r, "/volumes/create", body, false, "Name", e);
}

/* --- Removing -----------------------------------------------------------------------------------*/

/* The first of a list of reports that says why it failed. */
static int
check_reports(const json_t *reports, const char *key, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (reports, i, one) {
		const char *why = json_string_value(json_object_get(one, key));

		if (why != NULL && *why != '\0')
			return err_set(e, ERR_INTERNAL, "%s", why);
	}
	return 0;
}

static int
remove_one(
    struct remote *r, const struct args *a, const char *kind, const char *word, struct err *e)
{
	own_question struct question q = {.method = "DELETE"};
	own_reply struct reply reply = {0};

	question_path(&q, "/%s", kind);
	question_path(&q, "/%s", word);
	question_put_bool(&q, "force", args_bool(a, "force"));
	if (args_given(a, "time"))
		question_put_int(&q, "timeout", args_int(a, "time"));
	if (remote_ask(r, &q, &reply, e) == -1) {
		if (reply.status == IN_USE)
			e->class = ERR_INUSE;
		return -1;
	}
	return check_reports(reply.document, "Err", e);
}

static int
remove_all(struct remote *r, const struct args *a, const char *kind, const struct strv *words,
    struct err *e)
{
	bool force = args_bool(a, "force");
	int status = 0;

	if (args_given(a, "time") && !force)
		return err_set(
		    e, ERR_USAGE, "--force option must be specified to use the --time option");
	for (size_t i = 0; i < words->n; i++)
		if (remove_one(r, a, kind, words->v[i], e) == 0)
			remote_print(stdout, "", words->v[i]);
		else
			removal_refused(e, force, &status);
	return status;
}

static int
rm_networks(struct remote *r, const struct args *a, struct err *e)
{
	const struct strv words = {.v = a->argv, .n = (size_t)a->argc};

	return remove_all(r, a, "networks", &words, e);
}

static int
rm_volumes(struct remote *r, const struct args *a, struct err *e)
{
	static const struct strv none;
	own_strv struct strv words = {0};
	own_json json_t *all = NULL;
	const json_t *one;
	size_t i;

	if ((a->argc > 0) == args_bool(a, "all"))
		return err_set(e, ERR_USAGE, "provide one or more volume names or use --all");
	strv_add_all(&words, (const char *const *)a->argv, (size_t)a->argc);
	if (args_bool(a, "all")) {
		if ((all = networks_volumes(r, &none, e)) == NULL)
			return -1;
		json_array_foreach (all, i, one)
			if (json_is_string(json_object_get(one, "Name")))
				strv_add(&words, json_string_value(json_object_get(one, "Name")));
	}
	return remove_all(r, a, "volumes", &words, e);
}

static int
prune_networks(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	int asked = args_bool(a, "force")
			? 1
			: confirm_ask("WARNING! This will remove all networks not used by at least "
				      "one container.",
			      e);
	const json_t *one;
	size_t i;

	if (asked != 1)
		return asked;
	question_path(&q, "/networks/prune");
	if (question_put_filters(&q, "filters", args_list(a, "filter"), e) == -1 ||
	    remote_ask(r, &q, &reply, e) == -1)
		return -1;
	json_array_foreach (reply.document, i, one) {
		const char *name = json_string_value(json_object_get(one, "Name"));
		const json_t *why = json_object_get(one, "Error");

		if (name != NULL && (why == NULL || json_is_null(why)))
			remote_print(stdout, "", name);
	}
	return check_reports(reply.document, "Error", e);
}

static int
remove_volume(struct remote *r, const char *name, struct err *e)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};

	question_path(&q, "/volumes/%s", name);
	if (remote_ask(r, &q, &reply, e) == 0)
		return 0;
	if (reply.status == IN_USE)
		e->class = ERR_INUSE;
	return -1;
}

int
networks_prune_volumes(struct remote *r, bool all, bool dry, const struct strv *filters,
    struct strv *names, struct err *e)
{
	own_strv struct strv unused = {0};
	own_json json_t *list = NULL;
	const json_t *one;
	size_t i;

	strv_add_all(&unused, (const char *const *)filters->v, filters->n);
	strv_add(&unused, "dangling=true");
	if ((list = networks_volumes(r, &unused, e)) == NULL)
		return -1;
	json_array_foreach (list, i, one) {
		const char *name = json_string_value(json_object_get(one, "Name"));

		if (name == NULL || !names_is_valid(name))
			return err_set(e, ERR_FORMAT, "the service lists a volume without a name");
		if (!all && !json_is_true(json_object_get(one, "Anonymous")))
			continue;
		if (dry || remove_volume(r, name, e) == 0) {
			strv_add(names, name);
			continue;
		}
		/* Somebody was faster, one way or the other. */
		if (e->class != ERR_NOTFOUND && e->class != ERR_INUSE)
			return -1;
		err_clear(e);
	}
	return 0;
}

/* --- Containers in networks ---------------------------------------------------------------------*/

static int
change(struct remote *r, const char *network, const char *act, const json_t *body, struct err *e)
{
	own_question struct question q = {.method = "POST", .answer = "none", .body = body};
	own_reply struct reply reply = {0};

	question_path(&q, "/networks/%s", network);
	question_path(&q, "/%s", act);
	return remote_ask(r, &q, &reply, e);
}

int
networks_connect(
    struct remote *r, const struct rec_net_attach *at, const char *container, struct err *e)
{
	own_json json_t *body = json_obj();

	json_put_str(body, "container", container);
	remote_put_strs(body, "static_ips", &at->static_ips);
	remote_put_strs(body, "aliases", &at->aliases);
	if (at->static_mac != NULL)
		json_put_str(body, "static_mac", at->static_mac);
	return change(r, at->network, "connect", body, e);
}

int
networks_disconnect(
    struct remote *r, const char *network, const char *container, bool force, struct err *e)
{
	own_json json_t *body = json_obj();

	json_put_str(body, "Container", container);
	json_put_bool(body, "Force", force);
	return change(r, network, "disconnect", body, e);
}

const struct remote_command remote_networks[] = {
    {"network ls", "filter,format,no-trunc,noheading,quiet", NULL},
    {"network create",
	"disable-dns,dns,driver,gateway,ignore,internal,ip-range,ipam-driver,ipv6,label,opt,route,"
	"subnet",
	create_network},
    {"network rm", "force,time", rm_networks},
    {"network prune", "filter,force", prune_networks},
    {"network connect", "alias,ip,ip6,mac-address", NULL},
    {"network disconnect", "force", NULL},
    {"volume prune", "all,dry-run,filter,force", NULL},
    {"volume ls", "filter,format,noheading,quiet", NULL},
    {"volume inspect", "all,format", NULL},
    {"volume create", "driver,label,opt", create_volume},
    {"volume rm", "all,force,time", rm_volumes},
    {0},
};
