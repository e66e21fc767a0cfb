/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/base/sha256.h"
#include "common/cli/cmd.h"
#include "common/cli/damage.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/fs/file.h"
#include "pod-store/client.h"
#include "pod-store/command.h"
#include "pod-store/convert.h"
#include "pod-store/mount.h"

static const struct opt global_rows[] = {
    {"root", 0, OPT_STRING(struct command_globals, root), .arg = "string", .complete = COMPLETE_DIR,
	.help = "Path to the root directory in which data, including images, is stored"},
    {"runroot", 0, OPT_STRING(struct command_globals, runroot), .arg = "string",
	.complete = COMPLETE_DIR,
	.help = "Path to the directory where all state information is stored"},
    {"imagestore", 0, OPT_STRING(struct command_globals, imagestore), .arg = "path",
	.complete = COMPLETE_DIR,
	.help = "Path to the directory where images are stored instead of the root directory"},
    {"log-level", 0, OPT_STRING(struct command_globals, log_level), .arg = "string", .def = "warn",
	.help = "Log messages above specified level (trace, debug, info, warn, error)"},
    {"storage-driver", 0, OPT_STRING(struct command_globals, storage_driver), .arg = "value",
	.complete = COMPLETE_CHOICE, .choices = "overlay,vfs",
	.help = "Select which storage driver is used to manage storage of images and containers"},
    {"storage-opt", 0, OPT_LIST(struct command_globals, storage_opt), .arg = "value",
	.help = "Used to pass an option to the storage driver"},
    {"version", 'v', OPT_BOOL(struct command_globals, version), .help = "Version of this program"},
    OPT_END,
};

/* --- list ----------------------------------------------------------------------------------------- */

struct list_opts {
	const char *format;
	bool all, quiet, noheading;
};

static const struct opt list_rows[] = {
    {"all", 'a', OPT_BOOL(struct list_opts, all),
	.help = "Show all images (default hides intermediate images)"},
    {"format", 0, OPT_STRING(struct list_opts, format), .arg = "string",
	.help = "Change the output format to JSON or a Go template"},
    {"noheading", 'n', OPT_BOOL(struct list_opts, noheading),
	.help = "Do not print column headings"},
    {"quiet", 'q', OPT_BOOL(struct list_opts, quiet), .help = "Display only image IDs"},
    OPT_END,
};

static json_t *
image_row(const struct rec_image *im)
{
	json_t *o = json_obj(), *names = json_put_arr(o, "Names");

	json_put_str(o, "Id", im->id);
	json_put_str(o, "Digest", im->digest);
	for (size_t i = 0; i < im->names.n; i++)
		json_add_str(names, im->names.v[i]);
	json_put_int(o, "Size", (int64_t)im->size);
	json_put_int(o, "Created", im->created_ns / 1000000000);
	json_put_int(o, "Containers", (int64_t)im->containers);
	return o;
}

static json_t *
template_row(const struct rec_image *im)
{
	json_t *o = image_row(im);
	char text[HUMAN_MAX];

	json_put_str(o, "Name", im->names.n > 0 ? im->names.v[0] : "<none>");
	json_put_str(o, "HumanSize", human_size(im->size, text, sizeof(text)));
	return o;
}

static int
run_list(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct list_opts *o = opts;
	const struct output out = {
	    .format = o->format,
	    .table = "{{.Name}}\t{{.Id}}\t{{.HumanSize}}",
	    .quiet = o->quiet ? "{{.Id}}" : NULL,
	    .type = "Image",
	    .noheading = o->noheading,
	    .headings = (const struct output_heading[]){{"Id", "IMAGE ID"}, {"HumanSize", "SIZE"},
		{NULL, NULL}},
	};
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in in = {0};
	struct msg_image_list m = {.all = o->all, .uses = true};
	own_json json_t *rows = json_arr(), *shown = json_arr();
	struct msg_image_listed *l;

	(void)argc;
	(void)argv;
	if (p == NULL || CLIENT_CALL(p, image_list, &m, &in) == -1)
		return -1;
	l = MSG_OF(&in, image_listed);
	for (size_t i = 0; i < l->images.n; i++) {
		json_add_take(shown, image_row(&l->images.v[i]));
		json_add_take(rows, template_row(&l->images.v[i]));
	}
	return output_list(&out, rows, shown, stdout, e);
}

