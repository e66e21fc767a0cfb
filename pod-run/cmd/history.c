/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/remote/images.h"

#define NS INT64_C(1000000000)
#define CREATED_BY_MAX 45

struct history_opts {
	bool human, no_trunc, quiet;
	const char *format;
};

static const struct opt rows[] = {
    {"format", 0, OPT_STRING(struct history_opts, format), .arg = "format",
	.help = "Change the output to JSON or a Go template"},
    {"human", 'H', OPT_BOOL(struct history_opts, human), .def = "true",
	.help = "Display sizes and dates in human readable format"},
    {"no-trunc", 0, OPT_BOOL(struct history_opts, no_trunc), .alias = "notruncate",
	.help = "Do not truncate the output"},
    {"quiet", 'q', OPT_BOOL(struct history_opts, quiet), .help = "Display the numeric IDs only"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"CreatedBy", "CREATED BY"},
    {"CreatedSince", "CREATED"},
    {NULL, NULL},
};

struct step {
	const struct rec_history *h;
	uint64_t size;
	const struct rec_image *image; /* that the step made, or NULL */
};

/* Of a step that tells no time: readers want one. */
#define NO_TIME "0001-01-01T00:00:00Z"
#define NO_TIME_GO "0001-01-01 00:00:00 +0000 UTC"
#define NO_TIME_SECONDS INT64_C(-62135596800)

static const char *
text_of(const char *s)
{
	return s != NULL ? s : "";
}

static bool
tells_time(const struct rec_history *h)
{
	return h->created != NULL && *h->created != '\0';
}

static int64_t
time_of(const struct rec_history *h)
{
	int64_t ns;

	return h->created != NULL && human_parse_rfc3339(h->created, &ns) == 0 ? ns : 0;
}

static json_t *
json_row(const struct step *s)
{
	bool told = tells_time(s->h);
	json_t *o = json_obj();
	char created[HUMAN_MAX];

	json_put_str(o, "id", s->image != NULL ? s->image->id : "<missing>");
	json_put_str(o, "created", told ? s->h->created : NO_TIME);
	json_put_str(o, "CreatedBy", text_of(s->h->created_by));
	if (s->image != NULL && s->image->names.n > 0) {
		json_t *tags = json_put_arr(o, "tags");

		for (size_t i = 0; i < s->image->names.n; i++)
			json_add_str(tags, s->image->names.v[i]);
	}
	json_put_int(o, "size", (int64_t)s->size);
	json_put_str(o, "comment", text_of(s->h->comment));
	human_rfc3339nano_utc(time_of(s->h) / NS * NS, created, sizeof(created));
	json_put_str(o, "Created", told ? created : NO_TIME);
	return o;
}

static void
put_created_by(json_t *o, const char *by, bool no_trunc)
{
	if (!no_trunc && strlen(by) > CREATED_BY_MAX) {
		own_mem char *cut = xasprintf("%.*s...", CREATED_BY_MAX - 3, by);

		json_put_str(o, "CreatedBy", cut);
	} else {
		json_put_str(o, "CreatedBy", by);
	}
}

static json_t *
template_row(const struct history_opts *o, const struct step *s)
{
	json_t *row = json_obj(), *tags;
	bool told = tells_time(s->h);
	int64_t created = time_of(s->h);
	char text[HUMAN_MAX];

	if (s->image != NULL)
		json_put_take(
		    row, "ID", o->no_trunc ? json_str(s->image->id) : json_strn(s->image->id, 12));
	else
		json_put_str(row, "ID", "<missing>");
	human_go_time(created / NS * NS, text, sizeof(text));
	json_put_str(row, "CreatedAt", told ? text : NO_TIME_GO);
	human_ago(told ? created / NS : NO_TIME_SECONDS, ctx_now_ns() / NS, text, sizeof(text));
	json_put_str(row, "CreatedSince", text);
	if (!o->human)
		human_rfc3339nano_utc(created / NS * NS, text, sizeof(text));
	json_put_str(row, "Created", told || o->human ? text : NO_TIME);
	put_created_by(row, text_of(s->h->created_by), o->no_trunc);
	/* The table prints sizes for people either way, as Podman does. */
	json_put_str(row, "Size", human_size_spaced((double)s->size, text, sizeof(text)));
	json_put_str(row, "Comment", text_of(s->h->comment));
	tags = json_put_arr(row, "Tags");
	for (size_t i = 0; s->image != NULL && i < s->image->names.n; i++)
		json_add_str(tags, s->image->names.v[i]);
	return row;
}

