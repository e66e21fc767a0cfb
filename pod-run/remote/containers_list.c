/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/value.h"
#include "pod-run/remote/containers.h"

#define NS INT64_C(1000000000)
#define ZERO_TIME (-INT64_C(62135596800)) /* Go's zero time in seconds since 1970 */
#define TEXT_MAX 4096

/* --- Records ------------------------------------------------------------------------------------*/

static const char *
text_at(const json_t *o, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? arena_strndup(a, s, TEXT_MAX) : "";
}

/* A time in seconds since 1970, where Go's zero means never, or as RFC 3339 has it. */
static int64_t
time_at(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	struct err ignored = {0};
	int64_t ns;

	if (json_is_string(v))
		return value_instant(json_string_value(v), 0, false, &ns, &ignored) == 0 ? ns : 0;
	if (!json_is_integer(v) || json_integer_value(v) <= ZERO_TIME ||
	    json_integer_value(v) > INT64_MAX / NS || json_integer_value(v) < INT64_MIN / NS)
		return 0;
	return json_integer_value(v) * NS;
}

static enum ctr_status
status_at(const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "State"));

	for (int i = 0; i < CTR_STATUS_COUNT; i++)
		if (name != NULL && strcmp(ctr_status_name((enum ctr_status)i), name) == 0)
			return (enum ctr_status)i;
	return CTR_UNKNOWN;
}

static uint64_t
small(const json_t *o, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(o, key));

	return v > 0 && v <= 65535 ? (uint64_t)v : 0;
}

static void
take_ports(struct ctr *c, const json_t *o)
{
	const json_t *list = json_object_get(o, "Ports"), *one;
	struct rec_port_map *v = arena_array(&c->arena, json_array_size(list) + 1, sizeof(*v));
	size_t i, n = 0;

	json_array_foreach (list, i, one)
		v[n++] = (struct rec_port_map){.host_ip = text_at(one, "host_ip", &c->arena),
		    .host_port = small(one, "host_port"),
		    .container_port = small(one, "container_port"),
		    .range = small(one, "range"),
		    .protocol = text_at(one, "protocol", &c->arena)};
	c->run.ports.v = c->summary->ports.v = v;
	c->run.ports.n = c->summary->ports.n = n;
}

/* {"80": ["tcp"]} */
static void
take_exposed(struct ctr *c, const json_t *o)
{
	const json_t *list = json_object_get(o, "ExposedPorts");
	struct strs *out = &c->summary->expose;
	const char *port;
	json_t *kinds, *kind;
	size_t i, n = 0;

	json_object_foreach ((json_t *)(uintptr_t)list, port, kinds)
		n += json_array_size(kinds);
	out->v = arena_array(&c->arena, n + 1, sizeof(*out->v));
	json_object_foreach ((json_t *)(uintptr_t)list, port, kinds)
		json_array_foreach (kinds, i, kind)
			if (json_is_string(kind))
				out->v[out->n++] =
				    arena_printf(&c->arena, "%s/%s", port, json_string_value(kind));
}

static void
take_labels(struct ctr *c, const json_t *o)
{
	const json_t *list = json_object_get(o, "Labels");
	struct rec_kv *v = arena_array(&c->arena, json_object_size(list) + 1, sizeof(*v));
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)(uintptr_t)list, key, value)
		if (json_is_string(value))
			v[n++] = (struct rec_kv){.key = arena_strdup(&c->arena, key),
			    .value = arena_strdup(&c->arena, json_string_value(value))};
	c->summary->labels.v = v;
	c->summary->labels.n = n;
}

static int
take(const json_t *o, struct ctr *c, struct err *e)
{
	struct arena *a = &c->arena;
	const char *id = json_string_value(json_object_get(o, "Id"));
	struct strs names;

	if (id == NULL || !names_is_id(id))
		return err_set(e, ERR_FORMAT, "the service lists a container without an ID");
	memcpy(c->id, id, sizeof(c->id));
	names = remote_texts(o, "Names", a);
	c->summary = arena_alloc(a, sizeof(*c->summary));
	c->name = names.n > 0 ? names.v[0] : "";
	c->status = status_at(o);
	c->created_ns = time_at(o, "Created");
	c->started_ns = time_at(o, "StartedAt");
	c->finished_ns = time_at(o, "ExitedAt");
	c->exit_code = (int)json_integer_value(json_object_get(o, "ExitCode"));
	c->pid = (pid_t)json_integer_value(json_object_get(o, "Pid"));
	c->restarts = (uint64_t)json_integer_value(json_object_get(o, "Restarts"));
	c->image = text_at(o, "ImageID", a);
	c->summary->image_name = text_at(o, "Image", a);
	c->summary->args = remote_texts(o, "Command", a);
	c->summary->mounts = remote_texts(o, "Mounts", a);
	c->summary->networks = remote_texts(o, "Networks", a);
	c->summary->cid_file = text_at(o, "CIDFile", a);
	c->summary->remove = json_is_true(json_object_get(o, "AutoRemove"));
	take_ports(c, o);
	take_exposed(c, o);
	take_labels(c, o);
	return 0;
}

/* --- Lists --------------------------------------------------------------------------------------*/

