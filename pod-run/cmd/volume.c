/* SPDX-License-Identifier: ISC */
/*
 * The volume commands.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/oci/names.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/confirm.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/removal.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/life/volumes.h"
#include "pod-run/remote/containers.h"
#include "pod-run/remote/networks.h"
#include "pod-run/state/event.h"

/* --- create -------------------------------------------------------------------------------------*/

struct create_opts {
	const char *driver;
	bool ignore;
	struct strv label, opt;
	uint64_t uid, gid;
};

static const struct opt create_rows[] = {
    {"driver", 'd', OPT_STRING(struct create_opts, driver), .arg = "driver", .def = "local",
	.help = "Specify volume driver name"},
    {"gid", 0, OPT_UINT(struct create_opts, gid), .bits = 32, .arg = "gid",
	.help = "Set the GID of the volume owner"},
    {"ignore", 0, OPT_BOOL(struct create_opts, ignore),
	.help = "Don't fail if volume already exists"},
    {"label", 'l', OPT_LIST(struct create_opts, label), .arg = "label",
	.help = "Set metadata for a volume (default [])"},
    {"opt", 'o', OPT_LIST(struct create_opts, opt), .arg = "option",
	.help = "Set driver specific options (default [])"},
    {"uid", 0, OPT_UINT(struct create_opts, uid), .bits = 32, .arg = "uid",
	.help = "Set the UID of the volume owner"},
    OPT_END,
};

/* "key=value" or "key". */
static struct rec_kv *
pairs(const struct strv *words, struct arena *a)
{
	struct rec_kv *v = arena_array(a, words->n + 1, sizeof(*v));

	for (size_t i = 0; i < words->n; i++) {
		const char *eq = strchr(words->v[i], '=');

		v[i].key = eq != NULL ? arena_strndup(a, words->v[i], (size_t)(eq - words->v[i]))
				      : words->v[i];
		v[i].value = eq != NULL ? eq + 1 : "";
	}
	return v;
}

static int
check_labels(const struct strv *labels, struct err *e)
{
	for (size_t i = 0; i < labels->n; i++)
		if (*labels->v[i] == '\0' || *labels->v[i] == '=')
			return err_set(e, ERR_INVALID,
			    "unable to process labels: invalid label format: \"%s\"", labels->v[i]);
	return 0;
}

/* The plug-in makes its volume first: one it refuses is not ours either. */
static int
create_foreign(struct ctx *x, const struct rec_volume *v, bool ignore, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_volume old = {0};
	int r;

	if (!volumes_is_plugin(v))
		return 0;
	r = volumes_find(x, v->name, &old, &a, e);
	if (r == -1)
		return -1;
	if (r == 1)
		return ignore ? 0
			      : err_set(e, ERR_EXISTS,
				    "volume with name %s already exists: volume already exists",
				    v->name);
	return volumes_plugin_create(x, v, e);
}

static int
create(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct create_opts *o = opts;
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	char random[NAMES_ID_LEN + 1];
	struct rec_volume v = {.driver = o->driver};
	struct msg_volume_create m = {.volume = &v, .ignore = o->ignore};
	struct rec_volume old;
	struct peer *store;
	int there = 0;

	names_id(random);
	v.name = argc > 0 && *argv[0] != '\0' ? argv[0] : random;
	v.labels.v = pairs(&o->label, &a);
	v.labels.n = o->label.n;
	v.options.v = pairs(&o->opt, &a);
	v.options.n = o->opt.n;
	v.owned = cmd_given(cli, "uid") || cmd_given(cli, "gid");
	v.uid = o->uid;
	v.gid = o->gid;
	if (check_labels(&o->label, e) == -1)
		return -1;
	if (!names_is_valid(v.name))
		return err_set(e, ERR_INVALID, "running volume create option: " NAMES_RULE);
	store = ctx_store(ctx_of(cli), e);
	if (store != NULL && o->ignore)
		there = volumes_find(ctx_of(cli), v.name, &old, &a, e);
	if (store == NULL || there == -1 || volumes_check(ctx_of(cli), &v, &a, e) == -1 ||
	    create_foreign(ctx_of(cli), &v, o->ignore, e) == -1 ||
	    peer_call(store, &msg_volume_create_desc, &m, &in, NULL, NULL, e) == -1)
		return -1;
	puts(MSG_OF(&in, volume_got)->volume->name);
	if (there == 0)
		event_named(ctx_of(cli), EVENT_VOLUME, EVENT_CREATE, NULL,
		    MSG_OF(&in, volume_got)->volume->name);
	return 0;
}

