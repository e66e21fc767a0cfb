/* SPDX-License-Identifier: ISC */
#include "common/base/json.h"
#include "pod-run/cmd/image_json.h"
#include "pod-run/cmd/inspect.h"

void
image_json_put_text(json_t *o, const char *key, const char *value)
{
	if (value != NULL && *value != '\0')
		json_put_str(o, key, value);
}

void
image_json_put_list(json_t *o, const char *key, const struct strs *l)
{
	if (l->n > 0)
		json_put_take(o, key, inspect_strs(l));
}

/* {"80/tcp": {}}: what the specification writes for a set. */
static void
put_set(json_t *o, const char *key, const struct strs *l)
{
	json_t *set;

	if (l->n == 0)
		return;
	set = json_put_obj(o, key);
	for (size_t i = 0; i < l->n; i++)
		json_put_obj(set, l->v[i]);
}

static void
put_number(json_t *o, const char *key, int64_t value)
{
	if (value != 0)
		json_put_int(o, key, value);
}

json_t *
image_json_config(const struct rec_image_config *c)
{
	json_t *o = json_obj();

	image_json_put_text(o, "User", c->user);
	put_set(o, "ExposedPorts", &c->exposed_ports);
	image_json_put_list(o, "Env", &c->env);
	image_json_put_list(o, "Entrypoint", &c->entrypoint);
	image_json_put_list(o, "Cmd", &c->cmd);
	put_set(o, "Volumes", &c->volumes);
	image_json_put_text(o, "WorkingDir", c->working_dir);
	if (c->labels.n > 0)
		json_put_take(o, "Labels", inspect_kvs(c->labels.v, c->labels.n));
	image_json_put_text(o, "StopSignal", c->stop_signal);
	image_json_put_list(o, "OnBuild", &c->on_build);
	return o;
}

json_t *
image_json_health(const struct rec_health *h)
{
	json_t *o = json_obj();

	image_json_put_list(o, "Test", &h->test);
	put_number(o, "StartPeriod", h->start_period);
	put_number(o, "StartInterval", h->start_interval);
	put_number(o, "Interval", h->interval);
	put_number(o, "Timeout", h->timeout);
	put_number(o, "Retries", (int64_t)h->retries);
	return o;
}

void
image_json_put_health(json_t *o, const struct rec_health *h)
{
	if (h != NULL && h->test.n > 0)
		json_put_take(o, "Healthcheck", image_json_health(h));
}

json_t *
image_json_history(const struct rec_image_config *c)
{
	json_t *list = json_arr();

	for (size_t i = 0; i < c->history.n; i++) {
		const struct rec_history *h = &c->history.v[i];
		json_t *step = json_add_obj(list);

		image_json_put_text(step, "created", h->created);
		image_json_put_text(step, "created_by", h->created_by);
		image_json_put_text(step, "author", h->author);
		image_json_put_text(step, "comment", h->comment);
		if (h->empty_layer)
			json_put_bool(step, "empty_layer", true);
	}
	return list;
}
