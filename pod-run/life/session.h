/* SPDX-License-Identifier: ISC */
/*
 * A person before a container: streams, terminal, signals, until it ends or the person detaches.
 */
#ifndef POD_SESSION_H
#define POD_SESSION_H

#include <signal.h>
#include <sys/types.h>

#include "pod-run/ctx.h"
#include "pod-run/state/ctr.h"

struct session {
	int sock;	      /* attach socket, ours */
	struct peer *monitor; /* borrowed; NULL: only attached, the end shows in the exit file */
	const char *dir;      /* bundle */
	bool tty, in, out, err;
	const char *detach_keys; /* NULL: the configuration's */
	bool sig_proxy;
	pid_t pid; /* gets the signals */
	uint64_t pid_start;

	/* Out. */
	bool detached, exited;
	int unread; /* detached by this error of standard output (EPIPE, ENOSPC, …), or 0 */
	int code;
	bool oom;
	int64_t exited_ns;
};

/* The streams that --attach names: sets what is named. */
int session_choose(const struct strv *names, struct session *s, struct err *e);

/* Runs it.  After success either detached or exited is set, or neither if the monitor vanished. */
int session_run(struct ctx *x, struct session *s, struct err *e);

/* What the command ends with that left the container or session id to itself: 0, or -1 with e if output was lost. */
int session_left(const struct session *s, const char *id, struct err *e);

/* A connected pair for the first client of a container: *ours stays, *theirs goes to the monitor. */
int session_pair(int *ours, int *theirs, struct err *e);

/* The size of our terminal, 0 0 if there is none. */
void session_size(uint64_t *rows, uint64_t *columns);

#define SESSION_PRESERVE_MAX 190

/*
 * Descriptors 3 … 2 + n, or those with the given numbers, in the queue of a fresh socket, for preserve_fds; -1
 * with e on failure.
 */
int session_preserved(uint64_t n, const uint64_t *numbers, struct err *e);

/*
 * The same for --preserve-fd: descriptors that keep their numbers, whatever lies between them.  The numbers
 * go to *as, rising, and *count gets how many descriptors after 2 there are up to the last.
 */
int session_preserved_numbers(
    const struct strv *words, struct arena *a, struct strs *as, uint64_t *count, struct err *e);

/* Signals that are passed on to what a person stands before. */
void session_proxied(sigset_t *set);

/* The exit status of a command for a container's code: -1 becomes 255. */
int session_status(int code);

/*
 * Waits for the end of a container that others started, as it was seen, whoever records that; returns its exit
 * status, -1 with e.
 */
int session_exit_status(struct ctx *x, const struct ctr *seen, struct err *e);

#endif
