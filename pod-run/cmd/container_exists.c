/* SPDX-License-Identifier: ISC */
#include "pod-run/cmd/cmds.h"
#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct exists_opts {
	bool external;
};

static const struct opt rows[] = {
    {"external", 0, OPT_BOOL(struct exists_opts, external),
	.help = "Check external storage containers as well as Podman containers"},
    OPT_END,
};

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct db *db = ctx_db(ctx_of(cli), e);
	char id[NAMES_ID_LEN + 1];

	(void)opts;
	(void)argc;
	if (db == NULL)
		return -1;
	if (ctr_find(db, argv[0], id, e) == 0)
		return 0;
	return e->class == ERR_NOTFOUND ? 1 : -1;
}

const struct cmd cmd_container_exists = {
    .name = "exists",
    .synopsis = "[options] CONTAINER",
    .brief = "Check if a container exists in local storage",
    .text = "If the named container exists in local storage, podman container exists exits with 0, "
	    "otherwise the exit code will be 1.",
    .examples = "container exists containerID\ncontainer exists mycontainer || podman run --name "
		"mycontainer ubi9",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct exists_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_CONTAINER,
    .run = run,
};
