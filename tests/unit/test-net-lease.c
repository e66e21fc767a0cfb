/* SPDX-License-Identifier: ISC */
// objs: pod-net/addr.o pod-net/lease.o
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/tree.h"
#include "pod-net/lease.h"

static char dir[64], holder_a[128], holder_b[128];
static struct leases l;

static void
touch(const char *path)
{
	close(open(path, O_WRONLY | O_CREAT, 0600));
}

static void
begin(void)
{
	struct err e = {0};

	snprintf(dir, sizeof(dir), "/tmp/test-lease.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(holder_a, sizeof(holder_a), "%s/a", dir);
	snprintf(holder_b, sizeof(holder_b), "%s/b", dir);
	touch(holder_a);
	touch(holder_b);
	snprintf(dir + strlen(dir), sizeof(dir) - strlen(dir), "/l");
	cr_assert_eq(lease_open(&l, dir, &e), 0, "%s", e.text);
	cr_assert_eq(lease_lock(&l, &e), 0, "%s", e.text);
}

static void
end(void)
{
	struct err e = {0};

	lease_close(&l);
	*strrchr(dir, '/') = '\0';
	tree_remove(AT_FDCWD, dir, &e);
}

TestSuite(lease, .init = begin, .fini = end);

static struct lease_request
request(const char *subnet, const char *gateway, const char *holder)
{
	struct lease_request r = {.holder = holder};

	cr_assert_eq(addr_parse_prefix(subnet, &r.subnet), 0);
	(void)addr_parse(gateway, &r.gateway);
	return r;
}

/* The address given, or the error's text. */
static const char *
take(const struct lease_request *r)
{
	static char text[1024];
	char key[LEASE_KEY];
	struct err e = {0};
	struct addr a;

	if (lease_take(&l, r, &a, key, &e) != 0)
		return strcpy(text, e.text);
	addr_format(&a, text);
	return text;
}

Test(lease, round_robin_and_wrap)
{
	struct lease_request r = request("10.9.0.0/29", "10.9.0.1", holder_a);

	cr_assert_str_eq(take(&r), "10.9.0.2");
	cr_assert_str_eq(take(&r), "10.9.0.3");
	lease_give(&l, "10.9.0.0_29/10.9.0.2", holder_a);
	cr_assert_str_eq(take(&r), "10.9.0.4");
	cr_assert_str_eq(take(&r), "10.9.0.5");
	cr_assert_str_eq(take(&r), "10.9.0.6");
	r.holder = holder_b;
	cr_assert_str_eq(take(&r), "10.9.0.2");
	cr_assert_str_eq(
	    take(&r), "IPAM error: failed to find free IP in range: 10.9.0.1 - 10.9.0.6");
}

Test(lease, range)
{
	struct lease_request r = request("10.9.0.0/24", "10.9.0.1", holder_a);

	addr_parse("10.9.0.50", &r.start);
	addr_parse("10.9.0.51", &r.end);
	cr_assert_str_eq(take(&r), "10.9.0.50");
	cr_assert_str_eq(take(&r), "10.9.0.51");
	r.holder = holder_b;
	cr_assert_str_eq(
	    take(&r), "IPAM error: failed to find free IP in range: 10.9.0.50 - 10.9.0.51");
	addr_parse("10.9.0.60", &r.start);
	cr_assert_str_eq(
	    take(&r), "IPAM error: failed to find free IP in range: 10.9.0.60 - 10.9.0.51");
}

Test(lease, wanted_and_clash)
{
	struct lease_request r = request("fd9::/64", "fd9::1", holder_a);

	addr_parse("fd9::77", &r.wanted);
	cr_assert_str_eq(take(&r), "fd9::77");
	r.holder = holder_b;
	cr_assert_str_eq(take(&r),
	    "IPAM error: requested ip address fd9::77 is already allocated to container ID a");
}

Test(lease, remains_of_a_dead_holder_are_free)
{
	struct lease_request r = request("10.9.0.0/24", "10.9.0.1", holder_a);
	struct prefix p = r.subnet;

	addr_parse("10.9.0.9", &r.wanted);
	cr_assert_str_eq(take(&r), "10.9.0.9");
	cr_assert(lease_any(&l, &p));
	unlink(holder_a);
	cr_assert(!lease_any(&l, &p));
	r.holder = holder_b;
	cr_assert_str_eq(take(&r), "10.9.0.9");
	/* The former holder gives back what is no longer its own. */
	lease_give(&l, "10.9.0.0_24/10.9.0.9", holder_a);
	cr_assert(lease_any(&l, &p));
	lease_give(&l, "10.9.0.0_24/10.9.0.9", holder_b);
	cr_assert(!lease_any(&l, &p));
}

Test(lease, broadcast_and_network_are_never_given)
{
	struct lease_request r = request("10.9.0.0/30", NULL, holder_a);

	cr_assert_str_eq(take(&r), "10.9.0.1");
	cr_assert_str_eq(take(&r), "10.9.0.2");
	r.holder = holder_b;
	cr_assert_str_eq(
	    take(&r), "IPAM error: failed to find free IP in range: 10.9.0.1 - 10.9.0.2");
	r = request("10.9.1.0/31", NULL, holder_a);
	cr_assert_str_eq(take(&r), "10.9.1.0");
	cr_assert_str_eq(take(&r), "10.9.1.1");
}

static bool
only_b_lives(void *arg, const char *holder)
{
	++*(int *)arg;
	return strcmp(holder, holder_b) == 0;
}

Test(lease, a_holder_that_died_is_found_out_when_nothing_else_is_left)
{
	struct lease_request r = request("10.9.0.0/29", "10.9.0.1", holder_a);
	int asked = 0;

	cr_assert_str_eq(take(&r), "10.9.0.2");
	r.holder = holder_b;
	l.lives = only_b_lives;
	l.arg = &asked;
	cr_assert_str_eq(take(&r), "10.9.0.3");
	cr_assert_str_eq(take(&r), "10.9.0.4");
	cr_assert_str_eq(take(&r), "10.9.0.5");
	cr_assert_str_eq(take(&r), "10.9.0.6");
	cr_assert_eq(asked, 0);
	cr_assert_str_eq(take(&r), "10.9.0.2");
	cr_assert_eq(asked, 5);
	cr_assert_str_eq(
	    take(&r), "IPAM error: failed to find free IP in range: 10.9.0.1 - 10.9.0.6");
	addr_parse("10.9.0.4", &r.wanted);
	cr_assert_str_eq(take(&r),
	    "IPAM error: requested ip address 10.9.0.4 is already allocated to container ID b");
}

Test(lease, leases_of_other_boots_are_removed)
{
	char path[128], other[128], same[128];

	snprintf(path, sizeof(path), "%s/leases-0011-1", dir);
	snprintf(other, sizeof(other), "%s/leases-0022-1", dir);
	snprintf(same, sizeof(same), "%s/leases-0011-2", dir);
	mkdir(path, 0700);
	mkdir(other, 0700);
	mkdir(same, 0700);
	lease_sweep_others(path, "leases-0011-");
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_neq(access(other, F_OK), 0);
	cr_assert_eq(access(same, F_OK), 0);
}

/* A directory of the same boot, made a while ago or just now, with a lease of holder or NULL. */
static bool
stays(const char *name, const char *holder, time_t age_s)
{
	const struct timespec times[] = {
	    {.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
	char path[128], inner[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	mkdir(path, 0700);
	snprintf(inner, sizeof(inner), "%s/10.9.0.0_24", path);
	mkdir(inner, 0700);
	strcat(inner, "/10.9.0.2");
	if (holder != NULL)
		cr_assert_eq(symlink(holder, inner), 0);
	snprintf(inner, sizeof(inner), "%s/lock", path);
	touch(inner);
	utimensat(AT_FDCWD, inner, times, 0);
	snprintf(inner, sizeof(inner), "%s/leases-0011-1", dir);
	lease_sweep_others(inner, "leases-0011-");
	return access(path, F_OK) == 0;
}

Test(lease, empty_directories_of_other_namespaces_are_removed)
{
	cr_assert_not(stays("leases-0011-2", NULL, 90));
	cr_assert_not(stays("leases-0011-3", "/nosuch/holder", 90));
	cr_assert(stays("leases-0011-4", holder_a, 90));
	cr_assert(stays("leases-0011-5", NULL, 0));
}
