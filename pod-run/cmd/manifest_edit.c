/* SPDX-License-Identifier: ISC */
/* manifest create, add and annotate. */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/auth.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/manifest.h"
#include "pod-run/cmd/rmi.h"
#include "pod-run/life/artifact.h"
#include "pod-run/life/image.h"

#define LOCAL "containers-storage:"

/* --- Adding ----------------------------------------------------------------------------------------*/

static bool
is_local(const char *word)
{
	return text_has_prefix(word, "localhost/");
}

static int
add_stored(
    struct ctx *x, struct msg_list_edit *m, const char *word, struct peer_in *in, struct err *e)
{
	own_peer_in struct peer_in found = {0};
	int r;

	if (image_row_find_list(x, word, &found, e) == -1)
		return -1;
	m->image = MSG_OF(&found, image_got)->image->id;
	r = manifest_edit(x, m, true, in, e);
	m->image = NULL;
	return r;
}

/*
 * A name without a transport is that of an image in a registry, or else of one in the store; one of
 * localhost is looked for here first.
 */
static int
add_one(struct ctx *x, struct msg_list_edit *m, const char *word, struct peer_in *in, struct err *e)
{
	const char *rest = word, *transport = reference_transport(word, &rest);
	struct err first = {0};

	if (transport != NULL && strcmp(transport, "containers-storage") == 0)
		return add_stored(x, m, rest, in, e);
	if (transport == NULL && is_local(word)) {
		if (add_stored(x, m, word, in, e) == 0 || e->class != ERR_NOTFOUND)
			return err_is_set(e) ? -1 : 0;
		err_clear(e);
	}
	m->source = word;
	if (manifest_edit(x, m, true, in, e) == 0)
		return 0;
	if (transport != NULL || is_local(word))
		return -1;
	first = *e;
	err_clear(e);
	if (add_stored(x, m, word, in, e) == 0)
		return 0;
	if (e->class == ERR_NOTFOUND)
		*e = first;
	return -1;
}

/* --- create ----------------------------------------------------------------------------------------*/

struct create_opts {
	struct access_opts access;
	struct manifest_change_opts change;
	bool all, amend, insecure;
};

static const struct opt create_rows[] = {
    {"all", 0, OPT_BOOL(struct create_opts, all),
	.help = "add all of the lists' images if the images to add are lists"},
    {"amend", 'a', OPT_BOOL(struct create_opts, amend),
	.help = "modify an existing list if one with the desired name already exists"},
    {"annotation", 0, OPT_LIST(struct create_opts, change.annotation), .arg = "annotation=value",
	.help = "set annotations on the new list"},
    {"insecure", 0, OPT_BOOL(struct create_opts, insecure), .flags = OPT_HIDDEN,
	.help = "neither require HTTPS nor verify certificates when accessing the registry"},
    {"tls-verify", 0, OPT_TRISTATE(struct create_opts, access.tls_verify), .show = "true",
	.help = "require HTTPS and verify certificates when accessing the registry"},
    OPT_END,
};

static int
check_name(const char *name, struct err *e)
{
	own_reference struct reference r = {0};

	if (reference_parse(name, &r, e) == -1)
		return err_wrap(e, "normalizing name \"%s\"", name);
	return 0;
}

static int
make_list(
    struct ctx *x, const char *name, struct rec_list_change *c, struct peer_in *in, struct err *e)
{
	struct msg_list_edit m = {.act = "create", .name = name, .change = c};

	return manifest_edit(x, &m, true, in, e);
}

