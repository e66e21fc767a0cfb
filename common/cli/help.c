/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/help.h"

static const char *
type_word(const struct opt *o)
{
	static const char *const words[] = {
	    [OPT_TYPE_STRING] = "string",
	    [OPT_TYPE_LIST] = "stringArray",
	    [OPT_TYPE_COMMA] = "strings",
	    [OPT_TYPE_INT] = "int",
	    [OPT_TYPE_UINT] = "uint",
	    [OPT_TYPE_FLOAT] = "float",
	    [OPT_TYPE_SIZE] = "bytes",
	    [OPT_TYPE_DURATION] = "duration",
	    [OPT_TYPE_CALL] = "string",
	    [OPT_TYPE_NO_STRING] = "string",
	};

	if (o->type == OPT_TYPE_BOOL || o->type == OPT_TYPE_TRISTATE || o->type == OPT_TYPE_NO_BOOL)
		return NULL;
	return o->arg != NULL ? o->arg : words[o->type];
}

/* "  -n, --name string[="x"]" */
static void
option_head(const struct opt *o, struct strbuf *b)
{
	const char *word = type_word(o);

	if (o->letter != 0)
		strbuf_addf(b, "  -%c, --%s", o->letter, o->name);
	else
		strbuf_addf(b, "      --%s", o->name);
	if (word != NULL)
		strbuf_addf(b, " %s", word);
	if (word != NULL && o->none != NULL)
		strbuf_addf(b, o->type == OPT_TYPE_STRING ? "[=\"%s\"]" : "[=%s]", o->none);
}

static void
option_default(const struct opt *o, struct strbuf *b)
{
	static const char *const zeros[] = {"", "0", "false", "0s"};
	const char *def = o->show != NULL ? o->show : o->def;

	if (def == NULL)
		return;
	for (size_t i = 0; i < COUNTOF(zeros); i++)
		if (strcmp(def, zeros[i]) == 0)
			return;
	if (o->type == OPT_TYPE_STRING)
		strbuf_addf(b, " (default \"%s\")", def);
	else if (o->type == OPT_TYPE_LIST || o->type == OPT_TYPE_COMMA)
		strbuf_addf(b, " (default [%s])", def);
	else
		strbuf_addf(b, " (default %s)", def);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct opt *const *)a)->name, (*(const struct opt *const *)b)->name);
}

struct shown {
	const struct opt **v;
	size_t n, cap;
};

static void
shown_add(struct shown *s, const struct opt *rows)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		if ((o->flags & OPT_HIDDEN) != 0)
			continue;
		s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
		s->v[s->n++] = o;
	}
}

static void
print_options(struct shown *s, FILE *to)
{
	size_t widest = 0;

	qsort(s->v, s->n, sizeof(*s->v), by_name);
	for (size_t i = 0; i < s->n; i++) {
		own_strbuf struct strbuf b = {0};

		option_head(s->v[i], &b);
		widest = b.n > widest ? b.n : widest;
	}
	for (size_t i = 0; i < s->n; i++) {
		own_strbuf struct strbuf head = {0}, tail = {0};

		option_head(s->v[i], &head);
		if (s->v[i]->help != NULL)
			strbuf_add(&tail, s->v[i]->help);
		option_default(s->v[i], &tail);
		fprintf(to, "%-*s   %s\n", (int)widest, head.s, tail.s != NULL ? tail.s : "");
	}
}

static void
print_examples(const char *examples, const char *prog, FILE *to)
{
	fprintf(to, "\nExamples:\n");
	while (*examples != '\0') {
		size_t n = strcspn(examples, "\n");

		fprintf(to, "  %s%s%.*s\n", n > 0 ? prog : "", n > 0 ? " " : "", (int)n, examples);
		examples += n + (examples[n] == '\n');
	}
}

static void
print_aliases(const char *path, const char *aliases, FILE *to)
{
	const char *name = strrchr(path, ' ');
	const char *end = name != NULL ? name : path;

	/* Podman shows the whole line for each alias. */
	fprintf(to, "\nAliases:\n  %s", path);
	while (*aliases != '\0') {
		size_t n = strcspn(aliases, ",");

		fprintf(to, ", %.*s %.*s", (int)(end - path), path, (int)n, aliases);
		aliases += n + (aliases[n] == ',');
	}
	fputc('\n', to);
}

static void
print_commands(const struct cmd *group, FILE *to)
{
	int widest = 11;

	for (const struct cmd_place *p = group->sub; p->cmd != NULL; p++)
		if (!p->hidden && !p->cmd->hidden && (int)strlen(cmd_place_name(p)) > widest)
			widest = (int)strlen(cmd_place_name(p));
	fprintf(to, "\nAvailable Commands:\n");
	for (const struct cmd_place *p = group->sub; p->cmd != NULL; p++)
		if (!p->hidden && !p->cmd->hidden)
			fprintf(to, "  %-*s %s\n", widest, cmd_place_name(p), p->cmd->brief);
}

