/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/output.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/inspect.h"
#include "pod-run/cmd/network.h"
#include "pod-run/cmd/volume_row.h"
#include "pod-run/remote/containers.h"

struct inspect_opts {
	const char *format, *type;
	bool latest, size;
};

#define COMMON_ROWS                                                               \
	{"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "format", \
	    .help = "Format the output to a Go template or json"},                \
	    {"latest", 'l', OPT_BOOL(struct inspect_opts, latest),                \
		.help = "Act on the latest container podman is aware of"},        \
	{                                                                         \
		"size", 's', OPT_BOOL(struct inspect_opts, size),                 \
		    .help = "Display total file size"                             \
	}

static const struct opt container_rows[] = {COMMON_ROWS, OPT_END};
static const struct opt object_rows[] = {
    {"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "format",
	.help = "Format the output to a Go template or json"},
    OPT_END,
};
static const struct opt rows[] = {
    COMMON_ROWS,
    {"type", 't', OPT_STRING(struct inspect_opts, type), .arg = "type", .def = "all",
	.complete = COMPLETE_CHOICE, .choices = "all,container,image,network,volume",
	.help = "Specify inspect-object type (\"container\", \"image\", \"network\", \"volume\" or "
		"\"all\")"},
    OPT_END,
};

/* In the order in which a word without --type is tried. */
static const struct {
	const char *type, *go_type;
	const char *missing; /* NULL: the finder's own words */
	inspect_fn *find;
	json_t *(*fields)(json_t *document); /* for templates, if they know other names */
} kinds[] = {
    {"container", "define.InspectContainerData", "no such container", inspect_container},
    {"image", "inspect.ImageData", NULL, inspect_image},
    {"volume", "define.InspectVolumeData", NULL, inspect_volume, NULL},
    {"network", "types.Network", NULL, inspect_network, network_fields},
};

static bool
is_type(const char *word)
{
	for (size_t i = 0; i < COUNTOF(kinds); i++)
		if (strcmp(word, kinds[i].type) == 0)
			return true;
	return strcmp(word, "all") == 0;
}

static int
find(struct ctx *x, size_t kind, const char *word, bool size, json_t **out, struct err *e)
{
	if (x->remote == NULL)
		return kinds[kind].find(x, word, size, out, e);
	*out = containers_inspect(x->remote, kinds[kind].type, word, size, e);
	return *out == NULL ? -1 : 0;
}

static int
find_any(struct ctx *x, const char *word, const struct inspect_opts *o, json_t **out, size_t *kind,
    struct err *e)
{
	for (size_t i = 0; i < COUNTOF(kinds); i++) {
		if (strcmp(o->type, "all") != 0 && strcmp(o->type, kinds[i].type) != 0)
			continue;
		err_clear(e);
		if (find(x, i, word, o->size, out, e) == 0) {
			*kind = i;
			return 0;
		}
		if (e->class != ERR_NOTFOUND)
			return -1;
		if (kinds[i].missing != NULL)
			err_set(e, ERR_NOTFOUND, "%s %s", kinds[i].missing, word);
	}
	if (strcmp(o->type, "all") == 0)
		err_set(e, ERR_NOTFOUND, "no such object: \"%s\"", word);
	return -1;
}

static int
latest(struct ctx *x, struct inspect_opts *o, json_t *list, struct err *e)
{
	struct db *db = ctx_db(x, e);
	char id[NAMES_ID_LEN + 1];
	json_t *one;

	if (db == NULL || ctr_find_latest(db, id, e) == -1 ||
	    inspect_container(x, id, o->size, &one, e) == -1)
		return -1;
	json_add_take(list, one);
	return 0;
}

static bool
is_template(const char *format)
{
	return format != NULL && *format != '\0' && !output_is_json(format);
}

static void
add(json_t *list, json_t *document, json_t *(*fields)(json_t *document))
{
	if (fields != NULL) {
		json_t *other = fields(document);

		json_decref(document);
		document = other;
	}
	json_add_take(list, document);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct inspect_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_json json_t *list = json_arr();
	struct err last = {0};
	size_t kind = 0;

	if (o->type == NULL)
		o->type = "container";
	if (argc == 0 && !o->latest)
		return err_set(e, ERR_USAGE, "no names or ids specified");
	if (!is_type(o->type))
		return err_set(e, ERR_USAGE,
		    "invalid type \"%s\": must be \"image\", \"container\", \"pod\", \"network\", "
		    "\"volume\", or \"all\"",
		    o->type);
	if (argc > 0 && o->latest)
		return err_set(e, ERR_USAGE, "--latest and arguments cannot be used together");
	if (o->latest && latest(x, o, list, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		json_t *one;

		if (find_any(x, argv[i], o, &one, &kind, e) == 0) {
			add(list, one, is_template(o->format) ? kinds[kind].fields : NULL);
		} else {
			if (err_is_set(&last))
				err_print(&last, stderr);
			err_wrap(e, "inspecting object");
			last = *e;
		}
		err_clear(e);
	}
	if ((json_array_size(list) > 0 || !err_is_set(&last) || o->format == NULL) &&
	    output_inspect(o->format, list, kinds[kind].go_type, stdout, e) == -1)
		return -1;
	if (!err_is_set(&last))
		return 0;
	*e = last;
	return -1;
}

#define OBJECT(kind)                                                               \
	static int run_##kind(                                                     \
	    struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e) \
	{                                                                          \
		((struct inspect_opts *)opts)->type = #kind;                       \
		return run(cli, opts, argc, argv, e);                              \
	}
OBJECT(image)
OBJECT(network)

const struct cmd cmd_inspect = {
    .name = "inspect",
    .synopsis = "[options] {CONTAINER|IMAGE|NETWORK|VOLUME} [...]",
    .brief = "Display the configuration of object denoted by ID",
    .text = "Displays the low-level information on an object identified by name or ID.",
    .examples = "inspect --latest\ninspect --type container myctr\ninspect --format "
		"\"{{.State.Status}}\" myctr",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_OBJECT,
    .run = run,
};

const struct cmd cmd_container_inspect = {
    .name = "inspect",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Display the configuration of a container",
    .text = "Displays the low-level information on a container identified by name or ID.",
    .examples = "container inspect myCtr\ncontainer inspect -l --format '{{.Id}} "
		"{{.Config.Labels}}'",
    .opts = {{container_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};

const struct cmd cmd_image_inspect = {
    .name = "inspect",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Display the configuration of an image",
    .text = "Displays the low-level information of an image identified by name or ID.",
    .examples = "image inspect alpine\nimage inspect --format \"imageId: {{.Id}} size: "
		"{{.Size}}\" alpine",
    .opts = {{object_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_image,
};

const struct cmd cmd_network_inspect = {
    .name = "inspect",
    .synopsis = "[options] NETWORK [NETWORK...]",
    .brief = "Inspect network(s)",
    .text = "Inspect network(s)",
    .examples = "network inspect podman",
    .opts = {{object_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_NETWORK,
    .run = run_network,
};
