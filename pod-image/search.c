/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/search.h"

#define PAGE_MAX ((uint64_t)4 << 20)
#define PAGE_NAMES 1000
#define PAGES_MAX 1000
#define RESULTS_MAX 100000
#define NAME_MAX_ 255
#define DESCRIPTION_MAX 65536

void
search_free(struct search *s)
{
	free(s->results);
	arena_free(&s->arena);
}

static struct rec_search_result *
add(struct search *s, const char *registry, const char *name)
{
	struct rec_search_result *r;

	s->results = mem_grow(s->results, &s->cap, s->n + 1, sizeof(*s->results));
	r = &s->results[s->n++];
	*r = (struct rec_search_result){.index = arena_strdup(&s->arena, registry)};
	if (strcmp(registry, "docker.io") == 0 && strchr(name, '/') == NULL)
		r->name = arena_printf(&s->arena, "%s/library/%s", registry, name);
	else
		r->name = arena_printf(&s->arena, "%s/%s", registry, name);
	return r;
}

/* Names of repositories are shown to people, so they must be such. */
static bool
name_valid(const char *name)
{
	own_mem char *text = xasprintf("registry.invalid/%s", name);
	own_reference struct reference r = {0};
	struct err ignored = {0};

	return strlen(name) <= NAME_MAX_ && reference_parse(text, &r, &ignored) == 0 &&
	       r.tag == NULL && r.digest == NULL;
}

/* --- Answers ---------------------------------------------------------------------------------- */

static void
take_result(struct search *s, const char *registry, const json_t *j)
{
	const char *name = json_string_value(json_object_get(j, "name"));
	const char *description = json_string_value(json_object_get(j, "description"));
	const json_t *stars = json_object_get(j, "star_count");
	struct rec_search_result *r;

	if (name == NULL || !name_valid(name))
		return;
	r = add(s, registry, name);
	if (description != NULL && *description != '\0')
		r->description = arena_strndup(&s->arena, description,
		    strlen(description) < DESCRIPTION_MAX ? strlen(description) : 0);
	if (json_is_integer(stars) && json_integer_value(stars) > 0)
		r->stars = (uint64_t)json_integer_value(stars);
	r->official = json_is_true(json_object_get(j, "is_official"));
	r->automated = json_is_true(json_object_get(j, "is_automated"));
}

int
search_take_v1(struct search *s, const char *registry, const char *text, size_t n, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, PAGE_MAX, 8, e);
	json_t *list = NULL;

	if (j == NULL || !json_is_object(j) || json_want_arr(j, "results", &list, e) < 0)
		return err_set(e, ERR_FORMAT, "the answer to a search has another form");
	for (size_t i = 0; i < json_array_size(list) && i < s->limit && s->n < RESULTS_MAX; i++)
		take_result(s, registry, json_array_get(list, i));
	return 0;
}

int
search_take_catalog(struct search *s, const char *registry, const char *text, size_t n,
    size_t first, char **more, struct err *e)
{
	own_json json_t *j = json_read_max(text, n, PAGE_MAX, 8, e);
	json_t *list = NULL;
	const char *name = NULL;

	*more = NULL;
	if (j == NULL || !json_is_object(j) || json_want_arr(j, "repositories", &list, e) < 0)
		return err_set(e, ERR_FORMAT, "the catalogue has another form");
	for (size_t i = 0; i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		if (name == NULL || !name_valid(name))
			return err_set(e, ERR_FORMAT, "the catalogue holds an invalid name");
		if (s->n - first < s->limit && s->n < RESULTS_MAX && strstr(name, s->term) != NULL)
			add(s, registry, name);
	}
	if (json_array_size(list) >= PAGE_NAMES && s->n - first < s->limit)
		*more = xstrdup(name);
	return 0;
}

/* --- Questions -------------------------------------------------------------------------------- */

/* What is neither a letter nor a digit is escaped, so that it stays within its parameter. */
static void
add_escaped(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		    (*s >= '0' && *s <= '9'))
			strbuf_addc(b, *s);
		else
			strbuf_addf(b, "%%%02X", (unsigned char)*s);
	}
}

