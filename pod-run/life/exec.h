/* SPDX-License-Identifier: ISC */
/*
 * Processes started in running containers.
 */
#ifndef POD_LIFE_EXEC_H
#define POD_LIFE_EXEC_H

#include "pod-run/life/capture.h"
#include "pod-run/life/session.h"
#include "pod-run/state/ctr.h"

struct exec_request {
	struct strs args, env;
	const char *user, *workdir, *detach_keys;
	bool tty, interactive, privileged, detach;
	bool no_session; /* nothing is recorded of it */
	uint64_t preserve_fds;
	const struct strv *preserve_fd; /* numbers, instead of preserve_fds; NULL or empty: none */
	struct capture *capture;	/* instead of our own streams; NULL: those */
};

/*
 * Runs it in c, which was seen running; returns the exit status of the process, 0 when detached (the
 * session's ID is printed by the caller from session), or -1 with e.
 */
int exec_run(struct ctx *x, struct ctr *c, const struct exec_request *q,
    char session[NAMES_ID_LEN + 1], struct err *e);

/* The error of an exec in a container that does not run. */
int exec_improper(struct err *e);

/* The cleanup after a detached session: its row and directory go, its exit code stays a while. */
int exec_finish(struct ctx *x, const char *ctr, const char *session, struct err *e);

#endif
