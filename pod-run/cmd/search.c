/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/output.h"
#include "common/oci/auth.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"
#include "pod-run/life/image.h"
#include "pod-run/remote/registry.h"

#define LIMIT_DEFAULT 25
#define LIMIT_MAX 65536
#define DESCRIPTION_SHOWN 44

struct search_opts {
	struct access_opts access;
	bool compatible, list_tags, no_trunc;
	struct strv filter;
	const char *format;
	int64_t limit;
};

static const struct opt rows[] = {
    {"compatible", 0, OPT_BOOL(struct search_opts, compatible),
	.help = "List stars, official and automated columns (Docker compatibility)"},
    {"creds", 0, OPT_STRING(struct search_opts, access.creds), .arg = "[username[:password]]",
	.help = "Credentials (USERNAME:PASSWORD) to use for authenticating to a registry"},
    {"filter", 'f', OPT_LIST(struct search_opts, filter), .arg = "filter",
	.help = "Filter output based on conditions provided (stars=N, is-official, is-automated)"},
    {"format", 0, OPT_STRING(struct search_opts, format), .arg = "format",
	.help = "Change the output format to JSON or a Go template"},
    {"limit", 0, OPT_INT(struct search_opts, limit), .arg = "limit", .def = "0",
	.help = "Limit the number of results"},
    {"list-tags", 0, OPT_BOOL(struct search_opts, list_tags),
	.help = "List the tags of the input registry"},
    {"no-trunc", 0, OPT_BOOL(struct search_opts, no_trunc), .alias = "notruncate",
	.help = "Do not truncate the output"},
    OPT_END,
};

struct filters {
	int64_t stars;
	int official, automated; /* -1: do not care */
};

static int
take_bool(const char *name, const char *value, int *out, struct err *e)
{
	if (*value == '\0' || strcmp(value, "true") == 0)
		*out = 1;
	else if (strcmp(value, "false") == 0)
		*out = 0;
	else
		return err_set(
		    e, ERR_USAGE, "incorrect value type for %s filter: \"%s\"", name, value);
	return 0;
}

static int
take_filter(struct filters *f, const char *text, struct err *e)
{
	size_t n = strcspn(text, "=");
	const char *value = text[n] == '=' ? text + n + 1 : "";

	if (n == 5 && strncmp(text, "stars", n) == 0) {
		if (text_to_i64(value, 0, INT32_MAX, &f->stars) < 0)
			return err_set(e, ERR_USAGE,
			    "incorrect value type for stars filter: strconv.Atoi: parsing \"%s\": "
			    "invalid syntax",
			    value);
		return 0;
	}
	if (n == 11 && strncmp(text, "is-official", n) == 0)
		return take_bool("is-official", value, &f->official, e);
	if (n == 12 && strncmp(text, "is-automated", n) == 0)
		return take_bool("is-automated", value, &f->automated, e);
	return err_set(e, ERR_USAGE, "invalid filter type \"%s\"", text);
}

static bool
passes(const struct filters *f, const struct rec_search_result *r)
{
	return r->stars >= (uint64_t)f->stars && (f->official < 0 || f->official == r->official) &&
	       (f->automated < 0 || f->automated == r->automated);
}

/* On one line, and short unless all of it is wanted. */
static char *
shown_description(const struct search_opts *o, const char *text)
{
	own_strbuf struct strbuf b = {0};
	size_t n = 0;

	for (const char *p = text != NULL ? text : ""; *p != '\0'; n++) {
		size_t k = text_utf8_len(p, strlen(p));

		if (!o->no_trunc && n == DESCRIPTION_SHOWN) {
			strbuf_add(&b, "...");
			break;
		}
		if (*p == '\n' || (unsigned char)*p < ' ')
			strbuf_addc(&b, ' ');
		else
			strbuf_addn(&b, p, k > 0 ? k : 1);
		p += k > 0 ? k : 1;
	}
	return strbuf_take(&b);
}

static json_t *
row_of(const struct search_opts *o, const struct rec_search_result *r)
{
	json_t *row = json_obj();
	own_mem char *description = shown_description(o, r->description);

	json_put_str(row, "Index", r->index);
	json_put_str(row, "Name", r->name);
	json_put_str(row, "Description", description);
	json_put_int(row, "Stars", (int64_t)r->stars);
	json_put_str(row, "Official", r->official ? "[OK]" : "");
	json_put_str(row, "Automated", r->automated ? "[OK]" : "");
	json_put_str(row, "Tag", r->tag != NULL ? r->tag : "");
	return row;
}

/* One object for each repository, with its tags. */
static json_t *
tags_by_name(const struct msg_image_search_r *m)
{
	json_t *out = json_arr(), *tags = NULL;
	const char *name = "";

	for (size_t i = 0; i < m->results.n; i++) {
		const struct rec_search_result *r = &m->results.v[i];

		if (strcmp(name, r->name) != 0) {
			json_t *o = json_add_obj(out);

			json_put_str(o, "Name", r->name);
			tags = json_put_arr(o, "Tags");
			name = r->name;
		}
		json_add_str(tags, r->tag);
	}
	return out;
}

