/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "pod-run/life/listen.h"
#include "pod-run/life/session.h"

int
listen_preserve(struct start *s, struct err *e)
{
	const char *count = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
	struct err missing = {0};
	uint64_t n, pid;

	if (count == NULL || text_to_u64(count, INT32_MAX, &n) == -1 || n == 0)
		return 0;
	if (s->preserve_fds > 0) {
		log_warn("Ignoring LISTEN_FDS to preserve custom user-specified FDs");
		return 0;
	}
	s->preserved = session_preserved(n, NULL, &missing);
	if (s->preserved == -1) {
		/* Said to another process, whose child we are. */
		if (whose == NULL || text_to_u64(whose, INT32_MAX, &pid) == -1 ||
		    pid != (uint64_t)getpid())
			return 0;
		*e = missing;
		return -1;
	}
	s->preserve_fds = s->listen_fds = n;
	return 0;
}
