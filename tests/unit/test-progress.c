/* SPDX-License-Identifier: ISC */
// objs: pod-run/life/progress.o
#include <criterion/criterion.h>
#include <string.h>

#include "pod-run/life/progress.h"

#define ITEM "sha256:0123456789abcdef"

static void
shows(uint64_t done, uint64_t total, unsigned columns, const char *want)
{
	char line[256];

	progress_bar(ITEM, done, total, columns, line, sizeof(line));
	cr_assert_str_eq(line, want);
}

Test(progress, bars)
{
	shows(0, 1000, 52, "Copying blob 0123456789ab [>             ] 0B / 1kB");
	shows(500, 1000, 48, "Copying blob 0123456789ab [====>    ] 500B / 1kB");
	shows(1000, 1000, 200,
	    "Copying blob 0123456789ab [========================================] 1kB / 1kB");
}

Test(progress, bounds)
{
	char line[256];

	for (unsigned columns = 60; columns < 100; columns++) {
		progress_bar(ITEM, 123456789, 987654321, columns, line, sizeof(line));
		cr_assert_lt(strlen(line), columns, "a bar of %u columns wraps", columns);
	}
	shows(1500, 0, 80, "Copying blob 0123456789ab 1.5kB");
	for (unsigned columns = 0; columns < 300; columns++) {
		progress_bar(ITEM, UINT64_MAX, 1, columns, line, sizeof(line));
		progress_bar(ITEM, 1, UINT64_MAX, columns, line, sizeof(line));
		cr_assert(strlen(line) < 120);
	}
	progress_bar("", 1, 2, 80, line, sizeof(line));
	progress_bar(ITEM, 1, 2, 80, line, 8);
	cr_assert_str_eq(line, "Copying");
}
