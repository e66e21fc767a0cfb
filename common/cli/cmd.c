/* SPDX-License-Identifier: ISC */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/cmd.h"
#include "common/cli/complete.h"
#include "common/cli/help.h"

const char *
cmd_place_name(const struct cmd_place *p)
{
	return p->name != NULL ? p->name : p->cmd->name;
}

const char *
cmd_place_aliases(const struct cmd_place *p)
{
	return p->name != NULL ? p->aliases : p->cmd->aliases;
}

const struct cmd_place *
cmd_find(const struct cmd *group, const char *word)
{
	for (const struct cmd_place *p = group->sub; p != NULL && p->cmd != NULL; p++)
		if (strcmp(cmd_place_name(p), word) == 0 ||
		    opt_in_list(cmd_place_aliases(p), word, strlen(word)))
			return p;
	return NULL;
}

bool
cmd_given(const struct cli_ctx *ctx, const char *option)
{
	return opt_given(&ctx->parse, option) || opt_given(&ctx->global_parse, option);
}

/* Levenshtein distance without regard to case, for words of reasonable length. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[65], n = strlen(b);

	if (n >= COUNTOF(row) || strlen(a) >= COUNTOF(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= n; j++) {
			size_t cost = corner + (strncasecmp(&a[i], &b[j - 1], 1) != 0);

			corner = row[j];
			cost = row[j] + 1 < cost ? row[j] + 1 : cost;
			row[j] = row[j - 1] + 1 < cost ? row[j - 1] + 1 : cost;
		}
	}
	return row[n];
}

/* Prints the error for a word that is no command, and returns the exit status. */
static int
unknown_command(const char *path, const struct cmd *group, const char *word)
{
	bool first = true;
	char safe[256];

	text_escape(word, safe, sizeof(safe));
	fprintf(stderr, "Error: unrecognized command `%s %s`\n", path, safe);
	for (const struct cmd_place *p = group->sub; p->cmd != NULL; p++) {
		const char *name = cmd_place_name(p);

		if (p->hidden || p->cmd->hidden ||
		    (distance(word, name) > 2 && strncasecmp(name, word, strlen(word)) != 0))
			continue;
		fprintf(stderr, "%s\t%s\n", first ? "\nDid you mean this?\n" : "", name);
		first = false;
	}
	fprintf(stderr, "%sTry '%s --help' for more information\n", first ? "" : "\n", path);
	return 125;
}

static int
check_count(const struct cmd *cmd, const char *path, int n, struct err *e)
{
	if (cmd->max == CMD_UNCHECKED || (n >= cmd->min && (cmd->max == CMD_ANY || n <= cmd->max)))
		return 0;
	if (cmd->max == 0)
		return err_set(e, ERR_USAGE, "`%s` takes no arguments", path);
	if (cmd->max == CMD_ANY)
		return err_set(
		    e, ERR_USAGE, "requires at least %d arg(s), only received %d", cmd->min, n);
	if (cmd->min == cmd->max)
		return err_set(e, ERR_USAGE, "accepts %d arg(s), received %d", cmd->min, n);
	if (cmd->min == 0)
		return err_set(e, ERR_USAGE, "accepts at most %d arg(s), received %d", cmd->max, n);
	return err_set(
	    e, ERR_USAGE, "accepts between %d and %d arg(s), received %d", cmd->min, cmd->max, n);
}

static int
failed(const struct err *e)
{
	err_print(e, stderr);
	return err_exit_status(e) != 0 ? err_exit_status(e) : 125;
}

static int
usage_failed(struct err *e, const char *path)
{
	err_hint(e, "See '%s --help'", path);
	return failed(e);
}

/* Runs the leaf; argv[0] is its name, the options follow. */
static int
run_command(struct cli_ctx *ctx, const char *aliases, int argc, char **argv)
{
	const struct cmd *cmd = ctx->cmd;
	void *opts = cmd->opts_size > 0 ? xcalloc(1, cmd->opts_size) : NULL;
	struct opt_parse *p = &ctx->parse;
	struct err e = {0};
	int r;

	*p = (struct opt_parse){.local = cmd->opts,
	    .local_opts = opts,
	    .global = ctx->cli->global,
	    .global_opts = ctx->globals,
	    .stop_at_operand = cmd->stop_at_operand,
	    .before_command = cmd == ctx->cli->root};
	opt_defaults(cmd->opts, opts);
	if (opt_parse(p, argc, argv, &e) == -1) {
		r = usage_failed(&e, ctx->path);
	} else if (p->help) {
		help_print(ctx->cli, cmd, aliases, ctx->prog, ctx->path, stdout);
		r = 0;
	} else if (check_count(cmd, ctx->path, p->operand_n, &e) == -1) {
		r = failed(&e);
	} else {
		r = ctx->cli->prepare != NULL ? ctx->cli->prepare(ctx, &e) : 0;
		if (r > 0)
			r = r - 1;
		else if (r == 0)
			r = (ctx->cli->run != NULL ? ctx->cli->run : cmd->run)(
			    ctx, opts, p->operand_n, p->operands, &e);
		if (r == -1)
			r = failed(&e);
	}
	opt_free(cmd->opts, opts);
	opt_done(p);
	free(opts);
	return r;
}

