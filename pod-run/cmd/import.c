/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/change.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_make.h"
#include "pod-run/ctx.h"
#include "pod-run/remote/archives.h"
#include "pod-run/state/event.h"

struct import_opts {
	const char *arch, *os, *variant, *message, *signature_policy;
	bool quiet;
	struct strv change;
};

static const struct opt rows[] = {
    {"arch", 0, OPT_STRING(struct import_opts, arch), .arg = "string",
	.help = "Set the architecture of the imported image"},
    {"change", 'c', OPT_LIST(struct import_opts, change), .arg = "instruction",
	.help = "Apply the following possible instructions to the created image (default []): CMD "
		"| ENTRYPOINT | ENV | EXPOSE | LABEL | ONBUILD | STOPSIGNAL | USER | VOLUME | "
		"WORKDIR"},
    {"message", 'm', OPT_STRING(struct import_opts, message), .arg = "message",
	.help = "Set commit message for imported image"},
    {"os", 0, OPT_STRING(struct import_opts, os), .arg = "string",
	.help = "Set the OS of the imported image"},
    {"quiet", 'q', OPT_BOOL(struct import_opts, quiet), .help = "Suppress output"},
    {"signature-policy", 0, OPT_STRING(struct import_opts, signature_policy), .arg = "path",
	.flags = OPT_HIDDEN, .help = "Path to a signature-policy file"},
    {"variant", 0, OPT_STRING(struct import_opts, variant), .arg = "string",
	.help = "Set the variant of the imported image"},
    OPT_END,
};

static int
open_input(const char *path, struct err *e)
{
	struct stat st;
	own_fd int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					       : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd == -1)
		return err_sys(e, "error opening \"%s\": open %s", path, path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return err_sys(e, "error reading \"%s\": read %s", path, path);
	}
	return fd_take(&fd);
}

/* The image to be: one layer with a configuration made from the options. */
struct import {
	const struct import_opts *o;
	struct change change;
	struct arena a;
	struct rec_image_config parsed;
	struct rec_history step;
	char created[HUMAN_MAX], created_by[256];
};

static void
fill(struct import *i, const char *diff_id)
{
	const struct import_opts *o = i->o;

	human_rfc3339nano_utc(ctx_now_ns(), i->created, sizeof(i->created));
	snprintf(i->created_by, sizeof(i->created_by), "/bin/sh -c #(nop) ADD file:%s in /",
	    diff_id + strlen("sha256:"));
	i->step = (struct rec_history){.created = i->created,
	    .created_by = i->created_by,
	    .comment = o->message != NULL ? o->message : "imported from tarball"};
	change_record(&i->change, &i->parsed, &i->a);
	i->parsed.created = i->created;
	i->parsed.os = o->os != NULL ? o->os : "linux";
	i->parsed.architecture = o->arch != NULL ? o->arch : manifest_host_architecture();
	i->parsed.variant = o->variant;
	i->parsed.history.v = &i->step;
	i->parsed.history.n = 1;
}

/* The layer is described as what can be had again at any time: the tar that was in the stream. */
static int
commit(struct ctx *x, struct import *i, uint64_t stage, const struct msg_layer_put_r *put,
    const char *name, struct peer_in *in, struct err *e)
{
	struct rec_layer_ref layer = {.diff_id = put->diff_id,
	    .digest = put->diff_id,
	    .media_type = MANIFEST_TYPE_OCI_LAYER,
	    .size = put->tar_size};
	struct image_make m = {
	    .stage = stage, .config = &i->parsed, .layers = &layer, .layers_n = 1, .name = name};

	fill(i, put->diff_id);
	return image_make(x, &m, in, e);
}

static bool
is_url(const char *path)
{
	return text_has_prefix(path, "http://") || text_has_prefix(path, "https://");
}

