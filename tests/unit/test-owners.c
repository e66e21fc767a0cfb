/* SPDX-License-Identifier: ISC */
// objs: pod-store/owners.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-store/owners.h"

static struct rec_id_range keep[] = {{.inside = 0, .outside = 1, .count = 1000},
    {.inside = 1000, .outside = 0, .count = 1}, {.inside = 1001, .outside = 1001, .count = 64536}};
static struct rec_id_range few[] = {{.inside = 0, .outside = 5000, .count = 10}};

static struct owners
owners(struct rec_id_range *v, size_t n)
{
	struct msg_rootfs_open m = {.uid_map = {v, n}, .gid_map = {v, n}};
	struct owners o;
	struct err e;

	cr_assert_eq(owners_of(&m, &o, &e), 0);
	return o;
}

Test(owners, outside)
{
	struct owners o = owners(keep, 3), none = {0};

	cr_assert_eq(owners_uid_outside(&o, 0), 1);
	cr_assert_eq(owners_uid_outside(&o, 1000), 0);
	cr_assert_eq(owners_gid_outside(&o, 1001), 1001);
	cr_assert_eq(owners_uid_outside(&o, 65537), OWNERS_NONE);
	cr_assert_eq(owners_uid_outside(&none, 7), 7);
	cr_assert_not(owners_is_mapped(&none));
}

Test(owners, whole_is_none)
{
	struct rec_id_range all = {.count = UINT32_MAX};
	struct owners o = owners(&all, 1);

	cr_assert_not(owners_is_mapped(&o));
}

Test(owners, refused)
{
	struct rec_id_range twice[] = {{0, 100, 10, 0}, {5, 200, 10, 0}},
			    wraps = {0, UINT32_MAX, 2, 0};
	struct msg_rootfs_open m = {.uid_map = {twice, 2}, .gid_map = {few, 1}};
	struct owners o;
	struct err e;

	cr_assert_eq(owners_of(&m, &o, &e), -1);
	m.uid_map.v = &wraps;
	m.uid_map.n = 1;
	cr_assert_eq(owners_of(&m, &o, &e), -1);
	m.uid_map.n = 0;
	cr_assert_eq(owners_of(&m, &o, &e), -1);
}

/* Without a counterpart nobody may become a container's root by a set-user-ID bit. */
Test(owners, shift)
{
	struct owners o = owners(few, 1), wide = owners(keep, 3);
	struct stat st = {.st_uid = 3, .st_gid = 9, .st_mode = S_IFREG | 06755};

	owners_shift(&o, &st);
	cr_assert_eq(st.st_uid, 5003);
	cr_assert_eq(st.st_gid, 5009);
	cr_assert_eq(st.st_mode & 07777, 06755);
	st = (struct stat){.st_uid = 70000, .st_mode = S_IFREG | 06755};
	owners_shift(&o, &st);
	cr_assert_eq(st.st_uid, 0);
	cr_assert_eq(st.st_mode & 07777, 0755);
	st = (struct stat){.st_uid = 70000, .st_mode = S_IFREG | 04755};
	owners_shift(&wide, &st);
	cr_assert_eq(st.st_uid, 65534);
	cr_assert_eq(st.st_mode & 07777, 0755);
}

Test(owners, saved)
{
	char dir[] = "/tmp/test-owners.XXXXXX", a[OWNERS_NAME], b[OWNERS_NAME];
	struct owners o = owners(keep, 3);
	own_owners struct owners back = {0};
	own_fd int fd = -1;
	struct err e;

	cr_assert_not_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(owners_load(&back, fd, &e), 0);
	cr_assert_not(owners_is_mapped(&back));
	o.shifted = true;
	cr_assert_eq(owners_save(&o, fd, &e), 0);
	cr_assert_eq(owners_load(&back, fd, &e), 0, "%s", e.text);
	cr_assert(back.shifted);
	cr_assert_eq(back.nuid, 3);
	owners_name(&o, a);
	owners_name(&back, b);
	cr_assert_str_eq(a, b);
	unlinkat(fd, "owners", 0);
	rmdir(dir);
}
