/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/complete.h"

/* Directives of the protocol: what the shell does besides offering the candidates. */
#define DIRECTIVE_FILES 0
#define DIRECTIVE_ERROR 1
#define DIRECTIVE_NOSPACE 2 /* a bit beside the others */
#define DIRECTIVE_NOFILES 4
#define DIRECTIVE_DIRS 16

struct answer {
	struct strv words; /* "candidate" or "candidate\tdescription" */
	int directive;
};

static void
offer(struct answer *a, const char *prefix, const char *word, const char *text)
{
	if (!text_has_prefix(word, prefix))
		return;
	if (text != NULL)
		strv_addf(&a->words, "%s\t%s", word, text);
	else
		strv_add(&a->words, word);
}

static void
offer_commands(struct answer *a, const struct cmd *group, const char *prefix)
{
	for (const struct cmd_place *p = group->sub; p != NULL && p->cmd != NULL; p++)
		if (!p->hidden && !p->cmd->hidden)
			offer(a, prefix, cmd_place_name(p), p->cmd->brief);
}

static void
offer_rows(struct answer *a, const struct opt *rows, bool local, const char *prefix)
{
	for (const struct opt *o = rows; o != NULL && o->name != NULL; o++) {
		char word[128];

		if ((o->flags & OPT_HIDDEN) != 0 || ((o->flags & OPT_LOCAL) != 0 && !local))
			continue;
		snprintf(word, sizeof(word), "--%s", o->name);
		offer(a, prefix, word, o->help);
		if (o->letter == 0 || text_has_prefix(prefix, "--"))
			continue;
		snprintf(word, sizeof(word), "-%c", o->letter);
		offer(a, prefix, word, o->help);
	}
}

static void
offer_kind(struct answer *a, struct cli_ctx *ctx, enum complete_kind kind, const char *choices,
    const char *prefix)
{
	own_strv struct strv list = {0};

	a->directive = kind == COMPLETE_FILE  ? DIRECTIVE_FILES
		       : kind == COMPLETE_DIR ? DIRECTIVE_DIRS
					      : DIRECTIVE_NOFILES;
	if (choices != NULL)
		strv_split(&list, choices, ',');
	for (size_t i = 0; i < list.n; i++) {
		offer(a, prefix, list.v[i], NULL);
		if (text_has_suffix(list.v[i], "="))
			a->directive |= DIRECTIVE_NOSPACE;
	}
	if (kind == COMPLETE_COMMAND) {
		offer_commands(a, ctx->cli->root, prefix);
	} else if ((a->directive & DIRECTIVE_NOFILES) != 0 && kind != COMPLETE_NONE &&
		   kind != COMPLETE_CHOICE && ctx->cli->complete != NULL) {
		ctx->cli->complete(ctx, kind, prefix, &a->words);
	}
}

/* The row that an option word of the command line means; *value is set to what follows "=". */
static const struct opt *
row_of(const struct cli_ctx *ctx, const struct cmd *cmd, const char *word, const char **value)
{
	size_t n = strcspn(word, "=");
	bool is_long = word[1] == '-';
	const struct opt *o = NULL;

	*value = word[n] == '=' ? word + n + 1 : NULL;
	if (n < 2)
		return NULL;
	for (size_t i = 0; i <= OPT_GROUPS_MAX && o == NULL; i++) {
		const struct opt *rows = i < OPT_GROUPS_MAX ? cmd->opts[i].rows : ctx->cli->global;

		o = is_long ? opt_find(rows, word + 2, n - 2) : opt_find_letter(rows, word[n - 1]);
	}
	return o;
}

/* A global option counts for completion too: it may say where the objects are. */
static void
apply_global(struct cli_ctx *ctx, const struct opt *o, const char *value)
{
	struct err ignored = {0};

	for (const struct opt *g = ctx->cli->global; g != NULL && g->name != NULL; g++)
		if (g == o)
			opt_store(o, ctx->globals, value, false, &ignored);
}

