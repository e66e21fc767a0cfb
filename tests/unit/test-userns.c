/* SPDX-License-Identifier: ISC */
// objs: pod-run/oci/spec_userns.o pod-run/oci/spec_list.o pod-run/idmap.o
#include <criterion/criterion.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-run/oci/spec_userns.h"

static struct arena a;
static struct err error;

static void
add(struct id_map *m, uint64_t inside, uint64_t outside, uint64_t count, bool extend)
{
	struct rec_id_range r = {.inside = inside, .outside = outside, .count = count};

	spec_userns_add(m, &r, extend, &a);
}

static bool
is(const struct id_map *m, size_t i, uint64_t inside, uint64_t outside, uint64_t count)
{
	return i < m->n && m->v[i].inside == inside && m->v[i].outside == outside &&
	       m->v[i].count == count;
}

Test(userns, words)
{
	static const char *const bad[] = {"", "1", "1:", ":1", "a:1", "1:2:0", "1:2:3:4", "1:-2",
	    "+", "@1:2", "x1:2", "1:4294967296"};
	struct spec_userns_word w;

	cr_assert_eq(spec_userns_word("0:1:5", true, &w, &a, &error), 0);
	cr_assert(w.range.count == 5 && !w.extend && !w.parent && !w.users && !w.groups);
	cr_assert_eq(spec_userns_word("+g3:@7", true, &w, &a, &error), 0);
	cr_assert(w.extend && w.parent && w.groups && !w.users && w.range.count == 1);
	cr_assert_eq(w.range.inside, 3);
	cr_assert_eq(w.range.outside, 7);
	for (size_t i = 0; i < COUNTOF(bad); i++)
		if (strcmp(bad[i], "@1:2") != 0)
			cr_expect_eq(
			    spec_userns_word(bad[i], true, &w, &a, &error), -1, "%s", bad[i]);
}

Test(userns, extending_takes_out_what_conflicts)
{
	struct id_map m = {0};

	add(&m, 0, 100, 10, false);
	add(&m, 3, 500, 2, true);
	cr_assert_eq(m.n, 3);
	cr_assert(is(&m, 0, 0, 100, 3) && is(&m, 1, 5, 105, 5) && is(&m, 2, 3, 500, 2));
	/* What was outside goes too, at its other place. */
	add(&m, 50, 101, 1, true);
	cr_assert(is(&m, 0, 0, 100, 1) && is(&m, 1, 2, 102, 1));
	/* All of it. */
	add(&m, 0, 1000, 100, true);
	cr_assert_eq(m.n, 1);
}

Test(userns, choosing_passes_over_what_is_used)
{
	struct id_map have = {0}, used = {0}, extra = {0}, out;

	add(&have, 0, 1000, 100, false);
	add(&have, 0, 5000, 50, false);
	add(&used, 0, 1010, 20, false);
	cr_assert_eq(spec_userns_choose(&have, &used, 85, &extra, &out, &a, &error), 0);
	cr_assert_eq(out.n, 3);
	cr_assert(
	    is(&out, 0, 0, 1000, 10) && is(&out, 1, 10, 1030, 70) && is(&out, 2, 80, 5000, 5));
	cr_assert_eq(spec_userns_choose(&have, &used, 131, &extra, &out, &a, &error), -1);
	add(&extra, 3, 77, 1, false);
	cr_assert_eq(spec_userns_choose(&have, &used, 5, &extra, &out, &a, &error), 0);
	cr_assert(is(&out, 1, 3, 77, 1));
}
