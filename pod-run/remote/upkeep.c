/* SPDX-License-Identifier: ISC */
/*
 * What nothing needs any more is removed by the service; secrets of a service; health checks.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/upkeep.h"

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

/* --- prune --------------------------------------------------------------------------------------*/

static int
ask_prune(struct remote *r, const struct args *a, const char *kind, struct question *q,
    struct reply *reply, struct err *e)
{
	q->method = "POST";
	question_path(q, "/%s/prune", kind);
	if (question_put_filters(q, "filters", args_list(a, "filter"), e) == -1)
		return -1;
	return remote_ask(r, q, reply, e);
}

/* The IDs of what has gone.  -1 with e: the last that could not be removed. */
static int
print_reports(const json_t *list, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const json_t *err = json_object_get(one, "Err");
		const char *why = json_is_string(err) ? json_string_value(err) : NULL;

		if (why != NULL && *why != '\0') {
			if (err_is_set(e))
				err_print(e, stderr);
			err_set(e, ERR_INTERNAL, "%s", why);
		} else if (err != NULL && !json_is_null(err) && why == NULL) {
			err_set(e, ERR_INTERNAL, "%s could not be removed", text_of(one, "Id"));
		} else {
			remote_print(stdout, "", text_of(one, "Id"));
		}
	}
	return err_is_set(e) ? -1 : 0;
}

static int
confirmed(const struct args *a, const char *warning, struct err *e)
{
	return args_bool(a, "force") ? 1 : confirm_ask(warning, e);
}

static int
prune_containers(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	int asked = confirmed(a, "WARNING! This will remove all non running containers.", e);

	if (asked != 1)
		return asked;
	return ask_prune(r, a, "containers", &q, &reply, e) == -1
		   ? -1
		   : print_reports(reply.document, e);
}

static int
prune_images(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	bool all = args_bool(a, "all");
	int asked = confirmed(a,
	    all ? "WARNING! This command removes all images without at least one container "
		  "associated with them."
		: "WARNING! This command removes all dangling images.",
	    e);

	if (asked != 1)
		return asked;
	question_put_bool(&q, "all", all);
	if (args_bool(a, "external"))
		question_put_bool(&q, "external", true);
	return ask_prune(r, a, "images", &q, &reply, e) == -1 ? -1
							      : print_reports(reply.document, e);
}

static int
print_removed(const char *what, const json_t *list, struct err *e)
{
	if (json_array_size(list) == 0)
		return 0;
	printf("Deleted %s\n", what);
	return print_reports(list, e);
}

int
upkeep_prune(struct remote *r, bool all, bool volumes, const struct strv *filters, struct err *e)
{
	static const struct {
		const char *key, *what;
	} kinds[] = {{"PodPruneReport", "Pods"}, {"ContainerPruneReports", "Containers"},
	    {"NetworkPruneReports", "Networks"}, {"VolumePruneReports", "Volumes"},
	    {"ImagePruneReports", "Images"}};
	own_question struct question q = {.method = "POST"};
	own_reply struct reply reply = {0};
	char text[HUMAN_MAX];
	int got = 0;

	question_path(&q, "/system/prune");
	question_put_bool(&q, "all", all);
	question_put_bool(&q, "volumes", volumes);
	if (question_put_filters(&q, "filters", filters, e) == -1 ||
	    remote_ask(r, &q, &reply, e) == -1)
		return -1;
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		if (print_removed(
			kinds[i].what, json_object_get(reply.document, kinds[i].key), e) == -1)
			got = -1;
	printf("Total reclaimed space: %s\n", human_size((double)json_integer_value(json_object_get(
							     reply.document, "ReclaimedSpace")),
						  text, sizeof(text)));
	return got;
}

/* --- Secrets ------------------------------------------------------------------------------------*/

