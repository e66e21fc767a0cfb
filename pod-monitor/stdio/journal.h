/* SPDX-License-Identifier: ISC */
/*
 * Output to the journal by its native protocol: a datagram of NAME=value lines for each line of the
 * container.  No memory is allocated.
 */
#ifndef POD_STDIO_JOURNAL_H
#define POD_STDIO_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/oci/klog.h"

#define JOURNAL_LINE_MAX 8191 /* longer lines come in pieces of this size */
#define JOURNAL_FIELDS_MAX 32768

/* Large, and untouched by those who have no journal. */
struct journal_space {
	char line[2][JOURNAL_LINE_MAX];	 /* under way, by stream */
	char fields[JOURNAL_FIELDS_MAX]; /* go with each message, each ends in a newline */
};

struct journal {
	int fd; /* connected datagram socket, -1: none */
	bool no_partial_mark;
	size_t fields_n, line_n[2];
	struct journal_space *space;
};

/*
 * Sends what is complete of n bytes of output; the rest of a line waits for its end.  Returns 0, or
 * -1 if the journal could not be reached: those lines are lost.
 */
int journal_write(struct journal *j, enum klog_stream stream, const char *data, size_t n);

/* The container has ended: lines that lack their end go as they are. */
int journal_flush(struct journal *j);

#endif
