/* SPDX-License-Identifier: ISC */
/* manifest exists, inspect, remove, rm, and what the other commands of the group share. */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/manifest.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/manifest.h"
#include "pod-run/cmd/rmi.h"
#include "pod-run/life/image.h"

/* --- Shared ----------------------------------------------------------------------------------------*/

void
manifest_change_free(struct manifest_change *c)
{
	arena_free(&c->arena);
}

static struct strs
as_strs(const struct strv *l)
{
	return (struct strs){(const char **)l->v, l->n};
}

int
manifest_change_fill(
    const struct manifest_change_opts *o, struct manifest_change *out, struct err *e)
{
	struct rec_list_change *r = &out->rec;

	*r = (struct rec_list_change){.os = o->os,
	    .architecture = o->arch,
	    .variant = o->variant,
	    .os_version = o->os_version,
	    .os_features = as_strs(&o->os_features),
	    .features = as_strs(&o->features)};
	r->annotations.v = arena_array(&out->arena, o->annotation.n + 1, sizeof(*r->annotations.v));
	for (size_t i = 0; i < o->annotation.n; i++) {
		const char *text = o->annotation.v[i], *eq = strchr(text, '=');

		if (eq == NULL || eq == text)
			return err_set(e, ERR_USAGE, "no value given for annotation \"%s\"", text);
		r->annotations.v[r->annotations.n++] = (struct rec_kv){
		    .key = arena_strndup(&out->arena, text, (size_t)(eq - text)), .value = eq + 1};
	}
	return 0;
}

int
manifest_find(struct ctx *x, const char *word, struct peer_in *in, struct err *e)
{
	if (image_row_find_list(x, word, in, e) == -1)
		return -1;
	if (manifest_type_is_index(MSG_OF(in, image_got)->image->media_type))
		return 0;
	return err_set(e, ERR_INVALID, "%s: image is not a manifest list", word);
}

int
manifest_edit(struct ctx *x, struct msg_list_edit *m, bool quiet, struct peer_in *in, struct err *e)
{
	return image_call(x, &msg_list_edit_desc, m, &m->store, quiet, in, e);
}

/* --- exists ----------------------------------------------------------------------------------------*/

