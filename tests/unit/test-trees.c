/* SPDX-License-Identifier: ISC */
// objs: pod-run/copy/trees.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/tree.h"
#include "pod-run/copy/trees.h"

static char where[64];
static int at = -1;

static void
setup(void)
{
	snprintf(where, sizeof(where), "/tmp/test-trees-XXXXXX");
	cr_assert_not_null(mkdtemp(where));
	at = open(where, O_RDONLY | O_DIRECTORY);
	cr_assert_eq(mkdirat(at, "d", 0755), 0);
	cr_assert_geq(close(openat(at, "f", O_CREAT | O_WRONLY, 0644)), 0);
	cr_assert_eq(mkfifoat(at, "pipe", 0644), 0);
	cr_assert_eq(symlinkat("f", at, "to-file"), 0);
	cr_assert_eq(symlinkat("d", at, "to-dir"), 0);
}

static void
teardown(void)
{
	struct err e = {0};

	close(at);
	cr_assert_eq(tree_remove(AT_FDCWD, where, &e), 0, "%s", e.text);
}

TestSuite(trees, .init = setup, .fini = teardown, .timeout = 20);

static bool
opens(const char *name)
{
	struct stat st;
	own_fd int fd = trees_open(at, name, &st);

	return fd != -1;
}

/* What stands there now need not be what was looked at: CVE-2018-15664, CVE-2023-0778, CVE-2024-9676. */
Test(trees, opens_files_and_directories_alone)
{
	cr_assert(opens("f"));
	cr_assert(opens("d"));
	cr_assert(!opens("to-file"), "a link in a file's place was followed");
	cr_assert(!opens("to-dir"), "a link in a directory's place was followed");
	cr_assert(!opens("pipe"), "a pipe in a file's place was opened");
}
