/* SPDX-License-Identifier: ISC */
/*
 * What each container holds of the network, one file each: RUNROOT/net/containers/ID, written before
 * anything outside is changed, and removed after the last of it has been undone.
 *
 * While a set-up or a connect is under way its process holds a lock on the file; when the coordinator has gone, and so
 * has recorded the container, the file's time is set and the lock goes.  A sweep leaves locked files and
 * those released after the sweep's own start alone: the list it was given may be older.
 */
#ifndef POD_STATE_H
#define POD_STATE_H

#include "common/base/mem.h"
#include "common/wire/msg.h"

struct state_dir {
	int fd;
	char *path; /* absolute, owned */
};

/* Opens, and makes if missing, RUNROOT/net/containers. */
int state_open(struct state_dir *d, const char *run_root, struct err *e);
void state_close(struct state_dir *d);

/* The absolute path of a container's file; memory is a's. */
const char *state_path(const struct state_dir *d, const char *id, struct arena *a);

/* True if id may name a file: letters, digits, '_', '.' and '-'. */
bool state_id_valid(const char *id);

/* Writes the file and locks it.  Returns the descriptor that holds the lock. */
int state_write(
    const struct state_dir *d, const char *id, const struct rec_net_state *s, struct err *e);

/* Writes it anew for a container that runs: readers see the old one or the new one. */
int state_replace(
    const struct state_dir *d, const char *id, const struct rec_net_state *s, struct err *e);

/*
 * Locks the file of a container that is there, without waiting.  Returns the descriptor that holds the lock, or -1: it
 * has been retired meanwhile, or another has the lock.
 */
int state_hold(const struct state_dir *d, const char *id);

/* Writes more into the file that fd, of state_write, has locked: only what is longer than before. */
int state_extend(int fd, const struct rec_net_state *s, struct err *e);

/* Says that the container has been recorded: sets the time and gives up the lock. */
void state_release(int *fd);

/* 1: read, 0: there is none, -1 with e.  Memory is a's. */
int state_read(const struct state_dir *d, const char *name, struct rec_net_state *s,
    struct arena *a, struct err *e);

/*
 * Takes the file out of the way, under a name of its own beginning with '.', which another set-up of
 * the same container cannot meet.  Returns that name (memory is a's) or NULL.
 */
const char *state_retire(const struct state_dir *d, const char *id, struct arena *a);
void state_remove(const struct state_dir *d, const char *name);

/* Names of the files that a sweep may look at: unlocked and not released after since_ns. */
int state_names(const struct state_dir *d, int64_t since_ns, struct strv *out, struct err *e);
/* Names of all files. */
int state_all(const struct state_dir *d, struct strv *out, struct err *e);
bool state_none(const struct state_dir *d);

#endif