/*
 * Reads the words before the one to complete: finds the command, counts operands, and says whether
 * the last word is an option that waits for its argument.
 */
static const struct opt *
follow(struct cli_ctx *ctx, int argc, char **argv, int *operands, bool *ended)
{
	const struct opt *waits = NULL;

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *value;
		const struct cmd_place *p;

		if (waits != NULL) {
			apply_global(ctx, waits, word);
			waits = NULL;
			continue;
		}
		if (!*ended && word[0] == '-' && word[1] != '\0') {
			const struct opt *o;

			*ended = strcmp(word, "--") == 0;
			o = *ended ? NULL : row_of(ctx, ctx->cmd, word, &value);
			if (o != NULL && opt_takes_value(o) && value == NULL)
				waits = o;
			else if (o != NULL && (value != NULL || o->type == OPT_TYPE_BOOL))
				apply_global(ctx, o, value != NULL ? value : "true");
			continue;
		}
		p = ctx->cmd->sub != NULL ? cmd_find(ctx->cmd, word) : NULL;
		if (p != NULL) {
			ctx->cmd = p->cmd;
			continue;
		}
		++*operands;
		*ended = *ended || ctx->cmd->stop_at_operand;
	}
	return waits;
}

static void
answer_word(struct answer *a, struct cli_ctx *ctx, int argc, char **argv, const char *word)
{
	int operands = 0;
	bool ended = false;
	const struct opt *o = follow(ctx, argc, argv, &operands, &ended);
	const char *value = NULL;

	if (o != NULL) {
		offer_kind(a, ctx, o->complete, o->choices, word);
		return;
	}
	if (!ended && word[0] == '-') {
		o = word[1] == '-' ? row_of(ctx, ctx->cmd, word, &value) : NULL;
		if (o != NULL && value != NULL) {
			offer_kind(a, ctx, o->complete, o->choices, value);
			return;
		}
		for (size_t i = 0; i < OPT_GROUPS_MAX && ctx->cmd->opts[i].rows != NULL; i++)
			offer_rows(a, ctx->cmd->opts[i].rows, true, word);
		offer_rows(a, ctx->cli->global, ctx->cmd == ctx->cli->root, word);
		offer(a, word, "--help", "Help for this command");
		return;
	}
	if (ctx->cmd->sub != NULL) {
		if (operands == 0)
			offer_commands(a, ctx->cmd, word);
		return;
	}
	/* What runs in the container is not ours to complete. */
	if (operands > 0 && ctx->cmd->stop_at_operand)
		a->directive = DIRECTIVE_FILES;
	else if (ctx->cmd->max < 0 || operands < ctx->cmd->max)
		offer_kind(a, ctx, ctx->cmd->complete, NULL, word);
}

int
complete_run(struct cli_ctx *ctx, int argc, char **argv)
{
	struct answer a = {.directive = DIRECTIVE_NOFILES};
	bool describe = strcmp(argv[1], "__complete") == 0;

	if (argc < 3 || (!describe && strcmp(argv[1], "__completeNoDesc") != 0)) {
		fprintf(stderr, "Error: unrecognized command `%s %s`\n", ctx->prog, argv[1]);
		return 125;
	}
	answer_word(&a, ctx, argc - 3, argv + 2, argv[argc - 1]);
	for (size_t i = 0; i < a.words.n; i++)
		printf("%.*s\n",
		    (int)(describe ? strlen(a.words.v[i]) : strcspn(a.words.v[i], "\t")),
		    a.words.v[i]);
	printf(":%d\n", a.directive);
	strv_free(&a.words);
	return 0;
}

