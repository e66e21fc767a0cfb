/* SPDX-License-Identifier: ISC */
/*
 * What a service is asked about itself.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "pod-run/remote/command.h"
#include "pod-run/remote/others.h"

#define NS INT64_C(1000000000)

/* The answer, which must be an object. */
static json_t *
get_object(struct remote *r, const char *path, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	strbuf_add(&q.path, path);
	if (remote_ask(r, &q, &a, e) == -1)
		return NULL;
	if (!json_is_object(a.document)) {
		err_set(e, ERR_FORMAT, "the answer of the service is no object");
		return NULL;
	}
	return json_incref(a.document);
}

json_t *
others_info(struct remote *r, struct err *e)
{
	return get_object(r, "/info", e);
}

static void
put_time(json_t *o, const char *built)
{
	struct err ignored = {0};
	int64_t ns = 0;
	char text[64] = "";
	struct tm tm;
	time_t t;

	if (built != NULL && value_instant(built, 0, false, &ns, &ignored) == -1)
		ns = 0;
	t = (time_t)(ns / NS);
	if (localtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	json_put_str(o, "BuiltTime", text);
	json_put_int(o, "Built", (int64_t)t);
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

json_t *
others_version(struct remote *r, struct err *e)
{
	own_json json_t *all = get_object(r, "/version", e);
	own_mem char *platform = NULL;
	const json_t *parts, *one, *details = NULL;
	json_t *o;
	size_t i;

	if (all == NULL)
		return NULL;
	parts = json_object_get(all, "Components");
	json_array_foreach (parts, i, one)
		if (strcmp(text_of(one, "Name"), "Podman Engine") == 0)
			details = json_object_get(one, "Details");
	platform = xasprintf("%s/%s", text_of(all, "Os"), text_of(all, "Arch"));
	o = json_obj();
	json_put_str(o, "APIVersion",
	    details != NULL ? text_of(details, "APIVersion") : text_of(all, "ApiVersion"));
	json_put_str(o, "Version", text_of(all, "Version"));
	json_put_str(o, "GoVersion", text_of(all, "GoVersion"));
	json_put_str(o, "GitCommit", text_of(all, "GitCommit"));
	put_time(o, json_string_value(json_object_get(all, "BuildTime")));
	json_put_str(o, "OsArch", platform);
	json_put_str(o, "Os", text_of(all, "Os"));
	return o;
}

/* Attributes that are keys of their own here. */
static const struct {
	const char *attribute, *key;
} event_keys[] = {{"image", "Image"}, {"name", "Name"}, {"network", "Network"}, {"podId", "PodID"},
    {"error", "Error"}, {"health_status", "health_status"},
    {"containerExitCode", "ContainerExitCode"}, {"containerInspectData", "ContainerInspectData"}};

static void
put_attribute(json_t *o, json_t *rest, const char *name, json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; i < COUNTOF(event_keys); i++) {
		if (strcmp(event_keys[i].attribute, name) != 0)
			continue;
		if (strcmp(name, "containerExitCode") == 0)
			json_put_int(
			    o, event_keys[i].key, text != NULL ? strtol(text, NULL, 10) : 0);
		else if (text != NULL && *text != '\0')
			json_put_str(o, event_keys[i].key, text);
		return;
	}
	if (text != NULL)
		json_put_str(rest, name, text);
}

json_t *
others_event(const json_t *told)
{
	const json_t *actor = json_object_get(told, "Actor");
	json_int_t ns = json_integer_value(json_object_get(told, "timeNano"));
	json_t *o = json_obj(), *rest = json_obj(), *value;
	char when[HUMAN_MAX];
	const char *name;

	json_put_str(o, "ID", text_of(actor, "ID"));
	json_object_foreach (json_object_get(actor, "Attributes"), name, value)
		put_attribute(o, rest, name, value);
	json_put_str(o, "Status", text_of(told, "Action"));
	json_put_str(o, "Time", human_rfc3339nano(ns, when, sizeof(when)));
	json_put_str(o, "Type", text_of(told, "Type"));
	if (json_object_size(rest) > 0)
		json_put_take(o, "Attributes", rest);
	else
		json_decref(rest);
	return o;
}

const struct remote_command remote_others[] = {
    {"events,system events", "filter,format,no-trunc,since,stream,until", NULL},
    {"version", "format", NULL},
    {"system df", "format,verbose", NULL},
    {"info,system info", "format,debug", NULL},
    {0},
};
