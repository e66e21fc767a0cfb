/* SPDX-License-Identifier: ISC */
/*
 * Log files by name: the worker only ever gets them open.
 */
#ifndef POD_MONITOR_LOGS_H
#define POD_MONITOR_LOGS_H

#include "common/wire/msg.h"
#include "common/wire/peer.h"

#define LOGS_MAX 8

struct logs {
	struct {
		int dir;
		const char *name; /* in dir; part of the target's path */
		int64_t size_max;
	} v[LOGS_MAX];
	size_t n;
};

/* Opens the targets that are files and hands them to the worker.  The paths must outlive l. */
int logs_open(struct logs *l, const struct rec_log_target *targets, size_t n, struct peer *worker,
    struct err *e);

/*
 * Puts an empty file in the place of log i, in one step; the old text is lost to those who do not
 * have it open.  Returns its descriptor.
 */
int logs_renew(struct logs *l, size_t i, struct err *e);

#endif
