/* SPDX-License-Identifier: ISC */
/*
 * Shell completion: the protocol of cobra's hidden __complete command, so that completion scripts
 * written for Podman work, and the scripts themselves.
 */
#ifndef POD_COMPLETE_H
#define POD_COMPLETE_H

#include "common/cli/cmd.h"

/* argv: PROGRAM __complete|__completeNoDesc WORD... TO-COMPLETE.  Returns the exit status. */
int complete_run(struct cli_ctx *ctx, int argc, char **argv);

/* "completion bash|zsh|fish|powershell": a command for the tree. */
extern const struct cmd complete_cmd;

#endif