int
containers_list(struct remote *r, const struct containers_wanted *w, struct ctr_list *l,
    json_t **told, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};
	const json_t *one;
	size_t i;

	question_path(&q, "/containers/json");
	question_put_bool(&q, "all", w->all || w->last >= 0);
	if (w->external)
		question_put_bool(&q, "external", true);
	if (w->size)
		question_put_bool(&q, "size", true);
	if (w->sync)
		question_put_bool(&q, "sync", true);
	if (w->last >= 0)
		question_put_int(&q, "last", w->last);
	if (question_put_filters(&q, "filters", w->filters, e) == -1 ||
	    remote_ask(r, &q, &a, e) == -1)
		return -1;
	*told = json_obj();
	json_array_foreach (a.document, i, one) {
		struct ctr *c;

		l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
		c = &l->v[l->n++];
		memset(c, 0, sizeof(*c));
		if (take(one, c, e) == -1)
			return -1;
		json_put_take(*told, c->id, json_incref((json_t *)(uintptr_t)one));
	}
	return 0;
}

void
containers_size(const json_t *told, const char *id, uint64_t *rw, uint64_t *image)
{
	const json_t *o = json_object_get(json_object_get(told, id), "Size");
	json_int_t all = json_integer_value(json_object_get(o, "rootFsSize"));
	json_int_t own = json_integer_value(json_object_get(o, "rwSize"));

	*rw = own > 0 ? (uint64_t)own : 0;
	*image = all > own && own >= 0 ? (uint64_t)(all - own) : 0;
}

void
containers_put_told(json_t *row, const json_t *told, const char *id)
{
	static const char *const keys[] = {"Pod", "PodName", "IsInfra"};
	const json_t *o = json_object_get(told, id);
	const char *health = json_string_value(json_object_get(o, "Status"));
	const char *status = json_string_value(json_object_get(row, "Status"));

	for (size_t i = 0; i < COUNTOF(keys); i++) {
		json_t *v = json_object_get(o, keys[i]);

		if (v != NULL && json_object_get(row, keys[i]) != NULL)
			json_put_take(row, keys[i], json_incref(v));
	}
	if (health != NULL && *health != '\0' && status != NULL) {
		own_mem char *both = xasprintf("%s (%s)", status, health);

		json_put_str(row, "Status", both);
	}
}

json_t *
containers_inspect(struct remote *r, const char *kind, const char *word, bool size, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	question_path(&q, "/%s", kind);
	question_path(&q, "s/%s/json", word);
	if (size)
		question_put_bool(&q, "size", true);
	if (remote_ask(r, &q, &a, e) == -1)
		return NULL;
	/* A service of version 4 answers for a network with the one in a list. */
	if (json_is_array(a.document) && json_array_size(a.document) == 1)
		return json_incref(json_array_get(a.document, 0));
	if (!json_is_object(a.document)) {
		err_set(e, ERR_FORMAT, "the answer of the service is no object");
		return NULL;
	}
	return json_incref(a.document);
}

json_t *
containers_changes(struct remote *r, const char *kind, const char *word, const char *type,
    const char *against, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};

	question_path(&q, "/%s", kind);
	question_path(&q, "s/%s/changes", word);
	question_put(&q, "diffType", type);
	if (against != NULL)
		question_put(&q, "parent", against);
	if (remote_ask(r, &q, &a, e) == -1)
		return NULL;
	return json_is_array(a.document) ? json_incref(a.document) : json_arr();
}

/* Those that run: asked for none by name, a service tells of all there are. */
static int
put_running(struct remote *r, struct question *q, size_t *n, struct err *e)
{
	static const struct strv none;
	const struct containers_wanted w = {.last = -1, .filters = &none};
	own_ctr_list struct ctr_list l = {0};
	own_json json_t *told = NULL;

	if (containers_list(r, &w, &l, &told, e) == -1)
		return -1;
	for (size_t i = 0; i < l.n; i++)
		question_put(q, "containers", l.v[i].id);
	*n = l.n;
	return 0;
}

json_t *
containers_stats(struct remote *r, const struct strv *words, struct err *e)
{
	own_question struct question q = {0};
	own_reply struct reply a = {0};
	size_t n = words->n;
	const json_t *list;
	const char *why;

	question_path(&q, "/containers/stats");
	question_put_bool(&q, "stream", false);
	/* What is missing the service does not name. */
	for (size_t i = 0; i < words->n; i++) {
		if (containers_exists(r, words->v[i], e) == -1)
			return NULL;
		question_put(&q, "containers", words->v[i]);
	}
	if (n == 0 && put_running(r, &q, &n, e) == -1)
		return NULL;
	if (n == 0)
		return json_arr();
	if (remote_ask(r, &q, &a, e) == -1)
		return NULL;
	why = json_string_value(json_object_get(a.document, "Error"));
	list = json_object_get(a.document, "Stats");
	if (why != NULL || json_is_object(json_object_get(a.document, "Error"))) {
		err_set(e, ERR_INTERNAL, "%s", why != NULL ? why : "the service could not look");
		return NULL;
	}
	return json_is_array(list) ? json_incref((json_t *)(uintptr_t)list) : json_arr();
}

int
containers_get(struct remote *r, const char *word, struct ctr *c, struct err *e)
{
	own_json json_t *o = containers_inspect(r, "container", word, false, e), *told = NULL;
	own_ctr_list struct ctr_list l = {0};
	own_strv struct strv filters = {0};
	struct containers_wanted w = {.all = true, .last = -1, .filters = &filters};
	const char *id = json_string_value(json_object_get(o, "Id"));

	if (o == NULL)
		return -1;
	strv_addf(&filters, "id=%s", id != NULL ? id : "");
	if (containers_list(r, &w, &l, &told, e) == -1)
		return -1;
	if (l.n != 1)
		return err_set(e, ERR_NOTFOUND,
		    "no container with name or ID \"%s\" found: no such container", word);
	*c = l.v[0];
	l.n = 0;
	return 0;
}
