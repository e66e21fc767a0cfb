/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <unistd.h>

#include "common/fs/stream.h"

#define STREAM_SIZE (1 << 20) /* what an ordinary user may have */

int
stream_pair(int ends[2], struct err *e)
{
	if (pipe2(ends, O_CLOEXEC) == -1)
		return err_sys(e, "making a pipe");
	/* Less is no failure. */
	(void)fcntl(ends[1], F_SETPIPE_SZ, STREAM_SIZE);
	return 0;
}
