/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/role/spawn.h"

static pid_t
child(bool ends)
{
	pid_t pid = fork();

	if (pid == 0 && ends)
		_exit(3);
	while (pid == 0)
		pause();
	return pid;
}

TestSuite(spawn, .timeout = 60);

Test(spawn, one_that_ends_is_waited_for)
{
	int status = spawn_end(child(true), 30000);

	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 3);
}

Test(spawn, one_that_does_not_is_ended)
{
	for (int grace_ms = 0; grace_ms <= 50; grace_ms += 50) {
		pid_t pid = child(false);
		int status = spawn_end(pid, grace_ms);

		cr_assert(WIFSIGNALED(status));
		cr_assert_eq(WTERMSIG(status), SIGKILL);
		cr_assert_eq(kill(pid, 0), -1);
		cr_assert_eq(errno, ESRCH);
	}
}
