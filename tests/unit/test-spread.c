/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/spread.h"

static unsigned
flags_of(int dir)
{
	unsigned flags = 0;

	return ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0 ? flags : 0;
}

/* Whatever the file system: the directory is as before but for that one flag, and takes new ones. */
Test(spread, marks_a_directory_once)
{
	char where[] = "/var/tmp/test-spread-XXXXXX";
	own_fd int dir = -1;
	struct statfs fs;
	unsigned before;

	cr_assert_not_null(mkdtemp(where));
	dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir, 0);
	before = flags_of(dir);
	for (int i = 0; i < 2; i++) {
		spread_below(dir);
		cr_assert_eq(
		    flags_of(dir) & ~(unsigned)FS_TOPDIR_FL, before & ~(unsigned)FS_TOPDIR_FL);
	}
	cr_assert_eq(fstatfs(dir, &fs), 0);
	if (fs.f_type == EXT4_SUPER_MAGIC)
		cr_assert(flags_of(dir) & FS_TOPDIR_FL);
	cr_assert_eq(mkdirat(dir, "one", 0700), 0);
	cr_assert_eq(unlinkat(dir, "one", AT_REMOVEDIR), 0);
	cr_assert_eq(rmdir(where), 0);
}

Test(spread, lives_with_what_is_no_file_system)
{
	spread_below(-1);
}
