/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "common/cli/output.h"
#include "common/oci/names.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/terms.h"
#include "pod-run/remote/others.h"
#include "pod-run/state/event_read.h"

struct events_opts {
	struct strv filter;
	const char *format, *since, *until;
	bool no_trunc, stream;
};

static const struct opt rows[] = {
    {"filter", 'f', OPT_LIST(struct events_opts, filter), .arg = "filter", .help = "Filter output"},
    {"format", 0, OPT_STRING(struct events_opts, format), .arg = "string",
	.help = "Format the output as JSON or using a Go template"},
    {"no-trunc", 0, OPT_BOOL(struct events_opts, no_trunc), .def = "true",
	.help = "Do not truncate the output"},
    {"since", 0, OPT_STRING(struct events_opts, since), .arg = "timestamp",
	.help = "Show all events created since timestamp"},
    {"stream", 0, OPT_BOOL(struct events_opts, stream), .def = "true",
	.help = "Stream events and do not exit when returning the last known event"},
    {"until", 0, OPT_STRING(struct events_opts, until), .arg = "timestamp",
	.help = "Show all events until timestamp"},
    OPT_END,
};

/* --- Filters ------------------------------------------------------------------------------------*/

static const char *
text_of(const json_t *event, const char *key)
{
	const char *s = json_string_value(json_object_get(event, key));

	return s != NULL ? s : "";
}

static bool
is_object(const json_t *event, const char *type, const char *word)
{
	return strcmp(text_of(event, "Type"), type) == 0 &&
	       (strcmp(text_of(event, "Name"), word) == 0 ||
		   text_has_prefix(text_of(event, "ID"), word));
}

static bool
match_container(const struct term *t, const void *event)
{
	return is_object(event, "container", t->value);
}

static bool
match_image(const struct term *t, const void *event)
{
	return is_object(event, "image", t->value);
}

static bool
match_artifact(const struct term *t, const void *event)
{
	return is_object(event, "artifact", t->value);
}

static bool
match_network(const struct term *t, const void *event)
{
	return is_object(event, "network", t->value) ||
	       strcmp(text_of(event, "Network"), t->value) == 0;
}

static bool
match_pod(const struct term *t, const void *event)
{
	const char *pod = text_of(event, "PodID");

	return is_object(event, "pod", t->value) ||
	       (*pod != '\0' && text_has_prefix(pod, t->value));
}

static bool
match_secret(const struct term *t, const void *event)
{
	return is_object(event, "secret", t->value);
}

static bool
match_volume(const struct term *t, const void *event)
{
	return strcmp(text_of(event, "Type"), "volume") == 0 &&
	       text_has_prefix(text_of(event, "Name"), t->value);
}

static bool
match_type(const struct term *t, const void *event)
{
	return strcmp(text_of(event, "Type"), t->value) == 0;
}

static bool
match_status(const struct term *t, const void *event)
{
	return event_status_find(text_of(event, "Status")) == t->number;
}

static bool
match_label(const struct term *t, const void *event)
{
	const char *eq = strchr(t->value, '=');
	size_t n = eq != NULL ? (size_t)(eq - t->value) : strlen(t->value);
	json_t *labels = json_object_get(event, "Attributes");
	const char *key;
	json_t *v;

	json_object_foreach (labels, key, v)
		if (strlen(key) == n && strncmp(key, t->value, n) == 0 &&
		    (eq == NULL || strcmp(json_string_value(v), eq + 1) == 0))
			return true;
	return false;
}

static int
prepare_status(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	t->number = event_status_find(t->value);
	return t->number != -1 ? 0
			       : err_set(e, ERR_INVALID, "unknown event status \"%s\"", t->value);
}

static int
prepare_type(struct ctx *x, struct term *t, struct err *e)
{
	(void)x;
	return event_type_find(t->value) != -1
		   ? 0
		   : err_set(e, ERR_INVALID, "unknown event type \"%s\"", t->value);
}

