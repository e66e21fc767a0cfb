/* SPDX-License-Identifier: ISC */
// objs: pod-run/idmap.o
#include <criterion/criterion.h>
#include <unistd.h>

#include "pod-run/idmap.h"

Test(idmap, ranges_follow_each_other)
{
	static const char text[] = "other:1:5\n"
				   "# joe:7:7\n"
				   "joe:100000:65536\n"
				   "1000:300000:10\n"
				   "joe:x:3\njoe:5\njoe:4294967290:100\njoe:0:5\njoe:9:0\n"
				   "\n:::\njoe:500:20";
	struct idmap m = {.v[0] = {0, 1000, 1}, .n = 1};

	idmap_parse(text, "joe", 1000, &m);
	cr_assert_eq(m.n, 4);
	cr_assert_eq(m.v[1].inside, 1);
	cr_assert_eq(m.v[1].outside, 100000);
	cr_assert_eq(m.v[2].inside, 65537);
	cr_assert_eq(m.v[2].outside, 300000);
	cr_assert_eq(m.v[3].inside, 65547);
	cr_assert_eq(m.v[3].outside, 500);
	cr_assert_eq(m.v[3].count, 20);
	cr_assert_eq(idmap_count(&m), 65567);
	cr_assert_eq(idmap_outside(&m, 65548), 501);
	cr_assert_eq(idmap_outside(&m, 70000), UINT32_MAX);
	cr_assert_not(idmap_is_whole(&m));
}

Test(idmap, reads_the_kernels_form)
{
	struct idmap m;
	struct err e = {0};

	cr_assert_eq(idmap_read("/proc/self/uid_map", &m, &e), 0);
	cr_assert_geq(m.n, 1);
	cr_assert_neq(idmap_outside(&m, geteuid()), UINT32_MAX);
}
