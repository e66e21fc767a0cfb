/* SPDX-License-Identifier: ISC */
/*
 * What a layer worker tells its starter when it is done: lines "KEY VALUE\n" on a pipe, the last
 * one "end\n", so that a worker that died half way is noticed.  A value is printable ASCII; every
 * other byte, '%' and the empty value are written as %XX (the empty value as a lone "%").
 *
 * A failure is the lines "error CLASS", "text TEXT" and, if there is one, "hint TEXT" (err.def).
 *
 * Keys by worker, numbers in decimal:
 *	unpack	entries, bytes (contents written), exact (1: the index reproduces the stream),
 *		ids_squashed (entries whose owner is not mapped), devices_skipped, xattrs_skipped,
 *		opaque PATH (any number of times: see opaque.h)
 *	pack	entries, bytes (of the tar), changed (files that shrank meanwhile), sockets_skipped,
 *		fault TEXT (any number of times: see compare.h)
 *	inflate	format (gzip, zstd or none), plain_digest, plain_size, packed_digest, packed_size
 *	lookup	uid, gid, groups (decimal numbers with commas), known (1: the user is in passwd), group_known,
 *		name, home, shell
 */
#ifndef POD_RESULT_H
#define POD_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/own.h"

#define RESULT_MAX (16u << 20) /* bytes of a result as it travels */

struct result_field {
	const char *key, *value;
};

struct result {
	struct arena mem;
	struct result_field *v; /* in the order sent */
	size_t n, cap;
};

/* The worker's side. */
void result_add(struct strbuf *b, const char *key, const char *value);
void result_add_u64(struct strbuf *b, const char *key, uint64_t value);
void result_add_err(struct strbuf *b, const struct err *failure);
int result_send(struct strbuf *b, int fd, struct err *e); /* adds the end */

/*
 * The main function of a worker: run() enters the role, works and adds to out; what it added, or its error alone, is
 * sent to fd.  An error is printed too, and so not sent to standard error a second time.  Returns the exit status.
 */
int result_main(int (*run)(int argc, char **argv, struct strbuf *out, struct err *e), int argc,
    char **argv, int fd);

/*
 * The starter's side.  Reads fd to its end; what it holds is foreign: a worker may have been taken
 * over. -1 with the worker's own error if it sent one, or an error of class ERR_PEER if it broke
 * off, or ERR_TIMEOUT if the end has not come within that time.
 */
int result_read(int fd, int within_ms, struct result *r, struct err *e);

/* The same on n bytes at hand, which are changed. */
int result_parse(char *p, size_t n, struct result *r, struct err *e);

/* The first value of that key, NULL if there is none. */
const char *result_get(const struct result *r, const char *key);
int result_u64(const struct result *r, const char *key, uint64_t *out, struct err *e);
void result_free(struct result *r);
#define own_result own(result_free)

#endif
