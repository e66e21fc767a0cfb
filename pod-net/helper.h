/* SPDX-License-Identifier: ISC */
/*
 * Foreign programs that carry an ordinary user's traffic (pasta, slirp4netns): found, started in a
 * namespace, and ended.
 *
 * RUNROOT/net/helpers/ID is a symbolic link through which the helper found the namespace, and
 * RUNROOT/net/helpers/ID.pid its process ID.  pasta watches the link and leaves when it is gone.
 */
#ifndef POD_HELPER_H
#define POD_HELPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"
#include "pod-net/port.h"

/* The program's path, or NULL; it is searched in the directories said, if any, and where programs are. */
char *helper_find(const struct strv *said, const char *name);

/* The error that there is none; returns -1. */
int helper_missing(const char *name, const char *package, struct err *e);

/* What a helper is to do; all is borrowed. */
struct helper_job {
	const char *path; /* the program */
	const char *id, *run_root;
	const struct strs *options; /* the user's */
	const struct port_list *ports;
	int dir; /* RUNROOT/net */
	int netns;
};

/*
 * A process that stands in the namespace so that it has a path, /proc/PID/ns/net, which any program of
 * the same user may open: it has no capabilities.  It ends with helper_anchor_end or with this process.
 */
struct helper_anchor {
	pid_t pid;
	int pipe;
};
void helper_anchor_end(struct helper_anchor *a);

/* One with the link RUNROOT/net/helpers/ID to it; dir is RUNROOT/net.  An older helper is ended. */
int helper_place(struct helper_anchor *a, int dir, const char *id, int netns, struct err *e);

/*
 * Runs the program and waits until it has gone to the background.  A failure is "NAME failed with
 * exit code N: what it said".
 */
int helper_run(const struct strv *argv, struct err *e);

/*
 * Starts a program that stays in the foreground: its descriptor 3 is where it writes when it is ready, 4
 * is end.  Its process ID is written to ID.pid.
 */
int helper_run_on(const struct strv *argv, int end, int dir, const char *id, struct err *e);

/* True if the container's helper is alive. */
bool helper_runs(int dir, const char *id);

/* Notes a program that was started by others and has "/helpers/ID" at the end of an argument. */
int helper_note(int dir, const char *id, pid_t pid, struct err *e);

/* Ends the container's helper, if it has one, and removes its files. */
void helper_end(int dir, const char *id);

/* An error that says why if /dev/net/tun cannot be used. */
int helper_check_tun(struct err *e);

/*
 * Waits until fd can be read, which it is also when its other end is closed.  After 20 seconds the child pid is killed
 * and reaped, and that is an error.
 */
int helper_await(int fd, pid_t pid, const char *name, struct err *e);

#endif
