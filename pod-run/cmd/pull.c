/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/auth.h"
#include "common/oci/decrypt_key.h"
#include "pod-run/cmd/access.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/image.h"
#include "pod-run/oci/spec_options.h"

struct pull_opts {
	struct access_opts access;
	const char *arch, *os, *platform, *variant, *policy;
	bool all_tags, quiet;
	struct strv decryption_key;
};

static const struct opt rows[] = {
    {"all-tags", 'a', OPT_BOOL(struct pull_opts, all_tags),
	.help = "All tagged images in the repository will be pulled"},
    {"arch", 0, OPT_STRING(struct pull_opts, arch), .arg = "ARCH",
	.help = "Use ARCH instead of the architecture of the machine for choosing images"},
    {"decryption-key", 0, OPT_LIST(struct pull_opts, decryption_key), .arg = "key[:passphrase]",
	.complete = COMPLETE_FILE,
	.help = "Key needed to decrypt the image (e.g. /path/to/key.pem)"},
    {"disable-content-trust", 0, OPT_NO_BOOL,
	.help = "This is a Docker specific option and is a NOOP"},
    {"os", 0, OPT_STRING(struct pull_opts, os), .arg = "OS",
	.help = "Use OS instead of the running OS for choosing images"},
    {"platform", 0, OPT_STRING(struct pull_opts, platform), .arg = "OS/ARCH",
	.help = "Specify the platform for selecting the image.  (Conflicts with arch and os)"},
    {"policy", 0, OPT_STRING(struct pull_opts, policy), .arg = "policy", .def = "always",
	.complete = COMPLETE_CHOICE, .choices = "always,missing,never,newer",
	.help = "Pull image policy (\"always\"|\"missing\"|\"never\"|\"newer\")"},
    {"quiet", 'q', OPT_BOOL(struct pull_opts, quiet),
	.help = "Suppress output information when pulling images"},
    {"variant", 0, OPT_STRING(struct pull_opts, variant), .arg = "VARIANT",
	.help = "Use VARIANT instead of the running architecture variant for choosing images"},
    OPT_END,
};

static int
fill(const struct pull_opts *o, struct image_pull *p, struct arena *a, struct err *e)
{
	const struct spec_options given = {
	    .os = o->os, .arch = o->arch, .variant = o->variant, .platform = o->platform};
	struct spec_platform platform = {0};

	if (image_stat_authfile(auth_named(o->access.authfile), e) == -1 ||
	    image_policy_check(o->policy, &p->policy, e) == -1 ||
	    spec_options_platform(&given, &platform, a, e) == -1 ||
	    access_fill(&o->access, &p->access, e) == -1 ||
	    decrypt_key_fill(&o->decryption_key, &p->access, a, e) == -1)
		return -1;
	p->os = platform.os;
	p->arch = platform.arch;
	p->variant = platform.variant;
	p->all_tags = o->all_tags;
	p->quiet = o->quiet;
	return 0;
}

static int
pull_one(struct ctx *x, const char *word, const struct image_pull *p, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	own_strv struct strv ids = {0};
	uint32_t seq;

	if (p->all_tags || strcmp(p->policy, "always") == 0) {
		if (image_pull(x, word, p, &ids, e) == -1)
			return -1;
		for (size_t i = 0; i < ids.n; i++)
			puts(ids.v[i]);
		return 0;
	}
	if (image_ask(x, word, p, &seq, e) == -1 || image_found(x, word, seq, p, &in, e) == -1)
		return -1;
	puts(MSG_OF(&in, image_got)->image->id);
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	own_arena struct arena a = {0};
	struct image_pull p = {0};
	struct err last = {0};

	if (fill(opts, &p, &a, e) == -1)
		return -1;
	for (int i = 0; i < argc; i++) {
		if (pull_one(ctx_of(cli), argv[i], &p, e) == 0)
			continue;
		if (err_is_set(&last))
			err_print(&last, stderr);
		last = *e;
		err_clear(e);
	}
	*e = last;
	return err_is_set(e) ? -1 : 0;
}

const struct cmd cmd_pull = {
    .name = "pull",
    .synopsis = "[options] IMAGE [IMAGE...]",
    .brief = "Pull an image from a registry",
    .text = "Pulls an image from a registry and stores it locally.\n\n  An image can be pulled by "
	    "tag or digest. If a tag is not specified, the image with the 'latest' tag is pulled.",
    .examples = "pull imageName\npull fedora:latest\npull oci-archive:/tmp/image.tar",
    .opts = {{rows, 0}, {access_rows_basic, offsetof(struct pull_opts, access)},
	{access_rows_transfer, offsetof(struct pull_opts, access)}},
    .opts_size = sizeof(struct pull_opts),
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_IMAGE,
    .asks = CTX_ASKS_FETCH | CTX_ASKS_STORE,
    .run = run,
};
