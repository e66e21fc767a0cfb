/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/json.h"
#include "common/base/own.h"

static json_t *
read_text(const char *s, struct err *e)
{
	return json_read(s, strlen(s), e);
}

Test(json, refuses)
{
	static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "{} x", "[1,]",
	    "\"\\u0000\"", "\"\xff\"", "nul", "{\"a\":01}", "{\"\\u0000\":1}"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct err e = {0};

		cr_expect_null(read_text(bad[i], &e), "%s", bad[i]);
		cr_expect_eq(e.class, ERR_FORMAT);
	}
}

Test(json, bounds)
{
	struct err e = {0};
	char deep[200];
	own_json json_t *ok = NULL;

	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	cr_expect_null(json_read(deep, 130, &e));
	cr_expect_eq(e.class, ERR_LIMIT);
	ok = json_read(deep + 1, 128, &e);
	cr_expect_not_null(ok);
	cr_expect_null(json_read_max("[1,2]", 5, 4, 64, &e));
	cr_expect_eq(e.class, ERR_LIMIT);
}

Test(json, how_many_lists_and_objects)
{
	own_strbuf struct strbuf b = {0};
	own_json json_t *some = NULL;
	struct err e = {0};

	strbuf_add(&b, "[\"[[{{\"");
	for (unsigned i = 1; i < JSON_NODES_MAX; i++)
		strbuf_add(&b, i % 2 ? ",[]" : ",{}");
	strbuf_addc(&b, ']');
	some = json_read(b.s, b.n, &e);
	cr_assert_eq(json_array_size(some), JSON_NODES_MAX, "%s", e.text);
	b.n--;
	strbuf_add(&b, ",[]]");
	cr_assert_null(json_read(b.s, b.n, &e));
	cr_assert_eq(e.class, ERR_LIMIT);
}

Test(json, brackets_in_strings_do_not_nest)
{
	struct err e = {0};
	own_json json_t *j = json_read_max("[\"[[[[\\\"[[[\"]", 13, 100, 1, &e);

	cr_expect_not_null(j);
}

Test(json, getters)
{
	struct err e = {0};
	own_json json_t *j = read_text("{\"s\":\"x\",\"i\":7,\"n\":null,\"a\":[\"p\",\"q\"],"
				       "\"m\":{\"k\":\"v\"},\"b\":true,\"mixed\":[1]}",
	    &e);
	own_strv struct strv l = {0};
	const char *s = "old";
	int64_t i = 0;
	bool b = false;

	cr_assert_not_null(j);
	cr_expect_eq(json_need_str(j, "s", &s, &e), 0);
	cr_expect_str_eq(s, "x");
	cr_expect_eq(json_need_str(j, "zz", &s, &e), -1);
	cr_expect_str_eq(e.text, "zz: missing");
	cr_expect_eq(json_need_str(j, "n", &s, &e), -1);
	cr_expect_eq(json_want_str(j, "n", &s, &e), 0);
	cr_expect_str_eq(s, "x");
	cr_expect_eq(json_want_str(j, "i", &s, &e), -1);
	cr_expect_str_eq(e.text, "i: a string is expected, not an integer");
	cr_expect_eq(json_need_int(j, "i", 0, 7, &i, &e), 0);
	cr_expect_eq(i, 7);
	cr_expect_eq(json_need_int(j, "i", 0, 6, &i, &e), -1);
	cr_expect_eq(json_want_bool(j, "b", &b, &e), 0);
	cr_expect(b);
	cr_expect_eq(json_want_strv(j, "a", &l, &e), 0);
	cr_expect_eq(json_want_map(j, "m", &l, &e), 0);
	cr_expect_eq(l.n, 3);
	cr_expect_str_eq(l.v[2], "k=v");
	cr_expect_eq(json_want_strv(j, "mixed", &l, &e), -1);
	cr_expect_eq(l.n, 3);
	cr_expect_eq(json_need_str(json_object_get(j, "a"), "s", &s, &e), -1);
}

Test(json, prints_like_go)
{
	struct err e = {0};
	own_json json_t *j = read_text("{\"b\":[],\"a\":{},\"s\":\"<&>\\u0001\\n\\u2028\","
				       "\"l\":[1,2.5,1e21,1e-7,100.0,-0.1],\"n\":null,\"t\":true}",
	    &e);
	own_strbuf struct strbuf wide = {0}, line = {0};

	json_go(j, "    ", &wide);
	cr_expect_str_eq(wide.s,
	    "{\n    \"b\": [],\n    \"a\": {},\n    \"s\": \"<&>\\u0001\\n\\u2028\",\n"
	    "    \"l\": [\n        1,\n        2.5,\n        1e+21,\n        1e-7,\n"
	    "        100,\n        -0.1\n    ],\n    \"n\": null,\n    \"t\": true\n}");
	json_go(json_object_get(j, "l"), "", &line);
	cr_expect_str_eq(line.s, "[1,2.5,1e+21,1e-7,100,-0.1]");
}

Test(json, foreign_bytes_become_replacement_characters)
{
	own_json json_t *j = json_str("a\xff"
				      "b");

	cr_expect_str_eq(json_string_value(j), "a\xef\xbf\xbd"
					       "b");
}

Test(json, one_object)
{
	static const char *const good[] = {
	    "{}", "{\"a\":[{},[\"}\",\"\\\"}\"]]}", "{\n\t\"a\": 1 }"};
	static const char *const bad[] = {"", "[]", " {}", "{}x", "{},{}", "{}}", "{\"a\":[}]", "{",
	    "{\"}", "{\"a\\", "{]", "{\"\n\"}", "{\x01}"};
	char deep[200];

	for (size_t i = 0; i < COUNTOF(good); i++)
		cr_assert(json_is_one_object(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_assert(!json_is_one_object(bad[i], strlen(bad[i])), "%s", bad[i]);
	memset(deep, '{', 100);
	memset(deep + 100, '}', 100);
	cr_assert(!json_is_one_object(deep, 200));
	cr_assert(json_is_one_object(deep + 36, 128));
}
