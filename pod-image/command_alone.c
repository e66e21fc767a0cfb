/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/oci/digest.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "common/oci/signing.h"
#include "common/role/spawn.h"
#include "pod-image/command_alone.h"
#include "pod-image/schema1.h"

#define FILE_MAX ((size_t)1 << 20) /* of a keyring or a signature */

static void
end_peer(struct peer **p)
{
	peer_free(*p);
}

/* What is signed: the manifest's digest and the whole name, which the caller frees. */
static int
read_subject(const char *manifest, const char *name, char digest[DIGEST_TEXT], char **reference,
    struct err *e)
{
	own_mem char *text = NULL;
	own_reference struct reference r = {0};
	size_t n;

	if (file_read_place(manifest, MANIFEST_MAX, &text, &n, e) < 0 ||
	    schema1_digest(text, n, digest, e) < 0 || reference_parse_normal(name, &r, e) < 0)
		return -1;
	if (r.tag == NULL && r.digest == NULL)
		return err_set(e, ERR_USAGE, "%s: a tag or a digest is needed", name);
	*reference = reference_string(&r);
	return 0;
}

/* --- standalone-sign ------------------------------------------------------------------------------- */

struct sign_opts {
	const char *output, *passphrase_file;
};

static const struct opt sign_rows[] = {
    {"output", 'o', OPT_STRING(struct sign_opts, output), .arg = "path", .complete = COMPLETE_FILE,
	.help = "File to write the signature to"},
    {"passphrase-file", 0, OPT_STRING(struct sign_opts, passphrase_file), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Read the passphrase of the key from PATH"},
    OPT_END,
};

static int
write_signature(const char *path, const struct bytes *b, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 || file_put(fd, b->p, b->n) < 0 ? err_sys(e, "writing %s", path) : 0;
}

static int
run_sign(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct sign_opts *o = opts;
	const struct signing_opts how = {.by = argv[2], .passphrase_file = o->passphrase_file};
	own_signing struct signing signing = {0};
	own(end_peer) struct peer *worker = NULL;
	own_peer_in struct peer_in ready = {0}, in = {0};
	own_mem char *reference = NULL;
	char digest[DIGEST_TEXT];
	struct msg_sign_setup setup = {.gpg_key = argv[2]};
	struct msg_sign_image m = {.digest = digest};

	(void)ctx;
	(void)argc;
	if (o->output == NULL)
		return err_set(e, ERR_USAGE, "--output is needed");
	if (read_subject(argv[0], argv[1], digest, &reference, e) < 0 ||
	    signing_fill(&how, &signing, e) < 0)
		return -1;
	setup.passphrase = signing.passphrase;
	m.reference = reference;
	worker = spawn_peer(ROLE_IMAGE, ROLE_SIGN, NULL, e);
	if (worker == NULL ||
	    peer_call(worker, &msg_sign_setup_desc, &setup, &ready, NULL, NULL, e) < 0 ||
	    peer_call(worker, &msg_sign_image_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "creating signature");
	return write_signature(o->output, &MSG_OF(&in, sign_image_r)->simple, e);
}

const struct cmd command_standalone_sign = {
    .name = "standalone-sign",
    .synopsis = "[options] MANIFEST REFERENCE KEY",
    .brief = "Sign a manifest that is a file with an OpenPGP key",
    .examples = "standalone-sign -o app.signature manifest.json registry.example.com/app:1 "
		"me@example.com",
    .opts = {{sign_rows}},
    .opts_size = sizeof(struct sign_opts),
    .min = 3,
    .max = 3,
    .run = run_sign,
};

/* --- standalone-verify ----------------------------------------------------------------------------- */

struct verify_opts {
	const char *keys;
};

static const struct opt verify_rows[] = {
    {"public-key-file", 0, OPT_STRING(struct verify_opts, keys), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "File of the OpenPGP keys of which one must have signed"},
    OPT_END,
};

static int
run_verify(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct verify_opts *o = opts;
	own(end_peer) struct peer *worker = NULL;
	own_peer_in struct peer_in ready = {0}, in = {0};
	own_mem char *reference = NULL, *keys = NULL, *signature = NULL;
	char digest[DIGEST_TEXT];
	struct rec_verify_key key = {0};
	struct rec_signature file = {0};
	struct rec_verify_rule rule = {
	    .type = "signedBy", .keys = {&key, 1}, .match = "exactReference"};
	struct msg_verify_setup setup = {.rules = {&rule, 1}};
	struct msg_verify_image m = {.digest = digest, .signatures = {&file, 1}};

	(void)ctx;
	(void)argc;
	if (o->keys == NULL || strcmp(argv[2], "any") != 0)
		return err_set(e, ERR_USAGE,
		    "the keys are named by --public-key-file, and each of them counts: write any "
		    "for the "
		    "fingerprint");
	if (read_subject(argv[0], argv[1], digest, &reference, e) < 0 ||
	    file_read_place(o->keys, FILE_MAX, &keys, &key.data.n, e) < 0 ||
	    file_read_place(argv[3], FILE_MAX, &signature, &file.file.n, e) < 0)
		return -1;
	key.data.p = (const uint8_t *)keys;
	file.file.p = (const uint8_t *)signature;
	rule.reference = m.reference = reference;
	worker = spawn_peer(ROLE_IMAGE, ROLE_VERIFY, NULL, e);
	if (worker == NULL ||
	    peer_call(worker, &msg_verify_setup_desc, &setup, &ready, NULL, NULL, e) < 0 ||
	    peer_call(worker, &msg_verify_image_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "verifying signature");
	printf("Signature verified, digest %s\n", digest);
	return 0;
}

const struct cmd command_standalone_verify = {
    .name = "standalone-verify",
    .synopsis = "[options] MANIFEST REFERENCE any SIGNATURE",
    .brief = "Verify the signature of a manifest that is a file",
    .examples = "standalone-verify --public-key-file me.gpg manifest.json "
		"registry.example.com/app:1 any app.signature",
    .opts = {{verify_rows}},
    .opts_size = sizeof(struct verify_opts),
    .min = 4,
    .max = 4,
    .run = run_verify,
};
