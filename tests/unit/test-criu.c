/* SPDX-License-Identifier: ISC */
// objs: pod-run/life/criu.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-run/life/criu.h"

static const uint8_t dump[] = {0x40, 0x59, 0x10, 0x55, 0x06, 0x33, 0x09, 0x57, 0x27, 0, 0, 0, 0x0a,
    0x25, 0x08, 0xfa, 0xbf, 0x01, 0x10, 0x87, 0xda, 0x8e, 0x02, 0x18, 0xdd, 0x81, 0x04, 0x20, 0xd0,
    0x5e, 0x28, 0xea, 0x08, 0x30, 0, 0x38, 0x21, 0x40, 0, 0x48, 0, 0x50, 0x06, 0x58, 0x06, 0x60, 0,
    0x68, 0, 0x70, 0};

static int64_t
number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : -1;
}

Test(criu, figures_of_a_dump)
{
	own_json json_t *o = criu_stats_parse(dump, sizeof(dump));

	cr_expect_eq(number(o, "freezing_time"), 24570);
	cr_expect_eq(number(o, "frozen_time"), 4435207);
	cr_expect_eq(number(o, "memdump_time"), 65757);
	cr_expect_eq(number(o, "memwrite_time"), 12112);
	cr_expect_eq(number(o, "pages_scanned"), 1130);
	cr_expect_eq(number(o, "pages_written"), 33);
	cr_expect_eq(json_object_size(o), 6);
}

Test(criu, cut_off_anywhere_it_is_still_an_object)
{
	for (size_t n = 0; n < sizeof(dump); n++) {
		uint8_t copy[sizeof(dump)];
		own_json json_t *o = NULL;

		memcpy(copy, dump, n);
		o = criu_stats_parse(copy, n);
		cr_expect(json_is_object(o));
		cr_expect_eq(json_object_size(o), 0);
	}
}

Test(criu, a_number_without_end_is_none)
{
	uint8_t bytes[40];
	own_json json_t *o = NULL;

	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, dump, 13);
	bytes[13] = 26;
	o = criu_stats_parse(bytes, sizeof(bytes));
	cr_expect_eq(json_object_size(o), 0);
}