static int
run_exists(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	(void)opts;
	(void)argc;
	if (manifest_find(ctx_of(cli), argv[0], &in, e) == 0)
		return 0;
	image_row_doubt(argv[0], e);
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

const struct cmd cmd_manifest_exists = {
    .name = "exists",
    .synopsis = "MANIFEST",
    .brief = "Check if a manifest list exists in local storage",
    .text = "If the manifest list exists in local storage, the exit status is 0, otherwise 1.",
    .examples = "manifest exists mylist",
    .min = 1,
    .max = 1,
    .complete = COMPLETE_MANIFEST,
    .run = run_exists,
};

/* --- inspect ---------------------------------------------------------------------------------------*/

struct inspect_opts {
	struct access_opts access;
	bool insecure, verbose;
};

static const struct opt inspect_rows[] = {
    {"authfile", 0, OPT_STRING(struct inspect_opts, access.authfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to "
		"override"},
    {"insecure", 0, OPT_BOOL(struct inspect_opts, insecure), .flags = OPT_HIDDEN,
	.help = "Neither require HTTPS nor verify certificates"},
    {"tls-verify", 0, OPT_TRISTATE(struct inspect_opts, access.tls_verify), .show = "true",
	.help = "Require HTTPS and verify certificates when accessing the registry"},
    {"verbose", 'v', OPT_BOOL(struct inspect_opts, verbose), .flags = OPT_HIDDEN,
	.help = "Added for Docker compatibility"},
    OPT_END,
};

static int
show(struct ctx *x, struct msg_list_show *m, const char *word, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_fd int store_end = -1;
	struct peer *image = image_helper(x, &store_end, e);
	const struct msg_list_shown *r;
	int rc;

	if (image == NULL)
		return -1;
	if (m->list != NULL)
		m->store = store_end;
	rc = peer_call(image, &msg_list_show_desc, m, &in, NULL, NULL, e);
	peer_free(image);
	if (rc == -1)
		return m->list == NULL ? err_wrap(e, "reading image \"%s\"", word) : -1;
	r = MSG_OF(&in, list_shown);
	if (r->single)
		fprintf(stderr,
		    "WARNING: the manifest of \"%s\" is not a manifest list but a single image.\n",
		    word);
	fwrite(r->text.p, 1, r->text.n, stdout);
	return 0;
}

static int
run_inspect(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct inspect_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0};
	struct rec_registry_access access;
	struct msg_list_show m = {.access = &access};

	(void)argc;
	o->access.retry = -1;
	if (o->insecure)
		o->access.tls_verify = 0;
	if (image_check_authfile(o->access.authfile, e) == -1 ||
	    access_fill(&o->access, &access, e) == -1)
		return -1;
	if (manifest_find(x, argv[0], &in, e) == 0) {
		m.list = MSG_OF(&in, image_got)->image->id;
		return show(x, &m, argv[0], e);
	}
	/* What is no list here may be one in a registry. */
	if (e->class != ERR_NOTFOUND && e->class != ERR_INVALID)
		return -1;
	err_clear(e);
	m.source = argv[0];
	return show(x, &m, argv[0], e);
}

const struct cmd cmd_manifest_inspect = {
    .name = "inspect",
    .synopsis = "[options] IMAGE",
    .brief = "Display the contents of a manifest list or image index",
    .text = "Display the contents of a manifest list or image index, of local storage or else of "
	    "a registry.",
    .examples = "manifest inspect localhost/list\nmanifest inspect "
		"docker://registry.example.org/app:1",
    .opts = {{inspect_rows, 0}},
    .opts_size = sizeof(struct inspect_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_MANIFEST,
    .run = run_inspect,
};

/* --- remove ----------------------------------------------------------------------------------------*/

static int
run_remove(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in in = {0}, done = {0};
	struct msg_list_edit m = {.act = "remove", .digest = argv[1]};

	(void)opts;
	(void)argc;
	if (manifest_find(x, argv[0], &in, e) == -1)
		return -1;
	m.list = MSG_OF(&in, image_got)->image->id;
	if (manifest_edit(x, &m, true, &done, e) == -1)
		return err_wrap(e, "removing from manifest list %s", argv[0]);
	printf("%s\n", m.list);
	return 0;
}

const struct cmd cmd_manifest_remove = {
    .name = "remove",
    .synopsis = "LIST IMAGE",
    .brief = "Remove an entry from a manifest list or image index",
    .text = "Removes the entry with the digest IMAGE from a manifest list or image index.",
    .examples = "manifest remove mylist:v1.11 "
		"sha256:15352d97781ffdf357bf3459c037be3efac4133dc9070c2dce7eca7c05c3e736",
    .min = 2,
    .max = 2,
    .complete = COMPLETE_MANIFEST,
    .run = run_remove,
};

/* --- rm --------------------------------------------------------------------------------------------*/

struct rm_opts {
	bool ignore;
};

static const struct opt rm_rows[] = {
    {"ignore", 'i', OPT_BOOL(struct rm_opts, ignore),
	.help = "Ignore errors if a specified manifest list does not exist"},
    OPT_END,
};

static int
run_rm(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct rm_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	struct err last = {0};
	int status = 0;

	for (int i = 0; i < argc; i++) {
		own_peer_in struct peer_in in = {0};

		err_clear(e);
		if (manifest_find(x, argv[i], &in, e) == 0 && rmi_name(x, argv[i], e) == 0)
			continue;
		image_row_doubt(argv[i], e);
		if (o->ignore && e->class == ERR_NOTFOUND)
			continue;
		if (err_is_set(&last))
			err_print(&last, stderr);
		last = *e;
		if (status != 125)
			status = e->class == ERR_NOTFOUND ? 1 : 125;
	}
	fflush(stdout);
	if (err_is_set(&last))
		err_print(&last, stderr);
	return status;
}

const struct cmd cmd_manifest_rm = {
    .name = "rm",
    .synopsis = "[options] LIST [LIST...]",
    .brief = "Remove manifest list or image index from local storage",
    .text = "Remove manifest lists or image indexes from local storage.  Their images stay.",
    .examples = "manifest rm mylist:v1.11",
    .opts = {{rm_rows, 0}},
    .opts_size = sizeof(struct rm_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_MANIFEST,
    .run = run_rm,
};

/* --- The group -------------------------------------------------------------------------------------*/

static const struct cmd_place sub[] = {
    {.cmd = &cmd_manifest_add},
    {.cmd = &cmd_manifest_annotate},
    {.cmd = &cmd_manifest_create},
    {.cmd = &cmd_manifest_exists},
    {.cmd = &cmd_manifest_inspect},
    {.cmd = &cmd_manifest_push},
    {.cmd = &cmd_manifest_remove},
    {.cmd = &cmd_manifest_rm},
    {0},
};

const struct cmd cmd_manifest = {
    .name = "manifest",
    .brief = "Manipulate manifest lists and image indexes",
    .text = "Creates, modifies, and pushes manifest lists and image indexes.",
    .sub = sub,
};
