/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/life/image.h"
#include "pod-run/remote/archives.h"
#include "pod-run/state/event.h"

struct save_opts {
	bool compress, multi, quiet, uncompressed;
	const char *format, *output, *signature_policy;
};

static const struct opt rows[] = {
    {"compress", 0, OPT_BOOL(struct save_opts, compress),
	.help = "Compress tarball image layers when saving to a directory using the 'dir' "
		"transport. (default is same compression type as source)"},
    {"format", 0, OPT_STRING(struct save_opts, format), .arg = "format", .def = "docker-archive",
	.complete = COMPLETE_CHOICE, .choices = "docker-archive,docker-dir,oci-archive,oci-dir",
	.help = "Save image to oci-archive, oci-dir (directory with oci manifest type), "
		"docker-archive, docker-dir (directory with v2s2 manifest type)"},
    {"multi-image-archive", 'm', OPT_BOOL(struct save_opts, multi),
	.help = "Interpret additional arguments as images not tags and create a "
		"multi-image-archive (only for docker-archive)"},
    {"output", 'o', OPT_STRING(struct save_opts, output), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Write to a specified file (default: stdout, which must be redirected)"},
    {"quiet", 'q', OPT_BOOL(struct save_opts, quiet), .help = "Suppress the output"},
    {"signature-policy", 0, OPT_STRING(struct save_opts, signature_policy), .arg = "path",
	.flags = OPT_HIDDEN, .help = "Path to a signature-policy file"},
    {"uncompressed", 0, OPT_BOOL(struct save_opts, uncompressed),
	.help = "Accept uncompressed layers when copying OCI images"},
    OPT_END,
};

static const struct form {
	const char *word, *wire;
	bool directory;
} forms[] = {
    {"oci-dir", "oci", true},
    {"oci-archive", "oci-archive", false},
    {"docker-dir", "dir", true},
    {"docker-archive", "docker-archive", false},
};

static const struct form *
find_form(const char *word)
{
	for (size_t i = 0; i < COUNTOF(forms); i++)
		if (strcmp(forms[i].word, word) == 0)
			return &forms[i];
	return NULL;
}

static int
check(const struct save_opts *o, const struct form *f, struct err *e)
{
	if (f == NULL)
		return err_set(e, ERR_USAGE,
		    "format value must be one of oci-dir oci-archive docker-dir docker-archive");
	if (o->multi && strcmp(f->word, "docker-archive") != 0)
		return err_set(
		    e, ERR_USAGE, "--multi-image-archive can only be used with docker-archive");
	if (o->compress && !f->directory)
		return err_set(e, ERR_USAGE,
		    "--compress can only be set when --format is 'docker-dir' or 'oci-dir'");
	if (o->output == NULL && f->directory)
		return err_set(e, ERR_USAGE, "--format %s needs --output", f->word);
	if (o->output == NULL && isatty(STDOUT_FILENO))
		return err_set(
		    e, ERR_USAGE, "refusing to save to terminal. Use -o flag or redirect");
	return 0;
}

/* What to save: IDs, and for each the names that the archive records. */
struct plan {
	struct arena a;
	const char **ids;
	struct rec_kv *names;
	size_t nids, nnames;
};

/* A further tag as "tag" would make it. */
static int
add_tag(struct plan *p, const char *word, struct err *e)
{
	own_reference struct reference short_ = {0}, full = {0};
	own_mem char *text = NULL;

	if (reference_parse(word, &short_, e) == -1)
		return -1;
	if (short_.domain != NULL) {
		full = short_;
		short_ = (struct reference){0};
	} else if (reference_qualify(&short_, "localhost", &full, e) == -1) {
		return -1;
	}
	reference_complete(&full);
	text = reference_string(&full);
	p->names[p->nnames++] = (struct rec_kv){p->ids[0], arena_strdup(&p->a, text)};
	return 0;
}

static int
add_image(struct ctx *x, struct plan *p, const char *word, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_image_got *got;
	const char *id;

	if (image_row_find(x, word, &in, e) == -1)
		return -1;
	got = MSG_OF(&in, image_got);
	id = arena_strdup(&p->a, got->image->id);
	p->ids[p->nids++] = id;
	if (got->matched != NULL && strchr(got->matched, '@') == NULL)
		p->names[p->nnames++] = (struct rec_kv){id, arena_strdup(&p->a, got->matched)};
	return 0;
}

static int
make_plan(
    struct ctx *x, const struct save_opts *o, char **argv, size_t n, struct plan *p, struct err *e)
{
	p->ids = arena_array(&p->a, n, sizeof(*p->ids));
	p->names = arena_array(&p->a, n, sizeof(*p->names));
	for (size_t i = 0; i < n; i++)
		if ((i == 0 || o->multi ? add_image(x, p, argv[i], e) : add_tag(p, argv[i], e)) ==
		    -1)
			return -1;
	return 0;
}

/* made: nothing was there before, so that a failure may take it away again. */
static int
open_output(const struct save_opts *o, const struct form *f, bool *made, struct err *e)
{
	int fd;

	*made = false;
	if (o->output == NULL) {
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		return fd != -1 ? fd : err_sys(e, "writing to standard output");
	}
	if (f->directory) {
		*made = mkdir(o->output, 0755) == 0;
		if (!*made && errno != EEXIST)
			return err_sys(e, "making directory %s", o->output);
		fd = open(o->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd != -1 ? fd : err_sys(e, "opening %s", o->output);
	}
	*made = access(o->output, F_OK) == -1;
	fd = open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
	return fd != -1 ? fd : err_sys(e, "opening %s", o->output);
}

static int
save(struct ctx *x, const struct save_opts *o, const struct form *f, const struct plan *p,
    int output, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_image_save m = {.images = {p->ids, p->nids},
	    .names = {p->names, p->nnames},
	    .form = f->wire,
	    .compress = o->compress,
	    .uncompressed = o->uncompressed,
	    .output = output};

	return image_call(x, &msg_image_save_desc, &m, &m.store, o->quiet, &in, e);
}

static int
save_there(struct remote *r, const struct save_opts *o, const struct form *f, char **names,
    size_t n, int output, struct err *e)
{
	const struct archives_save s = {.form = f->word,
	    .directory = f->directory,
	    .compress = o->compress,
	    .uncompressed = o->uncompressed,
	    .names = names,
	    .n = n,
	    .output = output};

	return archives_save(r, &s, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct save_opts *o = opts;
	const struct containers_conf *conf = ctx_conf(ctx_of(cli), e);
	const struct form *f = find_form(o->format);
	struct remote *there = ctx_of(cli)->remote;
	struct plan p = {0};
	own_fd int output = -1;
	bool made = false;
	int r = -1;

	if (conf == NULL || check(o, f, e) == -1)
		return -1;
	if (strcmp(f->word, "docker-archive") == 0 && !cmd_given(cli, "multi-image-archive"))
		o->multi = conf->engine_multi_image_archive;
	if (there != NULL && argc > 1 && !o->multi)
		return err_set(e, ERR_UNSUPPORTED,
		    "further tags: a service cannot be told of them; --multi-image-archive saves "
		    "several images");
	if (there != NULL && (output = open_output(o, f, &made, e)) != -1)
		r = save_there(there, o, f, argv, (size_t)argc, output, e);
	else if (there == NULL && make_plan(ctx_of(cli), o, argv, (size_t)argc, &p, e) == 0 &&
		 (output = open_output(o, f, &made, e)) != -1)
		r = save(ctx_of(cli), o, f, &p, output, e);
	if (r == -1 && made && f->directory)
		rmdir(o->output);
	else if (r == -1 && made)
		unlink(o->output);
	for (size_t i = 0; r == 0 && i < p.nids; i++) /* none of a service's */
		event_named(ctx_of(cli), EVENT_IMAGE, EVENT_SAVE, p.ids[i],
		    o->output != NULL ? o->output : "-");
	arena_free(&p.a);
	return r;
}

const struct cmd cmd_save = {
    .name = "save",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Save image(s) to an archive",
    .text = "Save an image to docker-archive or oci-archive on the local machine. Default is "
	    "docker-archive.",
    .examples = "save --quiet -o myimage.tar imageID\nsave --format docker-dir -o ubuntu-dir "
		"ubuntu\nsave > alpine-all.tar alpine:latest",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct save_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
