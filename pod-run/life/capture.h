/* SPDX-License-Identifier: ISC */
/*
 * The output of a process that nobody watches: its beginning is kept, the rest is read and dropped.
 */
#ifndef POD_CAPTURE_H
#define POD_CAPTURE_H

#include <sys/types.h>

#include "common/wire/peer.h"

struct capture {
	int64_t timeout_ms; /* then SIGTERM, and soon SIGKILL; 0: none */
	size_t max;	    /* bytes kept */

	/* Out. */
	struct strbuf text;
	bool timed_out;
	int code; /* if exited */
	bool exited;
};

/*
 * Reads from sock until the monitor says that process pid has ended, or is gone itself; what came
 * from where is not told apart.  start is the process's start time.
 */
void capture_run(struct capture *c, int sock, struct peer *monitor, pid_t pid, uint64_t start);

#endif
