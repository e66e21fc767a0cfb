/* SPDX-License-Identifier: ISC */
// objs: pod-run/cmd/yaml.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "pod-run/cmd/yaml.h"

static void
gives(const char *json, const char *want)
{
	struct err e = {0};
	own_json json_t *j = json_read(json, strlen(json), &e);
	own_strbuf struct strbuf b = {0};

	cr_assert_not_null(j, "%s", e.text);
	yaml_add(j, &b);
	cr_assert_str_eq(b.s, want);
}

Test(yaml, shapes)
{
	gives("{}", "{}\n");
	gives("[]", "[]\n");
	gives("{\"b\":{\"x\":1},\"a\":[1,\"two\"],\"c\":{},\"d\":null,\"e\":true}",
	    "a:\n- 1\n- two\nb:\n  x: 1\nc: {}\nd: null\ne: true\n");
	gives("[{\"a\":1,\"b\":[{\"c\":2}]},3]", "- a: 1\n  b:\n  - c: 2\n- 3\n");
}

Test(yaml, strings)
{
	gives(
	    "[\"\",\"true\",\"No\",\"12\",\"1.5\",\"-\",\"a: b\",\"a #b\",\"a:b\",\"it's\",\" x\"]",
	    "- \"\"\n- \"true\"\n- \"No\"\n- \"12\"\n- \"1.5\"\n- '-'\n- 'a: b'\n- 'a #b'\n- a:b\n"
	    "- it's\n- ' x'\n");
	gives("{\"v\":\"one\\ntwo: x\"}", "v: |-\n  one\n  two: x\n");
	gives("{\"v\":\"one\\ntwo\\n\"}", "v: |\n  one\n  two\n");
	gives("{\"v\":\"\\u0007 bell\"}", "v: \"\\x07 bell\"\n");
}
