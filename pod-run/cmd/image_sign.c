/* SPDX-License-Identifier: ISC */
/* image sign: simple signatures for images that are in a registry already. */
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"

struct sign_opts {
	bool all;
	const char *authfile, *cert_dir, *directory, *by;
};

static const struct opt rows[] = {
    {"all", 'a', OPT_BOOL(struct sign_opts, all),
	.help = "Sign all the manifests of the multi-architecture image"},
    {"authfile", 0, OPT_STRING(struct sign_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Path of the authentication file. Use REGISTRY_AUTH_FILE environment variable to "
		"override"},
    {"cert-dir", 0, OPT_STRING(struct sign_opts, cert_dir), .arg = "path", .complete = COMPLETE_DIR,
	.help = "Pathname of a directory containing TLS certificates and keys"},
    {"directory", 'd', OPT_STRING(struct sign_opts, directory), .arg = "dir",
	.complete = COMPLETE_DIR, .help = "Define an alternate directory to store signatures"},
    {"sign-by", 0, OPT_STRING(struct sign_opts, by), .arg = "identity",
	.help = "Name of the signing key"},
    OPT_END,
};

static int
sign(struct ctx *x, const struct sign_opts *o, const char *image, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct rec_registry_access access = {.auth_file = o->authfile, .cert_dir = o->cert_dir};
	struct rec_signing signing = {.gpg_key = o->by};
	struct msg_image_sign m = {.reference = image,
	    .all = o->all,
	    .directory = o->directory,
	    .signing = &signing,
	    .access = &access};
	pid_t pid;
	struct peer *helper = ctx_helper(x, ROLE_IMAGE, &pid, e);
	int r;

	if (helper == NULL)
		return -1;
	r = peer_call(helper, &msg_image_sign_desc, &m, &in, NULL, NULL, e);
	peer_free(helper);
	return r;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct sign_opts *o = opts;
	struct ctx *x = ctx_of(cli);

	if (o->by == NULL || *o->by == '\0')
		return err_set(e, ERR_USAGE, "no identity provided");
	if (ctx_paths(x, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (sign(x, o, argv[i], e) == -1)
			return -1;
	}
	return 0;
}

const struct cmd cmd_image_sign = {
    .name = "sign",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Sign an image",
    .text = "Create a signature file that can be used later to verify the image.",
    .examples =
	"image sign --sign-by mykey docker://registry.example.org/app:1\n"
	"image sign --sign-by mykey --directory /tmp/sigs docker://registry.example.org/app:1",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct sign_opts),
    .min = 1,
    .max = CMD_ANY,
    .run = run,
};
