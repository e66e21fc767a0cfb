/* SPDX-License-Identifier: ISC */
/*
 * From a job to a running runtime: everything that is made before the container exists.
 */
#ifndef POD_MONITOR_START_H
#define POD_MONITOR_START_H

#include "common/base/mem.h"
#include "common/wire/peer.h"
#include "pod-monitor/job.h"
#include "pod-monitor/proc.h"

struct start {
	int bundle;	 /* directory; -1: none, which only a foreign manager's exec may lack */
	char *temporary; /* stands in for it where a terminal needs one */
	int console; /* listening socket on which the runtime hands over the terminal; -1: none */
	char console_path[108];
	struct strv argv;   /* of the runtime */
	struct strv env;    /* of both command lines */
	struct strv delete; /* command line that makes it forget the container */
	int stdio[3];	    /* the container's ends of its streams */
	int extra[PROC_EXTRA_MAX];
	size_t extra_n;
};

/* Prepares the streams, sockets and FIFOs in the bundle, and hands them to the worker. */
int start_prepare(struct start *s, struct job *j, struct peer *worker, struct err *e);

/*
 * Starts the runtime; once more, after it said that the container exists already (its monitor was
 * killed) and start_delete has run.  Returns its process ID, or -1.
 */
pid_t start_runtime(struct start *s, struct job *j, struct err *e);

/* True if that is what the runtime said. */
bool start_exists_already(struct start *s);

/* Closes what only the runtime needed. */
void start_close(struct start *s, struct job *j);

/* Starts the runtime's delete --force. */
pid_t start_delete(struct start *s, struct job *j, struct err *e);

/* The pty master, after the runtime has ended; -1 with e if it made no terminal. */
int start_take_console(struct start *s, struct err *e);

/* The container's process ID from the pid file. */
pid_t start_read_pid(struct start *s, struct job *j, struct err *e);

/* What the runtime logged as its error; fallback is used if it logged none. */
int start_error(struct start *s, struct job *j, const char *fallback, struct err *e);

/* Removes the attach socket, and the console's if no terminal came. */
void start_forget(struct start *s);

#endif
