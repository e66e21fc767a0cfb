/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/result.o
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "common/role/spawn.h"
#include "pod-store/layer/result.h"

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

static pid_t
child_as(uid_t uid)
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (setresuid(uid, uid, uid) == -1 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
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

/* As a store does, which may take on the identity of its workers but not signal it. */
Test(spawn, one_of_another_identity_is_ended)
{
	pid_t pid, starter;
	int status = -1;

	if (geteuid() != 0)
		cr_skip_test("takes root");
	starter = fork();
	if (starter == 0) {
		struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
		struct __user_cap_data_struct d[2] = {{0}};

		pid = child_as(ROLE_NOBODY_ID);
		d[0].effective = d[0].permitted = 1u << CAP_SETUID;
		if (syscall(SYS_capset, &h, d) == -1 || kill(pid, 0) == 0)
			_exit(2);
		status = spawn_end(pid, 0);
		_exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 1);
	}
	cr_assert_eq(waitpid(starter, &status, 0), starter);
	cr_assert_eq(status, 0);
}

Test(spawn, a_result_is_not_waited_for_without_limit)
{
	struct result r;
	struct err e = {0};
	char text[] = "uid 1\nend\n";
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	cr_assert_eq(write(pair[1], text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	/* Somebody still holds the other end. */
	cr_assert_eq(result_read(pair[0], 20, &r, &e), -1);
	cr_assert_eq(e.class, ERR_TIMEOUT);
	cr_assert_eq(write(pair[1], text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	close(pair[1]);
	cr_assert_eq(result_read(pair[0], 30000, &r, &e), 0, "%s", e.text);
	cr_assert_str_eq(result_get(&r, "uid"), "1");
	result_free(&r);
	close(pair[0]);
}
