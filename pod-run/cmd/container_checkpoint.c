/* SPDX-License-Identifier: ISC */
/*
 * "container checkpoint": to the container's directory, an archive, or an image.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_make.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/archive.h"
#include "pod-run/life/end.h"
#include "pod-run/life/restore.h"
#include "pod-run/life/runtime.h"
#include "pod-run/state/event.h"

struct checkpoint_opts {
	bool all, file_locks, ignore_rootfs, ignore_volumes, keep, latest, leave_running;
	bool pre_checkpoint, print_stats, tcp_established, with_previous;
	const char *compress, *create_image, *export;
	json_t *figures; /* of all containers; or NULL */
};

#define S struct checkpoint_opts

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(S, all), .help = "Checkpoint all running containers"},
    {"compress", 'c', OPT_STRING(S, compress), .arg = "string", .def = "zstd",
	.complete = COMPLETE_CHOICE, .choices = "zstd,none,gzip",
	.help = "Select compression algorithm (gzip, none, zstd) for checkpoint archive."},
    {"create-image", 0, OPT_STRING(S, create_image), .arg = "string",
	.help = "Create checkpoint image with specified name"},
    {"export", 'e', OPT_STRING(S, export), .arg = "string", .complete = COMPLETE_FILE,
	.help = "Export the checkpoint image to a tar.gz"},
    {"file-locks", 0, OPT_BOOL(S, file_locks), .help = "Checkpoint a container with file locks"},
    {"ignore-rootfs", 0, OPT_BOOL(S, ignore_rootfs),
	.help = "Do not include root file-system changes when exporting"},
    {"ignore-volumes", 0, OPT_BOOL(S, ignore_volumes),
	.help = "Do not export volumes associated with container"},
    {"keep", 'k', OPT_BOOL(S, keep), .help = "Keep all temporary checkpoint files"},
    {"latest", 'l', OPT_BOOL(S, latest), .help = "Act on the latest container podman is aware of"},
    {"leave-running", 'R', OPT_BOOL(S, leave_running),
	.help = "Leave the container running after writing checkpoint to disk"},
    {"pre-checkpoint", 'P', OPT_BOOL(S, pre_checkpoint),
	.help = "Dump container's memory information only, leave the container running"},
    {"print-stats", 0, OPT_BOOL(S, print_stats), .help = "Display checkpoint statistics"},
    {"tcp-established", 0, OPT_BOOL(S, tcp_established),
	.help = "Checkpoint a container with established TCP connections"},
    {"with-previous", 0, OPT_BOOL(S, with_previous),
	.help = "Checkpoint container with pre-checkpoint images"},
    OPT_END,
};

/* --- As an image --------------------------------------------------------------------------------*/

struct note {
	const char *key, *value;
};

static void
annotate(struct ctx *x, const struct ctr *c, struct arena *a, struct rec_kv *out, size_t *n)
{
	const struct rec_ctr_config *g = c->config;
	struct utsname host = {0};
	const char *runtime = g->runtime;
	struct err ignored = {0};

	if ((runtime == NULL || *runtime == '\0') && runtime_name(x, &runtime, &ignored) == -1)
		runtime = "";
	uname(&host);
	const struct note notes[] = {
	    {"name", c->name},
	    {"rawImageName", g->image_asked},
	    {"rootfsImageID", c->image},
	    {"rootfsImageName", g->image_name},
	    {"podman.version", POD_VERSION},
	    {"runtime.name", runtime},
	    {"conmon.version", POD_VERSION},
	    {"host.arch", manifest_host_architecture()},
	    {"host.kernel", host.release},
	    {"cgroups.version",
		access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "v2" : "v1"},
	};

	*n = 0;
	for (size_t i = 0; i < COUNTOF(notes); i++)
		if (notes[i].value != NULL && *notes[i].value != '\0')
			out[(*n)++] = (struct rec_kv){
			    .key = arena_printf(a, RESTORE_ANNOTATION "%s", notes[i].key),
			    .value = arena_strdup(a, notes[i].value)};
}

/* One layer, which is the archive. */
static int
put_layer(struct ctx *x, struct ctr *c, const struct checkpoint *o, uint64_t stage,
    struct peer_in *in, struct err *e)
{
	struct rec_layer_ref any = {.diff_id = ""};
	struct msg_layer_put m = {.layer = &any, .stage = stage};
	struct peer *store = ctx_store(x, e);
	own_mem char *dir = ctx_static_dir(x, c->id), *path = NULL;
	own_fd int plain = -1;

	/* The store is asked for volumes and changes meanwhile: the archive has to be whole before it reads. */
	path = xasprintf("%s/image.XXXXXX", dir);
	plain = mkostemp(path, O_CLOEXEC);
	if (plain == -1)
		return err_sys(e, "making %s", path);
	unlink(path);
	if (archive_write(x, c, o, plain, e) == -1)
		return -1;
	if (lseek(plain, 0, SEEK_SET) == -1)
		return err_sys(e, "reading the checkpoint");
	m.stream = plain;
	return peer_call(store, &msg_layer_put_desc, &m, in, NULL, NULL, e);
}

