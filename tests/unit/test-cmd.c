/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/cmd.h"
#include "common/cli/complete.h"
#include "common/cli/help.h"

struct ps_opts {
	bool all;
	const char *sort, *format;
};

struct globals {
	const char *root;
	bool version;
};

static int
ps(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	const struct ps_opts *o = opts;
	const struct globals *g = ctx->globals;

	(void)argv, (void)e;
	printf("%s|%d|%s|%s|%d|%d\n", ctx->path, o->all, o->sort, g->root != NULL ? g->root : "-",
	    argc, cmd_given(ctx, "sort"));
	return 3;
}

static int
fail(struct cli_ctx *ctx, void *opts, int argc, char **argv, struct err *e)
{
	(void)ctx, (void)opts, (void)argc, (void)argv;
	return err_set(e, ERR_INUSE, "container \"x\" is in use");
}

static const struct opt ps_rows[] = {
    {"all", 'a', OPT_BOOL(struct ps_opts, all), .help = "Show all the containers"},
    {"sort", 0, OPT_STRING(struct ps_opts, sort), .def = "created", .arg = "key",
	.complete = COMPLETE_CHOICE, .choices = "command,created,id", .help = "Sort output by"},
    {"format", 0, OPT_STRING(struct ps_opts, format), .complete = COMPLETE_FILE,
	.flags = OPT_HIDDEN, .help = "Pretty-print"},
    OPT_END,
};
static const struct cmd ps_cmd = {.name = "ps",
    .aliases = "psx",
    .synopsis = "[options]",
    .brief = "List containers",
    .text = "Prints out information about the containers.",
    .examples = "ps -a\nps --sort id",
    .opts = {{ps_rows}},
    .opts_size = sizeof(struct ps_opts),
    .run = ps};
static const struct cmd rm_cmd = {.name = "rm",
    .synopsis = "CONTAINER [CONTAINER...]",
    .brief = "Remove containers",
    .min = 1,
    .max = CMD_ANY,
    .complete = COMPLETE_CONTAINER,
    .run = fail};
static const struct cmd tag_cmd = {.name = "tag", .brief = "Two", .min = 2, .max = 2, .run = fail};
static const struct cmd hidden_cmd = {
    .name = "secretly", .brief = "Not shown", .hidden = true, .run = fail};
static const struct cmd_place container_sub[] = {{&ps_cmd, "ls", "list,ps"}, {&rm_cmd}, {0}};
static const struct cmd container_cmd = {
    .name = "container", .brief = "Manage containers", .sub = container_sub};
static const struct cmd_place root_sub[] = {{&container_cmd}, {&help_cmd}, {&ps_cmd}, {&rm_cmd},
    {&tag_cmd}, {&hidden_cmd}, {&complete_cmd}, {0}};
static const struct cmd root_cmd = {.brief = "Manage pods, containers and images", .sub = root_sub};
static const struct opt global_rows[] = {
    {"root", 0, OPT_STRING(struct globals, root), .help = "Path to the store"},
    {"version", 'v', OPT_BOOL(struct globals, version), .flags = OPT_LOCAL, .help = "Version"},
    OPT_END,
};

static int
prepare(struct cli_ctx *ctx, struct err *e)
{
	const struct globals *g = ctx->globals;

	(void)e;
	if (!g->version)
		return 0;
	printf("version 1\n");
	return 1;
}

static void
complete(struct cli_ctx *ctx, enum complete_kind kind, const char *prefix, struct strv *out)
{
	const struct globals *g = ctx->globals;

	strv_addf(out, "%s-%d%s", prefix, (int)kind, g->root != NULL ? g->root : "");
}

static const struct cli cli = {.names = "pod,podman,docker",
    .root = &root_cmd,
    .global = global_rows,
    .global_size = sizeof(struct globals),
    .prepare = prepare,
    .complete = complete};