/* --- import --------------------------------------------------------------------------------------- */

static const char *
architecture(void)
{
	static struct utsname u;

	if (uname(&u) == -1 || strcmp(u.machine, "x86_64") == 0)
		return "amd64";
	return strcmp(u.machine, "aarch64") == 0 ? "arm64" : u.machine;
}

static int
commit_layer(struct peer *p, uint64_t stage, const struct msg_layer_put_r *l, const char *name,
    struct err *e)
{
	const char *diff_ids[] = {l->diff_id}, *names[] = {name};
	own_strbuf struct strbuf config = {0}, manifest = {0};
	own_peer_in struct peer_in in = {0};
	char created[HUMAN_MAX], id[SHA256_HEX];
	struct timespec now;
	struct rec_history step = {.created_by = "pod-store import", .created = created};
	struct rec_image_config parsed = {
	    .os = "linux",
	    .architecture = architecture(),
	    .created = created,
	    .diff_ids = {diff_ids, 1},
	    .history = {&step, 1},
	};
	struct rec_layer_ref layer = {
	    .diff_id = l->diff_id,
	    .digest = l->digest,
	    .size = l->size,
	    .media_type = "application/vnd.oci.image.layer.v1.tar",
	};
	struct msg_image_commit m = {
	    .stage = stage,
	    .media_type = "application/vnd.oci.image.manifest.v1+json",
	    .parsed = &parsed,
	    .layers = {&layer, 1},
	    .names = {names, name != NULL},
	};

	clock_gettime(CLOCK_REALTIME, &now);
	human_rfc3339nano_utc(
	    (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, created, sizeof(created));
	strbuf_addf(&config,
	    "{\"created\":\"%s\",\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{},"
	    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]},"
	    "\"history\":[{\"created\":\"%s\",\"created_by\":\"%s\"}]}",
	    created, parsed.architecture, l->diff_id, created, step.created_by);
	sha256_hex(config.s, config.n, id);
	strbuf_addf(&manifest,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
	    "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\",\"size\":%zu},"
	    "\"layers\":[{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu}]}",
	    m.media_type, id, config.n, layer.media_type, l->digest, (unsigned long long)l->size);
	m.config = (struct bytes){(const uint8_t *)config.s, config.n};
	m.manifest = (struct bytes){(const uint8_t *)manifest.s, manifest.n};
	if (CLIENT_CALL(p, image_commit, &m, &in) == -1)
		return -1;
	printf("%s\n", MSG_OF(&in, image_commit_r)->id);
	return 0;
}

static int
run_import(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in begun = {0}, put = {0};
	struct msg_stage_begin begin = {0};
	struct rec_layer_ref any = {.diff_id = ""};
	struct msg_layer_put m = {.layer = &any};
	own_fd int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)opts;
	if (p == NULL || CLIENT_CALL(p, stage_begin, &begin, &begun) == -1)
		return -1;
	m.stage = MSG_OF(&begun, stage_begun)->stage;
	m.stream = in;
	if (CLIENT_CALL(p, layer_put, &m, &put) == -1)
		return err_wrap(e, "importing standard input");
	return commit_layer(p, m.stage, MSG_OF(&put, layer_put_r), argc > 0 ? argv[0] : NULL, e);
}

/* --- export, diff ---------------------------------------------------------------------------------- */

struct export_opts {
	int64_t layer;
	const char *compress;
};

static const struct opt export_rows[] = {
    {"compress", 0, OPT_STRING(struct export_opts, compress), .arg = "form", .def = "tar",
	.complete = COMPLETE_CHOICE, .choices = "tar,gzip,zstd",
	.help = "Form of the stream: tar, gzip or zstd"},
    {"layer", 0, OPT_INT(struct export_opts, layer), .arg = "number", .def = "0",
	.show = "top layer", .help = "Layer to write, counted from 1, the lowest"},
    OPT_END,
};

