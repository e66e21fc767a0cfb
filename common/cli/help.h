/* SPDX-License-Identifier: ISC */
/*
 * Help texts, in the layout Podman's users know.
 */
#ifndef POD_HELP_H
#define POD_HELP_H

#include <stdio.h>

#include "common/cli/cmd.h"

/* The whole help of cmd, which was reached by path ("pod container ls"). */
void help_print(const struct cli *cli, const struct cmd *cmd, const char *aliases, const char *prog,
    const char *path, FILE *to);

/*
 * "help [COMMAND]": a command for the tree.  Its operands name the command to explain.
 */
extern const struct cmd help_cmd;

/*
 * Every option of every command, one line each, for the check of the manuals:
 * "PATH<TAB>--name<TAB>-letter<TAB>argument<TAB>hidden|shown".  A command itself has "-" as option; a
 * further place of a command has "=" and then the path of the place nearest to the root.
 */
void help_dump(const struct cli *cli, FILE *to);

#endif
