/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/sha256.h"
#include "common/cli/human.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"

#define SHORT_ID 12

struct tree_opts {
	bool whatrequires;
};

static const struct opt rows[] = {
    {"whatrequires", 0, OPT_BOOL(struct tree_opts, whatrequires),
	.help = "Show all child images and layers of the specified image"},
    OPT_END,
};

/* A layer of some image, by its place in the chain: what is below it counts. */
struct node {
	char id[SHA256_HEX];
	size_t parent; /* index + 1; 0: none */
	uint64_t size;
	bool sized;
	struct strv names; /* of the images it is the top of */
};

struct forest {
	struct node *v;
	size_t n, cap;
};

static void
forest_free(struct forest *f)
{
	for (size_t i = 0; i < f->n; i++)
		strv_free(&f->v[i].names);
	own_mem_free(&f->v);
}

/* The identifier of layers in the store: see BEHAVIOURS of the containers' storage library. */
static void
chain_id(const char *parent, const char *diff_id, char out[SHA256_HEX])
{
	const char *hex = strchr(diff_id, ':');
	own_mem char *both = NULL;

	hex = hex != NULL ? hex + 1 : diff_id;
	if (parent == NULL) {
		snprintf(out, SHA256_HEX, "%.64s", hex);
		return;
	}
	both = xasprintf("%s+%s", parent, hex);
	sha256_hex(both, strlen(both), out);
}

static size_t
find_or_add(struct forest *f, const char *id, size_t parent)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].id, id) == 0)
			return i;
	f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
	f->v[f->n] = (struct node){.parent = parent};
	snprintf(f->v[f->n].id, sizeof(f->v[f->n].id), "%s", id);
	return f->n++;
}

/* The index of its top layer + 1; 0 if it has none. */
static size_t
plant(struct forest *f, const struct rec_image *im)
{
	size_t at = 0;

	for (size_t i = 0; im->config != NULL && i < im->config->diff_ids.n; i++) {
		char id[SHA256_HEX];

		chain_id(at > 0 ? f->v[at - 1].id : NULL, im->config->diff_ids.v[i], id);
		at = find_or_add(f, id, at) + 1;
	}
	for (size_t i = 0; at > 0 && i < im->names.n; i++)
		strv_add(&f->v[at - 1].names, im->names.v[i]);
	return at;
}

/* Sizes are asked for only where they are shown. */
static int
measure(struct ctx *x, struct forest *f, const struct rec_image *im, size_t top, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_image_blob m = {.image = im->id, .kind = "manifest"};
	const struct msg_image_blob_r *r;

	if (peer_call(ctx_store(x, e), &msg_image_blob_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	r = MSG_OF(&in, image_blob_r);
	for (size_t i = r->layers.n; i > 0 && top > 0; i--, top = f->v[top - 1].parent) {
		f->v[top - 1].size = r->layers.v[i - 1].tar_size;
		f->v[top - 1].sized = true;
	}
	return 0;
}

static void
print_node(const struct node *n, const char *prefix, bool last)
{
	char size[HUMAN_MAX];

	printf("%s%s ID: %.*s Size: %7s", prefix, last ? "└──" : "├──", SHORT_ID, n->id,
	    human_size((double)n->size, size, sizeof(size)));
	if (n->names.n > 0)
		printf(" Top Layer of: [");
	for (size_t i = 0; i < n->names.n; i++)
		printf("%s%s", i > 0 ? " " : "", n->names.v[i]);
	puts(n->names.n > 0 ? "]" : "");
}

static void
print_chain(const struct forest *f, size_t top)
{
	own_mem size_t *way = xcalloc(f->n + 1, sizeof(*way));
	size_t n = 0;

	for (; top > 0; top = f->v[top - 1].parent)
		way[n++] = top - 1;
	while (n > 0) {
		n--;
		print_node(&f->v[way[n]], "", n == 0);
	}
}

static bool
has_children(const struct forest *f, size_t parent)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].parent == parent)
			return true;
	return false;
}

/* At most as deep as images have layers. */
static void
print_below(const struct forest *f, size_t parent, const char *prefix)
{
	size_t last = f->n;

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].parent == parent)
			last = i;
	for (size_t i = 0; i < f->n; i++) {
		own_mem char *next = NULL;

		if (f->v[i].parent != parent)
			continue;
		print_node(&f->v[i], prefix, i == last);
		next = xasprintf("%s%s", prefix, i == last ? "    " : "│   ");
		print_below(f, i + 1, next);
	}
}

static void
print_head(const struct rec_image *im)
{
	char size[HUMAN_MAX];

	printf("Image ID: %.*s\nTags:     [", SHORT_ID, im->id);
	for (size_t i = 0; i < im->names.n; i++)
		printf("%s%s", i > 0 ? " " : "", im->names.v[i]);
	printf("]\nSize:     %s\n", human_size((double)im->size, size, sizeof(size)));
}

/* True if layer at stands on top, or is it. */
static bool
stands_on(const struct forest *f, size_t at, size_t top)
{
	while (at > 0 && at != top)
		at = f->v[at - 1].parent;
	return at == top;
}

static int
show(struct ctx *x, const struct rec_image *im, const struct msg_image_listed *all, bool children,
    struct err *e)
{
	own(forest_free) struct forest f = {0};
	struct rec_image bare = *im;
	size_t top;

	/* Its own names come with the list. */
	bare.names.n = 0;
	top = plant(&f, &bare);
	for (size_t i = 0; i < all->images.n; i++) {
		const struct rec_image *other = &all->images.v[i];
		size_t at = plant(&f, other);

		if (children && at > 0 && stands_on(&f, at, top) &&
		    measure(x, &f, other, at, e) == -1)
			return -1;
	}
	if (measure(x, &f, im, top, e) == -1)
		return -1;
	print_head(im);
	if (top == 0) {
		puts("No Image Layers");
		return 0;
	}
	puts("Image Layers");
	if (!children) {
		print_chain(&f, top);
		return 0;
	}
	print_node(&f.v[top - 1], "", !has_children(&f, top));
	print_below(&f, top, "");
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct tree_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in found = {0}, all = {0};

	(void)argc;
	if (image_row_find(x, argv[0], &found, e) == -1 ||
	    image_row_list(x, true, IMAGE_ROW_CONFIGS, &all, e) == -1)
		return -1;
	return show(
	    x, MSG_OF(&found, image_got)->image, MSG_OF(&all, image_listed), o->whatrequires, e);
}

const struct cmd cmd_image_tree = {
    .name = "tree",
    .synopsis = "[options] IMAGE",
    .brief = "Print layer hierarchy of an image in a tree format",
    .text = "Prints layer hierarchy of an image in a tree format",
    .examples = "image tree alpine:latest",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct tree_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
