/* SPDX-License-Identifier: ISC */
/*
 * Where the output goes: log files by name, and the journal.  The worker only ever gets them open.
 */
#ifndef POD_MONITOR_LOGS_H
#define POD_MONITOR_LOGS_H

#include "common/wire/msg.h"
#include "common/wire/peer.h"

#define LOGS_MAX 8

struct logs {
	struct {
		int dir;	  /* -1: the journal */
		int fd;		  /* until logs_send */
		const char *name; /* in dir; part of the target's path */
		int64_t size, size_max, total_max;
		unsigned files_max;
		bool no_partial_mark, is_volatile;
		bool fixed;   /* a device or FIFO, which nothing may take the place of */
		char *fields; /* for the journal, owned */
	} v[LOGS_MAX];
	size_t n;
	bool passthrough; /* some target is that */
};

/* Whose output it is, for the journal. */
struct logs_owner {
	const char *id, *name;
};

/*
 * Opens the targets.  What they name must outlive l.  Errors have conmon's words.
 */
int logs_open(struct logs *l, const struct rec_log_target *targets, size_t n,
    const struct logs_owner *owner, struct err *e);

/* Hands them to the worker and closes them here. */
int logs_send(struct logs *l, struct peer *worker, struct err *e);

/*
 * Puts an empty file in the place of log i, in one step; the old one becomes path.1 (and that
 * path.2, …) as far as files_max goes, else its text is lost to those who do not have it open.
 * Returns its descriptor.  For the journal: a fresh connection.  Devices and FIFOs stay: -1.
 */
int logs_renew(struct logs *l, size_t i, struct err *e);

#endif