/* The layer straight from a URL; what went wrong there counts more than what the store made of it. */
static int
put_url(struct ctx *x, struct msg_layer_put *m, const char *url, struct peer_in *put, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct peer *store = ctx_store(x, e), *image = NULL;
	struct msg_url_get get = {.url = url};
	own_fd int out = -1, into = -1;
	struct err why = {0};
	uint32_t seq;
	int ends[2], r;
	pid_t pid;

	if (store == NULL || (image = ctx_helper(x, ROLE_IMAGE, &pid, e)) == NULL)
		return -1;
	if (pipe2(ends, O_CLOEXEC) == -1) {
		peer_free(image);
		return err_sys(e, "making a pipe");
	}
	m->stream = out = ends[0];
	get.stream = into = ends[1];
	seq = peer_next_seq(store);
	r = peer_send(store, &msg_layer_put_desc, seq, m, e);
	fd_close(&out);
	if (r == 0) {
		uint32_t asked = peer_next_seq(image);

		r = peer_send(image, &msg_url_get_desc, asked, &get, e);
		fd_close(&into);
		if (r == 0)
			r = peer_wait(image, &msg_url_get_desc, asked, &in, NULL, NULL, e);
	}
	peer_free(image);
	if (r == -1 && e->class != ERR_CANCELLED)
		return -1;
	if (peer_wait(store, &msg_layer_put_desc, seq, put, NULL, NULL, &why) == 0)
		return r;
	*e = why;
	return -1;
}

static int
put_layer(struct ctx *x, struct import *i, struct msg_layer_put *m, const char *path,
    struct peer_in *put, struct err *e)
{
	own_fd int input = -1;
	struct peer *store;

	if (is_url(path)) {
		if (!i->o->quiet)
			fprintf(stderr, "Downloading from \"%s\"\n", path);
		return put_url(x, m, path, put, e);
	}
	input = open_input(path, e);
	if (input == -1 || (store = ctx_store(x, e)) == NULL)
		return -1;
	m->stream = input;
	return peer_call(store, &msg_layer_put_desc, m, put, NULL, NULL, e);
}

static int
import(struct ctx *x, struct import *i, const char *path, const char *name, struct err *e)
{
	own_peer_in struct peer_in put = {0}, done = {0};
	struct rec_layer_ref any = {.diff_id = ""};
	struct msg_layer_put m = {.layer = &any};
	own_reference struct reference ref = {0};

	if (name != NULL && reference_parse(name, &ref, e) == -1)
		return -1;
	for (size_t k = 0; k < i->o->change.n; k++)
		if (change_apply(&i->change, i->o->change.v[k], e) == -1)
			return -1;
	if (image_make_stage(x, &m.stage, e) == -1 || put_layer(x, i, &m, path, &put, e) == -1 ||
	    commit(x, i, m.stage, MSG_OF(&put, layer_put_r), name, &done, e) == -1)
		return -1;
	printf("sha256:%s\n", MSG_OF(&done, image_commit_r)->id);
	event_named(x, EVENT_IMAGE, EVENT_IMPORT, MSG_OF(&done, image_commit_r)->id, name);
	return 0;
}

static int
import_there(struct remote *r, const struct import_opts *o, const char *path, const char *name,
    struct err *e)
{
	own_fd int input = is_url(path) ? -1 : open_input(path, e);
	const struct archives_import m = {.url = is_url(path) ? path : NULL,
	    .input = input,
	    .name = name,
	    .message = o->message,
	    .os = o->os,
	    .arch = o->arch,
	    .variant = o->variant,
	    .change = &o->change};

	return m.url == NULL && input == -1 ? -1 : archives_import(r, &m, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct import i = {.o = opts};
	const char *name = argc > 1 ? argv[1] : NULL;
	int r;

	r = ctx_of(cli)->remote != NULL ? import_there(ctx_of(cli)->remote, i.o, argv[0], name, e)
					: import(ctx_of(cli), &i, argv[0], name, e);
	change_free(&i.change);
	arena_free(&i.a);
	return r;
}

const struct cmd cmd_import = {
    .name = "import",
    .synopsis = "[options] PATH [REFERENCE]",
    .brief = "Import a tarball to create a filesystem image",
    .text = "Create a container image from the contents of the specified tarball (plain, gzip or "
	    "zstd).\n\n  Optionally tag the image. You can specify the instructions using the "
	    "--change option.",
    .examples = "import ctr.tar image-imported\nimport --message \"importing the ctr.tar "
		"tarball\" - image-imported < ctr.tar\nimport - < ctr.tar",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct import_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_FILE,
    .run = run,
};
