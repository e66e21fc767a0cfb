/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"

#define MAKERS 4
#define ROUNDS 200

static char where[64];
static int root = -1;
static struct err e;

static void
put(const char *path, const char *text)
{
	own_fd int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void
setup(void)
{
	err_clear(&e);
	snprintf(where, sizeof(where), "/tmp/test-path-XXXXXX");
	cr_assert_not_null(mkdtemp(where));
	cr_assert_eq(mkdir(strcat(where, "/root"), 0755), 0);
	root = open(where, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(mkdirat(root, "etc", 0755), 0);
	put("etc/ok", "inside");
	put("../secret", "outside");
	cr_assert_eq(symlinkat("/etc", root, "abs"), 0);
	cr_assert_eq(symlinkat("../../../../etc", root, "up"), 0);
	cr_assert_eq(symlinkat("../secret", root, "leak"), 0);
	cr_assert_eq(symlinkat("/made/by/link", root, "dangling"), 0);
	cr_assert_eq(symlinkat("loop", root, "loop"), 0);
}

static void
teardown(void)
{
	*strrchr(where, '/') = '\0';
	cr_assert_eq(tree_remove(AT_FDCWD, where, &e), 0, "%s", e.text);
	close(root);
}

TestSuite(path, .init = setup, .fini = teardown);

static ino_t
inode(const char *path, enum path_rule rule)
{
	own_fd int fd = path_try(root, path, rule, O_PATH, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

Test(path, in_root_clamps)
{
	ino_t ok = inode("etc/ok", PATH_IN_ROOT);

	cr_assert_neq(ok, 0);
	cr_assert_eq(inode("/etc/ok", PATH_IN_ROOT), ok);
	cr_assert_eq(inode("abs/ok", PATH_IN_ROOT), ok);
	cr_assert_eq(inode("up/ok", PATH_IN_ROOT), ok);
	cr_assert_eq(inode("../../etc/ok", PATH_IN_ROOT), ok);
	cr_assert_eq(inode("leak", PATH_IN_ROOT), 0);
}

Test(path, beneath_refuses)
{
	cr_assert_neq(inode("etc/ok", PATH_BENEATH), 0);
	cr_assert_eq(inode("abs/ok", PATH_BENEATH), 0);
	cr_assert_eq(errno, EXDEV);
	cr_assert_eq(inode("leak", PATH_BENEATH), 0);
	cr_assert_eq(inode("../secret", PATH_BENEATH), 0);
	cr_assert_eq(symlinkat("etc", root, "plain"), 0);
	cr_assert_neq(inode("plain/ok", PATH_BENEATH), 0);
	cr_assert_eq(inode("plain/ok", PATH_PLAIN), 0);
	cr_assert_eq(errno, ELOOP);
}

Test(path, parent)
{
	char name[NAME_MAX + 1];
	own_fd int fd = path_parent(root, "/abs/new/", PATH_IN_ROOT, name, &e);

	cr_assert(fd >= 0);
	cr_assert_str_eq(name, "new");
	cr_assert_eq(faccessat(fd, "ok", F_OK, 0), 0);
	cr_assert_eq(path_parent(root, "etc/..", PATH_IN_ROOT, name, &e), -1);
	cr_assert_eq(path_parent(root, "/", PATH_IN_ROOT, name, &e), -1);
	cr_assert_eq(path_parent(root, "", PATH_IN_ROOT, name, &e), -1);
}

/* Makes the deep path of each round whose number comes from go; says on done how it went. */
static _Noreturn void
make_on_word(int go, int done)
{
	int round;

	while (read(go, &round, sizeof(round)) == sizeof(round)) {
		char path[64], answer = 'y';
		int fd;

		snprintf(path, sizeof(path), "/race%d/b/c/d/e/f", round);
		fd = path_mkdirs(root, path, PATH_IN_ROOT, 0700, NULL, &e);
		if (fd == -1)
			answer = 'n';
		close(fd);
		if (write(done, &answer, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* Several first commands on an empty run directory: whoever comes second finds it made. */
Test(path, mkdirs_at_the_same_time)
{
	int go[2], done[2], failed = 0;

	cr_assert_eq(pipe(go), 0);
	cr_assert_eq(pipe(done), 0);
	for (int i = 0; i < MAKERS; i++)
		if (fork() == 0) {
			close(go[1]);
			make_on_word(go[0], done[1]);
		}
	for (int round = 0; round < ROUNDS; round++) {
		int words[MAKERS] = {round, round, round, round};
		char answer;

		cr_assert_eq(write(go[1], words, sizeof(words)), sizeof(words));
		for (int i = 0; i < MAKERS; i++) {
			cr_assert_eq(read(done[0], &answer, 1), 1);
			failed += answer != 'y';
		}
	}
	close(go[1]);
	while (wait(NULL) > 0)
		;
	cr_assert_eq(failed, 0, "%d of %d failed", failed, MAKERS * ROUNDS);
}

Test(path, mkdirs)
{
	int fd = path_mkdirs(root, "/a/b//c/", PATH_IN_ROOT, 01777, NULL, &e);
	struct stat st;

	cr_assert(fd >= 0, "%s", e.text);
	close(fd);
	cr_assert_eq(fstatat(root, "a/b/c", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 01777);
	fd = path_mkdirs(root, "dangling/deep", PATH_IN_ROOT, 0755, NULL, &e);
	cr_assert(fd >= 0, "%s", e.text);
	close(fd);
	cr_assert_eq(faccessat(root, "made/by/link/deep", F_OK, 0), 0);
	cr_assert_eq(path_mkdirs(root, "loop/x", PATH_IN_ROOT, 0755, NULL, &e), -1);
	cr_assert_eq(e.no, ELOOP);
	cr_assert_eq(path_mkdirs(root, "etc/ok/x", PATH_IN_ROOT, 0755, NULL, &e), -1);
	cr_assert_eq(e.no, ENOTDIR);
	cr_assert_eq(path_mkdirs(root, "../escape", PATH_PLAIN, 0755, NULL, &e), -1);
	cr_assert_eq(faccessat(root, "../escape", F_OK, 0), -1);
}

Test(path, open_regular)
{
	struct stat st;
	int fd = path_open_regular(root, "abs/ok", PATH_IN_ROOT, 100, &st, &e);

	cr_assert(fd >= 0, "%s", e.text);
	cr_assert_eq(st.st_size, 6);
	close(fd);
	cr_assert_eq(path_open_regular(root, "etc/ok", PATH_IN_ROOT, 5, &st, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	cr_assert_eq(mkfifoat(root, "fifo", 0644), 0);
	cr_assert_eq(path_open_regular(root, "fifo", PATH_IN_ROOT, 5, &st, &e), -1);
	cr_assert_eq(path_open_regular(root, "etc", PATH_IN_ROOT, 5, &st, &e), -1);
}

/* Another process, which has the two names change places until it is killed. */
static pid_t
exchange(const char *a, const char *b)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		renameat2(root, a, root, b, RENAME_EXCHANGE);
}

/*
 * Where there is no /proc the name is looked up twice, and between the two a FIFO may take the file's place: neither
 * is it waited for, nor is it what the caller gets (CVE-2024-9676).
 */
Test(path, open_regular_is_not_exchanged_for_a_fifo, .timeout = 60)
{
	int got = 0;
	pid_t pid;

	if (unshare(geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", "/proc", "tmpfs", 0, NULL) == -1)
		cr_skip_test("no mount namespace of our own");
	put("file", "text");
	cr_assert_eq(mkfifoat(root, "fifo", 0644), 0);
	pid = exchange("file", "fifo");
	for (int i = 0; i < 20000 && got < 3000; i++) {
		struct stat st, now;
		own_fd int fd = path_open_regular(root, "file", PATH_IN_ROOT, 100, &st, &e);

		err_clear(&e);
		if (fd == -1)
			continue;
		got++;
		cr_assert_eq(fstat(fd, &now), 0);
		cr_assert(S_ISREG(now.st_mode), "a FIFO was opened");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert_gt(got, 0);
}

Test(path, reopen)
{
	own_fd int at = path_open(root, "etc/ok", PATH_PLAIN, O_PATH, 0, &e);
	own_fd int fd = path_reopen(at, O_RDONLY, &e);
	char b[8];

	cr_assert_eq(read(fd, b, sizeof(b)), 6);
}
