/* SPDX-License-Identifier: ISC */
/*
 * A stream of bytes from one process to another.
 */
#ifndef POD_STREAM_H
#define POD_STREAM_H

#include <sys/types.h>

#include "common/base/err.h"

/*
 * Makes a stream for much data, close-on-exec: what is written to ends[1] is read from ends[0], and nothing goes the
 * other way.  It is a unix(7) socket: a pipe allocates, charges and frees a page for every 4 KiB, which takes three
 * times as long.  A reader that goes with bytes unread is ECONNRESET to the writer; file_put and stream_send say EPIPE.
 */
int stream_pair(int ends[2], struct err *e);

/* As sendfile(2), to a stream or a pipe: EPIPE if the reader has gone. */
ssize_t stream_send(int to, int file, off_t *at, size_t n);

#endif
