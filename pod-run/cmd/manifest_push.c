/* SPDX-License-Identifier: ISC */
/* manifest push: a manifest list with its images. */
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/auth.h"
#include "pod-run/cmd/manifest.h"
#include "pod-run/cmd/push.h"
#include "pod-run/cmd/rmi.h"
#include "pod-run/life/image.h"
#include "common/oci/signing.h"

struct push_opts {
	struct access_opts access;
	struct signing_opts signing;
	struct push_form form;
	struct strv add_compression;
	const char *digestfile;
	int all;
	bool insecure, quiet, remove_signatures, rm;
};

static const struct opt rows[] = {
    {"add-compression", 0, OPT_COMMA(struct push_opts, add_compression), .arg = "compression",
	.complete = COMPLETE_CHOICE, .choices = "gzip,zstd",
	.help = "add instances with selected compression while pushing "
		"(default from containers.conf)"},
    {"all", 0, OPT_TRISTATE(struct push_opts, all), .none = "true", .show = "true",
	.help = "also push the images in the list"},
    {"compression-format", 0, OPT_STRING(struct push_opts, form.compression_format),
	.arg = "compression", .complete = COMPLETE_CHOICE, .choices = "gzip,zstd,zstd:chunked",
	.help = "compression format to use"},
    {"compression-level", 0, OPT_INT(struct push_opts, form.compression_level), .arg = "level",
	.def = "-1", .show = "", .help = "compression level to use"},
    {"creds", 0, OPT_STRING(struct push_opts, access.creds), .arg = "[username[:password]]",
	.help = "use [username[:password]] for accessing the registry"},
    {"digestfile", 0, OPT_STRING(struct push_opts, digestfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "after copying the image, write the digest of the resulting image to the file"},
    {"force-compression", 0, OPT_TRISTATE(struct push_opts, form.force_compression), .none = "true",
	.help = "Use the specified compression algorithm even if the destination contains a "
		"differently-compressed variant already"},
    {"format", 'f', OPT_STRING(struct push_opts, form.format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "oci,v2s2",
	.help = "manifest type (oci or v2s2) to attempt to use when pushing the manifest list "
		"(default is manifest type of source)"},
    {"insecure", 0, OPT_BOOL(struct push_opts, insecure), .flags = OPT_HIDDEN,
	.help = "neither require HTTPS nor verify certificates when accessing the registry"},
    {"purge", 'p', OPT_BOOL(struct push_opts, rm), .flags = OPT_HIDDEN,
	.help = "remove the local manifest list after push"},
    {"quiet", 'q', OPT_BOOL(struct push_opts, quiet),
	.help = "don't output progress information when pushing lists"},
    {"remove-signatures", 0, OPT_BOOL(struct push_opts, remove_signatures),
	.help = "don't copy signatures when pushing images"},
    {"rm", 0, OPT_BOOL(struct push_opts, rm), .help = "remove the manifest list if push succeeds"},
    OPT_END,
};

static int
fill(struct push_opts *o, struct ctx *x, bool forms_given, struct rec_registry_access *access,
    struct msg_image_copy *m, struct err *e)
{
	const struct strv *forms = &o->add_compression;
	const struct containers_conf *conf = ctx_conf(x, e);

	o->access.retry = -1;
	if (o->insecure)
		o->access.tls_verify = 0;
	if (o->form.format != NULL && strcmp(o->form.format, "oci") != 0 &&
	    strcmp(o->form.format, "v2s2") != 0)
		return err_set(e, ERR_USAGE,
		    "unknown format \"%s\". Choose one of the supported formats: 'oci' or 'v2s2'",
		    o->form.format);
	if (conf == NULL || image_check_authfile(auth_named(o->access.authfile), e) == -1 ||
	    access_fill(&o->access, access, e) == -1 || push_fill(&o->form, conf, m, e) == -1)
		return -1;
	m->to = m->from = access;
	m->all = true;
	m->only_index = o->all == 0;
	m->remove_signatures = o->remove_signatures;
	/* Where the images are not sent, containers.conf has no say. */
	if (!forms_given && o->all != 0)
		forms = &conf->engine_add_compression;
	m->add_compression = (struct strs){(const char **)forms->v, forms->n};
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct push_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in found = {0}, in = {0};
	own_signing struct signing signing = {0};
	struct rec_registry_access access;
	struct msg_image_copy m = {.signing = &signing.rec};
	const struct msg_image_copy_r *r;

	if (file_check_place(o->digestfile, "digestfile", e) == -1 ||
	    fill(o, x, cmd_given(cli, "add-compression"), &access, &m, e) == -1 ||
	    signing_fill(&o->signing, &signing, e) == -1)
		return -1;
	if (manifest_find(x, argv[0], &found, e) == -1)
		return err_wrap(e, "retrieving local image from image name %s", argv[0]);
	m.source = MSG_OF(&found, image_got)->image->id;
	if (argc > 1 && strncmp(argv[1], "dir:", 4) == 0)
		signing.rec.identity = MSG_OF(&found, image_got)->matched;
	m.destination = push_destination(MSG_OF(&found, image_got), argc, argv);
	if (push_send(x, &m, o->quiet, &in, e) == -1)
		return -1;
	r = MSG_OF(&in, image_copy_r);
	if (o->digestfile != NULL &&
	    file_write_place(o->digestfile, "digestfile", r->digest, e) == -1)
		return -1;
	return o->rm ? rmi_quietly(x, m.source, e) : 0;
}

const struct cmd cmd_manifest_push = {
    .name = "push",
    .synopsis = "[options] LIST [DESTINATION]",
    .brief = "Push a manifest list or image index to a registry",
    .text = "Pushes manifest lists and image indexes to registries.",
    .examples = "manifest push mylist:v1.11 docker://registry.example.org/app:1.11\n"
		"manifest push --all --rm mylist:v1.11 oci:/tmp/layout:app",
    .opts = {{rows, 0}, {access_rows_basic, offsetof(struct push_opts, access)},
	{signing_rows, offsetof(struct push_opts, signing)}},
    .opts_size = sizeof(struct push_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_MANIFEST,
    .run = run,
};
