/* SPDX-License-Identifier: ISC */
/* artifact: files that are kept, fetched and sent like images. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/output.h"
#include "common/fs/file.h"
#include "common/oci/decrypt_key.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/push.h"
#include "common/oci/signing.h"
#include "pod-run/life/artifact.h"
#include "pod-run/life/image.h"
#include "pod-run/life/progress.h"
#include "pod-run/state/event.h"

#define NS INT64_C(1000000000)
#define SHORT 12

/* --- Shared ----------------------------------------------------------------------------------------*/

static int
absent(const char *name, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "%s: artifact does not exist", name);
}

static int
call(struct ctx *x, const struct wire_desc *desc, const void *m, bool quiet, struct peer_in *in,
    struct err *e)
{
	struct progress progress = {.quiet = quiet};
	pid_t pid;
	struct peer *image = ctx_helper(x, ROLE_IMAGE, &pid, e);
	int r;

	if (image == NULL)
		return -1;
	r = peer_call(image, desc, m, in, progress_show, &progress, e);
	progress_end(&progress);
	peer_free(image);
	return r;
}

static int
edit(struct ctx *x, struct msg_artifact_edit *m, bool quiet, struct peer_in *in, struct err *e)
{
	bool write = strcmp(m->act, "push") != 0;
	own_fd int dir = artifact_open(x, write, e);

	if (dir == -1)
		return err_is_set(e) ? -1 : absent(m->names.v[0], e);
	m->dir = dir;
	return call(x, &msg_artifact_edit_desc, m, quiet, in, e);
}

static void
print_digests(struct ctx *x, const struct peer_in *in, enum event_status status, const char *name)
{
	const struct strs *l = &MSG_OF(in, artifact_edit_r)->digests;

	for (size_t i = 0; i < l->n; i++) {
		const char *hex = strchr(l->v[i], ':');

		hex = hex != NULL ? hex + 1 : l->v[i];
		printf("%s\n", hex);
		event_named(x, EVENT_ARTIFACT, status, hex, name);
	}
}

/* --- add -------------------------------------------------------------------------------------------*/

struct add_opts {
	struct strv annotation;
	const char *file_type, *type;
	bool append, replace;
};

static const struct opt add_rows[] = {
    {"annotation", 0, OPT_LIST(struct add_opts, annotation), .arg = "key=value",
	.help = "set an annotation for the specified files of artifact"},
    {"append", 'a', OPT_BOOL(struct add_opts, append),
	.help = "Append files to an existing artifact"},
    {"file-type", 0, OPT_STRING(struct add_opts, file_type), .arg = "type",
	.help = "Set file type to use for the artifact (layer)"},
    {"replace", 0, OPT_BOOL(struct add_opts, replace), .help = "Replace an existing artifact"},
    {"type", 0, OPT_STRING(struct add_opts, type), .arg = "type",
	.help = "Use type to describe an artifact"},
    OPT_END,
};

static int
fill_annotations(
    const struct strv *words, struct msg_artifact_edit *m, struct arena *a, struct err *e)
{
	m->annotations.v = arena_array(a, words->n + 1, sizeof(*m->annotations.v));
	for (size_t i = 0; i < words->n; i++) {
		const char *text = words->v[i], *eq = strchr(text, '=');
		struct rec_kv *kv = &m->annotations.v[m->annotations.n++];

		if (eq == NULL || eq == text)
			return err_set(e, ERR_USAGE, "no value given for annotation \"%s\"", text);
		*kv = (struct rec_kv){
		    .key = arena_strndup(a, text, (size_t)(eq - text)), .value = eq + 1};
		if (strcmp(kv->key, "org.opencontainers.image.title") == 0)
			return err_set(e, ERR_INVALID,
			    "cannot override filename with org.opencontainers.image.title "
			    "annotation");
	}
	return 0;
}

static int
run_add(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct add_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	const char *name = argv[0];
	struct msg_artifact_edit m = {.act = "add",
	    .names = {&name, 1},
	    .files = {(const char **)argv + 1, (size_t)argc - 1},
	    .type = o->type,
	    .file_type = o->file_type,
	    .append = o->append,
	    .replace = o->replace};

	if (o->append && o->replace)
		return err_set(e, ERR_USAGE, "append and replace options are mutually exclusive");
	if (o->append && o->type != NULL)
		return err_set(e, ERR_USAGE, "append option is not compatible with type option");
	if (fill_annotations(&o->annotation, &m, &a, e) == -1 || edit(x, &m, true, &in, e) == -1)
		return -1;
	print_digests(x, &in, EVENT_CREATE, name);
	return 0;
}

