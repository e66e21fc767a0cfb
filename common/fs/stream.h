/* SPDX-License-Identifier: ISC */
/*
 * A stream of bytes from one process to another.
 */
#ifndef POD_STREAM_H
#define POD_STREAM_H

#include "common/base/err.h"

/*
 * Makes a pipe for much data, close-on-exec: what is written to ends[1] is read from ends[0].  It holds 1 MiB where the
 * user's share of pipes allows that, so that its two ends wait for each other less often.
 */
int stream_pair(int ends[2], struct err *e);

#endif
