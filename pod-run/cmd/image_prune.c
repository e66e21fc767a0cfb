/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/image_prune.h"
#include "pod-run/cmd/image_row.h"

static bool
is_dangling(const struct rec_image *im)
{
	return im->names.n == 0 && im->repo_digests.n == 0;
}

/* An image that a container took meanwhile, or that others were made from, stays. */
static int
remove_one(struct ctx *x, const char *id, struct strv *removed, struct err *e)
{
	struct msg_image_remove m = {.image = id, .force = true};
	own_peer_in struct peer_in in = {0};
	const struct msg_image_removed *r;

	if (peer_call(ctx_store(x, e), &msg_image_remove_desc, &m, &in, NULL, NULL, e) == -1) {
		if (e->class != ERR_NOTFOUND && e->class != ERR_INUSE)
			return -1;
		err_clear(e);
		return 0;
	}
	r = MSG_OF(&in, image_removed);
	strv_add_all(removed, (const char *const *)r->deleted.v, r->deleted.n);
	return 0;
}

int
image_prune(struct ctx *x, bool all, const struct strv *filters, struct strv *removed,
    uint64_t *bytes, struct err *e)
{
	static const struct strv none;
	own_terms struct terms terms = {0};
	own_peer_in struct peer_in in = {0};
	const struct msg_image_listed *l;

	if (terms_parse(x, image_row_keys, filters != NULL ? filters : &none, &terms, e) == -1 ||
	    image_row_list(x, false, IMAGE_ROW_CONFIGS | IMAGE_ROW_USES, &in, e) == -1)
		return -1;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		const struct rec_image *im = &l->images.v[i];
		struct image_row_object object = {im, l};
		size_t before = removed->n;

		if (im->containers > 0 || (!all && !is_dangling(im)) || im->read_only ||
		    !terms_match(&terms, &object))
			continue;
		if (remove_one(x, im->id, removed, e) == -1)
			return -1;
		if (removed->n > before)
			*bytes += im->size;
	}
	return 0;
}

struct prune_opts {
	bool all, force, external;
	struct strv filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct prune_opts, all),
	.help = "Remove all images not in use by containers, not just dangling ones"},
    {"external", 0, OPT_BOOL(struct prune_opts, external),
	.help = "Remove images even when they are used by external containers (e.g., by build "
		"containers)"},
    {"filter", 0, OPT_LIST(struct prune_opts, filter), .arg = "filters",
	.help = "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', OPT_BOOL(struct prune_opts, force), .help = "Do not prompt for confirmation"},
    OPT_END,
};

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	own_strv struct strv removed = {0};
	uint64_t bytes = 0;
	int r;

	(void)argc;
	(void)argv;
	if (!o->force) {
		r = confirm_ask(o->all ? "WARNING! This command removes all images without at "
					 "least one container associated with them."
				       : "WARNING! This command removes all dangling images.",
		    e);
		if (r != 1)
			return r;
	}
	r = image_prune(ctx_of(cli), o->all, &o->filter, &removed, &bytes, e);
	for (size_t i = 0; i < removed.n; i++)
		puts(removed.v[i]);
	return r;
}

const struct cmd cmd_image_prune = {
    .name = "prune",
    .synopsis = "[options]",
    .brief = "Remove unused images",
    .text = "Removes dangling or unused images from local storage.",
    .examples = "image prune\nimage prune --force\nimage prune --all",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct prune_opts),
    .max = 0,
    .run = run,
};
