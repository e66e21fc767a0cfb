/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/remote/images.h"

#define NS INT64_C(1000000000)
#define NONE "<none>"

struct images_opts {
	bool all, digests, history, no_trunc, noheading, quiet;
	const char *format, *sort;
	struct strv filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct images_opts, all),
	.help = "Show all images (default hides intermediate images)"},
    {"digests", 0, OPT_BOOL(struct images_opts, digests), .help = "Show digests"},
    {"filter", 'f', OPT_LIST(struct images_opts, filter), .arg = "filter",
	.help = "Filter output based on conditions provided (default [])"},
    {"format", 0, OPT_STRING(struct images_opts, format), .arg = "format",
	.help = "Change the output format to JSON or a Go template"},
    {"history", 0, OPT_BOOL(struct images_opts, history), .help = "Display the image name history"},
    {"no-trunc", 0, OPT_BOOL(struct images_opts, no_trunc), .alias = "notruncate",
	.help = "Do not truncate output"},
    {"noheading", 'n', OPT_BOOL(struct images_opts, noheading),
	.help = "Do not print column headings"},
    {"quiet", 'q', OPT_BOOL(struct images_opts, quiet), .help = "Display only image IDs"},
    {"sort", 0, OPT_STRING(struct images_opts, sort), .arg = "sort", .def = "created",
	.complete = COMPLETE_CHOICE, .choices = "created,id,repository,size,tag",
	.help = "Sort by created, id, repository, size, or tag"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"ID", "IMAGE ID"},
    {"CreatedSince", "CREATED"},
    {"CreatedAt", "CREATED AT"},
    {"ReadOnly", "R/O"},
    {NULL, NULL},
};

/* A line of the table: one name of an image. */
struct line {
	const struct rec_image *image;
	char *repository, *tag; /* NULL: none */
};

struct lines {
	struct line *v;
	size_t n, cap;
};

static void
lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].repository);
		free(l->v[i].tag);
	}
	free(l->v);
}

/* --- Order --------------------------------------------------------------------------------------*/

static int
by_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : NONE, b != NULL ? b : NONE);
}

static int
by_created(const void *a, const void *b)
{
	const struct rec_image *x = ((const struct line *)a)->image;
	const struct rec_image *y = ((const struct line *)b)->image;

	return x->created_ns > y->created_ns ? -1 : x->created_ns < y->created_ns;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->image->id, ((const struct line *)b)->image->id);
}

static int
by_tag(const void *a, const void *b)
{
	return by_text(((const struct line *)a)->tag, ((const struct line *)b)->tag);
}

static int
by_repository(const void *a, const void *b)
{
	int r = by_text(((const struct line *)a)->repository, ((const struct line *)b)->repository);

	return r != 0 ? r : by_tag(a, b);
}

static int
by_size(const void *a, const void *b)
{
	const struct rec_image *x = ((const struct line *)a)->image;
	const struct rec_image *y = ((const struct line *)b)->image;

	return x->size < y->size ? -1 : x->size > y->size;
}

static const struct {
	const char *word;
	int (*compare)(const void *, const void *);
} orders[] = {{"created", by_created}, {"id", by_id}, {"repository", by_repository},
    {"size", by_size}, {"tag", by_tag}};

/* Insertion, because equal lines keep their order: names of an image stay together. */
static void
insertion_sort(struct lines *l, int (*compare)(const void *, const void *))
{
	for (size_t i = 1; i < l->n; i++) {
		struct line line = l->v[i];
		size_t j = i;

		for (; j > 0 && compare(&l->v[j - 1], &line) > 0; j--)
			l->v[j] = l->v[j - 1];
		l->v[j] = line;
	}
}

static int
sort_lines(struct lines *l, const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNTOF(orders); i++)
		if (strcmp(orders[i].word, word) == 0) {
			insertion_sort(l, orders[i].compare);
			return 0;
		}
	return err_set(e, ERR_INVALID,
	    "\"%s\" is not a valid field for sorting. Choose from: created, id, repository, size, "
	    "tag",
	    word);
}

/* --- Choice -------------------------------------------------------------------------------------*/

static void
add_line(struct lines *l, const struct rec_image *im, const char *name)
{
	struct line *line;

	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	line = &l->v[l->n++];
	*line = (struct line){.image = im};
	if (name != NULL)
		image_row_split(name, &line->repository, &line->tag);
}

