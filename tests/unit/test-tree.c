/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "common/fs/lock.h"
#include "common/fs/tree.h"

static char where[64];
static int at = -1;
static struct err e;

static void
setup(void)
{
	err_clear(&e);
	snprintf(where, sizeof(where), "/tmp/test-tree-XXXXXX");
	cr_assert_not_null(mkdtemp(where));
	at = open(where, O_RDONLY | O_DIRECTORY);
}

static void
teardown(void)
{
	cr_assert_eq(tree_remove(AT_FDCWD, where, &e), 0, "%s", e.text);
	cr_assert_eq(access(where, F_OK), -1);
	close(at);
}

TestSuite(fs, .init = setup, .fini = teardown);

static void
put(int dirfd, const char *path, const char *text)
{
	cr_assert_eq(file_write(dirfd, path, text, strlen(text), 0640, 0, &e), 0, "%s", e.text);
}

Test(fs, remove_does_not_follow_links)
{
	cr_assert_eq(mkdirat(at, "keep", 0755), 0);
	put(at, "keep/file", "x");
	cr_assert_eq(mkdirat(at, "tree", 0755), 0);
	cr_assert_eq(symlinkat("../keep", at, "tree/link"), 0);
	cr_assert_eq(linkat(at, "keep/file", at, "tree/hard", 0), 0);
	cr_assert_eq(tree_remove(at, "tree", &e), 0, "%s", e.text);
	cr_assert_eq(faccessat(at, "tree", F_OK, 0), -1);
	cr_assert_eq(faccessat(at, "keep/file", F_OK, 0), 0);
	cr_assert_eq(symlinkat("keep", at, "link"), 0);
	cr_assert_eq(tree_remove(at, "link", &e), 0);
	cr_assert_eq(tree_remove(at, "missing", &e), 0);
	cr_assert_eq(faccessat(at, "keep/file", F_OK, 0), 0);
}

Test(fs, remove_deep_and_wide)
{
	int fd = dup(at);

	for (int i = 0; i < 3000; i++) {
		int next;

		cr_assert_eq(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		if (i % 100 == 0)
			put(next, "file", "x");
		close(fd);
		fd = next;
	}
	for (int i = 0; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		close(openat(fd, name, O_WRONLY | O_CREAT, 0600));
	}
	close(fd);
	cr_assert_eq(tree_remove(at, "d", &e), 0, "%s", e.text);
	cr_assert_eq(faccessat(at, "d", F_OK, 0), -1);
}

Test(fs, trash_then_empty)
{
	int trash;

	cr_assert_eq(mkdirat(at, "trash", 0700), 0);
	cr_assert_eq(mkdirat(at, "layer", 0700), 0);
	put(at, "layer/f", "x");
	trash = openat(at, "trash", O_RDONLY | O_DIRECTORY);
	cr_assert_eq(tree_trash(at, "layer", trash, &e), 0, "%s", e.text);
	cr_assert_eq(tree_trash(at, "layer", trash, &e), 0);
	cr_assert_eq(faccessat(at, "layer", F_OK, 0), -1);
	cr_assert_eq(tree_empty(trash, &e), 0, "%s", e.text);
	cr_assert_eq(unlinkat(at, "trash", AT_REMOVEDIR), 0);
	close(trash);
}

Test(fs, write_and_read)
{
	own_mem char *s = NULL;
	struct stat st;
	size_t n;

	put(at, "f", "one");
	put(at, "f", "three");
	cr_assert_eq(file_read(at, "f", 5, &s, &n, &e), 0, "%s", e.text);
	cr_assert_eq(n, 5);
	cr_assert_str_eq(s, "three");
	cr_assert_eq(fstatat(at, "f", &st, 0), 0);
	cr_assert_eq(st.st_mode & 07777, 0640);
	cr_assert_eq(file_write(at, "f", "x", 1, 0600, FILE_NOREPLACE | FILE_SYNC, &e), -1);
	cr_assert_eq(e.class, ERR_EXISTS);
	own_mem char *t = NULL;
	cr_assert_eq(file_read(at, "f", 4, &t, &n, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	cr_assert_eq(symlinkat("f", at, "l"), 0);
	cr_assert_eq(file_read(at, "l", 10, &t, &n, &e), -1);
	cr_assert_eq(file_read(AT_FDCWD, "/proc/self/status", 65536, &t, &n, &e), 0, "%s", e.text);
	cr_assert_gt(n, 100);
}

Test(fs, lock)
{
	own_fd int a = lock_acquire(at, "lock", LOCK_EXCLUSIVE, LOCK_TRY, &e);
	int b;

	cr_assert(a >= 0, "%s", e.text);
	cr_assert(lock_is_held(at, "lock"));
	cr_assert_eq(lock_acquire(at, "lock", LOCK_EXCLUSIVE, LOCK_TRY, &e), -1);
	cr_assert_eq(e.class, ERR_INUSE);
	cr_assert_eq(lock_acquire(at, "lock", LOCK_SHARED, 20, &e), -1);
	cr_assert_eq(e.class, ERR_TIMEOUT);
	cr_assert_eq(lock_take(a, LOCK_SHARED, LOCK_TRY, "lock", &e), 0);
	b = lock_acquire(at, "lock", LOCK_SHARED, LOCK_TRY, &e);
	cr_assert(b >= 0);
	close(b);
	fd_close(&a);
	cr_assert_not(lock_is_held(at, "lock"));
	cr_assert_not(lock_is_held(at, "missing"));
}