static int
save_image(struct ctx *x, struct ctr *c, const struct checkpoint *o, struct err *e)
{
	const struct checkpoint_opts *opts = o->arg;
	own_arena struct arena a = {0};
	own_peer_in struct peer_in put = {0}, done = {0};
	struct rec_kv notes[16];
	char created[HUMAN_MAX];
	struct rec_history step = {.created = created, .comment = "checkpoint"};
	struct rec_image_config config = {
	    .created = created, .os = "linux", .architecture = manifest_host_architecture()};
	struct rec_layer_ref layer = {.media_type = MANIFEST_TYPE_OCI_LAYER};
	struct image_make m = {.config = &config,
	    .layers = &layer,
	    .layers_n = 1,
	    .name = opts->create_image,
	    .annotations = notes};

	human_rfc3339nano_utc(ctx_now_ns(), created, sizeof(created));
	config.history.v = &step;
	config.history.n = 1;
	annotate(x, c, &a, notes, &m.annotations_n);
	if (image_make_stage(x, &m.stage, e) == -1 || put_layer(x, c, o, m.stage, &put, e) == -1)
		return -1;
	layer.diff_id = layer.digest = MSG_OF(&put, layer_put_r)->diff_id;
	layer.size = MSG_OF(&put, layer_put_r)->tar_size;
	return image_make(x, &m, &done, e);
}

/* --- The command --------------------------------------------------------------------------------*/

static int
one(struct ctx *x, const char *id, const char *word, void *arg, struct err *e)
{
	struct checkpoint_opts *o = arg;
	struct checkpoint how = {.keep = o->keep,
	    .leave_running = o->leave_running,
	    .tcp_established = o->tcp_established,
	    .file_locks = o->file_locks,
	    .pre = o->pre_checkpoint,
	    .with_previous = o->with_previous,
	    .ignore_rootfs = o->ignore_rootfs,
	    .ignore_volumes = o->ignore_volumes,
	    .export = o->export,
	    .compress = o->compress,
	    .save = o->create_image != NULL ? save_image : NULL,
	    .arg = o};
	struct checkpoint_figures f = {0};
	json_t *row;

	if (checkpoint_make(x, id, &how, &f, e) == -1) {
		json_decref(f.criu);
		return -1;
	}
	if (o->figures == NULL) {
		json_decref(f.criu);
		puts(word);
		return 0;
	}
	row = json_add_obj(o->figures);
	json_put_str(row, "Id", id);
	json_put_int(row, "runtime_checkpoint_duration", f.runtime_us);
	json_put_take(row, "criu_statistics", f.criu);
	return 0;
}

static int
check(const struct cli_ctx *cli, const struct checkpoint_opts *o, int argc, struct err *e)
{
	own_reference struct reference ref = {0};
	bool copies = o->export != NULL || o->create_image != NULL;

	if (o->export == NULL && cmd_given(cli, "compress"))
		return err_set(e, ERR_USAGE, "--compress can only be used with --export");
	if (archive_check_compression(o->compress, e) == -1)
		return -1;
	if (!copies && o->ignore_rootfs)
		return err_set(e, ERR_USAGE, "--ignore-rootfs can only be used with --export");
	if (!copies && o->ignore_volumes)
		return err_set(e, ERR_USAGE, "--ignore-volumes can only be used with --export");
	if (o->export != NULL && o->create_image != NULL)
		return err_set(e, ERR_USAGE, "--export and --create-image cannot be used together");
	if (copies && (o->all || argc > 1))
		return err_set(e, ERR_USAGE,
		    "--export and --create-image can only be used with one container");
	if (o->with_previous && o->pre_checkpoint)
		return err_set(
		    e, ERR_USAGE, "--with-previous can not be used with --pre-checkpoint");
	if (o->create_image != NULL && o->pre_checkpoint)
		return err_set(e, ERR_USAGE, "--create-image cannot be used with --pre-checkpoint");
	return o->create_image != NULL ? reference_parse(o->create_image, &ref, e) : 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct checkpoint_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_json json_t *report = json_obj();
	int64_t began = checkpoint_now_us();
	struct select s = {.argc = argc,
	    .argv = argv,
	    .all = o->all,
	    .latest = o->latest,
	    .states = 1u << CTR_RUNNING};
	int r;

	if (check(cli, o, argc, e) == -1 || ctx_paths(x, e) == -1)
		return -1;
	if (x->rootless.user)
		return err_set(e, ERR_UNSUPPORTED,
		    "checkpointing a container requires root: the kernel lets nobody else do it");
	if (o->print_stats) {
		json_put_int(report, "podman_checkpoint_duration", 0);
		o->figures = json_put_arr(report, "container_statistics");
	}
	r = select_each(x, &s, one, o, e);
	end_settle(x);
	if (r == 0 && o->print_stats) {
		own_strbuf struct strbuf text = {0};

		json_put_int(report, "podman_checkpoint_duration", checkpoint_now_us() - began);
		json_go(report, "    ", &text);
		puts(text.s);
	}
	return r;
}

const struct cmd cmd_container_checkpoint = {
    .name = "checkpoint",
    .synopsis = "[options] CONTAINER [CONTAINER...]",
    .brief = "Checkpoint one or more containers",
    .text = "Checkpoints one or more running containers. The container name or ID can be used.",
    .examples = "container checkpoint --keep ctrID\ncontainer checkpoint --all\ncontainer "
		"checkpoint --leave-running --export=/tmp/ctr.tar.zst ctrID",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct checkpoint_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
