/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/end.h"
#include "pod-run/life/health.h"

struct run_opts {
	bool ignore, timer;
};

static const struct opt rows[] = {
    {"ignore-result", 0, OPT_BOOL(struct run_opts, ignore),
	.help = "Exit code remains 0 regardless of the healthcheck result"},
    {"timer", 0, OPT_BOOL(struct run_opts, timer), .flags = OPT_HIDDEN,
	.help = "Run by the monitor: the exit status tells when the next check is due"},
    OPT_END,
};

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	const struct run_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	char id[NAMES_ID_LEN + 1];
	struct health_run r = {.next = HEALTH_NEVER};
	int rc;

	(void)argc;
	if (select_one(x, argv[0], false, id, e) == -1)
		rc = err_wrap(e, "unable to look up %s to perform a health check", argv[0]);
	else
		rc = health_run(x, id, &r, e);
	end_settle(x);
	if (o->timer)
		return (int)r.next;
	if (rc == -1)
		return -1;
	if (strcmp(r.word, HEALTH_HEALTHY) == 0)
		return 0;
	puts(r.word);
	return o->ignore ? 0 : 1;
}

static const struct cmd cmd_healthcheck_run = {
    .name = "run",
    .synopsis = "[options] CONTAINER",
    .brief = "Run the health check of a container",
    .text = "Run the health check of a container",
    .examples = "healthcheck run mywebapp",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct run_opts),
    .min = 1,
    .max = 1,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};

static const struct cmd_place sub[] = {{.cmd = &cmd_healthcheck_run}, {0}};

const struct cmd cmd_healthcheck = {
    .name = "healthcheck",
    .brief = "Manage health checks on containers",
    .text = "Run health checks on containers",
    .sub = sub,
};