/* Runs the line, and gives what it wrote to descriptor fd. */
static char *
out_of(const char *line, int fd, int *status)
{
	static char text[8192];
	own_strv struct strv words = {0};
	own_fd int tmp = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), saved = dup(fd);
	ssize_t n;

	strv_split(&words, line, ' ');
	fflush(NULL);
	dup2(tmp, fd);
	*status = cmd_main(&cli, (int)words.n, words.v);
	fflush(NULL);
	dup2(saved, fd);
	n = pread(tmp, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

Test(cmd, runs)
{
	static const struct {
		const char *line, *out;
		int status;
	} cases[] = {
	    {"pod ps", "pod ps|0|created|-|0|0\n", 3},
	    {"/usr/bin/podman --root /r container list -a --sort=id",
		"podman container ls|1|id|/r|0|1\n", 3},
	    {"other ps --root /q", "pod ps|0|created|/q|0|0\n", 3},
	    {"pod psx", "pod ps|0|created|-|0|0\n", 3},
	    {"pod --version", "version 1\n", 0},
	    {"pod -v ps", "version 1\n", 0},
	    {"pod __complete ps --so", "--sort\tSort output by\n:4\n", 0},
	    {"pod __completeNoDesc ps -", "--all\n-a\n--sort\n--root\n--help\n:4\n", 0},
	    {"pod __complete ps --sort c", "command\ncreated\n:4\n", 0},
	    {"pod __complete ps --sort=i", "id\n:4\n", 0},
	    {"pod __complete ps --format ", ":0\n", 0},
	    {"pod __complete --root /r co",
		"container\tManage containers\n"
		"completion\tGenerate shell autocompletions\n:4\n",
		0},
	    {"pod __complete --root /r rm a", "a-4/r\n:4\n", 0},
	    {"pod __complete rm --root=/r a", "a-4/r\n:4\n", 0},
	    {"pod --root /r __complete rm a", "a-4/r\n:4\n", 0},
	    {"pod __complete container l", "ls\tList containers\n:4\n", 0},
	    {"pod __complete rm a", "a-4\n:4\n", 0},
	    {"pod __complete secret", ":4\n", 0},
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int status;

		cr_expect_str_eq(out_of(cases[i].line, 1, &status), cases[i].out, "%s gave %s",
		    cases[i].line, out_of(cases[i].line, 1, &status));
		cr_expect_eq(status, cases[i].status, "%s", cases[i].line);
	}
}

Test(cmd, errors)
{
	static const struct {
		const char *line, *text;
		int status;
	} cases[] = {
	    {"pod ps --nosuch", "Error: unknown flag: --nosuch\nSee 'pod ps --help'\n", 125},
	    {"docker --nosuch ps", "Error: unknown flag: --nosuch\nSee 'docker --help'\n", 125},
	    {"podman ps x", "Error: `podman ps` takes no arguments\n", 125},
	    {"pod rm", "Error: requires at least 1 arg(s), only received 0\n", 125},
	    {"pod tag a", "Error: accepts 2 arg(s), received 1\n", 125},
	    {"pod rm x", "Error: container \"x\" is in use\n", 2},
	    {"pod foo",
		"Error: unrecognized command `pod foo`\nTry 'pod --help' for more information\n",
		125},
	    {"pod containe",
		"Error: unrecognized command `pod containe`\n\nDid you mean this?\n"
		"\tcontainer\n\nTry 'pod --help' for more information\n",
		125},
	    {"pod container pz",
		"Error: unrecognized command `pod container pz`\n\nDid you mean this?\n"
		"\tls\n\trm\n\nTry 'pod container --help' for more information\n",
		125},
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		int status;

		cr_expect_str_eq(out_of(cases[i].line, 2, &status), cases[i].text, "%s gave %s",
		    cases[i].line, out_of(cases[i].line, 2, &status));
		cr_expect_eq(status, cases[i].status, "%s", cases[i].line);
	}
}

Test(cmd, help_of_a_command)
{
	static const char text[] =
	    "List containers\n\nDescription:\n"
	    "  Prints out information about the containers.\n\nUsage:\n"
	    "  pod container ls [options]\n\nAliases:\n"
	    "  pod container ls, pod container list, pod container ps\n\nExamples:\n"
	    "  pod ps -a\n  pod ps --sort id\n\nOptions:\n"
	    "  -a, --all        Show all the containers\n"
	    "      --sort key   Sort output by (default \"created\")\n";
	int status;

	cr_expect_str_eq(out_of("pod container ps --help", 1, &status), text);
	cr_expect_eq(status, 0);
	cr_expect_str_eq(out_of("pod help container ls", 1, &status), text);
}

Test(cmd, help_of_groups)
{
	static const char text[] =
	    "Manage containers\n\nDescription:\n  Manage containers\n\nUsage:\n"
	    "  pod container [command]\n\nAvailable Commands:\n"
	    "  ls          List containers\n  rm          Remove containers\n";
	int status;
	char *out = out_of("pod container", 1, &status);

	cr_expect_str_eq(out, text);
	cr_expect_eq(status, 125);
	cr_expect_str_eq(out_of("pod container", 2, &status),
	    "Error: missing command 'pod container COMMAND'\n");
	out = out_of("pod --help", 1, &status);
	cr_expect_eq(status, 0);
	cr_expect(strstr(out, "  pod [options] [command]\n") != NULL);
	cr_expect(strstr(out, "      --root string   Path to the store\n") != NULL);
	cr_expect(strstr(out, "secretly") == NULL);
}

Test(cmd, options_are_listed_for_the_manuals)
{
	int status;
	char *out = out_of("pod __options", 1, &status);

	cr_expect(strstr(out, "pod\t--version\t-v\t\tshown\n") != NULL);
	cr_expect(strstr(out, "pod ps\t--sort\t\tkey\tshown\n") != NULL);
	cr_expect(strstr(out, "pod ps\t--format\t\tstring\thidden\n") != NULL);
	cr_expect(strstr(out, "pod container ls\t=\tpod ps\t\tshown\n") != NULL);
	cr_expect(strstr(out, "pod secretly\t-\t\t\thidden\n") != NULL);
}