/* A group without one of its commands: help, or what is missing. */
static int
bare_group(struct cli_ctx *ctx, const char *aliases)
{
	struct err e = {0};
	int r = 0;

	if (ctx->cmd == ctx->cli->root && ctx->cli->prepare != NULL && !ctx->global_parse.help)
		r = ctx->cli->prepare(ctx, &e);
	if (r != 0)
		return r > 0 ? r - 1 : failed(&e);
	help_print(ctx->cli, ctx->cmd, aliases, ctx->prog, ctx->path, stdout);
	if (ctx->global_parse.help)
		return 0;
	fflush(stdout);
	fprintf(stderr, "Error: missing command '%s COMMAND'\n", ctx->path);
	return 125;
}

/* Walks the groups: argv[0] is the current word (first the program), options and words follow. */
static int
walk(struct cli_ctx *ctx, int argc, char **argv)
{
	const char *aliases = NULL;
	struct err e = {0};

	while (ctx->cmd->sub != NULL) {
		struct opt_parse p = {.global = ctx->cli->global,
		    .global_opts = ctx->globals,
		    .before_command = ctx->cmd == ctx->cli->root,
		    .stop_at_operand = true,
		    .given = ctx->global_parse.given,
		    .given_n = ctx->global_parse.given_n,
		    .given_cap = ctx->global_parse.given_cap};
		const struct cmd_place *place;
		int bad = opt_parse(&p, argc, argv, &e);
		size_t n = strlen(ctx->path);

		free(ctx->global_parse.operands);
		ctx->global_parse = p;
		if (bad == -1)
			return usage_failed(&e, ctx->path);
		if (p.help || p.rest >= argc)
			return bare_group(ctx, aliases);
		argc -= p.rest;
		argv += p.rest;
		place = cmd_find(ctx->cmd, argv[0]);
		if (place == NULL && ctx->cmd == ctx->cli->root &&
		    text_has_prefix(argv[0], "__complete"))
			return complete_run(ctx, argc + 1, argv - 1);
		if (place == NULL)
			return unknown_command(ctx->path, ctx->cmd, argv[0]);
		ctx->cmd = place->cmd;
		aliases = cmd_place_aliases(place);
		snprintf(ctx->path + n, sizeof(ctx->path) - n, " %s", cmd_place_name(place));
	}
	return run_command(ctx, aliases, argc, argv);
}

/* A unit or a job of cron may have none; we and our helpers would look for its files below the root directory. */
static void
fill_home(void)
{
	const char *home = getenv("HOME");
	own_file FILE *f = home == NULL || *home == '\0' ? fopen("/etc/passwd", "re") : NULL;
	const struct passwd *pw;

	while (f != NULL && (pw = fgetpwent(f)) != NULL)
		if (pw->pw_uid == getuid() && *pw->pw_dir == '/') {
			setenv("HOME", pw->pw_dir, 1);
			return;
		}
}

int
cmd_main(const struct cli *cli, int argc, char **argv)
{
	struct cli_ctx ctx = {.cli = cli, .argc = argc, .argv = argv, .cmd = cli->root};
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *typed = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
	own_mem char *prog = NULL;
	int r;

	if (!opt_in_list(cli->names, typed, strlen(typed)) || *typed == '\0')
		prog = xstrndup(cli->names, strcspn(cli->names, ","));
	fill_home();
	ctx.prog = prog != NULL ? prog : typed;
	snprintf(ctx.path, sizeof(ctx.path), "%s", ctx.prog);
	ctx.globals = xcalloc(1, cli->global_size);
	opt_defaults_rows(cli->global, ctx.globals);
	if (argc > 1 && strcmp(argv[1], "__options") == 0)
		help_dump(cli, stdout), r = 0;
	else if (argc > 1 && text_has_prefix(argv[1], "__complete"))
		r = complete_run(&ctx, argc, argv);
	else
		r = walk(&ctx, argc, argv);
	opt_free_rows(cli->global, ctx.globals);
	opt_done(&ctx.global_parse);
	free(ctx.globals);
	if (fflush(stdout) != 0 && r == 0)
		r = 125;
	return r;
}