static int
get(struct peer *fetch, const char *path, struct peer_in *in, struct err *e)
{
	struct msg_fetch_file m = {.path = path, .max = PAGE_MAX};

	return peer_call(fetch, &msg_fetch_file_desc, &m, in, NULL, NULL, e);
}

/* 1: the registry has no such interface. */
static int
search_v1(struct search *s, struct peer *fetch, const char *registry, struct err *e)
{
	own_strbuf struct strbuf path = {0};
	own_peer_in struct peer_in in = {0};
	const struct bytes *data;

	strbuf_add(&path, "/v1/search?q=");
	add_escaped(&path, s->term);
	strbuf_addf(&path, "&n=%llu", (unsigned long long)s->limit);
	if (get(fetch, path.s, &in, e) < 0)
		return text_has_prefix(e->text, "pinging") || e->class == ERR_LIMIT ? -1 : 1;
	data = &MSG_OF(&in, fetch_document_r)->data;
	return search_take_v1(s, registry, (const char *)data->p, data->n, e) < 0 ? 1 : 0;
}

static int
search_catalog(struct search *s, struct peer *fetch, const char *registry, struct err *e)
{
	own_mem char *last = NULL;
	size_t first = s->n;

	for (unsigned i = 0; i < PAGES_MAX; i++) {
		own_strbuf struct strbuf path = {0};
		own_peer_in struct peer_in in = {0};
		const struct bytes *data;
		char *more;

		strbuf_addf(&path, "/v2/_catalog?n=%d", PAGE_NAMES);
		if (last != NULL) {
			strbuf_add(&path, "&last=");
			add_escaped(&path, last);
		}
		if (get(fetch, path.s, &in, e) < 0)
			return -1;
		data = &MSG_OF(&in, fetch_document_r)->data;
		if (search_take_catalog(
			s, registry, (const char *)data->p, data->n, first, &more, e) < 0)
			return -1;
		free(last);
		last = more;
		if (more == NULL)
			return 0;
	}
	return err_set(e, ERR_LIMIT, "the catalogue has no end");
}

static int
search_registry(struct search *s, size_t worker, struct err *e)
{
	const char *registry = s->plan->workers[worker].registry;
	struct peer *fetch = plan_worker_peer(s->plan, worker, e);
	int r = fetch != NULL ? 1 : -1;

	if (strcmp(registry, "index.docker.io") == 0)
		registry = "docker.io";
	if (r == 1 && *s->term != '\0')
		r = search_v1(s, fetch, registry, e);
	if (r == 1) {
		err_clear(e);
		r = search_catalog(s, fetch, registry, e);
	}
	return r < 0 ? err_wrap(e, "couldn't search registry \"%s\"", registry) : 0;
}

static int
list_tags(struct search *s, size_t source, struct err *e)
{
	const struct plan_source *from = &s->plan->sources[source];
	const struct plan_endpoint *at = &from->endpoints[from->nendpoints - 1];
	struct msg_fetch_tags m = {.repository = at->ref.path};
	own_peer_in struct peer_in in = {0};
	struct peer *fetch = plan_worker_peer(s->plan, at->worker, e);
	const struct strs *tags;

	if (fetch == NULL || peer_call(fetch, &msg_fetch_tags_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "getting repository tags: fetching tags list");
	tags = &MSG_OF(&in, fetch_tags_r)->tags;
	for (size_t i = 0; i < tags->n && i < s->limit; i++) {
		struct rec_search_result *r = add(s, from->ref.domain, from->ref.path);

		r->tag = arena_strdup(&s->arena, tags->v[i]);
	}
	return 0;
}

int
search_run(struct search *s, struct err *e)
{
	struct err first = {0};
	size_t n = s->plan->nsources > 0 ? s->plan->nsources : s->plan->nworkers;

	for (size_t i = 0; i < n; i++) {
		err_clear(e);
		if ((s->plan->nsources > 0 ? list_tags : search_registry)(s, i, e) < 0 &&
		    !err_is_set(&first))
			first = *e;
	}
	/* One registry that answered may have what is looked for. */
	*e = first;
	if (s->n == 0 && err_is_set(&first))
		return -1;
	err_clear(e);
	return 0;
}
