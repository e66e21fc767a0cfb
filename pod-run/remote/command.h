/* SPDX-License-Identifier: ISC */
/*
 * Commands that a service carries out: one table says which, and which of their options it is told or we heed here.
 */
#ifndef POD_REMOTE_COMMAND_H
#define POD_REMOTE_COMMAND_H

#include "common/cli/cmd.h"
#include "pod-run/remote/remote.h"

/* What was asked for on the command line. */
struct args {
	struct cli_ctx *cli;
	void *opts; /* as the command's own rows fill it */
	int argc;
	char **argv;
};

/* The value of an option by its name, whatever struct it lies in; a name that is in no row aborts. */
bool args_bool(const struct args *a, const char *name);
const char *args_str(const struct args *a, const char *name);
double args_float(const struct args *a, const char *name);
int64_t args_int(
    const struct args *a, const char *name); /* also of sizes, durations and tristates */
const struct strv *args_list(const struct args *a, const char *name);
/* The whole struct that those rows fill. */
const void *args_group(const struct args *a, const struct opt *rows);
bool args_given(const struct args *a, const char *name);

struct remote_command {
	const char *words;   /* all the ways to say it, separated by commas: "rm,container rm" */
	const char *options; /* separated by commas; every other one that is given is refused */
	/* NULL: the command's own, which asks ctx->remote where it would look here. */
	int (*run)(struct remote *r, const struct args *a, struct err *e);
};

/* Ended by {NULL}. */
extern const struct remote_command remote_archives[], remote_containers[], remote_images[],
    remote_networks[], remote_others[], remote_registry[], remote_streams[], remote_upkeep[];

/*
 * Instead of a command's own function: has the service do it if one is asked for, else calls that.  What is not built
 * for a service is refused by name.
 */
int command_run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e);

/* x->remote is the service that is asked for, if one is: for what is no command. */
int command_attach(struct ctx *x, struct err *e);

#endif