static const struct terms_key keys[] = {
    {"artifact", .match = match_artifact},
    {"container", .match = match_container},
    {"event", .prepare = prepare_status, .match = match_status},
    {"status", .prepare = prepare_status, .match = match_status},
    {"image", .match = match_image},
    {"label", .match = match_label},
    {"network", .match = match_network},
    {"pod", .match = match_pod},
    {"secret", .match = match_secret},
    {"type", .prepare = prepare_type, .match = match_type},
    {"volume", .match = match_volume},
    {0},
};

/* Keys may be written in any case. */
static void
lower_keys(const struct strv *words, struct strv *out)
{
	for (size_t i = 0; i < words->n; i++) {
		strv_add(out, words->v[i]);
		for (char *p = out->v[i]; *p != '\0' && *p != '='; p++)
			*p = (char)tolower((unsigned char)*p);
	}
}

/* --- Printing -----------------------------------------------------------------------------------*/

/* "(image=…, name=…, label=value)" */
static void
add_details(const json_t *event, struct strbuf *b)
{
	json_t *labels = json_object_get(event, "Attributes");
	const char *key;
	json_t *v;

	strbuf_addf(b, " (image=%s, name=%s", text_of(event, "Image"), text_of(event, "Name"));
	if (*text_of(event, "PodID") != '\0')
		strbuf_addf(b, ", pod_id=%s", text_of(event, "PodID"));
	if (*text_of(event, "health_status") != '\0')
		strbuf_addf(b, ", health_status=%s", text_of(event, "health_status"));
	json_object_foreach (labels, key, v) {
		strbuf_addf(b, ", %s=%s", key, json_string_value(v));
	}
	strbuf_addc(b, ')');
}

static void
print_line(const json_t *event, bool no_trunc)
{
	own_strbuf struct strbuf b = {0};
	const char *type = text_of(event, "Type"), *name = text_of(event, "Name");
	const char *id = text_of(event, "ID");
	char when[HUMAN_MAX];

	strbuf_addf(&b, "%s %s %s", human_go_time(event_read_time(event), when, sizeof(when)), type,
	    text_of(event, "Status"));
	if (strcmp(type, "system") == 0) {
		if (*name != '\0')
			strbuf_addf(&b, " %s", name);
	} else if (strcmp(type, "volume") == 0 || strcmp(type, "machine") == 0) {
		strbuf_addf(&b, " %s", name);
	} else {
		strbuf_addf(&b, " %.*s", no_trunc ? 64 : NAMES_SHORT_LEN, id);
		if (strcmp(type, "container") == 0 || strcmp(type, "pod") == 0)
			add_details(event, &b);
		else if (*text_of(event, "Network") != '\0')
			strbuf_addf(&b, " (container=%.*s, name=%s)",
			    no_trunc ? 64 : NAMES_SHORT_LEN, id, text_of(event, "Network"));
		else if (*name != '\0')
			strbuf_addf(&b, " %s", name);
		if (*text_of(event, "Error") != '\0')
			strbuf_addf(&b, " %s", text_of(event, "Error"));
	}
	puts(b.s);
}

/* In templates every field is there. */
static json_t *
template_row(const json_t *event)
{
	static const struct {
		const char *field, *key;
	} fields[] = {{"ID", "ID"}, {"Image", "Image"}, {"Name", "Name"}, {"Network", "Network"},
	    {"Status", "Status"}, {"Type", "Type"}, {"HealthStatus", "health_status"},
	    {"HealthLog", "HealthLog"}, {"PodID", "PodID"}, {"Error", "Error"},
	    {"ContainerInspectData", "ContainerInspectData"}};
	json_t *o = json_obj(), *labels = json_object_get(event, "Attributes");
	int64_t ns = event_read_time(event);
	char when[HUMAN_MAX];

	for (size_t i = 0; i < COUNTOF(fields); i++)
		json_put_str(o, fields[i].field, text_of(event, fields[i].key));
	json_put_str(o, "Time", human_rfc3339nano(ns, when, sizeof(when)));
	json_put_int(o, "TimeNano", ns);
	json_put_int(o, "ContainerExitCode",
	    json_integer_value(json_object_get(event, "ContainerExitCode")));
	json_put_int(o, "HealthFailingStreak",
	    json_integer_value(json_object_get(event, "HealthFailingStreak")));
	json_put_bool(o, "OOMKilled", json_is_true(json_object_get(event, "OOMKilled")));
	json_put_take(o, "Attributes", json_is_object(labels) ? json_incref(labels) : json_obj());
	return o;
}

