/* SPDX-License-Identifier: ISC */
// objs: pod-run/oci/selinux.o pod-run/oci/spec_list.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/tree.h"
#include "pod-run/oci/selinux.h"

static const char contexts[] = "# lxc\n"
			       "process = \"system_u:system_r:container_t:s0\"\n"
			       "  file = \"system_u:object_r:container_file_t:s0\"\n"
			       "init_process = \"system_u:system_r:container_init_t:s0\"\n";

static struct arena a;
static struct err error;
static struct selinux_labels out;

static int
compute(const char *text, bool systemd, const char *word)
{
	const char *v[] = {word, NULL};
	struct strs words = {v, word != NULL};

	memset(&error, 0, sizeof(error));
	return selinux_compute(text, &words, systemd, 700, 5, &a, &out, &error);
}

Test(selinux, labels_come_from_the_policy)
{
	cr_assert_eq(compute(contexts, false, NULL), 0, "%s", error.text);
	cr_assert_str_eq(out.process, "system_u:system_r:container_t:s0:c5,c700");
	cr_assert_str_eq(out.mount, "system_u:object_r:container_file_t:s0:c5,c700");
	cr_assert_str_eq(selinux_shared(out.mount, &a), "system_u:object_r:container_file_t:s0");
	cr_assert_str_eq(selinux_level(out.process), "s0:c5,c700");
	cr_assert_null(selinux_level("a:b:c"));
	cr_assert_null(selinux_level(""));
	cr_assert_eq(compute(contexts, true, NULL), 0);
	cr_assert_str_eq(out.process, "system_u:system_r:container_init_t:s0:c5,c700");
	cr_assert_eq(compute("process=a:b:c\nfile=d:e:f\n", false, NULL), 0);
	cr_assert_str_eq(out.process, "a:b:c");
	cr_assert_eq(compute("process=a:b\nfile=d:e:f\n", false, NULL), -1);
	cr_assert_eq(compute("", false, NULL), -1);
}

Test(selinux, words_change_them)
{
	cr_assert_eq(compute(contexts, false, "type:my_t"), 0);
	cr_assert_str_eq(out.process, "system_u:system_r:my_t:s0:c5,c700");
	cr_assert_eq(compute(contexts, false, "level:s0:c1,c2"), 0);
	cr_assert_str_eq(out.mount, "system_u:object_r:container_file_t:s0:c1,c2");
	cr_assert_eq(compute(contexts, false, "filetype:f_t"), 0);
	cr_assert_str_eq(out.mount, "system_u:object_r:f_t:s0:c5,c700");
	cr_assert_eq(compute(contexts, false, "user:u"), 0);
	cr_assert_str_eq(out.process, "u:system_r:container_t:s0:c5,c700");
	cr_assert_eq(compute(contexts, false, "nested"), 0);
	cr_assert(out.nested);
	cr_assert_eq(compute(contexts, false, "disable"), 0);
	cr_assert_str_eq(out.process, "");
	cr_assert_str_eq(out.mount, "system_u:object_r:container_file_t:s0");
	cr_assert_eq(compute(contexts, false, "foo"), -1);
	cr_assert_eq(compute(contexts, false, "type:"), -1);
}

Test(selinux, the_host_keeps_its_own)
{
	memset(&error, 0, sizeof(error));
	cr_assert_eq(selinux_relabel(0, "/usr", "x", &error), -1);
	cr_assert_str_eq(error.text, "SELinux relabeling of /usr is not allowed");
}

/* Whoever owns a directory can make such a tree in it. */
Test(selinux, relabels_deeper_than_a_path)
{
	char where[] = "/tmp/test-selinux-XXXXXX", name[201], link[40], label[16];
	struct err e = {0};
	int top, here;

	cr_assert_not_null(mkdtemp(where));
	top = open(where, O_RDONLY | O_DIRECTORY);
	here = dup(top);
	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 30; i++) {
		int next;

		cr_assert_eq(mkdirat(here, name, 0755), 0);
		next = openat(here, name, O_RDONLY | O_DIRECTORY);
		close(here);
		here = next;
	}
	if (fsetxattr(top, "security.selinux", "u:r:t:s1", 9, 0) == 0) {
		cr_expect_eq(selinux_relabel(top, where, "u:r:t:s0", &e), 0, "%s", e.text);
		snprintf(link, sizeof(link), "/proc/self/fd/%d", here);
		cr_expect_eq(getxattr(link, "security.selinux", label, sizeof(label)), 9);
		cr_expect_str_eq(label, "u:r:t:s0");
	}
	close(here);
	close(top);
	cr_assert_eq(tree_remove(AT_FDCWD, where, &e), 0, "%s", e.text);
}

/* Between opening it and naming it, somebody else may have put another directory there. */
Test(selinux, what_is_open_is_what_may_not_be_relabelled)
{
	char home[] = "/tmp/test-selinux-XXXXXX", other[] = "/tmp/test-selinux-XXXXXX";
	struct err e = {0};
	int fd;

	cr_assert_not_null(mkdtemp(home));
	cr_assert_not_null(mkdtemp(other));
	fd = open(home, O_RDONLY | O_DIRECTORY);
	setenv("HOME", home, 1);
	cr_expect_eq(selinux_relabel(fd, other, "u:r:t:s0", &e), -1);
	cr_expect_eq(e.class, ERR_INVALID);
	close(fd);
	rmdir(home);
	rmdir(other);
}
