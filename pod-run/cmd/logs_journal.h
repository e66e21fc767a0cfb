/* SPDX-License-Identifier: ISC */
/*
 * The output of a container out of the journal, by way of journalctl(1).
 */
#ifndef POD_LOGS_JOURNAL_H
#define POD_LOGS_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

#define JOURNAL_CURSOR_MAX 256

struct journal_query {
	const char *id;		    /* the container's */
	uid_t self;		    /* ours, as the host knows it */
	int64_t tail;		    /* whole lines from the end; -1: all */
	int64_t since_ns, until_ns; /* 0: from the beginning, to the end */
};

struct journal {
	pid_t pid;			 /* journalctl's; 0: it does not run */
	char cursor[JOURNAL_CURSOR_MAX]; /* of the last entry; "": there was none */
};

/*
 * Starts journalctl and returns what it writes to, in the export format: the entries behind the cursor if there is one.
 * follow: it goes on when new entries come.
 */
int journal_start(struct journal *j, const struct journal_query *q, bool follow, struct err *e);
void journal_stop(struct journal *j);

#endif
