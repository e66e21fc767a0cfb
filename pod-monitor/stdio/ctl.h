/* SPDX-License-Identifier: ISC */
/*
 * Requests on the ctl FIFO of a container, as conmon takes them: lines "TYPE A B", decimal numbers,
 * further words ignored.  "1 ROWS COLUMNS" resizes the terminal, "2 x y" reopens the logs.
 */
#ifndef POD_STDIO_CTL_H
#define POD_STDIO_CTL_H

#include <stdbool.h>
#include <stddef.h>

#define CTL_LINE_MAX 200
#define CTL_SIZE_MAX 1000 /* most rows or columns */

/*
 * A second FIFO, winsz, takes lines "ROWS COLUMNS" alone.
 */
enum ctl_kind { CTL_RESIZE = 1, CTL_REOPEN = 2 };

struct ctl_request {
	enum ctl_kind kind;
	unsigned rows, columns;
};

/* A line under way.  Zero-initialised means empty. */
struct ctl {
	char line[CTL_LINE_MAX];
	size_t n;
	bool skip;  /* the line was too long: drop it to its end */
	bool sizes; /* lines are sizes alone */
};

/* Parses one line of n bytes without newline.  Returns 0, or -1 if it is not a request. */
int ctl_parse(const char *line, size_t n, struct ctl_request *out);
int ctl_parse_size(const char *line, size_t n, struct ctl_request *out);

/*
 * Takes bytes from *p on until a request is complete.  Returns true with *out filled, and *p, *n
 * moved behind it; false when all bytes are used up.  Lines that are no request are dropped.
 */
bool ctl_feed(struct ctl *c, const char **p, size_t *n, struct ctl_request *out);

#endif
