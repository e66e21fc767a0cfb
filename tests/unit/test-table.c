/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/cli/human.h"
#include "common/cli/table.h"

static void
aligned(const char *text, const char *expected)
{
	own_strbuf struct strbuf b = {0};

	table_align(text, &b);
	cr_expect_str_eq(b.s != NULL ? b.s : "", expected);
}

Test(table, columns)
{
	aligned("", "");
	aligned("a\tb\n", "a           b\n");
	aligned("a\tb\nabcdefghijkl\tc\n", "a             b\nabcdefghijkl  c\n");
	aligned("\t\tx\na\tb\tc\n", "                        x\na           b           c\n");
	aligned("h\xc3\xa9llo\tx\n", "h\xc3\xa9llo       x\n");
}

Test(table, a_row_without_a_column_ends_its_block)
{
	aligned("abcdefghijklmn\tb\nplain\na\tb\n", "abcdefghijklmn  b\nplain\na           b\n");
}

/* Descriptions come from registries, steps of a build from images. */
Test(table, says_nothing_to_the_terminal)
{
	aligned("a\033[2Jb\tc\r\n", "a\\x1b[2Jb   c\\r\n");
	aligned("\xc2\x9b\tx\n\xff\ty\n", "\\xc2\\x9b    x\n\\xff        y\n");
}

Test(human, sizes)
{
	char s[HUMAN_MAX];

	cr_expect_str_eq(human_size_spaced(4260000, s, sizeof(s)), "4.26 MB");
	cr_expect_str_eq(human_size_spaced(0, s, sizeof(s)), "0 B");
	cr_expect_str_eq(human_size_spaced(999, s, sizeof(s)), "999 B");
	cr_expect_str_eq(human_size_spaced(1000, s, sizeof(s)), "1 kB");
	cr_expect_str_eq(human_size(12345, s, sizeof(s)), "12.35kB");
	cr_expect_str_eq(human_bytes(1536, s, sizeof(s)), "1.5KiB");
}

Test(human, durations)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {{0, "Less than a second"}, {1, "1 second"}, {59, "59 seconds"},
	    {60, "About a minute"}, {119, "About a minute"}, {120, "2 minutes"},
	    {3599, "59 minutes"}, {3600, "About an hour"}, {5400, "2 hours"},
	    {47 * 3600, "47 hours"}, {48 * 3600, "2 days"}, {14 * 86400, "2 weeks"},
	    {60 * 86400, "2 months"}, {800 * 86400, "2 years"}};
	char s[HUMAN_MAX];

	for (size_t i = 0; i < COUNTOF(cases); i++)
		cr_expect_str_eq(human_duration(cases[i].s, s, sizeof(s)), cases[i].text);
	cr_expect_str_eq(human_ago(1000, 1120, s, sizeof(s)), "2 minutes ago");
	cr_expect_str_eq(human_go_duration(5400000000000, s, sizeof(s)), "1h30m0s");
	cr_expect_str_eq(human_go_duration(1500000000, s, sizeof(s)), "1.5s");
	cr_expect_str_eq(human_go_duration(1050000, s, sizeof(s)), "1.05ms");
	cr_expect_str_eq(human_go_duration(-2000, s, sizeof(s)), "-2\xc2\xb5s");
	cr_expect_str_eq(human_go_duration(0, s, sizeof(s)), "0s");
	cr_expect_str_eq(human_go_duration(INT64_MIN, s, sizeof(s)), "-2562047h47m16.854775808s");
}

Test(human, times)
{
	char s[HUMAN_MAX];
	int64_t ns;

	setenv("TZ", "XXX-05:30", 1);
	cr_expect_str_eq(
	    human_rfc3339nano(1500000000, s, sizeof(s)), "1970-01-01T05:30:01.5+05:30");
	cr_expect_str_eq(human_rfc3339nano_utc(1000000000, s, sizeof(s)), "1970-01-01T00:00:01Z");
	cr_expect_str_eq(
	    human_go_time(1123456789, s, sizeof(s)), "1970-01-01 05:30:01.123456789 +0530 XXX");
	cr_expect_eq(human_parse_rfc3339("1970-01-01T05:30:01.5+05:30", &ns), 0);
	cr_expect_eq(ns, 1500000000);
	cr_expect_eq(human_parse_rfc3339("1970-01-01T00:00:00Z", &ns), 0);
	cr_expect_eq(ns, 0);
	cr_expect_eq(human_parse_rfc3339("1970-01-01", &ns), -1);
	cr_expect_eq(human_parse_rfc3339("1970-01-01T00:00:00", &ns), -1);
	cr_expect_eq(human_parse_rfc3339("1970-01-01T00:00:00+0530", &ns), -1);
	cr_expect_eq(human_parse_rfc3339("0001-01-01T00:00:00Z", &ns), -1);
	cr_expect_eq(human_parse_date("0001-01-01T00:00:00Z", &ns), 0);
	cr_expect_eq(ns, INT64_MIN);
	cr_expect_eq(human_parse_date("9999-12-31T23:59:59+05:30", &ns), 0);
	cr_expect_eq(ns, INT64_MAX);
	cr_expect_eq(human_parse_date("0001-02-30", &ns), -1);
}