/* --- ls -----------------------------------------------------------------------------------------*/

struct ls_opts {
	const char *format;
	bool noheading, quiet;
	struct strv filter;
};

static const struct opt ls_rows[] = {
    {"filter", 'f', OPT_LIST(struct ls_opts, filter), .arg = "filter",
	.help = "Filter volume output"},
    {"format", 0, OPT_STRING(struct ls_opts, format), .arg = "format",
	.show = "{{range .}}{{.Driver}}\\t{{.Name}}\\n{{end -}}",
	.help = "Format volume output using Go template"},
    {"noheading", 'n', OPT_BOOL(struct ls_opts, noheading), .help = "Do not print headers"},
    {"quiet", 'q', OPT_BOOL(struct ls_opts, quiet), .help = "Print volume output in quiet mode"},
    OPT_END,
};

static const struct output_heading headings[] = {
    {"Name", "VOLUME NAME"},
    {NULL, NULL},
};

static int
ls(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct ls_opts *o = opts;
	own_volume_rows struct volume_rows rows = {0};
	struct remote *r = ctx_of(cli)->remote;
	own_json json_t *list = NULL;
	struct output out = {.format = o->format,
	    .table = "{{.Driver}}\t{{.Name}}",
	    .quiet = o->quiet ? "{{.Name}}" : NULL,
	    .type = "entities.VolumeListReport",
	    .headings = headings,
	    .noheading = o->noheading};

	(void)argc;
	(void)argv;
	if (o->quiet && cmd_given(cli, "format"))
		return err_set(e, ERR_USAGE, "quiet and format are mutually exclusive");
	if (r != NULL) {
		list = networks_volumes(r, &o->filter, e);
		return list == NULL ? -1 : output_list(&out, list, NULL, stdout, e);
	}
	if (volume_row_list(ctx_of(cli), &o->filter, &rows, e) == -1)
		return -1;
	list = json_arr();
	for (size_t i = 0; i < rows.n; i++)
		json_add_take(list, volume_row_json(rows.v[i].v));
	return output_list(&out, list, NULL, stdout, e);
}

/* --- rm -----------------------------------------------------------------------------------------*/

struct rm_opts {
	bool all, force;
	int64_t time;
};

static const struct opt rm_rows[] = {
    {"all", 'a', OPT_BOOL(struct rm_opts, all), .help = "Remove all volumes"},
    {"force", 'f', OPT_BOOL(struct rm_opts, force),
	.help = "Remove a volume by force, even if it is being used by a container"},
    {"time", 't', OPT_INT(struct rm_opts, time), .bits = 32, .arg = "seconds", .def = "10",
	.alias = "timeout",
	.help = "Seconds to wait for running containers to stop before killing the container"},
    OPT_END,
};

static int
all_names(struct ctx *x, struct strv *words, struct err *e)
{
	static const struct strv none;
	own_volume_rows struct volume_rows rows = {0};
	own_json json_t *theirs = NULL;
	const json_t *one;
	size_t k;

	if (x->remote != NULL) {
		theirs = networks_volumes(x->remote, &none, e);
		json_array_foreach (theirs, k, one)
			if (json_is_string(json_object_get(one, "Name")))
				strv_add(words, json_string_value(json_object_get(one, "Name")));
		return theirs == NULL ? -1 : 0;
	}
	if (volume_row_list(x, &none, &rows, e) == -1)
		return -1;
	for (size_t i = 0; i < rows.n; i++)
		strv_add(words, rows.v[i].v->name);
	return 0;
}