static const char bash_script[] =
    "# bash completion for %1$s\n"
    "__%1$s_complete()\n"
    "{\n"
    "\tlocal left=${COMP_LINE:0:COMP_POINT} words=() cur value cut= out directive line i\n"
    "\t# bash splits words at = and : as well; what no space parts belongs together.\n"
    "\tfor ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "\t\tif [[ $i -eq 0 || $left == [[:space:]]* ]]; then\n"
    "\t\t\tleft=${left#\"${left%%%%[![:space:]]*}\"}\n"
    "\t\t\twords+=(\"${COMP_WORDS[i]}\")\n"
    "\t\telse\n"
    "\t\t\twords[-1]+=${COMP_WORDS[i]}\n"
    "\t\tfi\n"
    "\t\tleft=${left#\"${COMP_WORDS[i]}\"}\n"
    "\tdone\n"
    "\tcur=${words[-1]} value=$cur\n"
    "\t[[ $cur == --*=* ]] && value=${cur#*=}\n"
    "\t[[ $COMP_WORDBREAKS == *:* && $value == *:* ]] && cut=${value%%\"${value##*:}\"}\n"
    "\tout=$(\"${words[0]}\" __completeNoDesc \"${words[@]:1}\" 2>/dev/null)\n"
    "\tdirective=${out##*:}\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS= read -r line; do\n"
    "\t\t[ -n \"$line\" ] && COMPREPLY+=(\"${line#\"$cut\"}\")\n"
    "\tdone <<<\"${out%%:*}\"\n"
    "\tcase $directive in\n"
    "\t0) [ ${#COMPREPLY[@]} -eq 0 ] && mapfile -t COMPREPLY < <(compgen -f -- \"$value\") ;;\n"
    "\t16) mapfile -t COMPREPLY < <(compgen -d -- \"$value\") ;;\n"
    "\tesac\n"
    "\t[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=] ]] && compopt -o nospace\n"
    "\treturn 0\n"
    "}\n"
    "complete -F __%1$s_complete %1$s\n";

static const char zsh_script[] =
    "#compdef %1$s\n"
    "_%1$s()\n"
    "{\n"
    "\tlocal out directive line\n"
    "\tlocal -a found\n"
    "\tout=\"$(\"${words[1]}\" __complete \"${(@)words[2,CURRENT-1]}\" \"${words[CURRENT]}\" "
    "2>/dev/null)\"\n"
    "\tdirective=\"${out##*:}\"\n"
    "\tfor line in \"${(@f)out}\"; do\n"
    "\t\t[[ \"$line\" == :<-> ]] && continue\n"
    "\t\tline=\"${line//:/\\\\:}\"\n"
    "\t\tfound+=(\"${line/$'\\t'/:}\")\n"
    "\tdone\n"
    "\tcase $directive in\n"
    "\t0) (( $#found )) || _files ;;\n"
    "\t16) _files -/ ;;\n"
    "\tesac\n"
    "\t(( $#found )) && _describe %1$s found\n"
    "}\n"
    "compdef _%1$s %1$s\n";

static const char fish_script[] =
    "# fish completion for %1$s\n"
    "function __%1$s_complete\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l cur (commandline -ct)\n"
    "\tset -l out ($words[1] __complete $words[2..-1] $cur 2>/dev/null)\n"
    "\tstring match -v -r '^:[0-9]+$' -- $out\n"
    "\tswitch \"$out[-1]\"\n"
    "\tcase ':0'\n"
    "\t\ttest (count $out) -gt 1; or __fish_complete_path $cur\n"
    "\tcase ':16'\n"
    "\t\t__fish_complete_directories $cur\n"
    "\tend\n"
    "end\n"
    "complete -c %1$s -f -a '(__%1$s_complete)'\n";

