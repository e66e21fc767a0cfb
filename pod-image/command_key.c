/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-image/command_key.h"
#include "pod-image/signer.h"

#define PASSPHRASE_MAX 65536

struct key_opts {
	const char *prefix, *passphrase_file;
};

static const struct opt rows[] = {
    {"output-prefix", 0, OPT_STRING(struct key_opts, prefix), .arg = "PREFIX",
	.complete = COMPLETE_FILE, .help = "Write the keys to PREFIX.pub and PREFIX.private"},
    {"passphrase-file", 0, OPT_STRING(struct key_opts, passphrase_file), .arg = "PATH",
	.complete = COMPLETE_FILE, .help = "Read a passphrase for the private key from PATH"},
    OPT_END,
};

static void
wipe(char **s)
{
	if (*s != NULL)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}
#define own_secret own(wipe)

static char *
read_passphrase(const struct key_opts *o, struct err *e)
{
	char *text = NULL;
	size_t n;

	if (o->passphrase_file == NULL) {
		err_set(e, ERR_USAGE, "--passphrase-file is needed");
		return NULL;
	}
	if (file_read_place(o->passphrase_file, PASSPHRASE_MAX, &text, &n, e) < 0)
		return NULL;
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

/* A key that is there already is never overwritten. */
static int
write_key(const char *path, const char *text, mode_t mode, struct err *e)
{
	own_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);

	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_EXISTS, "Refusing to overwrite existing \"%s\"", path);
	if (fd < 0 || file_put(fd, text, strlen(text)) < 0)
		return err_sys(e, "writing %s", path);
	return 0;
}

static int
run(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct key_opts *o = opts;
	own_secret char *passphrase = NULL, *private = NULL;
	own_mem char *public = NULL, *private_path = NULL, *public_path = NULL;

	(void)ctx;
	(void)argc;
	(void)argv;
	if (o->prefix == NULL)
		return err_set(e, ERR_USAGE, "--output-prefix is needed");
	private_path = xasprintf("%s.private", o->prefix);
	public_path = xasprintf("%s.pub", o->prefix);
	passphrase = read_passphrase(o, e);
	if (passphrase == NULL || signer_generate(passphrase, &private, &public, e) < 0 ||
	    write_key(private_path, private, 0600, e) < 0 ||
	    write_key(public_path, public, 0644, e) < 0)
		return -1;
	printf("Key written to \"%s\" and \"%s\"\n", private_path, public_path);
	return 0;
}

const struct cmd command_generate_key = {
    .name = "generate-sigstore-key",
    .synopsis = "[options]",
    .brief = "Make a pair of keys for sigstore signatures",
    .examples = "generate-sigstore-key --output-prefix mykey --passphrase-file secret",
    .opts = {{rows}},
    .opts_size = sizeof(struct key_opts),
    .run = run,
};
