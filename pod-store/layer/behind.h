/* SPDX-License-Identifier: ISC */
/*
 * What a stream of a layer need not wait for: a thread digests its pieces, in their order, and writes some of them
 * to a file as well.  For roles with SYS_THREAD.
 */
#ifndef POD_BEHIND_H
#define POD_BEHIND_H

#include "common/base/err.h"
#include "pod-store/layer/digest.h"

struct behind;

/* NULL if no thread can be had. */
struct behind *behind_begin(void);

/*
 * Adds a piece, which stays as it is until behind_release.  copy: a descriptor that gets it too, or -1.  -1: an
 * earlier one was not written.
 */
int behind_add(
    struct behind *b, struct digest *d, int copy, const void *p, size_t n, struct err *e);

/* Returns when no piece at p is needed any longer. */
void behind_release(struct behind *b, const void *p);

/* Returns when all is done, and frees b; NULL: nothing to do.  -1: a piece was not written. */
int behind_end(struct behind *b, struct err *e);

#endif
