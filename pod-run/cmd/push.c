/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/auth.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/cmd/push.h"
#include "common/oci/signing.h"
#include "pod-run/life/image.h"
#include "pod-run/state/event.h"

struct push_opts {
	struct access_opts access;
	struct signing_opts signing;
	struct push_form form;
	const char *digestfile;
	bool compress, quiet, remove_signatures;
	struct strv encryption_key, encrypt_layer;
};

static const struct opt rows[] = {
    {"compress", 0, OPT_BOOL(struct push_opts, compress),
	.help = "Compress tarball image layers when pushing to a directory using the 'dir' "
		"transport. (default is same compression type as source)"},
    {"compression-format", 0, OPT_STRING(struct push_opts, form.compression_format),
	.arg = "compression", .complete = COMPLETE_CHOICE, .choices = "gzip,zstd,zstd:chunked",
	.help = "compression format to use"},
    {"compression-level", 0, OPT_INT(struct push_opts, form.compression_level), .arg = "level",
	.def = "-1", .show = "", .help = "compression level to use"},
    {"digestfile", 0, OPT_STRING(struct push_opts, digestfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Write the digest of the pushed image to the specified file"},
    {"disable-content-trust", 0, OPT_NO_BOOL,
	.help = "This is a Docker specific option and is a NOOP"},
    {"encrypt-layer", 0, OPT_COMMA(struct push_opts, encrypt_layer), .arg = "layer",
	.help = "Layers to encrypt, 0-indexed layer indices with support for negative indexing "
		"(e.g. 0 is the first layer, -1 is the last layer). If not defined, will encrypt "
		"all layers if encryption-key flag is specified"},
    {"encryption-key", 0, OPT_LIST(struct push_opts, encryption_key), .arg = "scheme:key",
	.help = "Key with the encryption protocol to use to encrypt the image (e.g. "
		"jwe:/path/to/key.pem)"},
    {"force-compression", 0, OPT_TRISTATE(struct push_opts, form.force_compression), .none = "true",
	.help = "Use the specified compression algorithm even if the destination contains a "
		"differently-compressed variant already"},
    {"format", 'f', OPT_STRING(struct push_opts, form.format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "oci,v2s2",
	.help = "Manifest type (oci, v2s2) to use in the destination (default is manifest type of "
		"source, with fallbacks)"},
    {"quiet", 'q', OPT_BOOL(struct push_opts, quiet),
	.help = "Suppress output information when pushing images"},
    {"remove-signatures", 0, OPT_BOOL(struct push_opts, remove_signatures),
	.help = "Discard any pre-existing signatures in the image"},
    OPT_END,
};

int
push_fill(const struct push_form *o, const struct containers_conf *conf, struct msg_image_copy *m,
    struct err *e)
{
	if (o->format != NULL && strcmp(o->format, "v2s1") == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "images are not written in the format v2s1 any more: choose 'oci' or 'v2s2'");
	if (o->compression_level > 63)
		return err_set(e, ERR_USAGE, "compression level %lld is out of range",
		    (long long)o->compression_level);
	m->format = o->format;
	m->compression = o->compression_format;
	/* What the user names holds for all layers, what the configuration names for plain ones. */
	m->force = o->force_compression >= 0 ? o->force_compression > 0 : m->compression != NULL;
	if (m->compression == NULL && strncmp(conf->engine_compression_format, "zstd", 4) == 0)
		m->compression = conf->engine_compression_format;
	if (o->compression_level >= 0)
		m->level = (uint64_t)o->compression_level + 1;
	else if (conf->engine_compression_level > 0)
		m->level = (uint64_t)conf->engine_compression_level + 1;
	return 0;
}

const char *
push_destination(const struct msg_image_got *got, int argc, char **argv)
{
	if (argc > 1)
		return argv[1];
	return got->matched != NULL ? got->matched : argv[0];
}

int
push_send(struct ctx *x, struct msg_image_copy *m, bool quiet, struct peer_in *in, struct err *e)
{
	own_fd int fetch = -1;
	int r;

	if (image_fetch(x, m->destination, &fetch, e) == -1)
		return -1;
	m->fetch = fetch;
	r = image_call(x, &msg_image_copy_desc, m, &m->store, quiet, in, e);
	m->fetch = -1;
	return r;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct push_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_peer_in struct peer_in found = {0}, in = {0};
	struct rec_registry_access access;
	struct rec_encryption encryption = {
	    .recipients = {(const char **)o->encryption_key.v, o->encryption_key.n},
	    .layers = {(const char **)o->encrypt_layer.v, o->encrypt_layer.n}};
	struct msg_image_copy m = {.to = &access, .all = true};
	const struct containers_conf *conf = ctx_conf(x, e);
	own_signing struct signing signing = {0};

	if (conf == NULL || image_stat_authfile(auth_named(o->access.authfile), e) == -1 ||
	    file_check_place(o->digestfile, "digestfile", e) == -1 ||
	    signing_fill(&o->signing, &signing, e) == -1 ||
	    access_fill(&o->access, &access, e) == -1 || push_fill(&o->form, conf, &m, e) == -1 ||
	    image_row_find_list(x, argv[0], &found, e) == -1)
		return -1;
	m.source = MSG_OF(&found, image_got)->image->id;
	m.signing = &signing.rec;
	if (encryption.recipients.n + encryption.layers.n > 0)
		m.encryption = &encryption;
	m.compress = o->compress;
	m.remove_signatures = o->remove_signatures;
	/* A directory has no name of its own: the image's is signed. */
	if (argc > 1 && strncmp(argv[1], "dir:", 4) == 0)
		signing.rec.identity = MSG_OF(&found, image_got)->matched;
	m.destination = push_destination(MSG_OF(&found, image_got), argc, argv);
	if (push_send(x, &m, o->quiet, &in, e) == -1)
		return -1;
	event_named(x, EVENT_IMAGE, EVENT_PUSH, m.source, m.destination);
	return o->digestfile != NULL ? file_write_place(o->digestfile, "digestfile",
					   MSG_OF(&in, image_copy_r)->digest, e)
				     : 0;
}

const struct cmd cmd_push = {
    .name = "push",
    .synopsis = "[options] IMAGE [DESTINATION]",
    .brief = "Push an image to a specified destination",
    .text =
	"Pushes a source image to a specified destination.\n\n  The image \"DESTINATION\" uses a "
	"\"transport\":\"details\" format.",
    .examples = "push imageID docker://registry.example.com/repository:tag\npush imageID "
		"oci-archive:/path/to/layout:image:tag\npush imageID dir:/path/to/directory",
    .opts = {{rows, 0}, {access_rows_basic, offsetof(struct push_opts, access)},
	{access_rows_transfer, offsetof(struct push_opts, access)},
	{signing_rows, offsetof(struct push_opts, signing)}},
    .opts_size = sizeof(struct push_opts),
    .min = 1,
    .max = 2,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
