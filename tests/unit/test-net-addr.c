/* SPDX-License-Identifier: ISC */
// objs: pod-net/addr.o
#include <criterion/criterion.h>
#include <string.h>

#include "pod-net/addr.h"

static void
same(const char *in, const char *out)
{
	struct addr a;
	char text[ADDR_TEXT];

	cr_assert_eq(addr_parse(in, &a), 0, "%s", in);
	addr_format(&a, text);
	cr_assert_str_eq(text, out);
}

Test(addr, parse)
{
	struct addr a;

	same("10.88.0.1", "10.88.0.1");
	same("FD00:0::1", "fd00::1");
	cr_assert_eq(addr_parse("10.88.0", &a), -1);
	cr_assert_eq(addr_parse("10.88.0.1/16", &a), -1);
	cr_assert_eq(addr_parse("fe80::1%eth0", &a), -1);
	cr_assert_eq(addr_parse("::ffff:10.0.0.1", &a), -1);
	cr_assert_eq(addr_parse("", &a), -1);
	cr_assert_eq(addr_parse(NULL, &a), -1);
}

Test(addr, prefix_limits)
{
	struct prefix p;
	struct addr a;
	char text[ADDR_TEXT];

	cr_assert_eq(addr_parse_prefix("10.88.3.7/20", &p), 0);
	a = addr_first(&p);
	addr_format(&a, text);
	cr_assert_str_eq(text, "10.88.0.0");
	a = addr_last(&p);
	addr_format(&a, text);
	cr_assert_str_eq(text, "10.88.15.255");
	cr_assert_eq(addr_parse_prefix("10.88.3.7/33", &p), -1);
	cr_assert_eq(addr_parse_prefix("10.88.3.7", &p), -1);
	cr_assert_eq(addr_parse_prefix("10.88.3.7/", &p), -1);
	cr_assert_eq(addr_parse_prefix("fd00::/129", &p), -1);
	cr_assert_eq(addr_parse_prefix("0.0.0.0/0", &p), 0);
	a = addr_last(&p);
	a = addr_next(&a);
	cr_assert(addr_is_any(&a), "wraps");
}

Test(addr, membership)
{
	struct prefix p, q;
	struct addr a;

	addr_parse_prefix("fd00:1::/64", &p);
	addr_parse("fd00:1::ffff", &a);
	cr_assert(addr_in(&a, &p));
	addr_parse("fd00:1:0:1::", &a);
	cr_assert(!addr_in(&a, &p));
	addr_parse("10.0.0.1", &a);
	cr_assert(!addr_in(&a, &p), "another family");
	addr_parse_prefix("10.88.0.0/16", &p);
	addr_parse_prefix("10.88.9.0/24", &q);
	cr_assert(addr_overlap(&p, &q) && addr_overlap(&q, &p));
	addr_parse_prefix("10.89.0.0/24", &q);
	cr_assert(!addr_overlap(&p, &q) && !addr_overlap(&q, &p));
}

Test(addr, mac)
{
	uint8_t mac[6];

	cr_assert_eq(addr_parse_mac("92:d0:c6:0a:29:33", mac), 0);
	cr_assert_eq(mac[0], 0x92);
	cr_assert_eq(mac[5], 0x33);
	cr_assert_eq(addr_parse_mac("93:d0:c6:0a:29:33", mac), -1, "a group address");
	cr_assert_eq(addr_parse_mac("92:d0:c6:0a:29", mac), -1);
	cr_assert_eq(addr_parse_mac("00:00:00:00:00:00", mac), -1, "nobody's");
	cr_assert_eq(addr_parse_mac("92:d0:c6:0a:29:3g", mac), -1);
	cr_assert_eq(addr_parse_mac("92:d0:c6:0a:29:33:", mac), -1);
}
