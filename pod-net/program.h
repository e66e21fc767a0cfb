/* SPDX-License-Identifier: ISC */
/*
 * Running programs of others that are asked on standard input and answer on standard output: CNI and
 * netavark plug-ins.  What they say is bounded in size and time.
 */
#ifndef POD_PROGRAM_H
#define POD_PROGRAM_H

#include "common/base/err.h"
#include "common/base/mem.h"

#define PROGRAM_OUTPUT_MAX ((size_t)1 << 20)
#define PROGRAM_TIME_MS 30000

struct program_run {
	const char *path;
	const struct strv *arguments;	/* behind the name; may be NULL */
	const struct strv *environment; /* the whole of it */
	const char *input;
};

struct program_result {
	int status; /* exit status; 128 and the signal */
	struct strbuf out, err;
};

/*
 * Runs it and waits for its end.  One that takes too long or says too much is killed with all it started,
 * and is an error; a failure that it reports itself is not.
 */
int program_run(const struct program_run *r, struct program_result *out, struct err *e);
void program_free(struct program_result *r);

/* The first file of that name in the directories that can be executed, or NULL.  A name with a slash is none. */
char *program_find(const struct strv *dirs, const char *name);

#endif
