/* SPDX-License-Identifier: ISC */
/*
 * Jobs: one or more workers started for a request, whose results are gathered while the loop goes on.
 */
#ifndef POD_JOB_H
#define POD_JOB_H

#include <sys/types.h>

#include "common/role/spawn.h"
#include "pod-store/layer/result.h"
#include "pod-store/server.h"

#define JOB_WORKERS 3
#define JOB_MAX 64 /* at once on one connection */

struct job_worker {
	struct job *job;
	pid_t pid; /* 0: over */
	int fd;	   /* its result comes here */
	struct event *ev;
	struct strbuf out;
};

struct job {
	struct conn *conn;
	struct job *next;
	uint32_t seq;
	struct job_worker w[JOB_WORKERS];
	size_t n, running;
	/*
	 * Called once when all workers are over, or (cancelled) when the connection has ended; frees data.  r
	 * are the results in the order of the workers, NULL if one failed, and then e says how.  It answers the
	 * request; -1 with e set makes that the answer.
	 */
	int (*finish)(struct job *j, struct result *r, bool cancelled, struct err *e);
	void *data;
};

/* NULL with e set if the connection has too many; data stays the caller's then. */
struct job *job_new(struct conn *c, uint32_t seq,
    int (*finish)(struct job *, struct result *, bool, struct err *), void *data, struct err *e);

/*
 * Starts a worker; result_slot is the descriptor it writes its result to.  On failure the caller gives
 * the job up with job_abort.
 */
int job_start(struct job *j, struct spawn *sp, int result_slot, struct err *e);

/* Ends a job that could not be started: finish is not called.  NULL is fine. */
void job_abort(struct job *j);

/* Ends all jobs of a connection that is gone. */
void job_cancel_all(struct conn *c);

#endif
