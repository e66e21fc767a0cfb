/* SPDX-License-Identifier: ISC */
// objs: pod-image/semver.o
#include <criterion/criterion.h>

#include "pod-image/semver.h"

/* condition, versions that meet it, versions that do not */
static const struct {
	const char *condition, *yes[8], *no[8];
} table[] = {
    {">=1.2, <2", {"1.2.0", "v1.9.9", "1.10"}, {"1.1.9", "2.0.0", "2"}},
    {">=1.2 <2 || ^3.1", {"1.5", "3.1.0", "3.9"}, {"3.0.9", "4.0.0", "2.5"}},
    {"~1.2.3", {"1.2.3", "1.2.9"}, {"1.2.2", "1.3.0"}},
    {"~1", {"1.0.0", "1.9.0"}, {"2.0.0", "0.9.0"}},
    {"1.2.x", {"1.2.0", "1.2.77"}, {"1.3.0", "2.2.0"}},
    {"1.X", {"1.0.0", "1.2.77"}, {"2.0.0"}},
    {"1.x.7", {"1.0.0", "1.2.3"}, {"2.0.0"}},
    {"x.9.9", {"0.1.0", "3.0.0"}, {"1.0.0-rc1"}},
    {"*", {"0.0.1", "99"}, {"1.0.0-rc1", "latest", ""}},
    {"1.2", {"1.2.0", "1.2.5"}, {"1.3"}},
    {"=1.2.3", {"1.2.3", "v1.2.3", "1.2.3+build"}, {"1.2.4", "1.2.3-rc"}},
    {"!=1.2.3", {"1.2.4"}, {"1.2.3"}},
    {"!=1.x", {"2.0.0"}, {"1.0.0", "1.9.1"}},
    {">1.2", {"1.3.0", "2"}, {"1.2.0", "1.2.9"}},
    {">1.2.3", {"1.2.4"}, {"1.2.3"}},
    {"<=1.2", {"1.2.9", "1.1"}, {"1.3.0"}},
    {"1.2 - 1.4.5", {"1.2.0", "1.4.5"}, {"1.4.6", "1.1.9"}},
    {"1.2 - 1.4", {"1.4.9"}, {"1.5.0"}},
    {"^1.2.3", {"1.2.3", "1.9.0"}, {"2.0.0", "1.2.2"}},
    {"^0.2.3", {"0.2.3", "0.2.9"}, {"0.3.0"}},
    {"^0.0.3", {"0.0.3"}, {"0.0.4"}},
    {"^0.0", {"0.0.7"}, {"0.1.0"}},
    {"^0", {"0.9.0"}, {"1.0.0"}},
    {">=1.0.0-rc.2", {"1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.0-rc.2.1"},
	{"1.0.0-rc.1", "1.0.0-alpha"}},
    {">=1", {"1.0.0"}, {"1.0.0-alpha", "x", "1.0.0.0", "1.0-", "1..2", "1.0.0_1"}},
};

Test(semver, conditions)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err e = {0};

		cr_expect_eq(semver_check(table[i].condition, &e), 0, "%s", table[i].condition);
		for (const char *const *v = table[i].yes; *v != NULL; v++)
			cr_expect(semver_matches(table[i].condition, *v), "%s meets %s", *v,
			    table[i].condition);
		for (const char *const *v = table[i].no; *v != NULL; v++)
			cr_expect_not(semver_matches(table[i].condition, *v), "%s does not meet %s",
			    *v, table[i].condition);
	}
}

Test(semver, no_conditions)
{
	static const char *const bad[] = {"", "latest", ">", "||", ">=1 ||", "1 | 2", ">=1,,2",
	    "1.2.3.4", "><1", "99999999999999999999999", "1 -", "- 1"};
	static char longer[2000];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = {0};

		cr_expect_eq(semver_check(bad[i], &e), -1, "%s", bad[i]);
	}
	memset(longer, '1', sizeof(longer) - 1);
	cr_expect_eq(semver_check(longer, &(struct err){0}), -1);
}