static int
print(const struct search_opts *o, const struct filters *f, const struct msg_image_search_r *m,
    struct err *e)
{
	struct output out = {.format = o->format,
	    .type = "entities.ImageSearchReport",
	    .table = o->list_tags    ? "{{.Name}}\t{{.Tag}}"
		     : o->compatible ? "{{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t"
				       "{{.Automated}}"
				     : "{{.Name}}\t{{.Description}}"};
	own_json json_t *list = NULL;

	/* As with Podman, nothing found prints nothing, not even headings; fewer than none is nothing too. */
	if (m->results.n == 0 || o->limit < 0)
		return 0;
	if (o->list_tags && output_is_json(o->format)) {
		list = tags_by_name(m);
		return output_json(list, stdout, e);
	}
	list = json_arr();
	for (size_t i = 0; i < m->results.n; i++) {
		if (passes(f, &m->results.v[i]))
			json_add_take(list, row_of(o, &m->results.v[i]));
	}
	return json_array_size(list) == 0 ? 0 : output_list(&out, list, NULL, stdout, e);
}

static const char *
text_at(const json_t *o, const char *key, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? arena_strdup(a, s) : "";
}

static int
search_there(struct cli_ctx *cli, const struct search_opts *o, const struct filters *f,
    const struct msg_image_search *m, struct err *e)
{
	const struct args args = {.cli = cli, .opts = (void *)(uintptr_t)o};
	own_arena struct arena a = {0};
	own_json json_t *list =
	    registry_search(ctx_of(cli)->remote, &args, m->term, m->limit, m->list_tags, e);
	struct msg_image_search_r found = {0};
	const json_t *one;
	size_t i;

	if (list == NULL)
		return -1;
	found.results.v = arena_array(&a, json_array_size(list) + 1, sizeof(*found.results.v));
	json_array_foreach (list, i, one) {
		json_int_t stars = json_integer_value(json_object_get(one, "Stars"));

		found.results.v[found.results.n++] =
		    (struct rec_search_result){.index = text_at(one, "Index", &a),
			.name = text_at(one, "Name", &a),
			.description = text_at(one, "Description", &a),
			.stars = stars > 0 ? (uint64_t)stars : 0,
			.official = *text_at(one, "Official", &a) != '\0',
			.automated = *text_at(one, "Automated", &a) != '\0',
			.tag = text_at(one, "Tag", &a)};
	}
	return print(o, f, &found, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct search_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	struct rec_registry_access access;
	struct filters f = {.official = -1, .automated = -1};
	struct msg_image_search m = {.term = argv[0],
	    .list_tags = o->list_tags,
	    .limit = o->limit > 0 ? (uint64_t)o->limit : LIMIT_DEFAULT,
	    .access = &access};
	own_peer_in struct peer_in in = {0};
	struct peer *image;
	pid_t pid;
	int r;

	(void)argc;
	if (o->list_tags && text_has_prefix(m.term, "docker://"))
		m.term += strlen("docker://");
	if (m.limit > LIMIT_MAX)
		m.limit = LIMIT_MAX;
	if (o->list_tags && o->filter.n > 0)
		return err_set(e, ERR_USAGE, "filters are not applicable to list tags result");
	if (image_stat_authfile(auth_named(o->access.authfile), e) == -1)
		return -1;
	for (size_t i = 0; i < o->filter.n; i++) {
		if (take_filter(&f, o->filter.v[i], e) < 0)
			return -1;
	}
	if (x->remote != NULL)
		return search_there(cli, o, &f, &m, e);
	if (access_fill(&o->access, &access, e) == -1 || ctx_paths(x, e) == -1)
		return -1;
	image = ctx_helper(x, ROLE_IMAGE, &pid, e);
	if (image == NULL)
		return -1;
	r = peer_call(image, &msg_image_search_desc, &m, &in, NULL, NULL, e);
	peer_free(image);
	return r == -1 ? -1 : print(o, &f, MSG_OF(&in, image_search_r), e);
}

const struct cmd cmd_search = {
    .name = "search",
    .synopsis = "[options] TERM",
    .brief = "Search registry for image",
    .text = "Search registries for a given image. Can search all the default registries or a "
	    "specific registry.",
    .examples = "search --filter=is-official --limit 3 alpine\nsearch registry.example.org/\n"
		"search --list-tags registry.example.org/team/app",
    .opts = {{rows, 0}, {access_rows_basic, offsetof(struct search_opts, access)}},
    .opts_size = sizeof(struct search_opts),
    .min = 1,
    .max = 1,
    .run = run,
};
