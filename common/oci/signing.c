/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/yaml_map.h"
#include "common/fs/file.h"
#include "common/oci/signing.h"

#define FILE_MAX 65536

static int
no_sequoia(void *member, const char *value, struct err *e)
{
	(void)member;
	(void)value;
	return err_set(e, ERR_UNSUPPORTED,
	    "keys of Sequoia-PGP are not supported: use --sign-by with a key of GnuPG");
}

const struct opt signing_rows[] = {
    {"sign-by", 0, OPT_STRING(struct signing_opts, by), .arg = "key",
	.help = "Add a signature at the destination using the specified key"},
    {"sign-by-sq-fingerprint", 0, OPT_CALL(struct signing_opts, by, no_sequoia),
	.arg = "fingerprint", .flags = OPT_HIDDEN,
	.help = "Sign the image using a Sequoia-PGP key"},
    {"sign-by-sigstore", 0, OPT_STRING(struct signing_opts, sigstore), .arg = "path",
	.complete = COMPLETE_FILE,
	.help = "Sign the image using a sigstore parameter file at PATH"},
    {"sign-by-sigstore-private-key", 0, OPT_STRING(struct signing_opts, private_key), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Sign the image using a sigstore private key at PATH"},
    {"sign-passphrase-file", 0, OPT_STRING(struct signing_opts, passphrase_file), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Read a passphrase for signing an image from PATH"},
    OPT_END,
};

void
signing_free(struct signing *s)
{
	if (s->passphrase != NULL)
		explicit_bzero(s->passphrase, strlen(s->passphrase));
	free(s->passphrase);
	free(s->key_file);
}

static int
read_passphrase(const char *path, char **out, struct err *e)
{
	size_t n;

	if (file_read_place(path, FILE_MAX, out, &n, e) == -1)
		return -1;
	(*out)[strcspn(*out, "\r\n")] = '\0';
	return 0;
}

static int
ask_passphrase(const char *key, char **out, struct err *e)
{
	struct termios old, quiet;
	size_t size = 0;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &old) == -1)
		return err_set(e, ERR_USAGE,
		    "there is no terminal to ask for the passphrase of key %s: use "
		    "--sign-passphrase-file",
		    key);
	fprintf(stderr, "Passphrase for key %s: ", key);
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	n = getline(out, &size, stdin);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	if (n == -1)
		return err_set(e, ERR_CANCELLED, "reading the passphrase: EOF");
	(*out)[strcspn(*out, "\r\n")] = '\0';
	return 0;
}

/* The parameter file (containers-sigstore-signing-params.yaml(5)). */
static int
read_params(const char *path, struct signing *out, struct err *e)
{
	static const char *const keys[] = {
	    "privateKeyFile", "privateKeyPassphraseFile", "fulcio", "rekorURL", NULL};
	own_mem char *text = NULL;
	own_json json_t *j = NULL;
	const char *key = NULL, *passphrase = NULL;
	size_t n;

	if (file_read_place(path, FILE_MAX, &text, &n, e) == -1 ||
	    (j = yaml_map_read(text, n, path, e)) == NULL || json_only_keys(j, keys, e) == -1 ||
	    json_want_str(j, keys[0], &key, e) == -1 ||
	    json_want_str(j, keys[1], &passphrase, e) == -1)
		return err_wrap(e, "reading sigstore signing parameters");
	if (json_object_get(j, "fulcio") != NULL || json_object_get(j, "rekorURL") != NULL)
		return err_set(e, ERR_UNSUPPORTED,
		    "%s: signing by way of Fulcio or Rekor is not supported, only by a private key",
		    path);
	if (key == NULL)
		return err_set(e, ERR_INVALID, "%s: privateKeyFile is missing", path);
	out->key_file = xstrdup(key);
	return passphrase != NULL ? read_passphrase(passphrase, &out->passphrase, e) : 0;
}

int
signing_fill(const struct signing_opts *o, struct signing *out, struct err *e)
{
	if (o->sigstore != NULL && o->private_key != NULL)
		return err_set(e, ERR_USAGE,
		    "only one of --sign-by-sigstore and --sign-by-sigstore-private-key can be "
		    "used");
	if (o->by != NULL && o->private_key != NULL && o->passphrase_file != NULL)
		return err_set(e, ERR_USAGE,
		    "only one of --sign-by and sign-by-sigstore-private-key can be used with "
		    "sign-passphrase-file");
	if (o->sigstore != NULL && read_params(o->sigstore, out, e) == -1)
		return -1;
	if (o->private_key != NULL)
		out->key_file = xstrdup(o->private_key);
	if (o->passphrase_file != NULL && out->passphrase == NULL &&
	    read_passphrase(o->passphrase_file, &out->passphrase, e) == -1)
		return -1;
	if (out->key_file != NULL && out->passphrase == NULL &&
	    ask_passphrase(out->key_file, &out->passphrase, e) == -1)
		return -1;
	out->rec = (struct rec_signing){
	    .gpg_key = o->by, .sigstore_key = out->key_file, .passphrase = out->passphrase};
	return 0;
}
