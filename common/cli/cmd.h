/* SPDX-License-Identifier: ISC */
/*
 * Commands as data: a tree of groups and commands, where one command may stand in several places
 * (ps, container ps, container ls).
 *
 *	static int rm(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e);
 *	static const struct cmd cmd_rm = {
 *		.name = "rm", .synopsis = "[options] CONTAINER [CONTAINER...]",
 *		.brief = "Remove one or more containers", .text = "Removes one or more …",
 *		.examples = "rm ctrID\nrm --force ctr1 ctr2",
 *		.opts = {{rm_rows}}, .opts_size = sizeof(struct rm_opts),
 *		.min = 1, .max = CMD_ANY, .complete = COMPLETE_CONTAINER, .run = rm,
 *	};
 *	static const struct cmd_place container_sub[] = {{&cmd_rm}, {&cmd_ps, "ls", "list"}, {0}};
 */
#ifndef POD_CMD_H
#define POD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/base/err.h"
#include "common/cli/opt.h"

struct cli_ctx;

#define CMD_ANY (-1)	   /* no upper limit */
#define CMD_UNCHECKED (-2) /* the command counts its arguments itself */

struct cmd_place;

struct cmd {
	const char *name, *aliases; /* aliases are separated by commas */
	const char *synopsis;	    /* what follows the command's name in the usage line */
	const char *brief, *text;   /* text NULL: brief */
	const char *examples;	    /* lines without the program's name: "rm ctrID" */
	struct opt_group opts[OPT_GROUPS_MAX];
	size_t opts_size;
	int min, max; /* operands; max may be CMD_ANY or CMD_UNCHECKED */
	bool stop_at_operand, hidden;
	unsigned char complete;	     /* enum complete_kind of the operands */
	unsigned char asks;	     /* bits of cli->run: what the command cannot do without */
	const struct cmd_place *sub; /* a group: its commands, ended by {0} */

	/*
	 * argv[0..argc) are the operands.  Returns the exit status, or -1 with e filled; then e is
	 * printed and its class gives the exit status.  opts is freed afterwards.
	 */
	int (*run)(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e);
};

struct cmd_place {
	const struct cmd *cmd;
	const char *name, *aliases; /* here, if different from the command's own */
	bool hidden;
};

/* What a program is. */
struct cli {
	const char *names; /* words it answers to, separated by commas; else the first is shown */
	const struct cmd *root; /* name is not used; a program without commands has root->run */
	const struct opt *global;
	size_t global_size;
	/*
	 * After parsing, before the command: applies the global options.  Returns 0 to go on, a
	 * positive value to end with status value - 1 (as for --version), or -1 with e.
	 */
	int (*prepare)(struct cli_ctx *ctx, struct err *e);
	/* What runs a command, if not its own function alone, which it may call; as that. */
	int (*run)(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e);
	/* Adds names of the kind that begin with prefix: "name" or "name\tdescription". */
	void (*complete)(
	    struct cli_ctx *ctx, enum complete_kind kind, const char *prefix, struct strv *out);
};

/* One run of a program. */
struct cli_ctx {
	const struct cli *cli;
	const char *prog;      /* the word the user typed: pod, podman, docker … */
	const struct cmd *cmd; /* the command found */
	char path[256];	       /* "pod container ls" */
	void *globals;	       /* the struct of the global options */
	int argc; /* the whole command line, as for starting a cleanup with the same globals */
	char **argv;
	struct opt_parse global_parse, parse;
	void *app; /* the program's own */
};

/* The whole life of a command-line program after role_start; returns the exit status of main. */
int cmd_main(const struct cli *cli, int argc, char **argv);

/* True if the option was given on the command line (local or global). */
bool cmd_given(const struct cli_ctx *ctx, const char *option);

/* The place below group that the word names, by name or alias, or NULL. */
const struct cmd_place *cmd_find(const struct cmd *group, const char *word);
const char *cmd_place_name(const struct cmd_place *p);
const char *cmd_place_aliases(const struct cmd_place *p);

#endif
