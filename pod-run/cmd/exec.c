/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/warm.h"
#include "common/oci/attach.h"
#include "pod-run/cmd/cmds.h"
#include "pod-run/cmd/select.h"
#include "pod-run/life/exec.h"
#include "pod-run/life/sync.h"
#include "pod-run/oci/spec_env.h"

struct exec_opts {
	const char *cidfile, *detach_keys, *user, *workdir;
	bool detach, interactive, latest, no_session, privileged, tty;
	int64_t wait_s;
	uint64_t preserve_fds;
	struct strv env, env_file, preserve_fd;
};

static const struct opt rows[] = {
    {"cidfile", 0, OPT_STRING(struct exec_opts, cidfile), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read the container ID from the file"},
    {"detach", 'd', OPT_BOOL(struct exec_opts, detach),
	.help = "Run the exec session in detached mode (backgrounded)"},
    {"detach-keys", 0, OPT_CALL(struct exec_opts, detach_keys, detach_option), .arg = "sequence",
	.show = "ctrl-p,ctrl-q", .help = "Select the key sequence for detaching a container"},
    {"env", 'e', OPT_LIST(struct exec_opts, env), .arg = "env",
	.help = "Set environment variables"},
    {"env-file", 0, OPT_LIST(struct exec_opts, env_file), .arg = "file", .complete = COMPLETE_FILE,
	.help = "Read in a file of environment variables"},
    {"interactive", 'i', OPT_BOOL(struct exec_opts, interactive),
	.help = "Make STDIN available to the contained process"},
    {"latest", 'l', OPT_BOOL(struct exec_opts, latest),
	.help = "Act on the latest container podman is aware of"},
    {"no-session", 0, OPT_BOOL(struct exec_opts, no_session),
	.help = "Do not create a database session for the exec process"},
    {"preserve-fd", 0, OPT_COMMA(struct exec_opts, preserve_fd), .arg = "FD1[,FD2,...]",
	.help = "Pass a list of additional file descriptors to the container"},
    {"preserve-fds", 0, OPT_UINT(struct exec_opts, preserve_fds), .arg = "N", .def = "0",
	.help = "Pass N additional file descriptors to the container"},
    {"privileged", 0, OPT_BOOL(struct exec_opts, privileged),
	.help = "Give the process extended Linux capabilities inside the container"},
    {"tty", 't', OPT_BOOL(struct exec_opts, tty), .help = "Allocate a pseudo-TTY"},
    {"user", 'u', OPT_STRING(struct exec_opts, user), .arg = "user[:group]",
	.complete = COMPLETE_USER,
	.help =
	    "Sets the username or UID used and optionally the groupname or GID for the specified "
	    "command"},
    {"wait", 0, OPT_INT(struct exec_opts, wait_s), .bits = 32, .arg = "seconds", .def = "0",
	.flags = OPT_HIDDEN, .help = "Total seconds to wait for container to start"},
    {"workdir", 'w', OPT_STRING(struct exec_opts, workdir), .arg = "dir",
	.help = "Working directory inside the container"},
    OPT_END,
};

static int
find(struct ctx *x, const struct exec_opts *o, int *argc, char ***argv, char id[NAMES_ID_LEN + 1],
    struct err *e)
{
	own_mem char *from_file = NULL;

	if (o->cidfile != NULL) {
		from_file = select_read_cidfile(o->cidfile, e);
		return from_file == NULL ? -1 : select_one(x, from_file, false, id, e);
	}
	if (o->latest)
		return select_one(x, NULL, true, id, e);
	if (*argc == 0)
		return err_set(e, ERR_USAGE,
		    "exec requires the name or ID of a container or the --latest or --cidfile "
		    "flag");
	if (select_one(x, (*argv)[0], false, id, e) == -1)
		return -1;
	(*argc)--;
	(*argv)++;
	return 0;
}

#define POLL_MS 50

static bool
is_over(int64_t end_ns)
{
	if (ctx_now_ns() >= end_ns)
		return true;
	usleep(POLL_MS * 1000);
	return false;
}

/* With --wait both the container and its process may still be to come. */
static int
await_ctr(struct ctx *x, const struct exec_opts *o, int *argc, char ***argv,
    char id[NAMES_ID_LEN + 1], struct err *e)
{
	int64_t end_ns = ctx_now_ns() + o->wait_s * INT64_C(1000000000);

	while (find(x, o, argc, argv, id, e) == -1) {
		if (e->class != ERR_NOTFOUND || is_over(end_ns))
			return -1;
		err_clear(e);
	}
	return 0;
}

static int
await_running(struct ctx *x, const char *id, int64_t wait_s, struct ctr *c, struct err *e)
{
	int64_t end_ns = ctx_now_ns() + wait_s * INT64_C(1000000000);

	for (;;) {
		ctr_free(c);
		*c = (struct ctr){0};
		if (ctr_load(ctx_db(x, e), id, c, e) == -1)
			return -1;
		sync_look(x, c);
		if (c->status == CTR_RUNNING || is_over(end_ns))
			return 0;
	}
}

static int
read_env(const struct exec_opts *o, struct arena *a, struct strs *out, struct err *e)
{
	const char *const *caller = (const char *const *)environ;

	for (size_t i = 0; i < o->env_file.n; i++)
		if (spec_env_file(o->env_file.v[i], caller, a, out, e) == -1)
			return -1;
	for (size_t i = 0; i < o->env.n; i++)
		if (spec_env_word(o->env.v[i], caller, a, out, e) == -1)
			return -1;
	return 0;
}

static int
run(struct cli_ctx *cli, void *opts, int argc, char **argv, struct err *e)
{
	struct exec_opts *o = opts;
	struct ctx *x = ctx_of(cli);
	own_arena struct arena a = {0};
	own_ctr struct ctr c = {0};
	char id[NAMES_ID_LEN + 1], session[NAMES_ID_LEN + 1];
	struct exec_request q = {.user = o->user,
	    .workdir = o->workdir != NULL && *o->workdir != '\0' ? o->workdir : NULL,
	    .detach_keys = o->detach_keys,
	    .tty = o->tty,
	    .interactive = o->interactive,
	    .privileged = o->privileged,
	    .detach = o->detach,
	    .no_session = o->no_session,
	    .preserve_fd = &o->preserve_fd,
	    .preserve_fds = o->preserve_fds};
	int r;

	if (o->preserve_fd.n > 0 && o->preserve_fds > 0)
		return err_set(
		    e, ERR_INVALID, "cannot specify both --preserve-fds and --preserve-fd");
	if (cmd_given(cli, "wait") && o->wait_s < 0)
		return err_set(e, ERR_INVALID, "--wait must not be negative");
	warm_start();
	if (await_ctr(x, o, &argc, &argv, id, e) == -1)
		return -1;
	if (argc == 0)
		return err_set(e, ERR_USAGE,
		    "must provide a non-empty command to start an exec session: invalid argument");
	if (read_env(o, &a, &q.env, e) == -1 || await_running(x, id, o->wait_s, &c, e) == -1)
		return -1;
	if (c.status != CTR_RUNNING)
		return exec_improper(e);
	q.args = (struct strs){.v = (const char **)argv, .n = (size_t)argc};
	r = exec_run(x, &c, &q, session, e);
	if (r == 0 && o->detach)
		puts(session);
	return r;
}

const struct cmd cmd_exec = {
    .name = "exec",
    .synopsis = "[options] CONTAINER COMMAND [ARG...]",
    .brief = "Run a process in a running container",
    .text = "Execute the specified command inside a running container.",
    .examples = "exec -it ctrID ls\nexec -it -w /tmp myCtr pwd\nexec --user root ctrID ls",
    .opts = {{rows, 0}},
    .opts_size = sizeof(struct exec_opts),
    .max = CMD_ANY,
    .stop_at_operand = true,
    .complete = COMPLETE_CONTAINER_RUNNING,
    .run = run,
};