/* With reference filters, only the names that match are shown. */
static bool
name_wanted(const struct terms *terms, const char *name)
{
	bool asked = false;

	for (size_t i = 0; i < terms->n; i++) {
		if (strcmp(terms->v[i].key->name, "reference") != 0)
			continue;
		asked = true;
		if (image_row_reference(name, terms->v[i].value))
			return true;
	}
	return !asked;
}

static void
add_image(struct lines *l, const struct terms *terms, const struct rec_image *im)
{
	size_t before = l->n;

	for (size_t i = 0; i < im->names.n; i++)
		if (name_wanted(terms, im->names.v[i]))
			add_line(l, im, im->names.v[i]);
	/* Found by its ID or digest: all of it is meant. */
	for (size_t i = 0; i < im->names.n && l->n == before; i++)
		add_line(l, im, im->names.v[i]);
	for (size_t i = 0; i < im->repo_digests.n && im->names.n == 0; i++)
		add_line(l, im, im->repo_digests.v[i]);
	if (l->n == before)
		add_line(l, im, NULL);
}

static int
choose(struct ctx *x, const struct images_opts *o, const char *reference,
    const struct msg_image_listed *all, struct lines *out, struct err *e)
{
	own_terms struct terms terms = {0};
	own_strv struct strv words = {0};

	/* Of a service's only the names are chosen here: it has heeded the filters. */
	for (size_t i = 0; i < o->filter.n; i++)
		if (x->remote == NULL || text_has_prefix(o->filter.v[i], "reference="))
			strv_add(&words, o->filter.v[i]);
	if (reference != NULL)
		strv_addf(&words, "reference=%s", reference);
	if (terms_parse(x, image_row_keys, &words, &terms, e) == -1)
		return -1;
	for (size_t i = 0; i < all->images.n; i++) {
		struct image_row_object object = {&all->images.v[i], all};

		if (terms_match(&terms, &object))
			add_image(out, &terms, object.image);
	}
	return sort_lines(out, o->sort, e);
}

/* --- Output -------------------------------------------------------------------------------------*/

static void
put_history(json_t *row, const struct rec_image *im)
{
	own_strbuf struct strbuf b = {0};

	for (size_t i = 0; i < im->past_names.n; i++)
		strbuf_addf(&b, "%s%s", b.n > 0 ? ", " : "", im->past_names.v[i]);
	json_put_str(row, "History", b.n > 0 ? b.s : NONE);
}

/* Only the columns of the tables that need neither configurations nor relations of images. */
static bool
is_plain(const struct images_opts *o)
{
	return o->format == NULL && !o->history && o->filter.n == 0;
}

static json_t *
template_row(const struct images_opts *o, const struct msg_image_listed *all, const struct line *l)
{
	const struct rec_image *im = l->image;
	json_t *row = is_plain(o) ? json_obj() : image_row_json(all, im);
	char text[HUMAN_MAX], size[HUMAN_MAX];

	if (o->no_trunc) {
		own_mem char *id = xasprintf("sha256:%s", im->id);

		json_put_str(row, "ID", id);
	} else {
		json_put_take(row, "ID", json_strn(im->id, 12));
	}
	json_put_str(row, "Repository", l->repository != NULL ? l->repository : NONE);
	json_put_str(row, "Tag", l->tag != NULL ? l->tag : NONE);
	json_put_str(row, "Digest", im->digest != NULL ? im->digest : NONE);
	human_ago(im->created_ns / NS, ctx_now_ns() / NS, text, sizeof(text));
	json_put_str(row, "CreatedSince", text);
	json_put_str(row, "Size", human_size_spaced((double)im->size, size, sizeof(size)));
	json_put_bool(row, "ReadOnly", im->read_only);
	if (is_plain(o))
		return row;
	json_put_str(row, "Created", text);
	human_go_time(im->created_ns / NS * NS, text, sizeof(text));
	json_put_str(row, "CreatedAt", text);
	json_put_str(row, "CreatedTime", text);
	json_put_bool(row, "Dangling", im->names.n == 0 && im->repo_digests.n == 0);
	json_put_take(row, "IsDangling", json_incref(json_object_get(row, "Dangling")));
	json_put_bool(row, "IsReadOnly", im->read_only);
	if (im->names.n == 0)
		json_put_take(row, "Names", json_arr());
	put_history(row, im);
	return row;
}

