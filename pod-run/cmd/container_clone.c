/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/lock.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/limits.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/label.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/start.h"
#include "pod-run/life/stop.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_list.h"
#include "pod-run/state/event.h"

#define NAME_TRIES 1000

struct clone_opts {
	struct spec_options spec;
	const char *name;
	bool destroy, force, run;
};

static const struct opt rows[] = {
    {"destroy", 0, OPT_BOOL(struct clone_opts, destroy), .help = "destroy the original container"},
    {"force", 'f', OPT_BOOL(struct clone_opts, force),
	.help = "force the existing container to be destroyed"},
    {"name", 0, OPT_STRING(struct clone_opts, name), .arg = "name",
	.help = "Assign a name to the container"},
    {"run", 0, OPT_BOOL(struct clone_opts, run), .help = "run the new container"},
    OPT_END,
};

/* "NAME-clone", "NAME-clone1", … */
static int
choose_name(struct db *db, const char *given, const struct ctr *from, struct ctr *to,
    struct arena *a, struct err *e)
{
	bool is_free = false;

	if (given != NULL && *given != '\0') {
		if (!names_is_valid(given))
			return err_set(e, ERR_INVALID, "%s", NAMES_RULE);
		to->name = given;
		return ctr_name_check(db, given, e);
	}
	for (int i = 0; i < NAME_TRIES && !is_free; i++) {
		to->name = i == 0 ? arena_printf(a, "%s-clone", from->name)
				  : arena_printf(a, "%s-clone%d", from->name, i);
		if (ctr_name_is_free(db, to->name, &is_free, e) == -1)
			return -1;
	}
	return 0;
}

static int
change_image(
    struct ctx *x, const char *word, struct rec_ctr_config *c, struct arena *a, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_image_got *got;

	if (image_row_find(x, word, &in, e) == -1)
		return -1;
	got = MSG_OF(&in, image_got);
	c->image_id = arena_strdup(a, got->image->id);
	c->image_asked = word;
	c->image_name = got->matched != NULL ? arena_strdup(a, got->matched) : c->image_id;
	c->image_digest = got->image->digest != NULL ? arena_strdup(a, got->image->digest) : NULL;
	c->image_layers = (struct strs){0};
	for (size_t i = 0; i < got->image->layers.n; i++)
		spec_list_add(a, &c->image_layers, arena_strdup(a, got->image->layers.v[i]));
	return 0;
}

/* What belongs to one container only: its anonymous volumes, files that tell its numbers, addresses. */
static void
make_own(struct rec_ctr_config *c, struct strv *volumes, struct arena *a)
{
	char id[NAMES_ID_LEN + 1];

	c->cid_file = c->pid_file = c->monitor_pid_file = NULL;
	for (size_t i = 0; i < c->mounts.n; i++) {
		struct rec_ctr_mount *m = &c->mounts.v[i];

		if (strcmp(m->type, "volume") != 0 || m->source == NULL)
			continue;
		if (m->anonymous) {
			names_id(id);
			m->source = arena_strdup(a, id);
		}
		strv_add(volumes, m->source);
	}
	for (size_t i = 0; i < c->networks.n; i++) {
		c->networks.v[i].static_ips.n = 0;
		c->networks.v[i].static_mac = NULL;
	}
}

static int
insert(struct ctx *x, const struct ctr *from, struct ctr *to, struct arena *a, struct err *e)
{
	own_strv struct strv needs = {0}, volumes = {0};
	struct db *db = ctx_db(x, e);

	names_id(to->id);
	to->created_ns = to->config->created_ns = ctx_now_ns();
	to->status = CTR_CONFIGURED;
	to->image = to->config->image_id != NULL ? to->config->image_id : "";
	to->error = "";
	make_own(to->config, &volumes, a);
	if (ctr_needs(db, from->id, &needs, e) == -1)
		return -1;
	return ctr_insert(db, to, &needs, &volumes, e);
}

static int
start_it(struct ctx *x, struct ctr *c, struct err *e)
{
	own_start struct start s;

	start_init(&s, x, c);
	return start_whole(&s, true, e);
}

static int
clone(struct ctx *x, struct clone_opts *o, int argc, char **argv, const char *id, struct err *e)
{
	own_arena struct arena a = {0};
	own_ctr struct ctr from = {0};
	own_fd int lock = sync_open(x, id, &from, e), mine = -1;
	struct rec_ctr_config config;
	struct ctr to = {.config = &config};
	const char *name = argc > 1 ? argv[1] : o->name;

	if (lock == -1 || ctr_config(&from, e) == -1)
		return -1;
	fd_close(&lock);
	if (o->destroy && !o->force && ctr_status_is_live(from.status))
		return err_set(e, ERR_STATE,
		    "cannot remove container %s as it is %s - running or paused containers cannot "
		    "be "
		    "removed without force: container state improper",
		    from.id, ctr_status_name(from.status));
	config = *from.config;
	if (choose_name(ctx_db(x, e), name, &from, &to, &a, e) == -1 ||
	    label_renew(x, &config, &a, e) == -1 ||
	    limits_apply(x, &o->spec, &config, &a, e) == -1 ||
	    (argc > 2 && change_image(x, argv[2], &config, &a, e) == -1))
		return -1;
	config.name = to.name;
	if (insert(x, &from, &to, &a, e) == -1)
		return -1;
	mine = lock_acquire(x->lock_fd, to.id, LOCK_EXCLUSIVE, LOCK_WAIT, e);
	if (mine == -1 || start_prepare_rootfs(x, &to, e) == -1) {
		struct err more = {0};

		end_remove(x, &to, true, &more);
		return -1;
	}
	event_ctr(x, &to, EVENT_CREATE);
	if (o->destroy) {
		struct remove how = {.force = o->force, .timeout_s = STOP_TIMEOUT_OWN};

		if (remove_ctr(x, from.id, &how, e) == -1)
			return -1;
	}
	if (o->run && start_it(x, &to, e) == -1)
		return -1;
	puts(to.id);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct clone_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	char id[NAMES_ID_LEN + 1];

	if (o->force && !o->destroy)
		return err_set(
		    e, ERR_USAGE, "cannot set --force without --destroy: invalid argument");
	if (argc > 1 && o->name != NULL)
		return err_set(e, ERR_USAGE,
		    "must either provide a name as an argument or use the --name flag");
	if (select_one(x, argv[0], false, id, e) == -1)
		return -1;
	return clone(x, o, argc, argv, id, e);
}

const struct cmd cmd_container_clone = {
    .name = "clone",
    .synopsis = "[options] CONTAINER NAME IMAGE",
    .brief = "Clone an existing container",
    .text = "Creates a copy of an existing container.",
    .examples = "container clone container_name new_name image_name",
    .opts = {{limits_rows, offsetof(struct clone_opts, spec)}, {rows, 0}},
    .opts_size = sizeof(struct clone_opts),
    .min = 1,
    .max = 3,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
