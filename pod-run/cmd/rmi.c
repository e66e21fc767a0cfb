/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/rmi.h"
#include "pod-run/life/end.h"
#include "pod-run/life/image.h"
#include "pod-run/life/remove.h"
#include "pod-run/state/event.h"

struct rmi_opts {
	bool all, force, ignore, no_prune;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct rmi_opts, all), .help = "Remove all images"},
    {"force", 'f', OPT_BOOL(struct rmi_opts, force), .help = "Force Removal of the image"},
    {"ignore", 'i', OPT_BOOL(struct rmi_opts, ignore),
	.help = "Ignore errors if a specified image does not exist"},
    {"no-prune", 0, OPT_BOOL(struct rmi_opts, no_prune), .help = "Do not remove dangling images"},
    OPT_END,
};

/* How the removals of one command ended. */
struct outcome {
	size_t missing, in_use, failed;
	struct err last;
};

static void
note(struct outcome *o, const struct err *e)
{
	if (err_is_set(&o->last))
		err_print(&o->last, stderr);
	o->last = *e;
	if (e->class == ERR_NOTFOUND)
		o->missing++;
	else if (e->class == ERR_INUSE)
		o->in_use++;
	else
		o->failed++;
}

/* --force takes the containers with it; only those that stand on this very image. */
static int
remove_users(struct ctx *x, const char *word, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_strv struct strv ids = {0};
	struct remove how = {.force = true, .volumes = true, .depend = true};
	const struct msg_image_got *got;
	struct db *db = ctx_db(x, e);

	if (db == NULL || image_row_find_list(x, word, &in, e) == -1)
		return -1;
	got = MSG_OF(&in, image_got);
	/* Another name stays: only this one goes, and containers are not concerned. */
	if (got->matched != NULL && got->image->names.n > 1)
		return 0;
	if (ctr_using_image(db, got->image->id, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		if (remove_ctr(x, ids.v[i], &how, e) == -1) {
			if (e->class != ERR_NOTFOUND)
				return -1;
			err_clear(e);
		}
	return 0;
}

static int
remove_one(struct ctx *x, const struct rmi_opts *o, const char *word, struct err *e)
{
	own_strv struct strv candidates = {0};
	own_peer_in struct peer_in in = {0};
	struct msg_image_remove m = {
	    .image = word, .force = o->force || o->all, .keep_parents = o->no_prune};
	const struct msg_image_removed *r;
	struct peer *store = ctx_store(x, e);

	if (store == NULL || (o->force && remove_users(x, word, e) == -1) ||
	    image_candidates(x, word, &candidates, e) == -1)
		return -1;
	m.candidates = (struct strs){(const char **)candidates.v, candidates.n};
	if (peer_call(store, &msg_image_remove_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	r = MSG_OF(&in, image_removed);
	for (size_t i = 0; i < r->untagged.n; i++) {
		printf("Untagged: %s\n", r->untagged.v[i]);
		event_named(x, EVENT_IMAGE, EVENT_UNTAG, NULL, r->untagged.v[i]);
	}
	for (size_t i = 0; i < r->deleted.n; i++) {
		printf("Deleted: %s\n", r->deleted.v[i]);
		event_named(x, EVENT_IMAGE, EVENT_REMOVE, r->deleted.v[i], word);
	}
	return 0;
}

int
rmi_name(struct ctx *x, const char *word, struct err *e)
{
	static const struct rmi_opts none;

	return remove_one(x, &none, word, e);
}

int
rmi_quietly(struct ctx *x, const char *id, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_image_remove m = {.image = id, .force = true};
	struct peer *store = ctx_store(x, e);

	if (store == NULL)
		return -1;
	return peer_call(store, &msg_image_remove_desc, &m, &in, NULL, NULL, e);
}

/* Newest first; one that went with its child is no error. */
static int
remove_all(struct ctx *x, const struct rmi_opts *o, struct outcome *out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_image_listed *l;

	if (image_row_list(x, true, 0, &in, e) == -1)
		return -1;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++)
		if (remove_one(x, o, l->images.v[i].id, e) == -1 && e->class != ERR_NOTFOUND)
			note(out, e);
	return 0;
}

static int
status(const struct outcome *o, bool ignore)
{
	if (o->failed > 0)
		return 125;
	if (o->in_use > 0)
		return 2;
	return o->missing > 0 && !ignore ? 1 : 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rmi_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	bool ignore = o->ignore || o->force;
	struct outcome out = {0};

	if (argc == 0 && !o->all)
		return err_set(e, ERR_USAGE, "image name or ID must be specified");
	if (argc > 0 && o->all)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any images names or IDs");
	if (o->all && remove_all(x, o, &out, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (remove_one(x, o, argv[i], e) == 0)
			continue;
		image_row_doubt(argv[i], e);
		if (!ignore || e->class != ERR_NOTFOUND)
			note(&out, e);
	}
	if (err_is_set(&out.last)) {
		fflush(stdout);
		err_print(&out.last, stderr);
	}
	return status(&out, ignore);
}

const struct cmd cmd_rmi = {
    .name = "rmi",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Remove one or more images from local storage",
    .text = "Removes one or more previously pulled or locally created images.",
    .examples = "rmi imageID\nrmi --force alpine\nrmi c4dfb1609ee2 93fd78260bd1 c0ed59d05ff7",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct rmi_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