static int
rm(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_strv struct strv words = {0};
	int status = 0;

	if ((argc > 0) == o->all)
		return err_set(e, ERR_USAGE, "provide one or more volume names or use --all");
	if (cmd_given(cli, "time") && !o->force)
		return err_set(
		    e, ERR_USAGE, "--force option must be specified to use the --time option");
	strv_add_all(&words, (const char *const *)argv, (size_t)argc);
	if (o->all && all_names(x, &words, e) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++) {
		own_mem char *name = NULL;

		if (volume_row_remove(x, words.v[i], o->force, o->time, &name, e) == 0)
			puts(name);
		else
			removal_refused(e, o->force, &status);
	}
	return status;
}

/* --- inspect, exists, prune -----------------------------------------------------------------------*/

struct inspect_opts {
	bool all;
	const char *format;
};

static const struct opt inspect_rows[] = {
    {"all", 'a', OPT_BOOL(struct inspect_opts, all), .help = "Inspect all volumes"},
    {"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "format", .def = "json",
	.help = "Format volume output using Go template"},
    OPT_END,
};

static json_t *
look(struct ctx *x, const char *word, struct err *e)
{
	json_t *one;

	if (x->remote != NULL)
		return containers_inspect(x->remote, "volume", word, false, e);
	return inspect_volume(x, word, false, &one, e) == 0 ? one : NULL;
}

