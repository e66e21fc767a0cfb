/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/fs/file.h"
#include "common/fs/stream.h"

static void
make(int ends[2])
{
	struct err e = {0};

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(stream_pair(ends, &e), 0, "%s", e.text);
}

Test(stream, goes_one_way)
{
	char got[8];
	int ends[2];

	make(ends);
	cr_assert_eq(file_put(ends[1], "bytes", 5), 0);
	cr_assert_eq(file_put(ends[0], "back", 4), -1);
	cr_assert_eq(errno, EPIPE);
	close(ends[1]);
	cr_assert_eq(file_get(ends[0], got, sizeof(got)), 5);
	cr_assert_eq(memcmp(got, "bytes", 5), 0);
	close(ends[0]);
}

/* The reader goes while the writer waits for it: its error, told by a process of its own. */
static int
error_of_writer(bool sends)
{
	static const char much[1 << 20];
	char name[] = "/tmp/test-stream.XXXXXX", one;
	int ends[2], status, file = mkstemp(name);
	pid_t pid;

	cr_assert_neq(file, -1);
	unlink(name);
	cr_assert_eq(file_put(file, much, sizeof(much)), 0);
	make(ends);
	pid = fork();
	if (pid == 0) {
		ssize_t n = 0;

		close(ends[0]);
		for (;;) {
			off_t at = 0;

			n = sends ? stream_send(ends[1], file, &at, sizeof(much))
				  : file_put(ends[1], much, sizeof(much));
			if (n == -1)
				_exit(errno);
		}
	}
	close(ends[1]);
	cr_assert_eq(read(ends[0], &one, 1), 1);
	usleep(50000); /* for it to wait: it must not know the difference if it does not */
	close(ends[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	close(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(stream, reader_that_has_gone)
{
	cr_assert_eq(error_of_writer(false), EPIPE);
	cr_assert_eq(error_of_writer(true), EPIPE);
}