static const struct cmd cmd_add = {
    .name = "add",
    .synopsis = "[options] ARTIFACT PATH [PATH...]",
    .brief = "Add an OCI artifact to the local store",
    .text = "Add an OCI artifact to the local store from the local filesystem.",
    .examples = "artifact add quay.io/myimage/myartifact:latest /tmp/foobar.txt\nartifact add "
		"--file-type text/yaml quay.io/myimage/myartifact:latest /tmp/foobar.yaml",
    .opts = {{add_rows, 0}},
    .opts_size = sizeof(struct add_opts),
    .min = 2,
    .max = CMD_ANY,
    .complete = COMPLETE_FILE,
    .run = run_add,
};

/* --- extract ---------------------------------------------------------------------------------------*/

struct extract_opts {
	const char *digest, *title;
};

static const struct opt extract_rows[] = {
    {"digest", 0, OPT_STRING(struct extract_opts, digest), .arg = "digest",
	.help = "Only extract blob with the given digest"},
    {"title", 0, OPT_STRING(struct extract_opts, title), .arg = "title",
	.help = "Only extract blob with the given title"},
    OPT_END,
};

/* A directory that is there, or else the one in which the file is to be. */
static int
open_target(const char *path, char **file, struct err *e)
{
	const char *slash = strrchr(path, '/');
	own_mem char *parent = NULL;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*file = NULL;
	if (fd != -1)
		return fd;
	if (errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "open %s", path);
	if (slash != NULL && slash[1] == '\0')
		return err_set(e, ERR_NOTFOUND, "open %s: no such directory", path);
	parent = slash == NULL	 ? xstrdup(".")
		 : slash == path ? xstrdup("/")
				 : xstrndup(path, (size_t)(slash - path));
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_sys(e, "open %s", path);
	*file = xstrdup(slash != NULL ? slash + 1 : path);
	return fd;
}

static int
run_extract(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct extract_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_mem char *file = NULL;
	own_fd int to = -1, dir = -1;
	struct msg_artifact_extract m = {
	    .name = argv[0], .digest = o->digest, .title = o->title, .target = argv[1]};

	(void)argc;
	if (o->digest != NULL && o->title != NULL)
		return err_set(e, ERR_USAGE, "the digest and title options are mutually exclusive");
	dir = artifact_open(x, false, e);
	if (dir == -1)
		return err_is_set(e) ? -1 : absent(argv[0], e);
	to = open_target(argv[1], &file, e);
	if (to == -1)
		return -1;
	m.file = file;
	m.dir = dir;
	m.to = to;
	return call(x, &msg_artifact_extract_desc, &m, true, &in, e);
}

static const struct cmd cmd_extract = {
    .name = "extract",
    .synopsis = "[options] ARTIFACT PATH",
    .brief = "Extract an OCI artifact to a local path",
    .text = "Extract the blobs of an OCI artifact to a local file or directory.",
    .examples = "artifact extract quay.io/myimage/myartifact:latest /tmp/foobar.txt\nartifact "
		"extract --title foobar.txt quay.io/myimage/myartifact:latest /tmp",
    .opts = {{extract_rows, 0}},
    .opts_size = sizeof(struct extract_opts),
    .min = 2,
    .max = 2,
    .complete = COMPLETE_ARTIFACT,
    .run = run_extract,
};

/* --- inspect ---------------------------------------------------------------------------------------*/

struct inspect_opts {
	const char *format;
};

static const struct opt inspect_rows[] = {
    {"format", 'f', OPT_STRING(struct inspect_opts, format), .arg = "format", .def = "json",
	.help = "Format volume output using JSON or a Go template"},
    OPT_END,
};

static int
run_inspect(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct inspect_opts *o = opts;
	own_peer_in struct peer_in in = {0};
	struct msg_artifact_look m = {.name = argv[0], .format = o->format};
	const struct bytes *text;

	(void)argc;
	if (artifact_look(ctx_of(cli), &m, &in, e) == -1)
		return -1;
	text = &MSG_OF(&in, artifact_look_r)->text;
	fwrite(text->p, 1, text->n, stdout);
	return 0;
}