/* Steps are listed newest first; each that is not empty has made one layer. */
static void
list_steps(const struct history_opts *o, const struct rec_image *im,
    const struct msg_image_listed *all, const struct msg_image_blob_r *layers, json_t *out,
    json_t *shown)
{
	const struct rec_image_config *c = im->config;
	size_t layer = 0;
	own_arena struct arena a = {0};
	struct step *steps = arena_array(&a, c->history.n + 1, sizeof(*steps));

	for (size_t i = 0; i < c->history.n; i++) {
		steps[i].h = &c->history.v[i];
		if (!steps[i].h->empty_layer && layer < layers->layers.n)
			steps[i].size = layers->layers.v[layer++].tar_size;
	}
	/* Of earlier steps only those are images that are in the store. */
	for (size_t i = c->history.n; i > 0; i--) {
		steps[i - 1].image = im;
		im = im != NULL ? image_row_parent(all, im) : NULL;
		json_add_take(shown, json_row(&steps[i - 1]));
		json_add_take(out, template_row(o, &steps[i - 1]));
	}
}

/* The steps as a service lists them. */
static int
list_theirs(struct remote *r, const struct history_opts *o, const char *word, json_t *out,
    json_t *shown, struct err *e)
{
	own_json json_t *told = images_history(r, word, e);
	const json_t *one;
	size_t i;

	if (told == NULL)
		return -1;
	json_array_foreach (told, i, one) {
		own_arena struct arena a = {0};
		struct rec_history h = {0};
		struct rec_image im = {0};
		struct step s = {.h = &h};

		if (images_step(one, &h, &im, &s.size, &a))
			s.image = &im;
		json_add_take(shown, json_row(&s));
		json_add_take(out, template_row(o, &s));
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct history_opts *o = opts;
	struct output out = {.format = o->format,
	    .table = "{{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
	    .quiet = o->quiet ? "{{.ID}}" : NULL,
	    .type = "images.historyReporter",
	    .headings = headings};
	own_peer_in struct peer_in in = {0}, all = {0}, blob = {0};
	own_json json_t *list = json_arr(), *shown = json_arr();
	struct msg_image_blob m = {.kind = "manifest"};
	const struct rec_image *im;

	(void)argc;
	if (ctx_of(cli)->remote != NULL) {
		if (list_theirs(ctx_of(cli)->remote, o, argv[0], list, shown, e) == -1)
			return -1;
		return output_list(&out, list, shown, stdout, e);
	}
	if (image_row_find(ctx_of(cli), argv[0], &in, e) == -1)
		return -1;
	im = MSG_OF(&in, image_got)->image;
	m.image = im->id;
	if (peer_call(ctx_store(ctx_of(cli), e), &msg_image_blob_desc, &m, &blob, NULL, NULL, e) ==
	    -1)
		return -1;
	if (image_row_list(ctx_of(cli), true, IMAGE_ROW_CONFIGS, &all, e) == -1)
		return -1;
	list_steps(o, im, MSG_OF(&all, image_listed), MSG_OF(&blob, image_blob_r), list, shown);
	return output_list(&out, list, shown, stdout, e);
}

const struct cmd cmd_history = {
    .name = "history",
    .synopsis = "[options] IMAGE",
    .brief = "Show history of a specified image",
    .text = "Displays the history of an image.",
    .examples = "history quay.io/fedora/fedora",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct history_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
