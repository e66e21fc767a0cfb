/* SPDX-License-Identifier: ISC */
/*
 * The client's side of an attached container: the socket, the terminal, the detach keys and the
 * copy loop of run, start -a, attach and exec.
 */
#ifndef POD_ATTACH_H
#define POD_ATTACH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* --- Detach keys: "ctrl-p,ctrl-q", "a,b", "ctrl-@"; "" means none -------------------------------
 */

#define DETACH_KEYS_MAX 32
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct detach {
	uint8_t key[DETACH_KEYS_MAX];
	size_t n;
	size_t seen; /* keys at the end of the input so far */
};

int detach_parse(struct detach *d, const char *spec, struct err *e);

/* For rows of options (OPT_CALL): stores the word, borrowed, in a const char * if it can be parsed. */
int detach_option(void *member, const char *spec, struct err *e);

/*
 * Takes n bytes of input and stores in out what goes to the container (at most n + DETACH_KEYS_MAX
 * bytes).  The beginning of the sequence is held back until it is clear that it is not one. Returns
 * true when the sequence is complete; the input behind it is dropped.
 */
bool detach_feed(struct detach *d, const uint8_t *in, size_t n, uint8_t *out, size_t *out_n);

/* --- Connections --------------------------------------------------------------------------------
 */

/* A connected pair for the first client: fd[0] stays here, fd[1] goes with monitor_start. */
int attach_pair(int fd[2], struct err *e);

/* Connects to the container whose bundle is in dir.  e->no is ENOENT or ECONNREFUSED if it has
 * ended. */
int attach_connect(const char *dir, struct err *e);

/* Tells the monitor the size of the terminal in, or of rows and columns.  Best effort. */
void attach_resize(const char *dir, unsigned rows, unsigned columns);

/* --- The copy loop ------------------------------------------------------------------------------
 */

enum attach_end {
	ATTACH_ENDED,	 /* the container has ended, or its monitor has gone */
	ATTACH_DETACHED, /* the user typed the detach keys */
	ATTACH_STOPPED,	 /* on_signal or on_ready said so */
	ATTACH_UNREAD,	 /* there was more for out, which takes no more: see lost */
};

struct attach {
	int sock;		 /* borrowed */
	int in, out, err;	 /* -1: not copied; out and err may be one */
	bool tty;		 /* the container has a terminal: in becomes raw if it is one */
	const char *dir;	 /* bundle, for the size of the terminal; NULL: not told */
	const char *detach_keys; /* NULL: the default; only looked at with tty */
	/*
	 * Signals that are the caller's while the loop runs (SIGWINCH is the loop's own); on_signal
	 * gets each and returns false to end the loop.
	 */
	sigset_t signals;
	bool (*on_signal)(int sig, void *arg);
	/* A further descriptor to watch, -1: none; on_ready is called when it is readable. */
	int extra;
	bool (*on_ready)(void *arg);
	void *arg;
	int lost; /* out: the error of the write to out, or 0 */
};

/* Everything empty: no streams, no signals. */
void attach_init(struct attach *a);

/*
 * Copies until the end, or until out takes no more (EPIPE, ENOSPC, …); err that takes no more, or a terminal that has
 * gone, loses its stream only.  The terminal is as it was when the call returns.
 */
int attach_run(struct attach *a, enum attach_end *end, struct err *e);

#endif