/* The list of that name, if --amend finds one; else a new one. */
static int
open_list(struct ctx *x, const struct create_opts *o, const char *name, struct rec_list_change *c,
    struct peer_in *in, bool *made, const char **id, struct err *e)
{
	*made = false;
	if (o->amend && manifest_find(x, name, in, e) == 0) {
		own_peer_in struct peer_in done = {0};
		struct msg_list_edit m = {.act = "annotate", .change = c};

		*id = m.list = MSG_OF(in, image_got)->image->id;
		return c->annotations.n > 0 ? manifest_edit(x, &m, true, &done, e) : 0;
	}
	if (o->amend && e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	peer_in_free(in);
	if (make_list(x, name, c, in, e) == -1)
		return -1;
	*made = true;
	*id = MSG_OF(in, list_edit_r)->id;
	return 0;
}

static int
run_create(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct create_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_manifest_change struct manifest_change change = {0};
	own_peer_in struct peer_in list = {0};
	struct rec_registry_access access;
	struct err ignored = {0};
	const char *id;
	bool made;

	o->access.retry = -1;
	if (o->insecure)
		o->access.tls_verify = 0;
	if (check_name(argv[0], e) == -1 || access_fill(&o->access, &access, e) == -1 ||
	    manifest_change_fill(&o->change, &change, e) == -1 ||
	    open_list(x, o, argv[0], &change.rec, &list, &made, &id, e) == -1)
		return -1;
	for (int i = 1; i < argc; i++) {
		own_peer_in struct peer_in in = {0};
		struct msg_list_edit m = {
		    .act = "add", .list = id, .all = o->all, .access = &access};

		if (add_one(x, &m, argv[i], &in, e) == 0)
			continue;
		/* Nothing is left of a list that could not be filled. */
		if (made)
			rmi_quietly(x, id, &ignored);
		return -1;
	}
	printf("%s\n", id);
	return 0;
}

const struct cmd cmd_manifest_create = {
    .name = "create",
    .synopsis = "[options] LIST [IMAGE...]",
    .brief = "Create manifest list or image index",
    .text = "Creates manifest lists or image indexes.",
    .examples = "manifest create mylist:v1.11\nmanifest create mylist:v1.11 "
		"arch-specific-image-to-add\nmanifest create --all mylist:v1.11 "
		"transport:tagged-image-to-add",
    .opts = {{create_rows, 0}},
    .opts_size = sizeof(struct create_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_create,
};

/* --- add -------------------------------------------------------------------------------------------*/

struct add_opts {
	struct access_opts access;
	struct manifest_change_opts change;
	const char *config, *config_type, *layer_type, *subject, *type;
	bool all, artifact, exclude_titles, insecure;
};

static const struct opt add_rows[] = {
    {"all", 0, OPT_BOOL(struct add_opts, all),
	.help = "add all of the list's images if the image is a list"},
    {"artifact", 0, OPT_BOOL(struct add_opts, artifact),
	.help = "add all arguments as artifact files rather than as images"},
    {"artifact-config", 0, OPT_STRING(struct add_opts, config), .arg = "path",
	.complete = COMPLETE_FILE, .help = "artifact configuration file"},
    {"artifact-config-type", 0, OPT_STRING(struct add_opts, config_type), .arg = "type",
	.help = "artifact configuration media type"},
    {"artifact-exclude-titles", 0, OPT_BOOL(struct add_opts, exclude_titles),
	.help = "refrain from setting \"org.opencontainers.image.title\" annotations on "
		"\"layers\""},
    {"artifact-layer-type", 0, OPT_STRING(struct add_opts, layer_type), .arg = "type",
	.help = "artifact layer media type"},
    {"artifact-subject", 0, OPT_STRING(struct add_opts, subject), .arg = "reference",
	.complete = COMPLETE_IMAGE, .help = "artifact subject reference"},
    {"artifact-type", 0, OPT_STRING(struct add_opts, type), .arg = "type",
	.help = "override the artifactType value"},
    {"annotation", 0, OPT_LIST(struct add_opts, change.annotation), .arg = "annotation=value",
	.help = "set an annotation for the specified image"},
    {"arch", 0, OPT_STRING(struct add_opts, change.arch), .arg = "architecture",
	.help = "override the architecture of the specified image"},
    {"creds", 0, OPT_STRING(struct add_opts, access.creds), .arg = "[username[:password]]",
	.help = "use [username[:password]] for accessing the registry"},
    {"features", 0, OPT_COMMA(struct add_opts, change.features), .arg = "features",
	.help = "override the features of the specified image"},
    {"insecure", 0, OPT_BOOL(struct add_opts, insecure), .flags = OPT_HIDDEN,
	.help = "neither require HTTPS nor verify certificates when accessing the registry"},
    {"os", 0, OPT_STRING(struct add_opts, change.os), .arg = "OS",
	.help = "override the OS of the specified image"},
    {"os-version", 0, OPT_STRING(struct add_opts, change.os_version), .arg = "version",
	.help = "override the OS version of the specified image"},
    {"variant", 0, OPT_STRING(struct add_opts, change.variant), .arg = "variant",
	.help = "override the variant of the specified image"},
    OPT_END,
};

/* An image of the store, else of a registry. */
static int
find_subject(
    struct ctx *x, const char *word, struct peer_in *in, struct msg_list_edit *m, struct err *e)
{
	const char *rest = word, *transport = reference_transport(word, &rest);

	if (transport != NULL && strcmp(transport, "containers-storage") != 0) {
		m->source = word;
		return 0;
	}
	if (image_row_find_list(x, rest, in, e) == 0) {
		m->image = MSG_OF(in, image_got)->image->id;
		return 0;
	}
	if (transport != NULL || e->class != ERR_NOTFOUND)
		return -1;
	err_clear(e);
	m->source = word;
	return 0;
}

static int
check_artifact(const struct add_opts *o, struct err *e)
{
	const struct {
		const char *name;
		bool given;
	} options[] = {{"artifact-config", o->config != NULL},
	    {"artifact-config-type", o->config_type != NULL},
	    {"artifact-exclude-titles", o->exclude_titles},
	    {"artifact-layer-type", o->layer_type != NULL},
	    {"artifact-subject", o->subject != NULL}, {"artifact-type", o->type != NULL}};

	for (size_t i = 0; i < COUNTOF(options) && !o->artifact; i++)
		if (options[i].given)
			return err_set(
			    e, ERR_USAGE, "--%s can only be used with --artifact", options[i].name);
	return o->artifact && o->all ? err_set(e, ERR_USAGE, "--all cannot be used with --artifact")
				     : 0;
}

/* All files together are one artifact. */
static int
add_artifact(struct ctx *x, const struct add_opts *o, struct msg_list_edit *m, int n, char **files,
    struct err *e)
{
	own_mem char *place = xasprintf("%s/lists/%s", x->graph_root, m->list);
	own_peer_in struct peer_in subject = {0}, in = {0};
	own_fd int dir = artifact_open_list(x, m->list, e);

	if (dir == -1 || (o->subject != NULL && find_subject(x, o->subject, &subject, m, e) == -1))
		return -1;
	m->files = (struct strs){(const char **)files, (size_t)n};
	m->artifact_type = o->type;
	m->config = o->config;
	m->config_type = o->config_type;
	m->layer_type = o->layer_type;
	m->no_titles = o->exclude_titles;
	m->place = place;
	m->dir = dir;
	if (manifest_edit(x, m, true, &in, e) == -1)
		return -1;
	printf("%s\n", m->list);
	return 0;
}

static int
run_add(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct add_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_manifest_change struct manifest_change change = {0};
	own_peer_in struct peer_in list = {0};
	struct rec_registry_access access;
	struct msg_list_edit m = {
	    .act = "add", .all = o->all, .change = &change.rec, .access = &access};

	o->access.retry = -1;
	if (o->insecure)
		o->access.tls_verify = 0;
	if (image_check_authfile(auth_named(o->access.authfile), e) == -1 ||
	    check_artifact(o, e) == -1 || access_fill(&o->access, &access, e) == -1 ||
	    manifest_change_fill(&o->change, &change, e) == -1 ||
	    manifest_find(x, argv[0], &list, e) == -1)
		return -1;
	m.list = MSG_OF(&list, image_got)->image->id;
	if (o->artifact)
		return add_artifact(x, o, &m, argc - 1, argv + 1, e);
	for (int i = 1; i < argc; i++) {
		own_peer_in struct peer_in in = {0};

		if (add_one(x, &m, argv[i], &in, e) == -1)
			return -1;
	}
	printf("%s\n", m.list);
	return 0;
}

const struct cmd cmd_manifest_add = {
    .name = "add",
    .synopsis = "[options] LIST IMAGE [IMAGE...]",
    .brief = "Add images to a manifest list or image index",
    .text = "Adds an image to a manifest list or image index.",
    .examples = "manifest add mylist:v1.11 image:v1.11-amd64\nmanifest add mylist:v1.11 "
		"transport:imageName",
    .opts = {{add_rows, 0}, {access_rows_basic, offsetof(struct add_opts, access)}},
    .opts_size = sizeof(struct add_opts),
    .min = 2,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .run = run_add,
};

/* --- annotate --------------------------------------------------------------------------------------*/

struct annotate_opts {
	struct manifest_change_opts change;
	const char *subject;
	bool index;
};

static const struct opt annotate_rows[] = {
    {"annotation", 0, OPT_LIST(struct annotate_opts, change.annotation), .arg = "annotation=value",
	.help = "set an annotation for the specified image or artifact"},
    {"arch", 0, OPT_STRING(struct annotate_opts, change.arch), .arg = "architecture",
	.help = "override the architecture of the specified image or artifact"},
    {"features", 0, OPT_COMMA(struct annotate_opts, change.features), .arg = "features",
	.help = "override the features of the specified image or artifact"},
    {"index", 0, OPT_BOOL(struct annotate_opts, index),
	.help = "apply --annotation values to the image index itself"},
    {"os", 0, OPT_STRING(struct annotate_opts, change.os), .arg = "OS",
	.help = "override the OS of the specified image or artifact"},
    {"os-features", 0, OPT_COMMA(struct annotate_opts, change.os_features), .arg = "features",
	.help = "override the OS features of the specified image or artifact"},
    {"os-version", 0, OPT_STRING(struct annotate_opts, change.os_version), .arg = "version",
	.help = "override the OS version of the specified image or artifact"},
    {"subject", 0, OPT_STRING(struct annotate_opts, subject), .arg = "imageName",
	.complete = COMPLETE_IMAGE, .help = "set the subject to which the image index refers"},
    {"variant", 0, OPT_STRING(struct annotate_opts, change.variant), .arg = "variant",
	.help = "override the variant of the specified image or artifact"},
    OPT_END,
};

/* What belongs to one entry says nothing of the list. */
static int
check_index(const struct annotate_opts *o, int argc, struct err *e)
{
	const struct manifest_change_opts *c = &o->change;

	if (!o->index) {
		if (o->subject != NULL)
			return err_set(e, ERR_USAGE, "--subject can only be used with --index");
		return argc == 2 ? 0 : err_set(e, ERR_USAGE, "accepts 2 arg(s), received %d", argc);
	}
	if (argc != 1)
		return err_set(
		    e, ERR_USAGE, "expected only one argument: the list, because of --index");
	if (c->arch != NULL || c->os != NULL || c->variant != NULL || c->os_version != NULL ||
	    c->features.n > 0 || c->os_features.n > 0)
		return err_set(e, ERR_USAGE,
		    "--arch, --features, --os, --os-features, --os-version and --variant cannot be "
		    "used with --index");
	return 0;
}

/* An entry is named by its digest, or by an image of the store with that digest. */
static int
find_entry(struct ctx *x, const char *word, struct peer_in *in, const char **digest, struct err *e)
{
	const char *rest = word;
	const struct rec_image *image;

	*digest = word;
	if (reference_digest_valid(word))
		return 0;
	reference_transport(word, &rest);
	if (image_row_find(x, rest, in, e) == -1)
		return e->class != ERR_NOTFOUND
			   ? -1
			   : err_set(e, ERR_INVALID,
				 "invalid image digest \"%s\": invalid checksum digest format",
				 word);
	image = MSG_OF(in, image_got)->image;
	*digest = image->digest != NULL ? image->digest : "";
	return 0;
}

static int
run_annotate(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct annotate_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_manifest_change struct manifest_change change = {0};
	own_peer_in struct peer_in list = {0}, entry = {0}, subject = {0}, done = {0};
	struct msg_list_edit m = {.act = "annotate", .change = &change.rec};

	if (check_index(o, argc, e) == -1 || manifest_change_fill(&o->change, &change, e) == -1 ||
	    manifest_find(x, argv[0], &list, e) == -1)
		return -1;
	m.list = MSG_OF(&list, image_got)->image->id;
	if (!o->index && find_entry(x, argv[1], &entry, &m.digest, e) == -1)
		return -1;
	if (o->subject != NULL && find_subject(x, o->subject, &subject, &m, e) == -1)
		return -1;
	if (manifest_edit(x, &m, true, &done, e) == -1)
		return -1;
	printf("%s\n", m.list);
	return 0;
}

const struct cmd cmd_manifest_annotate = {
    .name = "annotate",
    .synopsis = "[options] LIST IMAGEORARTIFACT",
    .brief = "Add or update information about an entry in a manifest list or image index",
    .text = "Adds or updates information about an entry in a manifest list or image index.",
    .examples = "manifest annotate --annotation left=right mylist:v1.11 "
		"sha256:15352d97781ffdf357bf3459c037be3efac4133dc9070c2dce7eca7c05c3e736\n"
		"manifest annotate --index --annotation left=right mylist:v1.11",
    .opts = {{annotate_rows, 0}},
    .opts_size = sizeof(struct annotate_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_MANIFEST,
    .run = run_annotate,
};