static int
print(const struct events_opts *o, json_t *event, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	own_json json_t *list = json_arr(), *told = json_arr();
	int r = 0;

	if (o->format == NULL || *o->format == '\0') {
		print_line(event, o->no_trunc);
	} else if (output_is_json(o->format)) {
		json_go(event, "", &b);
		puts(b.s);
	} else {
		struct output out = {.format = o->format, .type = "events.Event"};

		json_add_take(list, template_row(event));
		json_array_append(told, event);
		r = output_list(&out, list, told, stdout, e);
	}
	fflush(stdout);
	return r;
}

/* --- The command --------------------------------------------------------------------------------*/

static int
parse_time(const char *name, const char *value, int64_t *ns, struct err *e)
{
	*ns = 0;
	if (value == NULL || *value == '\0' ||
	    value_instant(value, ctx_now_ns(), strcmp(name, "until") == 0, ns, e) == 0)
		return 0;
	return err_set(e, ERR_INVALID, "unable to parse %s value \"%s\"", name, value);
}

static int
print_told(void *arg, const json_t *told, struct err *e)
{
	own_json json_t *event = others_event(told);

	return print(arg, event, e);
}

/* Those of a service, which understands the filters and the times. */
static int
run_there(struct remote *r, const struct events_opts *o, struct err *e)
{
	struct events_opts how = *o;
	own_question struct question q = {.answer = "lines", .item = print_told, .arg = &how};
	own_reply struct reply a = {0};

	question_path(&q, "/events");
	question_put_bool(&q, "stream", o->stream);
	if (o->since != NULL && *o->since != '\0')
		question_put(&q, "since", o->since);
	if (o->until != NULL && *o->until != '\0')
		question_put(&q, "until", o->until);
	if (question_put_filters(&q, "filters", &o->filter, e) == -1)
		return -1;
	return remote_ask(r, &q, &a, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct events_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_strv struct strv words = {0};
	own_terms struct terms terms = {0};
	own_event_reader struct event_reader *r = NULL;
	int64_t since, until, until_wait;
	json_t *event;
	int got;

	(void)argc;
	(void)argv;
	if (x->remote != NULL)
		return run_there(x->remote, o, e);
	lower_keys(&o->filter, &words);
	if (terms_parse(x, keys, &words, &terms, e) == -1 ||
	    parse_time("since", o->since, &since, e) == -1 ||
	    parse_time("until", o->until, &until, e) == -1)
		return -1;
	r = event_read_open(x, o->stream && (until == 0 || until > ctx_now_ns()),
	    o->stream && since == 0 && until == 0, e);
	if (r == NULL)
		return -1;
	until_wait = until;
	while ((got = event_read_next(r, until_wait, &event, e)) == 1) {
		own_json json_t *j = event;
		int64_t when = event_read_time(j);

		if (until != 0 && when > until)
			break;
		if (when >= since && terms_match(&terms, j) && print(o, j, e) == -1)
			return -1;
	}
	return got == -1 ? -1 : 0;
}

const struct cmd cmd_events = {
    .name = "events",
    .synopsis = "[options]",
    .brief = "Show podman system events",
    .text = "Monitor podman system events.\n\n  By default, streaming mode is used, printing new "
	    "events as they occur.  Previous events can be listed via --since and --until.",
    .examples = "events\nevents --filter event=create\nevents --format {{.Image}}\nevents --since "
		"1h30s",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct events_opts),
    .max = 0,
    .run = run,
};