void
help_print(const struct cli *cli, const struct cmd *cmd, const char *aliases, const char *prog,
    const char *path, FILE *to)
{
	struct shown s = {0};

	fprintf(to, "%s\n\nDescription:\n  %s\n\nUsage:\n", cmd->brief,
	    cmd->text != NULL ? cmd->text : cmd->brief);
	if (cmd->sub != NULL)
		fprintf(to, "  %s %s[command]\n", path, cmd == cli->root ? "[options] " : "");
	else
		fprintf(to, "  %s%s%s\n", path, cmd->synopsis != NULL ? " " : "",
		    cmd->synopsis != NULL ? cmd->synopsis : "");
	if (aliases != NULL && *aliases != '\0')
		print_aliases(path, aliases, to);
	if (cmd->examples != NULL)
		print_examples(cmd->examples, prog, to);
	if (cmd->sub != NULL)
		print_commands(cmd, to);
	for (size_t i = 0; i < OPT_GROUPS_MAX && cmd->opts[i].rows != NULL; i++)
		shown_add(&s, cmd->opts[i].rows);
	if (cmd == cli->root)
		shown_add(&s, cli->global);
	if (s.n > 0) {
		fprintf(to, "\nOptions:\n");
		print_options(&s, to);
	}
	free(s.v);
}

static void
unknown_topic(const struct cli_ctx *ctx, int argc, char **argv)
{
	fputs("Unknown help topic [", stderr);
	for (int i = 0; i < argc; i++)
		fprintf(stderr, "%s`%s`", i > 0 ? " " : "", argv[i]);
	fputs("]\n", stderr);
	help_print(ctx->cli, ctx->cli->root, NULL, ctx->prog, ctx->prog, stderr);
}

static int
help_run(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct cmd *cmd = ctx->cli->root;
	const char *aliases = NULL;
	char path[sizeof(ctx->path)];
	size_t n = (size_t)snprintf(path, sizeof(path), "%s", ctx->prog);

	(void)opts;
	for (int i = 0; i < argc && cmd->sub != NULL; i++) {
		const struct cmd_place *p = cmd_find(cmd, argv[i]);

		/* As cobra does: no error, and behind a command's name not even a word. */
		if (p == NULL && i > 0)
			break;
		if (p == NULL) {
			unknown_topic(ctx, argc, argv);
			return 0;
		}
		cmd = p->cmd;
		aliases = cmd_place_aliases(p);
		n += (size_t)snprintf(path + n, sizeof(path) - n, " %s", cmd_place_name(p));
		if (n >= sizeof(path))
			return err_set(e, ERR_INTERNAL, "the name of a command is too long");
	}
	help_print(ctx->cli, cmd, aliases, ctx->prog, path, stdout);
	return 0;
}

const struct cmd help_cmd = {
    .name = "help",
    .synopsis = "[command]",
    .brief = "Help about any command",
    .text = "Help provides help for any command in the application.",
    .max = CMD_ANY,
    .complete = COMPLETE_COMMAND,
    .run = help_run,
};

static void
dump_rows(const char *path, const struct opt *rows, FILE *to)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		const char *word = type_word(o);
		char letter[3] = {'-', o->letter, '\0'};

		fprintf(to, "%s\t--%s\t%s\t%s\t%s\n", path, o->name, o->letter != 0 ? letter : "",
		    word != NULL ? word : "", (o->flags & OPT_HIDDEN) != 0 ? "hidden" : "shown");
	}
}

/* The path of the first place of cmd at exactly this depth below group, or NULL. */
static char *
path_at_depth(const struct cmd *group, const struct cmd *cmd, const char *path, unsigned depth)
{
	char *found = NULL;

	for (const struct cmd_place *p = group->sub; found == NULL && p != NULL && p->cmd != NULL;
	     p++) {
		own_mem char *below = xasprintf("%s %s", path, cmd_place_name(p));

		if (depth == 1 && p->cmd == cmd)
			found = xstrdup(below);
		else if (depth > 1)
			found = path_at_depth(p->cmd, cmd, below, depth - 1);
	}
	return found;
}

/* Where a command has its manual: its place nearest to the root. */
static char *
home_of(const struct cli *cli, const struct cmd *cmd, const char *prog)
{
	char *found = NULL;

	for (unsigned depth = 1; found == NULL && depth <= 4; depth++)
		found = path_at_depth(cli->root, cmd, prog, depth);
	return found != NULL ? found : xstrdup(prog);
}

static void
dump_command(const struct cli *cli, const struct cmd *cmd, const char *prog, const char *path,
    bool hidden, FILE *to)
{
	own_mem char *home = home_of(cli, cmd, prog);

	if (strcmp(home, path) != 0) {
		fprintf(to, "%s\t=\t%s\t\t%s\n", path, home, hidden ? "hidden" : "shown");
		return;
	}
	fprintf(to, "%s\t-\t\t\t%s\n", path, hidden ? "hidden" : "shown");
	for (size_t i = 0; i < OPT_GROUPS_MAX && cmd->opts[i].rows != NULL; i++)
		dump_rows(path, cmd->opts[i].rows, to);
	for (const struct cmd_place *p = cmd->sub; p != NULL && p->cmd != NULL; p++) {
		own_mem char *below = xasprintf("%s %s", path, cmd_place_name(p));

		dump_command(cli, p->cmd, prog, below, hidden || p->hidden || p->cmd->hidden, to);
	}
}

void
help_dump(const struct cli *cli, FILE *to)
{
	own_mem char *name = xstrndup(cli->names, strcspn(cli->names, ","));

	dump_rows(name, cli->global, to);
	dump_command(cli, cli->root, name, name, false, to);
}