/* The caller frees.  read_only: some image is, which all lines then say. */
static char *
default_table(const struct images_opts *o, bool read_only)
{
	return xasprintf("{{.Repository}}\t{{.Tag}}\t%s{{.ID}}\t{{.CreatedSince}}\t{{.Size}}%s%s",
	    o->digests ? "{{.Digest}}\t" : "", o->history ? "\t{{.History}}" : "",
	    read_only ? "\t{{.ReadOnly}}" : "");
}

static bool
any_read_only(const struct msg_image_listed *l)
{
	for (size_t i = 0; i < l->images.n; i++)
		if (l->images.v[i].read_only)
			return true;
	return false;
}

static bool
is_among(const struct lines *l, size_t n, const struct rec_image *image)
{
	for (size_t i = 0; i < n; i++)
		if (l->v[i].image == image)
			return true;
	return false;
}

/* JSON and --quiet show an image once, whatever the number of its names. */
static void
keep_once(struct lines *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct line line = l->v[i];

		if (is_among(l, kept, line.image)) {
			free(line.repository);
			free(line.tag);
		} else {
			l->v[kept++] = line;
		}
	}
	l->n = kept;
}

struct listing {
	const struct images_opts *o;
	const struct msg_image_listed *all;
	struct lines lines;
	bool json;
	json_t *told; /* what a service says of each, by its ID; NULL: they are ours */
};

static void
listing_free(struct listing *l)
{
	lines_free(&l->lines);
	json_decref(l->told);
}

/* The parent is found among all images, of which a service may not list all. */
static json_t *
whole_row(const struct listing *l, const struct rec_image *im)
{
	json_t *row = image_row_json(l->all, im);
	json_t *parent = json_object_get(json_object_get(l->told, im->id), "ParentId");

	if (parent != NULL)
		json_put_take(row, "ParentId", json_incref(parent));
	return row;
}

static json_t *
make(void *arg, size_t i, struct err *e)
{
	const struct listing *l = arg;
	const struct line *line = &l->lines.v[i];

	(void)e;
	return l->json ? whole_row(l, line->image) : template_row(l->o, l->all, line);
}

static json_t *
tell(void *arg, size_t i, struct err *e)
{
	const struct listing *l = arg;

	(void)e;
	return whole_row(l, l->lines.v[i].image);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct images_opts *o = opts;
	struct output out = {.format = o->format,
	    .quiet = o->quiet ? "{{.ID}}" : NULL,
	    .type = "images.imageReporter",
	    .headings = headings,
	    .noheading = o->noheading};
	unsigned what = is_plain(o) ? 0 : IMAGE_ROW_CONFIGS | IMAGE_ROW_USES;
	own(listing_free) struct listing l = {.o = o, .json = output_is_json(o->format)};
	own_peer_in struct peer_in in = {0};
	struct output_rows made = {.tell = tell, .make = make, .arg = &l};
	own_mem char *table = NULL;

	if (argc > 0 && o->filter.n > 0)
		return err_set(e, ERR_USAGE, "cannot specify an image and a filter(s)");
	if (ctx_of(cli)->remote != NULL) {
		if (images_list(ctx_of(cli)->remote, o->all, &o->filter, argc > 0 ? argv[0] : NULL,
			&in, &l.told, e) == -1)
			return -1;
	} else if (image_row_list(ctx_of(cli), o->all, what, &in, e) == -1) {
		return -1;
	}
	l.all = MSG_OF(&in, image_listed);
	out.table = table = default_table(o, any_read_only(l.all));
	if (choose(ctx_of(cli), o, argc > 0 ? argv[0] : NULL, l.all, &l.lines, e) == -1)
		return -1;
	if (l.json || (o->quiet && o->format == NULL))
		keep_once(&l.lines);
	made.n = l.lines.n;
	return output_made(&out, &made, stdout, e);
}

const struct cmd cmd_images = {
    .name = "images",
    .synopsis = "[options] [IMAGE]",
    .brief = "List images in local storage",
    .text = "Lists images previously pulled to the system or created on the system.",
    .examples = "images --format json\nimages --sort repository --format \"table {{.ID}} "
		"{{.Repository}} {{.Tag}}\"\nimages --filter dangling=true",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct images_opts),
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
