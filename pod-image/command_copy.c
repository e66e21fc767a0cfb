/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/cmd.h"
#include "common/fs/file.h"
#include "common/oci/decrypt_key.h"
#include "common/oci/reference.h"
#include "common/oci/signing.h"
#include "pod-image/command_common.h"
#include "pod-image/command_copy.h"
#include "pod-image/task.h"

/* --- copy ------------------------------------------------------------------------------------- */

struct copy_opts {
	const char *authfile, *digestfile, *format, *compress_format, *policy, *registries;
	const char *src_authfile, *src_cert_dir, *src_creds;
	const char *dest_authfile, *dest_cert_dir, *dest_creds;
	const char *src_daemon, *dest_daemon;
	const char *os, *arch, *variant;
	const char *multi, *identity;
	const char *src_user, *src_password, *dest_user, *dest_password;
	struct signing_opts signing;
	int src_tls_verify, dest_tls_verify;
	int64_t level, retry_delay;
	uint64_t retry;
	bool all, compress, force, preserve, quiet, remove_signatures;
	bool src_no_creds, dest_no_creds;
	struct strv tags;
	struct strv decryption_key, encryption_key, encrypt_layer;
};

static const struct opt copy_rows[] = {
    {"additional-tag", 0, OPT_LIST(struct copy_opts, tags), .arg = "name",
	.help = "Further name for a docker-archive to record"},
    {"all", 'a', OPT_BOOL(struct copy_opts, all),
	.help = "Copy all images of an index, and the index"},
    {"authfile", 0, OPT_STRING(struct copy_opts, authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file"},
    {"decryption-key", 0, OPT_LIST(struct copy_opts, decryption_key), .arg = "key[:passphrase]",
	.complete = COMPLETE_FILE, .help = "Private key for encrypted layers of the source"},
    {"dest-authfile", 0, OPT_STRING(struct copy_opts, dest_authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file for the destination"},
    {"dest-cert-dir", 0, OPT_STRING(struct copy_opts, dest_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the destination"},
    {"dest-compress", 0, OPT_BOOL(struct copy_opts, compress),
	.help = "Compress the layers of a directory"},
    {"dest-compress-format", 0, OPT_STRING(struct copy_opts, compress_format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "gzip,zstd",
	.help = "Compression of the layers at the destination"},
    {"dest-compress-level", 0, OPT_INT(struct copy_opts, level), .arg = "level", .def = "-1",
	.show = "", .help = "Compression level"},
    {"dest-creds", 0, OPT_STRING(struct copy_opts, dest_creds), .arg = "username[:password]",
	.help = "Credentials for the destination"},
    {"dest-daemon-host", 0, OPT_STRING(struct copy_opts, dest_daemon), .arg = "host",
	.help = "Where the Docker daemon of the destination listens"},
    {"dest-force-compress-format", 0, OPT_BOOL(struct copy_opts, force),
	.help = "Compress again what is compressed in another way"},
    {"dest-no-creds", 0, OPT_BOOL(struct copy_opts, dest_no_creds),
	.help = "Access the destination without credentials, even if some are stored"},
    {"dest-password", 0, OPT_STRING(struct copy_opts, dest_password), .arg = "password",
	.help = "Password for the destination, with --dest-username"},
    {"dest-tls-verify", 0, OPT_TRISTATE(struct copy_opts, dest_tls_verify), .none = "true",
	.help = "Require HTTPS and verify certificates when talking to the destination"},
    {"dest-username", 0, OPT_STRING(struct copy_opts, dest_user), .arg = "name",
	.help = "User at the destination, with --dest-password"},
    {"digestfile", 0, OPT_STRING(struct copy_opts, digestfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Write the digest of the copy to this file"},
    {"encrypt-layer", 0, OPT_COMMA(struct copy_opts, encrypt_layer), .arg = "layer",
	.help = "Number of a layer to encrypt, from 0, or from -1 at the end; without, all"},
    {"encryption-key", 0, OPT_LIST(struct copy_opts, encryption_key), .arg = "scheme:key",
	.help = "Encrypt layers for this public key (jwe), certificate (pkcs7) or address (pgp)"},
    {"format", 'f', OPT_STRING(struct copy_opts, format), .arg = "format",
	.complete = COMPLETE_CHOICE, .choices = "oci,v2s2",
	.help = "Kind of manifest: oci or v2s2"},
    {"multi-arch", 0, OPT_STRING(struct copy_opts, multi), .arg = "which",
	.complete = COMPLETE_CHOICE, .choices = "system,all",
	.help = "What of an index to copy: system or all"},
    {"override-arch", 0, OPT_STRING(struct copy_opts, arch), .arg = "ARCH",
	.help = "Use ARCH instead of the architecture of the machine for choosing images"},
    {"override-os", 0, OPT_STRING(struct copy_opts, os), .arg = "OS",
	.help = "Use OS instead of the running OS for choosing images"},
    {"override-variant", 0, OPT_STRING(struct copy_opts, variant), .arg = "VARIANT",
	.help = "Use VARIANT instead of the running architecture variant"},
    {"preserve-digests", 0, OPT_BOOL(struct copy_opts, preserve),
	.help = "Fail rather than change a digest"},
    {"quiet", 'q', OPT_BOOL(struct copy_opts, quiet), .help = "Suppress output information"},
    {"registries-conf", 0, OPT_STRING(struct copy_opts, registries), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of registries.conf"},
    {"remove-signatures", 0, OPT_BOOL(struct copy_opts, remove_signatures),
	.help = "Do not copy signatures"},
    {"retry-delay", 0, OPT_DURATION(struct copy_opts, retry_delay),
	.help = "Delay between retries in case of failure"},
    {"retry-times", 0, OPT_UINT(struct copy_opts, retry), .def = "3",
	.help = "Number of times to retry in case of failure"},
    {"sign-identity", 0, OPT_STRING(struct copy_opts, identity), .arg = "reference",
	.help = "Name to sign for, if not that of the destination"},
    {"signature-policy", 0, OPT_STRING(struct copy_opts, policy), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of policy.json"},
    {"src-authfile", 0, OPT_STRING(struct copy_opts, src_authfile), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Path of the authentication file for the source"},
    {"src-cert-dir", 0, OPT_STRING(struct copy_opts, src_cert_dir), .arg = "path",
	.complete = COMPLETE_DIR, .help = "Directory with certificates for the source"},
    {"src-creds", 0, OPT_STRING(struct copy_opts, src_creds), .arg = "username[:password]",
	.help = "Credentials for the source"},
    {"src-daemon-host", 0, OPT_STRING(struct copy_opts, src_daemon), .arg = "host",
	.help = "Where the Docker daemon of the source listens"},
    {"src-no-creds", 0, OPT_BOOL(struct copy_opts, src_no_creds),
	.help = "Access the source without credentials, even if some are stored"},
    {"src-password", 0, OPT_STRING(struct copy_opts, src_password), .arg = "password",
	.help = "Password for the source, with --src-username"},
    {"src-tls-verify", 0, OPT_TRISTATE(struct copy_opts, src_tls_verify), .none = "true",
	.help = "Require HTTPS and verify certificates when talking to the source"},
    {"src-username", 0, OPT_STRING(struct copy_opts, src_user), .arg = "name",
	.help = "User at the source, with --src-password"},
    OPT_END,
};

static const char *
first_of(const char *a, const char *b)
{
	return a != NULL ? a : b;
}

static void
fill_ends(
    const struct copy_opts *o, struct rec_registry_access *from, struct rec_registry_access *to)
{
	struct command_access_opts a = {.authfile = first_of(o->src_authfile, o->authfile),
	    .cert_dir = o->src_cert_dir,
	    .creds = o->src_creds,
	    .no_creds = o->src_no_creds,
	    .policy = o->policy,
	    .registries = o->registries,
	    .tls_verify = o->src_tls_verify,
	    .retry = o->retry,
	    .retry_delay = o->retry_delay};

	command_fill_access(&a, from);
	from->daemon_host = o->src_daemon;
	a.authfile = first_of(o->dest_authfile, o->authfile);
	a.cert_dir = o->dest_cert_dir;
	a.creds = o->dest_creds;
	a.no_creds = o->dest_no_creds;
	a.tls_verify = o->dest_tls_verify;
	command_fill_access(&a, to);
	to->daemon_host = o->dest_daemon;
}

/* --SIDE-username and --SIDE-password in one; what was typed is overwritten. */
static int
join_creds(const char *side, const char *user, const char *password, const char **creds,
    char **joined, struct err *e)
{
	if (user == NULL && password == NULL)
		return 0;
	if (*creds != NULL)
		return err_set(e, ERR_USAGE,
		    "cannot specify --%s-creds with --%s-username or --%s-password", side, side,
		    side);
	if (user == NULL || password == NULL)
		return err_set(
		    e, ERR_USAGE, "--%s-username and --%s-password go together", side, side);
	if (strchr(user, ':') != NULL)
		return err_set(e, ERR_USAGE, "a username has no colon");
	*creds = *joined = xasprintf("%s:%s", user, password);
	explicit_bzero((char *)(uintptr_t)password, strlen(password));
	return 0;
}

static int
choose_multi(struct copy_opts *o, struct err *e)
{
	if (o->multi == NULL)
		return 0;
	if (o->all)
		return err_set(e, ERR_USAGE, "Cannot use --all and --multi-arch flags together");
	o->all = strcmp(o->multi, "all") == 0;
	if (strcmp(o->multi, "index-only") == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "--multi-arch index-only is not supported: an index without its images cannot "
		    "be used");
	return o->all || strcmp(o->multi, "system") == 0
		   ? 0
		   : err_set(e, ERR_USAGE,
			 "unknown multi-arch option \"%s\". Choose one of the supported options: "
			 "'system', 'all', or 'index-only'",
			 o->multi);
}

static int
copy_in(struct cli_ctx *ctx, struct task *t, const struct msg_image_copy *m, const char *name,
    struct err *e)
{
	struct msg_image_pull pull = {.reference = m->source,
	    .os = m->os,
	    .architecture = m->architecture,
	    .variant = m->variant,
	    .name = *name != '\0' ? name : NULL,
	    .access = m->from};

	if (name[0] == '[')
		return err_set(e, ERR_UNSUPPORTED,
		    "containers-storage:%.300s: the store of another engine is only read", name);
	if (m->all)
		return err_set(e, ERR_UNSUPPORTED, "the store holds images, not indexes of them");
	if (m->signing != NULL)
		return err_set(e, ERR_UNSUPPORTED, "the store does not sign what it holds");
	if (m->encryption != NULL)
		return err_set(e, ERR_UNSUPPORTED, "the store holds no encrypted layers");
	if (command_open_store(ctx, t, e) < 0 || task_prepare_pull(t, &pull, e) < 0 ||
	    task_confine(t, e) < 0)
		return -1;
	return task_run_pull(t, e);
}

static int
copy_out(struct cli_ctx *ctx, struct task *t, const struct copy_opts *o, struct msg_image_copy *m,
    struct err *e)
{
	own_mem char *id = NULL;
	own_fd int digest = -1;

	if (command_store_source(ctx, t, m->source, &id, e) < 0)
		return -1;
	if (id != NULL)
		m->source = id;
	if (task_prepare_copy(t, m, e) < 0)
		return -1;
	/* The file is opened with the caller's power; what goes into it is known only later. */
	if (o->digestfile != NULL &&
	    (digest = open(
		 o->digestfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644)) < 0)
		return err_sys(e, "opening %s", o->digestfile);
	t->keep_fd = digest > 0 ? digest : 0;
	if (task_confine(t, e) < 0 || task_run_copy(t, e) < 0)
		return -1;
	if (digest > 0 && file_put(digest, t->transfer.digest, strlen(t->transfer.digest)) < 0)
		return err_sys(e, "writing the digest");
	return 0;
}

static int
run_copy(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	struct copy_opts *o = opts;
	struct rec_registry_access from, to;
	own_mem char *src_creds = NULL, *dest_creds = NULL;
	own_signing struct signing signing = {0};
	struct task t = {.report.quiet = o->quiet};
	own_arena struct arena a = {0};
	struct rec_encryption encryption = {
	    .recipients = {(const char **)o->encryption_key.v, o->encryption_key.n},
	    .layers = {(const char **)o->encrypt_layer.v, o->encrypt_layer.n}};
	const char *name = NULL, *transport = reference_transport(argv[1], &name);
	struct msg_image_copy m = {.source = argv[0],
	    .destination = argv[1],
	    .format = o->format,
	    .compression = o->compress_format,
	    .level = o->level >= 0 ? (uint64_t)o->level + 1 : 0,
	    .force = o->force,
	    .compress = o->compress,
	    .all = o->all,
	    .preserve = o->preserve,
	    .remove_signatures = o->remove_signatures,
	    .os = o->os,
	    .architecture = o->arch,
	    .variant = o->variant,
	    .names = {(const char **)o->tags.v, o->tags.n},
	    .from = &from,
	    .to = &to};

	(void)argc;
	if (reference_refuse_transport(argv[1], e) < 0)
		return -1;
	if (transport == NULL)
		return reference_no_transport("destination", argv[1], e);
	if (choose_multi(o, e) < 0 ||
	    join_creds("src", o->src_user, o->src_password, &o->src_creds, &src_creds, e) < 0 ||
	    join_creds("dest", o->dest_user, o->dest_password, &o->dest_creds, &dest_creds, e) <
		0 ||
	    signing_fill(&o->signing, &signing, e) < 0)
		return -1;
	m.all = o->all;
	signing.rec.identity = o->identity;
	if (signing.rec.gpg_key != NULL || signing.rec.sigstore_key != NULL)
		m.signing = &signing.rec;
	if (o->level > 63)
		return err_set(
		    e, ERR_USAGE, "compression level %lld is out of range", (long long)o->level);
	fill_ends(o, &from, &to);
	if (decrypt_key_fill(&o->decryption_key, &from, &a, e) < 0)
		return -1;
	if (encryption.recipients.n + encryption.layers.n > 0)
		m.encryption = &encryption;
	if (strcmp(transport, "containers-storage") == 0)
		return copy_in(ctx, &t, &m, name, e);
	return copy_out(ctx, &t, o, &m, e);
}

const struct cmd command_copy = {
    .name = "copy",
    .synopsis = "[options] SOURCE DESTINATION",
    .brief = "Copy an image from any place to any other; nothing is changed that need not be",
    .examples = "copy docker://registry.example.com/app:1 oci:/tmp/layout:app\ncopy "
		"containers-storage:localhost/app docker://registry.example.com/app",
    .opts = {{copy_rows}, {signing_rows, offsetof(struct copy_opts, signing)}},
    .opts_size = sizeof(struct copy_opts),
    .min = 2,
    .max = 2,
    .run = run_copy,
};