/* As records of ours. */
static json_t *
secret_record(const json_t *told)
{
	const json_t *spec = json_object_get(told, "Spec"),
		     *driver = json_object_get(spec, "Driver");
	const struct {
		const char *key;
		json_t *from;
	} maps[] = {{"driverOptions", json_object_get(driver, "Options")},
	    {"labels", json_object_get(spec, "Labels")}};
	json_t *o = json_obj();

	json_put_str(o, "id", text_of(told, "ID"));
	json_put_str(o, "name", text_of(spec, "Name"));
	json_put_str(o, "driver", text_of(driver, "Name"));
	json_put_str(o, "createdAt", text_of(told, "CreatedAt"));
	json_put_str(o, "updatedAt", text_of(told, "UpdatedAt"));
	for (size_t i = 0; i < COUNTOF(maps); i++)
		if (json_is_object(maps[i].from))
			json_put_take(o, maps[i].key, json_incref(maps[i].from));
	return o;
}

json_t *
upkeep_secrets(struct remote *r, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	json_t *list;
	const json_t *one;
	size_t i;

	question_path(&q, "/secrets/json");
	if (remote_ask(r, &q, &reply, e) == -1)
		return NULL;
	list = json_arr();
	json_array_foreach (reply.document, i, one)
		json_add_take(list, secret_record(one));
	return list;
}

json_t *
upkeep_secret(struct remote *r, const char *word, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};

	question_path(&q, "/secrets/%s/json", word);
	if (remote_ask(r, &q, &reply, e) == -1)
		return NULL;
	return secret_record(reply.document);
}

int
upkeep_secret_remove(struct remote *r, const char *word, struct err *e)
{
	own_question struct question q = {.method = "DELETE", .answer = "none"};
	own_reply struct reply reply = {0};

	question_path(&q, "/secrets/%s", word);
	return remote_ask(r, &q, &reply, e);
}

static void
put_pairs(struct question *q, const char *key, const struct strv *words)
{
	own_json json_t *o = json_obj();
	own_mem char *text = NULL;

	if (words->n == 0)
		return;
	for (size_t i = 0; i < words->n; i++) {
		size_t n = strcspn(words->v[i], "=");
		own_mem char *name = xstrndup(words->v[i], n);

		json_put_str(o, name, words->v[i][n] == '=' ? words->v[i] + n + 1 : "");
	}
	text = json_text(o);
	question_put(q, key, text);
}

int
upkeep_secret_create(struct remote *r, const struct upkeep_secret *s, char **id, struct err *e)
{
	own_question struct question q = {
	    .method = "POST", .feed = true, .in = s->data, .type = "application/octet-stream"};
	own_reply struct reply reply = {0};
	const char *got;

	question_path(&q, "/secrets/create");
	question_put(&q, "name", s->name);
	if (s->driver != NULL)
		question_put(&q, "driver", s->driver);
	put_pairs(&q, "driveropts", s->driver_options);
	put_pairs(&q, "labels", s->labels);
	if (s->replace)
		question_put_bool(&q, "replace", true);
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	got = json_string_value(json_object_get(reply.document, "ID"));
	if (got == NULL)
		return err_set(e, ERR_FORMAT, "the service does not name what it made");
	*id = xstrdup(got);
	return 0;
}

/* --- Health -------------------------------------------------------------------------------------*/

static int
run_health(struct remote *r, const struct args *a, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply reply = {0};
	const char *word;

	question_path(&q, "/containers/%s/healthcheck", a->argv[0]);
	if (remote_ask(r, &q, &reply, e) == -1)
		return -1;
	word = text_of(reply.document, "Status");
	if (strcmp(word, "healthy") == 0)
		return 0;
	remote_print(stdout, "", word);
	return args_bool(a, "ignore-result") ? 0 : 1;
}

const struct remote_command remote_upkeep[] = {
    {"container prune", "filter,force", prune_containers},
    {"image prune", "all,external,filter,force", prune_images},
    {"system prune", "all,filter,force,volumes", NULL},
    {"secret ls", "filter,format,noheading,quiet", NULL},
    {"secret inspect", "format,pretty", NULL},
    {"secret exists", "", NULL},
    {"secret create", "driver,driver-opts,env,label", NULL},
    {"secret rm", "all,ignore", NULL},
    {"healthcheck run", "ignore-result", run_health},
    {0},
};
