/* SPDX-License-Identifier: ISC */
// objs: pod-net/state.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/tree.h"
#include "pod-net/state.h"

static char dir[64];
static struct state_dir d;

static void
begin(void)
{
	struct err e = {0};

	snprintf(dir, sizeof(dir), "/tmp/test-net-state.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(state_open(&d, dir, &e), 0, "%s", e.text);
}

static void
end(void)
{
	struct err e = {0};

	state_close(&d);
	tree_remove(AT_FDCWD, dir, &e);
}

TestSuite(net_state, .init = begin, .fini = end);

Test(net_state, hold_makes_no_file)
{
	cr_assert_eq(state_hold(&d, "c1"), -1);
	cr_assert(state_none(&d));
}

Test(net_state, hold_is_one_at_a_time)
{
	struct rec_net_state st = {.name = "one"};
	struct err e = {0};
	own_fd int set_up = state_write(&d, "c1", &st, &e), hold = -1;

	cr_assert_neq(set_up, -1, "%s", e.text);
	cr_assert_eq(state_hold(&d, "c1"), -1);
	state_release(&set_up);
	hold = state_hold(&d, "c1");
	cr_assert_neq(hold, -1);
	cr_assert_eq(state_hold(&d, "c1"), -1);
	fd_close(&hold);
	hold = state_hold(&d, "c1");
	cr_assert_neq(hold, -1);
}
