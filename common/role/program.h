/* SPDX-License-Identifier: ISC */
/*
 * Running programs of others that are asked on standard input and answer on standard output: CNI and
 * netavark plug-ins, drivers of secrets, hooks.  What they say is bounded, and mostly the time they take.
 */
#ifndef POD_PROGRAM_H
#define POD_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"

#define PROGRAM_OUTPUT_MAX ((size_t)1 << 20)
#define PROGRAM_TIME_MS 30000

struct program_run {
	const char *path;		/* without a slash: looked for as a shell does */
	const char *name;		/* its word 0; NULL: the path */
	const struct strv *arguments;	/* behind the name; may be NULL */
	const struct strv *environment; /* the whole of it */
	const char *input;
	size_t input_size;
	size_t output_max; /* bytes of each stream; 0: PROGRAM_OUTPUT_MAX */
	int time_ms;	   /* 0: PROGRAM_TIME_MS */
	bool same_stderr;  /* what it prints there is the user's to see */
	/*
	 * The user may be asked something on the terminal: no limit of time, no process group of its own, and
	 * standard error stays ours.
	 */
	bool interactive;
};

struct program_result {
	int status; /* exit status; 128 and the signal */
	struct strbuf out, err;
};

/*
 * Runs it and waits for its end.  One that takes too long or says too much is killed with all it started,
 * and is an error; a failure that it reports itself is not.  It need not read its input.
 */
int program_run(const struct program_run *r, struct program_result *out, struct err *e);
void program_free(struct program_result *r);

/*
 * Looks whether one that was started elsewhere has ended, or waits for it: 0 if not, or well, and -1 if it failed.
 * *pid is 0 once it has ended; so it may be before.
 */
int program_ended(pid_t *pid, const char *name, bool wait, struct err *e);

/* The first file of that name in the directories that can be executed, or NULL.  A name with a slash is none. */
char *program_find(const struct strv *dirs, const char *name);

#endif
