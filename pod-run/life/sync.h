/* SPDX-License-Identifier: ISC */
/*
 * Truth before answers: what the database says of a container is compared with the world, which is
 * the exit file, the monitor's lock and the process.  Nothing is spawned.
 *
 * Each container has two lock files below tmp_dir/locks: ID is held by a command while it changes the
 * container; ID.live is held by the monitor while the container lives.
 */
#ifndef POD_SYNC_H
#define POD_SYNC_H

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

#define SYNC_LIVE_SUFFIX ".live"
#define SYNC_NO_EXIT_FILE (-1) /* exit code of a container that vanished without leaving one */

/*
 * Corrects c, as it was read, by what the world shows; writes nothing.  Returns true if c changed
 * (it ended: CTR_STOPPED with its exit code and time).  Safe without the lock, since a wrong old
 * row only leads to a second look under it.
 */
bool sync_look(struct ctx *x, struct ctr *c);

/*
 * Locks the container, loads it, corrects it and records the correction.  Returns the descriptor
 * that holds the lock.  ERR_NOTFOUND: it has gone meanwhile.
 */
int sync_open(struct ctx *x, const char *id, struct ctr *c, struct err *e);
/* As sync_open, found by name or ID prefix. */
int sync_open_word(struct ctx *x, const char *word, struct ctr *c, struct err *e);
/* After the lock was dropped for a while and taken again. */
int sync_reload(struct ctx *x, struct ctr *c, struct err *e);

/* All containers, corrected; where a correction was due, it is recorded under the lock. */
int sync_list(struct ctx *x, struct ctr_list *out, struct err *e);

/* Only those that live. */
int sync_list_live(struct ctx *x, struct ctr_list *out, struct err *e);

/* All of them or those that live, with summaries; only some have their configuration. */
int sync_list_summaries(struct ctx *x, bool live, struct ctr_list *out, struct err *e);

/* True if process pid has the start time start (field 22 of its stat file) and is not a zombie. */
bool sync_process_lives(pid_t pid, uint64_t start);

/* True if the monitor of the container holds its lock. */
bool sync_monitor_lives(struct ctx *x, const char *id);

/* The exit file of a container or exec session: 0 if there is one. */
int sync_exit_file(struct ctx *x, const char *id, int *code, int64_t *when_ns);

#endif
