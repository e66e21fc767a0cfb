/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/filter.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/remove.h"
#include "pod-run/life/stop.h"

struct rm_opts {
	bool all, depend, force, ignore, latest, volumes, storage;
	int64_t time;
	struct strv cidfile, filter;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct rm_opts, all), .help = "Remove all containers"},
    {"cidfile", 0, OPT_LIST(struct rm_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"depend", 0, OPT_BOOL(struct rm_opts, depend),
	.help = "Remove container and all containers that depend on the selected container"},
    {"filter", 0, OPT_LIST(struct rm_opts, filter), .arg = "filter", .complete = COMPLETE_CHOICE,
	.choices = FILTER_CHOICES, .help = "Filter output based on conditions given"},
    {"force", 'f', OPT_BOOL(struct rm_opts, force),
	.help = "Force removal of a running or unusable container"},
    {"ignore", 'i', OPT_BOOL(struct rm_opts, ignore),
	.help = "Ignore errors when a specified container is missing"},
    {"latest", 'l', OPT_BOOL(struct rm_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"storage", 0, OPT_BOOL(struct rm_opts, storage), .flags = OPT_HIDDEN,
	.help = "Remove container from storage library"},
    {"time", 't', OPT_INT(struct rm_opts, time), .bits = 32, .arg = "seconds", .def = "-2",
	.show = "10", .alias = "timeout",
	.help = "Seconds to wait for stop before killing the container"},
    {"volumes", 'v', OPT_BOOL(struct rm_opts, volumes),
	.help = "Remove anonymous volumes associated with the container"},
    OPT_END,
};

struct asked {
	const char *id, *word;
};

/* What stood on it goes by its ID, as nobody gave another word. */
static void
tell(const char *id, void *arg)
{
	const struct asked *a = arg;

	puts(strcmp(id, a->id) == 0 ? a->word : id);
}

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct rm_opts *o = arg;
	struct asked a = {id, word};
	struct remove how = {.force = o->force,
	    .volumes = o->volumes,
	    .depend = o->depend,
	    .timeout_s = o->time,
	    .removed = tell,
	    .arg = &a};

	return remove_ctr(x, id, &how, e);
}

static int
announce(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	const struct rm_opts *o = arg;
	struct db *db = ctx_db(x, e);
	own_strv struct strv ids = {0};

	(void)word;
	/* One that others need is refused, unless they go with it. */
	if (db == NULL || (!o->depend && ctr_dependents(db, id, &ids, e) == -1))
		return -1;
	if (ids.n > 0)
		return 0;
	return stop_announce(x, id, o->time, true, e);
}

/* --storage: what the store has of a container that we know nothing of. */
static int
remove_stored(struct ctx *x, int argc, char **argv, struct err *e)
{
	struct db *db = ctx_db(x, e);
	own_ctr struct ctr c = {0};

	if (db == NULL)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (!names_is_id(argv[i]))
			return err_set(e, ERR_INVALID,
			    "%s is no full ID of a container: --storage takes nothing else",
			    argv[i]);
		if (ctr_load(db, argv[i], &c, e) == 0)
			return err_set(e, ERR_EXISTS,
			    "refusing to remove \"%s\" as it exists in libpod as container %s: "
			    "container already exists",
			    argv[i], c.id);
		if (e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		end_abandon(x, argv[i], false);
		puts(argv[i]);
	}
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct rm_opts *o = opts;
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .ignore = o->ignore || o->force,
	    .cidfiles = &o->cidfile,
	    .filters = &o->filter};
	int r;

	if (o->storage)
		return remove_stored(ctx_of(cli), argc, argv, e);
	if (cmd_given(cli, "time") && !o->force)
		return err_set(
		    e, ERR_USAGE, "--force option must be specified to use the --time option");
	/* Containers without dependents come first with --all: the newest stand on older ones. */
	o->depend = o->depend || o->all;
	if (o->force)
		select_before(ctx_of(cli), &s, announce, o);
	r = select_each(ctx_of(cli), &s, one, o, e);
	end_sweep(ctx_of(cli));
	if (r == 0 || select_status(&s) == 125 || (s.missing == 0 && s.in_use == 0))
		return r;
	err_print(e, stderr);
	return select_status(&s);
}

const struct cmd cmd_rm = {
    .name = "rm",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Remove one or more containers",
    .text = "Removes one or more containers from the host. The container name or ID can be "
	    "used.\n\n  Command does not remove images. Running or unusable containers will not be "
	    "removed without the -f option.",
    .examples =
	"rm ctrID\nrm mywebserver myflaskserver 860a4b23\nrm --force --all\nrm -f c684f0d469f2",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