/* Before 7.3 an empty argument for a program must be written as a pair of quotes. */
static const char powershell_script[] =
    "# powershell completion for %1$s\n"
    "Register-ArgumentCompleter -Native -CommandName '%1$s' -ScriptBlock {\n"
    "\tparam($wordToComplete, $commandAst, $cursorPosition)\n"
    "\t$words = @($commandAst.CommandElements | Where-Object "
    "{ $_.Extent.StartOffset -lt $cursorPosition } |\n"
    "\t\tForEach-Object { if ($_.Value -is [string]) { $_.Value } else { $_.Extent.Text } })\n"
    "\t$cur = ''\n"
    "\t$before = @($words | Select-Object -Skip 1)\n"
    "\tif ($wordToComplete -ne '' -and $before.Count -gt 0) {\n"
    "\t\t$cur = [string]$before[-1]\n"
    "\t\t$before = @($before | Select-Object -SkipLast 1)\n"
    "\t}\n"
    "\t$asked = $cur\n"
    "\tif ($cur -eq '' -and $PSNativeCommandArgumentPassing -in @($null, 'Legacy')) "
    "{ $asked = '\"\"' }\n"
    "\t$out = @(& $words[0] __complete @before $asked 2>$null)\n"
    "\t$directive = if ($out.Count -gt 0) { [int]([string]$out[-1]).TrimStart(':') } else { 0 }\n"
    "\t$flag = if ($cur -match '^--[^=]+=') { $Matches[0] } else { '' }\n"
    "\t$found = @($out | Select-Object -SkipLast 1)\n"
    "\tforeach ($line in $found) {\n"
    "\t\t$name, $text = $line.Split(\"`t\", 2)\n"
    "\t\tif (-not $text) { $text = $name }\n"
    "\t\t[System.Management.Automation.CompletionResult]::new($flag + $name, $name, "
    "'ParameterValue', $text)\n"
    "\t}\n"
    "\t# Where nothing comes back the shell offers files.\n"
    "\tif ($found.Count -eq 0 -and $directive -notin 0, 16) { '' }\n"
    "}\n";

struct completion_opts {
	const char *file;
	bool no_desc;
};

static const struct opt completion_rows[] = {
    {"file", 'f', OPT_STRING(struct completion_opts, file), .arg = "path",
	.complete = COMPLETE_FILE, .help = "Output the completion to file rather than stdout"},
    {"no-desc", 0, OPT_BOOL(struct completion_opts, no_desc),
	.help = "Don't include descriptions in the completion output"},
    OPT_END,
};

static int
completion_run(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script},
	    {"powershell", powershell_script}};
	const struct completion_opts *o = opts;
	own_mem char *text = NULL;
	own_file FILE *f = NULL;

	(void)argc;
	for (size_t i = 0; i < COUNTOF(scripts); i++)
		if (strcmp(argv[0], scripts[i].shell) == 0)
			text = xasprintf(scripts[i].script, ctx->prog);
	if (text == NULL)
		return err_set(
		    e, ERR_USAGE, "invalid argument \"%s\" for \"%s\"", argv[0], ctx->path);
	if (o->no_desc) {
		char *at = strstr(text, "__complete ");

		if (at != NULL) {
			char *plain = xasprintf("%.*s__completeNoDesc%s", (int)(at - text), text,
			    at + strlen("__complete"));

			free(text);
			text = plain;
		}
	}
	if (o->file == NULL)
		return fputs(text, stdout) == EOF ? err_sys(e, "writing to standard output") : 0;
	f = fopen(o->file, "we");
	if (f == NULL || fputs(text, f) == EOF || fflush(f) != 0)
		return err_sys(e, "writing %s", o->file);
	return 0;
}

const struct cmd complete_cmd = {
    .name = "completion",
    .synopsis = "[options] {bash|zsh|fish|powershell}",
    .brief = "Generate shell autocompletions",
    .text =
	"Generate shell autocompletions.\n  Valid arguments are bash, zsh, fish and powershell.",
    .examples = "completion bash\ncompletion zsh -f _pod\ncompletion fish --no-desc",
    .opts = {{completion_rows}},
    .opts_size = sizeof(struct completion_opts),
    .min = 1,
    .max = 1,
    .run = completion_run,
};
