/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/cli/table.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/exec.h"
#include "pod-run/life/procs.h"
#include "pod-run/life/sync.h"

struct top_opts {
	bool latest, list_descriptors;
};

static const struct opt rows[] = {
    {"latest", 'l', OPT_BOOL(struct top_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"list-descriptors", 0, OPT_BOOL(struct top_opts, list_descriptors), .flags = OPT_HIDDEN,
	.help = "List the format descriptors"},
    OPT_END,
};

/* Words and lists of words; false if one is none of ours: then all are for ps. */
static bool
split_columns(int argc, char **argv, struct strv *out)
{
	for (int i = 0; i < argc; i++)
		strv_split(out, argv[i], ',');
	for (size_t i = 0; i < out->n; i++)
		if (!procs_is_column(out->v[i]))
			return false;
	return true;
}

/* The container's own ps, as its user. */
static int
run_ps(struct ctx *x, struct ctr *c, int argc, char **argv, struct err *e)
{
	own_arena struct arena a = {0};
	const char **words = arena_array(&a, (size_t)argc + 1, sizeof(*words));
	struct exec_request q = {.args = {.v = words, .n = (size_t)argc + 1}};
	char session[NAMES_ID_LEN + 1];

	words[0] = "ps";
	for (int i = 0; i < argc; i++)
		words[i + 1] = argv[i];
	return exec_run(x, c, &q, session, e);
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	static const char *const usual[] = {
	    "user", "pid", "ppid", "pcpu", "etime", "tty", "time", "args"};
	const struct top_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_strv struct strv names = {0};
	own_strbuf struct strbuf table = {0}, aligned = {0};
	own_ctr struct ctr c = {0};
	own_fd int lock = -1;
	char id[NAMES_ID_LEN + 1];
	int first = o->latest ? 0 : 1;

	if (o->list_descriptors) {
		for (const char *s = procs_columns(); *s != '\0'; s++)
			putchar(*s == ',' ? '\n' : *s);
		putchar('\n');
		return 0;
	}
	if (argc == 0 && !o->latest)
		return err_set(
		    e, ERR_USAGE, "you must provide the name or id of a running container");
	if (select_one(x, o->latest ? NULL : argv[0], o->latest, id, e) == -1)
		return err_wrap(e, "unable to look up requested container");
	lock = sync_open(x, id, &c, e);
	if (lock == -1)
		return -1;
	fd_close(&lock);
	if (c.status != CTR_RUNNING)
		return err_set(e, ERR_STATE, "top can only be used on running containers");
	if (!split_columns(argc - first, argv + first, &names))
		return run_ps(x, &c, argc - first, argv + first, e);
	if (names.n == 0)
		strv_add_all(&names, usual, COUNTOF(usual));
	if (procs_table(x, &c, &names, &table, e) == -1)
		return -1;
	table_align(table.s, &aligned);
	fputs(aligned.s, stdout);
	return 0;
}

const struct cmd cmd_top = {
    .name = "top",
    .synopsis = "[options] CONTAINER [FORMAT-DESCRIPTORS|ARGS...]",
    .brief = "Display the running processes of a container",
    .text =
	"Display the running processes of a container.\n\n  The top command extends the ps(1) "
	"compatible AIX descriptors with container-specific ones as shown below.  In the presence "
	"of ps(1) specific flags (e.g, -eo), Podman will execute ps(1) inside the "
	"container.\n\n  Format Descriptors:\n    "
	"args,capamb,capbnd,capeff,capinh,capprm,comm,etime,group,groups,hgroup,hgroups,hpid,"
	"huser,label,nice,pcpu,pgid,pid,ppid,rgroup,rss,ruser,seccomp,state,stime,time,tty,user,"
	"vsz",
    .examples = "top ctrID\ntop ctrID pid seccomp args %C\ntop ctrID -eo user,pid,comm",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct top_opts),
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
