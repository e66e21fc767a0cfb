/* SPDX-License-Identifier: ISC */
/*
 * The tree of commands.  Each command is a const struct cmd in a file of its own below cmd/.
 */
#ifndef POD_COMMANDS_H
#define POD_COMMANDS_H

#include "common/cli/cmd.h"

extern const struct cmd commands_root;

/* Names of containers, images, networks and volumes, for shell completion. */
void commands_complete(
    struct cli_ctx *cli, enum complete_kind kind, const char *prefix, struct strv *out);

#endif
