/* SPDX-License-Identifier: ISC */
// objs: pod-store/layer/passwd.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-store/layer/passwd.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "\n"
			     "evil:x:notanumber:0::/:/bin/sh\n"
			     "big:x:4294967295:0::/:/bin/sh\n"
			     "short:x:7\n"
			     "  alice:x:1000:1001:Alice:/home/alice:/bin/zsh\n"
			     "alice:x:5:5:second::\n"
			     "1234:x:77:78::/digits:/bin/sh\n"
			     "+::::::\n"
			     "bare:x:8:9";
static const char group[] = "root:x:0:\n"
			    "wheel:x:10:root,alice\n"
			    "audio:x:29:alice\n"
			    "audio2:x:29:alice,bob\n"
			    "lice:x:30:malice,alic\n"
			    "bad:x:zz:alice\n"
			    "users:x:100:\n";

static struct passwd_user u;
static struct arena a;
static struct err e;

static int
look(const char *spec, const char *more)
{
	const struct passwd_files f = {passwd, group, sizeof(passwd) - 1, sizeof(group) - 1};
	own_strv struct strv extra = {0};

	if (more != NULL)
		strv_split(&extra, more, ',');
	passwd_free(&u);
	err_clear(&e);
	return passwd_lookup(&f, spec, &extra, &u, &a, &e);
}

static void
is(const char *spec, uint32_t uid, uint32_t gid, size_t ngroups, const char *home)
{
	cr_assert_eq(look(spec, NULL), 0, "%s: %s", spec, e.text);
	cr_assert_eq(u.uid, uid, "%s", spec);
	cr_assert_eq(u.gid, gid, "%s", spec);
	cr_assert_eq(u.ngroups, ngroups, "%s: %zu", spec, u.ngroups);
	cr_assert_str_eq(u.home, home);
}

Test(passwd, users)
{
	is("", 0, 0, 1, "/root");
	is("root", 0, 0, 1, "/root");
	is("alice", 1000, 1001, 2, "/home/alice");
	is("1000", 1000, 1001, 2, "/home/alice");
	is("4242", 4242, 0, 0, "/");
	is("1234", 1234, 0, 0, "/");
	is("bare", 8, 9, 0, "");
	cr_assert_str_eq(u.name, "bare");
	cr_assert(u.known);
}

Test(passwd, groups)
{
	is("alice:users", 1000, 100, 0, "/home/alice");
	is("alice:555", 1000, 555, 0, "/home/alice");
	is("5:6", 5, 6, 0, "");
	is("alice:", 1000, 1001, 2, "/home/alice");
	is(":users", 0, 100, 0, "/root");
	cr_assert_eq(look("alice", "users,29,500"), 0);
	cr_assert_eq(u.ngroups, 4);
	cr_assert_eq(u.groups[0], 10);
	cr_assert_eq(u.groups[1], 29);
	cr_assert_eq(u.groups[2], 100);
	cr_assert_eq(u.groups[3], 500);
}

static void
fails(const char *spec, const char *more, const char *text)
{
	cr_assert_eq(look(spec, more), -1, "%s", spec);
	cr_assert_str_eq(e.text, text);
}

Test(passwd, what_is_not_there)
{
	fails("bob", NULL, "unable to find user bob: no matching entries in passwd file");
	fails("evil", NULL, "unable to find user evil: no matching entries in passwd file");
	fails("big", NULL, "unable to find user big: no matching entries in passwd file");
	fails("short", NULL, "unable to find user short: no matching entries in passwd file");
	fails("-1", NULL, "unable to find user -1: no matching entries in passwd file");
	fails("a\nb", NULL, "unable to find user a\\nb: no matching entries in passwd file");
	fails("root:none", NULL, "unable to find group none: no matching entries in group file");
	fails("root:bad", NULL, "unable to find group bad: no matching entries in group file");
	fails("root", "none", "unable to find group none: no matching entries in group file");
	fails("2147483648", NULL, "uids and gids must be in range 0-2147483647");
	fails("0:99999999999", NULL, "uids and gids must be in range 0-2147483647");
}

Test(passwd, no_files)
{
	const struct passwd_files none = {0};
	struct strv more = {0};

	cr_assert_eq(passwd_lookup(&none, "", &more, &u, &a, &e), 0);
	cr_assert(u.uid == 0 && u.gid == 0 && !u.known);
	cr_assert_eq(passwd_lookup(&none, "12:13", &more, &u, &a, &e), 0);
	cr_assert(u.uid == 12 && u.gid == 13);
	cr_assert_eq(passwd_lookup(&none, "root", &more, &u, &a, &e), -1);
}
