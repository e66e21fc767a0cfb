/* SPDX-License-Identifier: ISC */
/*
 * Exec sessions in the database.
 */
#ifndef POD_EXEC_H
#define POD_EXEC_H

#include "pod-run/state/ctr.h"

/* Records a session that is about to start. */
int exec_insert(struct db *db, const char *session, const char *ctr, int64_t now_ns, struct err *e);

/* It runs as that process. */
int exec_started(struct db *db, const char *session, pid_t pid, uint64_t start_time, struct err *e);

/* Forgets it; the exit code is kept for a while if code is not NULL. */
int exec_remove(struct db *db, const char *session, const int *code, int64_t now_ns, struct err *e);

/* The sessions of a container. */
int exec_list(struct db *db, const char *ctr, struct strv *ids, struct err *e);

#endif