static int
inspect(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct inspect_opts *o = opts;
	own_strv struct strv words = {0};
	own_json json_t *list = json_arr();
	struct err last = {0};

	if ((argc > 0) == o->all)
		return err_set(e, ERR_USAGE, "provide one or more volume names or use --all");
	strv_add_all(&words, (const char *const *)argv, (size_t)argc);
	if (o->all && all_names(ctx_of(cli), &words, e) == -1)
		return -1;
	for (size_t i = 0; i < words.n; i++) {
		json_t *one = look(ctx_of(cli), words.v[i], e);

		if (one != NULL) {
			json_add_take(list, one);
			continue;
		}
		if (err_is_set(&last))
			err_print(&last, stderr);
		err_wrap(e, "inspecting object");
		last = *e;
		err_clear(e);
	}
	if (output_inspect(o->format, list, "define.InspectVolumeData", stdout, e) == -1)
		return -1;
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

static int
exists(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_volume v;
	int r;

	(void)opts;
	(void)argc;
	if (*argv[0] == '\0')
		return err_set(e, ERR_INVALID, "name or ID cannot be empty");
	r = volumes_find(ctx_of(cli), argv[0], &v, &a, e);
	return r == -1 ? -1 : r == 0;
}

struct prune_opts {
	bool all, force, dry_run;
	struct strv filter;
};

static const struct opt prune_rows[] = {
    {"all", 'a', OPT_BOOL(struct prune_opts, all),
	.help = "Remove all unused volumes, not just anonymous ones"},
    {"dry-run", 0, OPT_BOOL(struct prune_opts, dry_run),
	.help = "Show what would be removed without removing anything"},
    {"filter", 0, OPT_LIST(struct prune_opts, filter), .arg = "filters",
	.help = "Provide filter values (e.g. 'label=<key>=<value>')"},
    {"force", 'f', OPT_BOOL(struct prune_opts, force), .help = "Do not prompt for confirmation"},
    OPT_END,
};

/* Shows what would go, and asks: 1 to go on, else 0 or -1. */
static int
prune_ask(struct ctx *x, const struct prune_opts *o, struct err *e)
{
	own_strv struct strv all = {0};
	own_strbuf struct strbuf text = {0};

	if (volume_row_prune(x, o->all, true, &o->filter, &all, e) == -1)
		return -1;
	strbuf_addf(&text,
	    "WARNING! This will remove all %svolumes not used by at least one container. The "
	    "following volumes will be removed:",
	    o->all ? "" : "anonymous ");
	for (size_t i = 0; i < all.n; i++)
		strbuf_addf(&text, "\n%s", all.v[i]);
	if (all.n > 0)
		return confirm_ask(text.s, e);
	printf("%s\nNo dangling volumes found\n", text.s);
	return 0;
}

static int
prune(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct prune_opts *o = opts;
	own_strv struct strv removed = {0};
	int r;

	(void)argc;
	(void)argv;
	if (volume_row_check(ctx_of(cli), &o->filter, e) == -1)
		return -1;
	if (!o->force && !o->dry_run) {
		r = prune_ask(ctx_of(cli), o, e);
		if (r != 1)
			return r;
	}
	r = volume_row_prune(ctx_of(cli), o->all, o->dry_run, &o->filter, &removed, e);
	for (size_t i = 0; i < removed.n; i++)
		puts(removed.v[i]);
	return r;
}

/* --- The table ----------------------------------------------------------------------------------*/

static const struct cmd cmd_create_ = {
    .name = "create",
    .synopsis = "[options] [NAME]",
    .brief = "Create a new volume",
    .text = "If using the default driver, \"local\", the volume will be created on the host in the "
	    "volumes directory under container storage.",
    .examples = "volume create myvol\nvolume create\nvolume create --label foo=bar myvol",
    .opts = {{create_rows, 0}},
    .opts_size = sizeof(struct create_opts),
    .max = 1,
    .run = create,
};

static const struct cmd cmd_exists = {
    .name = "exists",
    .synopsis = "VOLUME",
    .brief = "Check if volume exists",
    .text = "If the given volume exists, podman volume exists exits with 0, otherwise the exit "
	    "code will be 1.",
    .examples = "volume exists myvol",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_VOLUME,
    .run = exists,
};

static const struct cmd cmd_inspect_ = {
    .name = "inspect",
    .synopsis = "[options] VOLUME [VOLUME...]",
    .brief = "Display detailed information on one or more volumes",
    .text = "Display detailed information on one or more volumes.\n\n  Use a Go template to change "
	    "the format from JSON.",
    .examples = "volume inspect myvol\nvolume inspect --all\nvolume inspect --format \"{{.Driver}} "
		"{{.Scope}}\" myvol",
    .opts = {{inspect_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_VOLUME,
    .run = inspect,
};

static const struct cmd cmd_ls = {
    .name = "ls",
    .aliases = "list",
    .synopsis = "[options]",
    .brief = "List volumes",
    .text =
	"podman volume ls\n\nList all available volumes. The output of the volumes can be "
	"filtered\nand the output format can be changed to JSON or a user specified Go template.",
    .examples = "volume ls\nvolume ls --format json\nvolume ls --format \"{{.Driver}} {{.Scope}}\"",
    .opts = {{ls_rows, 0}},
    .opts_size = sizeof(struct ls_opts),
    .max = 0,
    .run = ls,
};

static const struct cmd cmd_prune = {
    .name = "prune",
    .synopsis = "[options]",
    .brief = "Remove all unused volumes",
    .text = "Volumes that are not currently owned by a container will be removed.\n\n  The command "
	    "prompts for confirmation which can be overridden with the --force flag.\n  Note all "
	    "data will be destroyed.",
    .examples = "volume prune\nvolume prune --force --all",
    .opts = {{prune_rows, 0}},
    .opts_size = sizeof(struct prune_opts),
    .max = 0,
    .run = prune,
};

static const struct cmd cmd_rm_ = {
    .name = "rm",
    .aliases = "remove",
    .synopsis = "[options] VOLUME [VOLUME...]",
    .brief = "Remove one or more volumes",
    .text = "Remove one or more existing volumes.\n\n  By default only volumes that are not being "
	    "used by any containers will be removed. To remove the volumes anyways, use the "
	    "--force flag.",
    .examples = "volume rm myvol1 myvol2\nvolume rm --all\nvolume rm --force myvol",
    .opts = {{rm_rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_VOLUME,
    .run = rm,
};

static const struct cmd_place sub[] = {
    {.cmd = &cmd_create_},
    {.cmd = &cmd_exists},
    {.cmd = &cmd_volume_export},
    {.cmd = &cmd_volume_import},
    {.cmd = &cmd_inspect_},
    {.cmd = &cmd_ls},
    {.cmd = &cmd_volume_mount},
    {.cmd = &cmd_prune},
    {.cmd = &cmd_volume_reload},
    {.cmd = &cmd_rm_},
    {.cmd = &cmd_volume_unmount},
    {0},
};

const struct cmd cmd_volume = {
    .name = "volume",
    .brief = "Manage volumes",
    .text = "Volumes are created in and can be shared between containers",
    .sub = sub,
};