static const struct cmd cmd_inspect_artifact = {
    .name = "inspect",
    .synopsis = "[options] ARTIFACT",
    .brief = "Inspect an OCI artifact",
    .text = "Provide details on an OCI artifact.",
    .examples = "artifact inspect quay.io/myimage/myartifact:latest",
    .opts = {{inspect_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_ARTIFACT,
    .run = run_inspect,
};

/* --- ls --------------------------------------------------------------------------------------------*/

struct ls_opts {
	const char *format;
	bool no_trunc, noheading, quiet;
};

static const struct opt ls_rows[] = {
    {"format", 0, OPT_STRING(struct ls_opts, format), .arg = "format", .show = "table",
	.help = "Format volume output using JSON or a Go template"},
    {"no-trunc", 0, OPT_BOOL(struct ls_opts, no_trunc), .help = "Do not truncate output"},
    {"noheading", 'n', OPT_BOOL(struct ls_opts, noheading), .help = "Do not print column headings"},
    {"quiet", 'q', OPT_BOOL(struct ls_opts, quiet), .flags = OPT_HIDDEN,
	.help = "Print digests only"},
    OPT_END,
};

static json_t *
row(const struct ls_opts *o, const struct rec_artifact *a)
{
	own_mem char *repository = NULL, *tag = NULL;
	const char *hex = strchr(a->digest, ':');
	json_t *j = json_obj();
	char text[HUMAN_MAX] = "";

	image_row_split(a->name, &repository, &tag);
	hex = hex != NULL ? hex + 1 : a->digest;
	json_put_str(j, "Repository", repository);
	json_put_str(j, "Tag", tag != NULL ? tag : "");
	if (o->no_trunc)
		json_put_str(j, "Digest", a->digest);
	else
		json_put_take(
		    j, "Digest", json_strn(hex, strlen(hex) < SHORT ? strlen(hex) : SHORT));
	if (a->created_ns != 0)
		human_ago(a->created_ns / NS, ctx_now_ns() / NS, text, sizeof(text));
	json_put_str(j, "Created", text);
	json_put_str(j, "Size", human_size_spaced((double)a->size, text, sizeof(text)));
	json_put_int(j, "VirtualSize", (int64_t)a->size);
	return j;
}

static int
run_ls(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct ls_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_json json_t *rows = json_arr();
	struct msg_artifact_look m = {0};
	struct output out = {.format = o->format,
	    .table = "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.Created}}\t{{.Size}}",
	    .quiet = o->quiet ? "{{.Digest}}" : NULL,
	    .type = "artifacts.artifactListOutput",
	    .noheading = o->noheading};

	(void)argc;
	(void)argv;
	m.dir = artifact_open(x, false, e);
	if (m.dir == -1 && err_is_set(e))
		return -1;
	if (m.dir != -1) {
		own_fd int dir = m.dir;
		const struct msg_artifact_look_r *r;

		if (call(x, &msg_artifact_look_desc, &m, true, &in, e) == -1)
			return -1;
		r = MSG_OF(&in, artifact_look_r);
		for (size_t i = 0; i < r->artifacts.n; i++)
			json_add_take(rows, row(o, &r->artifacts.v[i]));
	}
	return output_list(&out, rows, NULL, stdout, e);
}

static const struct cmd cmd_ls = {
    .name = "ls",
    .aliases = "list",
    .synopsis = "[options]",
    .brief = "List OCI artifacts",
    .text = "List OCI artifacts in local store.",
    .examples = "artifact ls",
    .opts = {{ls_rows, 0}},
    .opts_size = sizeof(struct ls_opts),
    .run = run_ls,
};

/* --- pull ------------------------------------------------------------------------------------------*/

struct pull_opts {
	struct access_opts access;
	struct strv decryption_key;
	bool quiet;
};

static const struct opt pull_rows[] = {
    {"decryption-key", 0, OPT_LIST(struct pull_opts, decryption_key), .arg = "key[:passphrase]",
	.complete = COMPLETE_FILE,
	.help = "Key needed to decrypt the artifact (e.g. /path/to/key.pem)"},
    {"quiet", 'q', OPT_BOOL(struct pull_opts, quiet),
	.help = "Suppress output information when pulling images"},
    OPT_END,
};

static int
run_pull(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct pull_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_arena struct arena a = {0};
	struct rec_registry_access access;
	const char *name = argv[0];
	struct msg_artifact_edit m = {.act = "pull", .names = {&name, 1}, .access = &access};

	(void)argc;
	if (image_check_authfile(o->access.authfile, e) == -1 ||
	    access_fill(&o->access, &access, e) == -1 ||
	    decrypt_key_fill(&o->decryption_key, &access, &a, e) == -1 ||
	    edit(x, &m, o->quiet, &in, e) == -1)
		return -1;
	print_digests(x, &in, EVENT_PULL, name);
	return 0;
}

static const struct cmd cmd_pull_artifact = {
    .name = "pull",
    .synopsis = "[options] ARTIFACT",
    .brief = "Pull an OCI artifact",
    .text = "Pulls an artifact from a registry and stores it locally.",
    .examples = "artifact pull quay.io/myimage/myartifact:latest",
    .opts = {{pull_rows, 0}, {access_rows_basic, offsetof(struct pull_opts, access)},
	{access_rows_transfer, offsetof(struct pull_opts, access)}},
    .opts_size = sizeof(struct pull_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_ARTIFACT,
    .run = run_pull,
};

/* --- push ------------------------------------------------------------------------------------------*/

struct push_opts {
	struct access_opts access;
	struct signing_opts signing;
	const char *digestfile;
	bool quiet;
};

static const struct opt push_rows[] = {
    {"digestfile", 0, OPT_STRING(struct push_opts, digestfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Write the digest of the pushed image to the specified file"},
    {"quiet", 'q', OPT_BOOL(struct push_opts, quiet),
	.help = "Suppress output information when pushing images"},
    OPT_END,
};

static int
run_push(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct push_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	own_signing struct signing signing = {0};
	struct rec_registry_access access;
	const char *name = argv[0];
	struct msg_artifact_edit m = {
	    .act = "push", .names = {&name, 1}, .access = &access, .signing = &signing.rec};
	const struct strs *digests;

	(void)argc;
	if (image_check_authfile(o->access.authfile, e) == -1 ||
	    file_check_place(o->digestfile, "digestfile", e) == -1 ||
	    access_fill(&o->access, &access, e) == -1 ||
	    signing_fill(&o->signing, &signing, e) == -1 || edit(x, &m, o->quiet, &in, e) == -1)
		return -1;
	digests = &MSG_OF(&in, artifact_edit_r)->digests;
	if (digests->n != 1)
		return err_set(e, ERR_PEER, "pod-image gave no digest");
	event_named(x, EVENT_ARTIFACT, EVENT_PUSH, digests->v[0], name);
	return o->digestfile != NULL
		   ? file_write_place(o->digestfile, "digestfile", digests->v[0], e)
		   : 0;
}

static const struct cmd cmd_push_artifact = {
    .name = "push",
    .synopsis = "[options] ARTIFACT",
    .brief = "Push an OCI artifact",
    .text = "Push an artifact from local storage to an image registry.",
    .examples = "artifact push quay.io/myimage/myartifact:latest",
    .opts = {{push_rows, 0}, {access_rows_basic, offsetof(struct push_opts, access)},
	{access_rows_transfer, offsetof(struct push_opts, access)},
	{signing_rows, offsetof(struct push_opts, signing)}},
    .opts_size = sizeof(struct push_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_ARTIFACT,
    .run = run_push,
};

/* --- rm --------------------------------------------------------------------------------------------*/

struct rm_opts {
	bool all, ignore;
};

static const struct opt rm_rows[] = {
    {"all", 'a', OPT_BOOL(struct rm_opts, all), .help = "Remove all artifacts"},
    {"ignore", 'i', OPT_BOOL(struct rm_opts, ignore),
	.help = "Ignore error if artifact does not exist"},
    OPT_END,
};

static int
run_rm(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	struct msg_artifact_edit m = {.act = "rm",
	    .names = {(const char **)argv, (size_t)argc},
	    .all = o->all,
	    .ignore = o->ignore};

	if (o->all && argc > 0)
		return err_set(e, ERR_USAGE,
		    "when using the --all switch, you may not pass any artifact names or digests");
	if (!o->all && argc == 0)
		return err_set(e, ERR_USAGE, "a single argument must be specified");
	if (edit(x, &m, true, &in, e) == -1)
		return -1;
	print_digests(x, &in, EVENT_REMOVE, argc == 1 ? argv[0] : NULL);
	return 0;
}

static const struct cmd cmd_rm_artifact = {
    .name = "rm",
    .aliases = "remove",
    .synopsis = "[options] ARTIFACT [ARTIFACT...]",
    .brief = "Remove one or more OCI artifacts",
    .text = "Remove an OCI from local storage.",
    .examples = "artifact rm quay.io/myimage/myartifact:latest\nartifact rm -a",
    .opts = {{rm_rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .max = CMD_ANY,
    .complete = COMPLETE_ARTIFACT,
    .run = run_rm,
};

/* --- The group -------------------------------------------------------------------------------------*/

static const struct cmd_place sub[] = {
    {.cmd = &cmd_add},
    {.cmd = &cmd_extract},
    {.cmd = &cmd_inspect_artifact},
    {.cmd = &cmd_ls},
    {.cmd = &cmd_pull_artifact},
    {.cmd = &cmd_push_artifact},
    {.cmd = &cmd_rm_artifact},
    {0},
};

const struct cmd cmd_artifact = {
    .name = "artifact",
    .brief = "Manage OCI artifacts",
    .text = "Manage OCI artifacts in the local store",
    .sub = sub,
};
