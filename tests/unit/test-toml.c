/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/toml.h"

/* The document as JSON in one line, or the error. */
static const char *
read_as(const char *text)
{
	static char out[4096];
	struct err e = {0};
	own_json json_t *j = toml_read(text, strlen(text), "f", &e);
	own_mem char *s =
	    j != NULL ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : xstrdup(e.text);

	snprintf(out, sizeof(out), "%s", s);
	return out;
}

static const struct {
	const char *text, *json;
} good[] = {
    {"", "{}"},
    {"# only\n\n", "{}"},
    {"a = 1 # c\nb=\"x\"\r\n'c d' = true", "{\"a\":1,\"b\":\"x\",\"c d\":true}"},
    {"[t]\na=1\n[t.u]\nb=2\n[v.w]\nc=3\n[v]\nd=4",
	"{\"t\":{\"a\":1,\"u\":{\"b\":2}},\"v\":{\"d\":4,\"w\":{\"c\":3}}}"},
    {"a.b.c = 1\na.b.d = 2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}"},
    {"[[r]]\na=1\n[[r]]\na=2\n[r.s]\nb=3", "{\"r\":[{\"a\":1},{\"a\":2,\"s\":{\"b\":3}}]}"},
    {"a = [1, 2,\n # c\n 3, ]", "{\"a\":[1,2,3]}"},
    {"a = {b = 1, c.d = [ {e = \"x\"} ]}", "{\"a\":{\"b\":1,\"c\":{\"d\":[{\"e\":\"x\"}]}}}"},
    {"a = [\"x\", {append=true}]", "{\"a\":[\"x\",{\"append\":true}]}"},
    {"a = \"\\t\\u00e9\\\"\\\\\"", "{\"a\":\"\\t\xc3\xa9\\\"\\\\\"}"},
    {"a = '''\nx\\n'y''''", "{\"a\":\"x\\\\n'y'\"}"},
    {"a = \"\"\"x\\\n   \n  y\"\"\"\"\"", "{\"a\":\"xy\\\"\\\"\"}"},
    {"a = 0x_1", "f:1: malformed value"},
    {"a = [0x1F, 0o17, 0b11, 1_000, -5, +7]", "{\"a\":[31,15,3,1000,-5,7]}"},
    {"a = [1.5, 1e3, -2.5E-1, 1_0.0]", "{\"a\":[1.5,1000.0,-0.25,10.0]}"},
    {"a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00.5\nc = 07:32:00\nd = 1979-05-27",
	"{\"a\":\"1979-05-27T07:32:00Z\",\"b\":\"1979-05-27 "
	"07:32:00.5\",\"c\":\"07:32:00\",\"d\":\"1979-05-27\"}"},
    {"[a.'b.c']\nx = inf", "{\"a\":{\"b.c\":{\"x\":\"inf\"}}}"},
};

Test(toml, reads)
{
	for (size_t i = 0; i < COUNTOF(good); i++)
		cr_expect_str_eq(read_as(good[i].text), good[i].json, "%s gave %s", good[i].text,
		    read_as(good[i].text));
}

static const char *const bad[] = {"a", "a =", "= 1", "a = 1 b = 2", "a = 1\na = 2", "[t]\n[t]",
    "[t", "[]", "[t]x", "[[t]\n", "a = 'x", "a = \"x\ny\"", "a = \"\\q\"", "a = \"\\u0000\"",
    "a = \"\\ud800\"", "a = [1 2]", "a = {b = 1,\nc = 2}", "a = {b = 1,}", "a = {b=1}\n[a.c]",
    "a = {b=1}\na.c = 2", "[a.b]\n[a]\nb.c=1", "a = [1]\n[[a]]", "[[a]]\n[a]", "[a]\n[[a]]",
    "a.b = 1\n[a]", "a = 01", "a = 1__0", "a = _1", "a = 1.", "a = .5", "a = 0x", "a = +0x1",
    "a = 9223372036854775808", "a = truE", "a = 1979-13-27", "a = 25:00:00", "a = \x01",
    "a = 'x\x01'", "# \x01", "a = \xff", "\"\"\"k\"\"\" = 1", "a = 1e", "a. = 1", "a = \"\\\n\""};

Test(toml, refuses)
{
	for (size_t i = 0; i < COUNTOF(bad); i++) {
		struct err e = {0};

		cr_expect_null(toml_read(bad[i], strlen(bad[i]), "f", &e), "%s", bad[i]);
		cr_expect_eq(e.class, ERR_FORMAT, "%s", bad[i]);
	}
}

Test(toml, names_the_line)
{
	cr_expect_str_eq(
	    read_as("a=1\n\n[t]\nb = \"\"\"\n\n\"\"\"\nc = ?"), "f:7: malformed value");
	cr_expect_str_eq(read_as("a=1\na=2"), "f:2: key a is there twice");
}

Test(toml, bounds)
{
	own_strbuf struct strbuf b = {0};
	struct err e = {0};

	strbuf_add(&b, "a = ");
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&b, '[');
	cr_expect_str_eq(read_as(b.s), "f:1: nested too deeply");
	strbuf_free(&b);
	for (int i = 0; i < 100; i++)
		strbuf_add(&b, "a.");
	cr_expect_str_eq(read_as(b.s), "f:1: key has too many parts");
	strbuf_free(&b);
	b.s = memset(xmalloc(TOML_SIZE_MAX + 2), '\n', TOML_SIZE_MAX + 2);
	cr_expect_null(toml_read(b.s, TOML_SIZE_MAX + 1, "f", &e));
	cr_expect_eq(e.class, ERR_LIMIT);
}
