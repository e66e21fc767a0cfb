/* SPDX-License-Identifier: ISC */
/* JSON values as bytes of messages. */
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/wire/document.h"

static json_t *
unpack(const char *p, size_t n)
{
	struct bytes b = {(const uint8_t *)p, n};
	struct err e = {0};
	json_t *j = document_unpack(&b, &e);

	cr_assert_eq(j == NULL, err_is_set(&e));
	return j;
}

Test(document, both_ways)
{
	static const char text[] =
	    "{\"a\":[1,-9223372036854775808,1.5,true,false,null,\"\xc3\xa9\"],\"b\":{},\"c\":[]}";
	own_strbuf struct strbuf b = {0};
	struct err e = {0};
	own_json json_t *j = json_read(text, strlen(text), &e), *back = NULL;

	cr_assert_not_null(j);
	cr_assert_eq(document_pack(j, &b, &e), 0);
	back = unpack(b.s, b.n);
	cr_assert(json_equal(j, back));
	for (size_t n = 0; n < b.n; n++)
		cr_assert_null(unpack(b.s, n), "cut after %zu", n);
}

Test(document, malformed)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {{"x", 1}, {"nn", 2}, {"[\xff\xff\xff\xff", 5}, {"s\x01\0\0\0\0", 6},
	    {"s\x01\0\0\0\xff", 6},
	    {"s\xff\xff\xff\xff"
	     "a",
		6},
	    {"{\x02\0\0\0\x01\0\0\0an\x01\0\0\0an", 17}, {"d\0\0\0\0\0\0\xf0\x7f", 9}};
	own_strbuf struct strbuf deep = {0};

	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_assert_null(unpack(bad[i].p, bad[i].n), "%zu", i);
	for (int i = 0; i < DOCUMENT_DEPTH_MAX; i++)
		strbuf_addn(&deep, "[\x01\0\0\0", 5);
	strbuf_addc(&deep, 'n');
	cr_assert_null(unpack(deep.s, deep.n));
}

Test(document, too_deep_to_pack)
{
	own_json json_t *j = json_arr();
	own_strbuf struct strbuf b = {0};
	struct err e = {0};

	for (int i = 0; i < DOCUMENT_DEPTH_MAX; i++) {
		json_t *outer = json_arr();

		json_add_take(outer, j);
		j = outer;
	}
	cr_assert_eq(document_pack(j, &b, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
}

Test(document, too_many_lists)
{
	own_strbuf struct strbuf b = {0};
	own_json json_t *some = NULL;

	strbuf_addn(&b, "[\xff\xff\x0f\0", 5);
	for (unsigned i = 1; i < JSON_NODES_MAX; i++)
		strbuf_addn(&b, "[\0\0\0\0", 5);
	some = unpack(b.s, b.n);
	cr_assert_eq(json_array_size(some), JSON_NODES_MAX - 1);
	strbuf_addn(&b, "[\0\0\0\0", 5);
	memcpy(b.s, "[\0\0\x10\0", 5);
	cr_assert_null(unpack(b.s, b.n));
}
