/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/life/image.h"
#include "pod-run/remote/archives.h"
#include "pod-run/state/event.h"

struct load_opts {
	const char *input, *signature_policy;
	bool quiet;
};

static const struct opt rows[] = {
    {"input", 'i', OPT_STRING(struct load_opts, input), .arg = "input", .complete = COMPLETE_FILE,
	.help = "Read from specified archive file (default: stdin)"},
    {"quiet", 'q', OPT_BOOL(struct load_opts, quiet), .help = "Suppress the output"},
    {"signature-policy", 0, OPT_STRING(struct load_opts, signature_policy), .arg = "path",
	.flags = OPT_HIDDEN, .help = "Path to a signature-policy file"},
    OPT_END,
};

static int
open_input(const struct load_opts *o, struct err *e)
{
	int fd;

	if (o->input != NULL) {
		fd = open(o->input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		return fd != -1 ? fd : err_sys(e, "stat %s", o->input);
	}
	if (isatty(STDIN_FILENO))
		return err_set(e, ERR_USAGE,
		    "cannot read from terminal, use command-line redirection or the --input flag");
	/* Above 2, for a message cannot carry descriptor 0. */
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd != -1 ? fd : err_sys(e, "reading standard input");
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct load_opts *o = opts;
	struct progress progress = {.quiet = o->quiet};
	struct rec_registry_access access = {.policy_file = o->signature_policy};
	own_fd int input = open_input(o, e);
	own_fd int store_end = -1;
	own_peer_in struct peer_in in = {0};
	struct msg_image_load m = {.input = input, .access = &access};
	const struct msg_image_pull_r *r;
	struct peer *image;
	int rc;

	(void)argc;
	(void)argv;
	if (input != -1 && ctx_of(cli)->remote != NULL)
		return archives_load(ctx_of(cli)->remote, input, e);
	if (input == -1 || (image = image_helper(ctx_of(cli), &store_end, e)) == NULL)
		return -1;
	m.store = store_end;
	rc = peer_call(image, &msg_image_load_desc, &m, &in, progress_show, &progress, e);
	progress_end(&progress);
	peer_free(image);
	if (rc == -1)
		return -1;
	r = MSG_OF(&in, image_pull_r);
	for (size_t i = 0; i < r->names.n; i++)
		printf("Loaded image: %s\n", r->names.v[i]);
	for (size_t i = 0; i < r->ids.n; i++)
		event_named(ctx_of(cli), EVENT_IMAGE, EVENT_LOAD, r->ids.v[i],
		    o->input != NULL ? o->input : "-");
	for (size_t i = 0; i < r->ids.n && r->names.n == 0; i++)
		printf("Loaded image: sha256:%s\n", r->ids.v[i]);
	return 0;
}

const struct cmd cmd_load = {
    .name = "load",
    .synopsis = "[options]",
    .brief = "Load image(s) from a tar archive",
    .text = "Loads an image from a locally stored archive (tar file) into container storage.",
    .examples = "load -i myimage.tar\nload < myimage.tar",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct load_opts),
    .max = 0,
    .asks = CTX_ASKS_STORE,
    .run = run,
};
