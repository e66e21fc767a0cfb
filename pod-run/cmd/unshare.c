/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"

/* The command takes our place, and so its exit status is ours. */
static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct ctx *x = ctx_of(cli);
	char *shell = getenv("SHELL"), sh[] = "/bin/sh";
	char *alone[] = {shell != NULL && *shell != '\0' ? shell : sh, NULL};
	own_mem char **words = xcalloc((size_t)argc + 2, sizeof(*words));

	(void)opts;
	if (ctx_paths(x, e) == -1)
		return -1;
	if (!x->rootless.user)
		return err_set(e, ERR_UNSUPPORTED, "please use unshare with rootless");
	for (int i = 0; i < argc; i++)
		words[i] = argv[i];
	if (argc == 0)
		words[0] = alone[0];
	setenv("CONTAINERS_GRAPHROOT", x->graph_root, 1);
	setenv("CONTAINERS_RUNROOT", x->run_root, 1);
	execvp(words[0], words);
	return err_set(e, errno == ENOENT ? ERR_NOCOMMAND : ERR_NOTEXEC, "exec: \"%s\": %s",
	    words[0], errno == ENOENT ? "executable file not found in $PATH" : "permission denied");
}

const struct cmd cmd_unshare = {
    .name = "unshare",
    .synopsis = "[options] [COMMAND [ARG...]]",
    .brief = "Run a command in a modified user namespace",
    .text = "Runs a command in a modified user namespace.",
    .examples = "unshare id\nunshare cat /proc/self/uid_map",
    .max = CMD_ANY,
    .stop_at_operand = true,
    .run = run,
};