static int
run_export(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct export_opts *o = opts;
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in got = {0}, done = {0};
	own_fd int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	struct msg_layer_get m = {.form = o->compress, .stream = out};
	const struct strs *layers;
	size_t n;

	(void)argc;
	if (p == NULL || client_image(p, argv[0], &got, e) == -1)
		return -1;
	layers = &MSG_OF(&got, image_got)->image->layers;
	n = o->layer > 0 ? (size_t)o->layer : layers->n;
	if (n == 0 || n > layers->n)
		return err_set(e, ERR_INVALID, "image %s has %zu layers", argv[0], layers->n);
	if (isatty(out))
		return err_set(e, ERR_USAGE, "refusing to write a tar stream to a terminal");
	m.layer = layers->v[n - 1];
	return CLIENT_CALL(p, layer_get, &m, &done);
}

static void
print_change(const char *line)
{
	char clean[16384];

	text_escape(line, clean, sizeof(clean));
	puts(clean);
}

static int
run_diff(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in got = {0}, done = {0};
	own_fd int file = memfd_create("diff", MFD_CLOEXEC);
	struct msg_rootfs_diff m = {.stream = file};
	own_mem char *text = NULL;
	struct err none;
	size_t n;

	(void)opts;
	(void)argc;
	if (p == NULL)
		return -1;
	/* What is no image may be a container. */
	m.id = client_image(p, argv[0], &got, &none) == 0 ? MSG_OF(&got, image_got)->image->id
							  : argv[0];
	if (CLIENT_CALL(p, rootfs_diff, &m, &done) == -1)
		return -1;
	if (lseek(file, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the changes");
	if (file_slurp(file, SIZE_MAX / 2, "the changes", &text, &n, e) == -1)
		return -1;
	for (const char *at = text; at < text + n; at += strlen(at) + 1)
		print_change(at);
	return 0;
}

/* --- tag, remove, sweep ---------------------------------------------------------------------------- */

static int
run_tag(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in in = {0};
	struct msg_image_tag m = {
	    .image = argv[0], .names = {(const char **)(argv + 1), (size_t)argc - 1}};

	(void)opts;
	return p != NULL ? CLIENT_CALL(p, image_tag, &m, &in) : -1;
}

struct rm_opts {
	bool force;
};

static const struct opt rm_rows[] = {
    {"force", 'f', OPT_BOOL(struct rm_opts, force), .help = "Remove an image with all its names"},
    OPT_END,
};

static void
print_removed(const struct msg_image_removed *r)
{
	for (size_t i = 0; i < r->untagged.n; i++)
		printf("Untagged: %s\n", r->untagged.v[i]);
	for (size_t i = 0; i < r->deleted.n; i++)
		printf("Deleted: %s\n", r->deleted.v[i]);
}

static int
run_rm(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	own_peer struct peer *p = client_connect(ctx, e);

	for (int i = 0; i < argc; i++) {
		struct msg_image_remove m = {.image = argv[i], .force = o->force};
		own_peer_in struct peer_in in = {0};

		if (p == NULL || CLIENT_CALL(p, image_remove, &m, &in) == -1)
			return -1;
		print_removed(MSG_OF(&in, image_removed));
	}
	return 0;
}

static int
run_sweep(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	own_peer struct peer *p = client_connect(ctx, e);
	own_peer_in struct peer_in in = {0};
	struct msg_store_sweep m = {0};
	struct msg_store_swept *r;

	(void)opts;
	(void)argc;
	(void)argv;
	if (p == NULL || CLIENT_CALL(p, store_sweep, &m, &in) == -1)
		return -1;
	r = MSG_OF(&in, store_swept);
	printf("%llu objects, %llu bytes\n", (unsigned long long)r->objects,
	    (unsigned long long)r->bytes);
	return 0;
}

/* --- check ---------------------------------------------------------------------------------------- */

static int
run_check(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct damage_opts *o = opts;
	struct command_globals *g = ctx->globals;
	own_peer_in struct peer_in in = {0}, left = {0};
	own_peer struct peer *p = NULL;
	struct msg_store_check m;

	(void)argc;
	(void)argv;
	if (damage_request(o, &m, e) == -1)
		return -1;
	if (o->repair)
		strv_add(&g->storage_opt, "repair=yes");
	p = client_connect(ctx, e);
	if (p == NULL || damage_look(p, &m, &in, e) == -1)
		return -1;
	if (MSG_OF(&in, store_checked)->found.n == 0)
		return 0;
	if (!o->repair)
		return err_set(e, ERR_INTEGRITY, "damage detected in local storage");
	if (damage_repair(p, &m, &left, e) == 0)
		return 0;
	return e->class != ERR_INTEGRITY
		   ? -1
		   : err_hint(
			 e, "Containers stand on it; pod system check --force removes them, too.");
}

/* --- The table ------------------------------------------------------------------------------------ */

static const struct cmd cmd_list = {
    .name = "list",
    .aliases = "ls",
    .synopsis = "[options]",
    .brief = "List the images in the store",
    .examples = "list\nlist --format json",
    .opts = {{list_rows}},
    .opts_size = sizeof(struct list_opts),
    .run = run_list,
};
static const struct cmd cmd_check = {
    .name = "check",
    .synopsis = "[options]",
    .brief = "Look for damage in the store",
    .examples = "check\ncheck --repair",
    .opts = {{damage_rows}},
    .opts_size = sizeof(struct damage_opts),
    .run = run_check,
};
static const struct cmd cmd_import = {
    .name = "import",
    .synopsis = "[NAME]",
    .brief = "Make an image of one layer from a tar stream on standard input",
    .examples = "import localhost/files:1 <files.tar",
    .max = 1,
    .run = run_import,
};
static const struct cmd cmd_export = {
    .name = "export",
    .synopsis = "[options] IMAGE",
    .brief = "Write a layer of an image to standard output, as it came",
    .examples = "export alpine | tar -t",
    .opts = {{export_rows}},
    .opts_size = sizeof(struct export_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .run = run_export,
};
static const struct cmd cmd_diff = {
    .name = "diff",
    .synopsis = "IMAGE|CONTAINER",
    .brief = "List what the top layer changed in the layers below",
    .examples = "diff alpine",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_IMAGE,
    .run = run_diff,
};
static const struct cmd cmd_tag = {
    .name = "tag",
    .synopsis = "IMAGE NAME [NAME...]",
    .brief = "Give names to an image",
    .examples = "tag 0e5574283393 localhost/base:2",
    .min = 2,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_tag,
};
static const struct cmd cmd_rm = {
    .name = "rm",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Remove names of images, and images with their last name",
    .examples = "rm localhost/base:2",
    .opts = {{rm_rows}},
    .opts_size = sizeof(struct rm_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_rm,
};
static const struct cmd cmd_sweep = {
    .name = "sweep",
    .brief = "Remove what belongs to nobody",
    .examples = "sweep",
    .run = run_sweep,
};
static const struct cmd_place places[] = {{&cmd_check}, {&convert_cmd}, {&cmd_diff}, {&cmd_export},
    {&cmd_import}, {&cmd_list}, {&mount_cmd}, {&cmd_rm}, {&cmd_sweep}, {&cmd_tag},
    {&mount_unmount_cmd}, {0}};
static const struct cmd root = {
    .name = "pod-store",
    .synopsis = "[options] [command]",
    .brief = "Images, layers, root file systems of containers and volumes",
    .sub = places,
};

static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	(void)e;
	if (!((struct command_globals *)ctx->globals)->version)
		return 0;
	printf("pod-store version %s\n", POD_VERSION);
	return 1;
}

int
command_main(int argc, char **argv)
{
	static const struct cli cli = {
	    .names = "pod-store",
	    .root = &root,
	    .global = global_rows,
	    .global_size = sizeof(struct command_globals),
	    .prepare = prepare,
	};

	return cmd_main(&cli, argc, argv);
}
