/* SPDX-License-Identifier: ISC */
/*
 * The record of a container's end: files that are seen entirely or not at all.
 */
#ifndef POD_MONITOR_RECORD_H
#define POD_MONITOR_RECORD_H

#include "pod-monitor/job.h"

struct record {
	int exit_dir, persist_dir, bundle; /* -1: none */
};

/* Opens the directories, while it is still possible to fail. */
int record_open(struct record *r, const struct job *j, struct err *e);

/* Writes n in decimal without newline to path, which is a file of the user. */
int record_pid(const char *path, long n, struct err *e);

/* persist_dir/exit, then exit_dir/NAME.  Nothing is allocated. */
int record_exit(struct record *r, const char *name, int code, struct err *e);

/* The empty file oom in persist_dir, and for a foreign manager also in the bundle. */
int record_oom(struct record *r, struct err *e);

#endif
