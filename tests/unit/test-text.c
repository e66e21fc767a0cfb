/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/own.h"
#include "common/base/text.h"

Test(text, puts_utf8)
{
	static const uint32_t at_borders[] = {
	    1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
	static const size_t lengths[] = {1, 1, 2, 2, 3, 3, 3, 3, 4, 4};
	char out[4];

	for (size_t i = 0; i < COUNTOF(at_borders); i++) {
		const size_t n = text_put_utf8(at_borders[i], out);

		cr_expect_eq(n, lengths[i], "%x", at_borders[i]);
		cr_expect_eq(text_utf8_len(out, n), n, "%x", at_borders[i]);
	}
	cr_expect_eq(text_put_utf8(0x20ac, out), 3);
	cr_expect_arr_eq(out, "\xe2\x82\xac", 3);
	cr_expect_eq(text_put_utf8(0x1f600, out), 4);
	cr_expect_arr_eq(out, "\xf0\x9f\x98\x80", 4);
}

Test(text, reads_hexadecimal)
{
	static const char *const bad[] = {"", "12", "00g0", "0x12", "-123", " 123", "1:34", "1@34"};
	uint32_t v = 7;

	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect(text_from_hex(bad[i], 4, &v) == -1 && v == 7, "%s", bad[i]);
	cr_expect(text_from_hex("09aFz", 4, &v) == 0 && v == 0x9af);
	cr_expect(text_from_hex("FEdcba98", 8, &v) == 0 && v == 0xfedcba98);
}
