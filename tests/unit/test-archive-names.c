/* SPDX-License-Identifier: ISC */
// objs: pod-image/archive/reader.o
// libs: -larchive
#include <criterion/criterion.h>

#include "common/base/own.h"
#include "pod-image/archive/reader.h"

static void
expect(const char *name, const char *base, const char *want)
{
	own_mem char *got = reader_clean(name, base);

	if (want == NULL)
		cr_expect_null(got, "%s became %s", name, got);
	else
		cr_expect_str_eq(got, want);
}

Test(archive_names, clean)
{
	expect("./a//b/.", NULL, "a/b");
	expect("a", NULL, "a");
	expect("/a", NULL, NULL);
	expect("../a", NULL, NULL);
	expect("a/../b", NULL, NULL);
	expect("", NULL, NULL);
	expect(".", NULL, NULL);
	expect("a\xff", NULL, NULL);
}

Test(archive_names, links)
{
	expect("../b/layer.tar", "a/layer.tar", "b/layer.tar");
	expect("x", "a/layer.tar", "a/x");
	expect("../../b", "a/layer.tar", NULL);
	expect("/etc/passwd", "a/layer.tar", NULL);
}
