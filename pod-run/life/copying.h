/* SPDX-License-Identifier: ISC */
/*
 * The worker that copies files between descriptors, and out of and into tar streams.
 */
#ifndef POD_COPYING_H
#define POD_COPYING_H

#include "common/wire/msg.h"

#define COPYING_NO_ARCHIVE "the stream is not a (compressed) tar archive"

/* Has a fresh worker carry m out. */
int copying_run(const struct msg_copy *m, struct err *e);

/*
 * The same for a tar stream, which may be compressed: gzip or zstd.  *source, taken over, becomes m->source.  No
 * archive at all is of class FORMAT.
 */
int copying_unpack(struct msg_copy *m, int *source, struct err *e);

/* Whether stream ends before its first byte, which it keeps; waits for that. */
bool copying_is_empty(int stream);

#endif
