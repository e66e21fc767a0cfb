/* SPDX-License-Identifier: ISC */
// objs: pod-run/oci/cdi.o pod-run/oci/spec_list.o
#include <criterion/criterion.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/conf/yaml_json.h"
#include "pod-run/oci/cdi.h"

Test(cdi, names)
{
	static const char *const good[] = {
	    "nvidia.com/gpu=all", "a/b=0", "vendor.example-1.com/class_1=GPU-1:2.3"};
	static const char *const bad[] = {"", "/dev/null", "a=b", "a/b", "a/b=", "/b=c", "a/=c",
	    "1a/b=c", "a/b=c-", "a/b/c=d", "a.com/b=c/d", "a b/c=d", "../b=c"};

	for (size_t i = 0; i < COUNTOF(good); i++)
		cr_expect(cdi_is_name(good[i]), "%s", good[i]);
	for (size_t i = 0; i < COUNTOF(bad); i++)
		cr_expect_not(cdi_is_name(bad[i]), "%s", bad[i]);
}

static char *
convert(const char *text, struct err *e)
{
	own_json json_t *j = yaml_json_read(text, strlen(text), "x", e);

	return j == NULL ? NULL : json_text(j);
}

Test(cdi, yaml_as_json)
{
	struct err e = {0};
	own_mem char *a = convert("a: 1\nb: [x, \"2\", true, ~, 0o17]\nc: {d: 1.5, e: ''}\n", &e);
	own_mem char *b = convert("x: &r {y: z}\nw: *r\n", &e);

	cr_assert_str_eq(
	    a, "{\"a\":1,\"b\":[\"x\",\"2\",true,null,15],\"c\":{\"d\":1.5,\"e\":\"\"}}");
	cr_assert_str_eq(b, "{\"x\":{\"y\":\"z\"},\"w\":{\"y\":\"z\"}}");
}

Test(cdi, hostile_yaml)
{
	struct err e = {0};
	char deep[1000];
	own_strbuf struct strbuf laugh = {0};

	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	cr_expect_null(convert(deep, &e));
	cr_expect_null(convert("", &e));
	cr_expect_null(convert("a: [", &e));
	cr_expect_null(convert("? [a]\n: b\n", &e));
	cr_expect_null(convert("a: \"\\0\"\n", &e));
	cr_expect_null(convert("a: &x [*x]\n", &e));
	strbuf_add(&laugh, "a0: &a0 [l,l,l,l,l,l,l,l,l,l]\n");
	for (int i = 1; i < 9; i++)
		strbuf_addf(&laugh,
		    "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1,
		    i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	cr_expect_null(convert(laugh.s, &e), "aliases are counted each time");
}
