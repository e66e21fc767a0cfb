/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/conf/registries_conf.h"

static struct err e;

static int
load(struct registries_conf *c, const char *text)
{
	char path[] = "/tmp/test-registries-XXXXXX";
	own_fd int fd = mkstemp(path);
	int r;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	err_clear(&e);
	r = registries_conf_load(c, path, &e);
	unlink(path);
	return r;
}

static void
expect_rewrite(const struct registries_conf *c, const char *name, const char *want)
{
	own_reference struct reference r = {0}, out = {0};
	const struct registries_entry *entry;
	own_mem char *got = NULL;

	cr_assert_eq(reference_parse(name, &r, &e), 0);
	entry = registries_conf_find(c, &r);
	if (want == NULL) {
		cr_expect_null(entry, "%s matched %s", name, entry != NULL ? entry->prefix : "");
		return;
	}
	cr_assert_not_null(entry, "%s", name);
	cr_assert_eq(
	    registries_conf_rewrite(entry, &entry->primary, &r, &out, &e), 0, "%s", e.text);
	got = reference_string(&out);
	cr_expect_str_eq(got, want);
}

Test(registries, search_and_aliases)
{
	own_registries_conf struct registries_conf c = {0};
	own_strv struct strv v = {0};
	const char *file;

	cr_assert_eq(load(&c, "unqualified-search-registries = [\"docker.io\", \"quay.io\"]\n"
			      "short-name-mode = \"enforcing\"\n"
			      "[aliases]\n\"tool\" = \"quay.io/org/tool\"\n\"gone\" = \"\"\n"),
	    0, "%s", e.text);
	cr_assert_eq(c.mode, REGISTRIES_ENFORCING);
	cr_assert_str_eq(registries_conf_alias(&c, "tool", &file), "quay.io/org/tool");
	cr_assert_null(registries_conf_alias(&c, "gone", &file));
	cr_assert_eq(registries_conf_candidates(&c, "tool:2", &v, &e), 0);
	cr_assert_eq(v.n, 2);
	cr_assert_str_eq(v.v[0], "localhost/tool:2");
	cr_assert_str_eq(v.v[1], "quay.io/org/tool:2");
	strv_free(&v);
	memset(&v, 0, sizeof(v));
	cr_assert_eq(registries_conf_candidates(&c, "app", &v, &e), 0);
	cr_assert_eq(v.n, 3);
	cr_assert_str_eq(v.v[2], "quay.io/app:latest");
}

Test(registries, prefixes_and_locations)
{
	own_registries_conf struct registries_conf c = {0};

	cr_assert_eq(
	    load(&c, "[[registry]]\nprefix = \"docker.io\"\nlocation = \"mirror:5000/hub\"\n"
		     "[[registry]]\nlocation = \"q.io/ns\"\nblocked = true\n"
		     "[[registry]]\nprefix = \"*.x.io\"\ninsecure = true\n"),
	    0, "%s", e.text);
	expect_rewrite(&c, "docker.io/busybox:1", "mirror:5000/hub/library/busybox:1");
	expect_rewrite(&c, "q.io/ns/app", "q.io/ns/app");
	expect_rewrite(&c, "q.io/nsx/app", NULL);
	expect_rewrite(&c, "q.io:443/ns/app", NULL);
	expect_rewrite(&c, "a.b.x.io/app", "a.b.x.io/app");
	expect_rewrite(&c, "x.io/app", NULL);
	expect_rewrite(&c, "evilx.io/app", NULL);
	expect_rewrite(&c, "docker.io.evil.org/app", NULL);
	cr_assert(c.entries[1].blocked);
}

Test(registries, mirrors)
{
	own_registries_conf struct registries_conf c = {0};

	cr_assert_eq(load(&c, "[[registry]]\nlocation = \"q.io\"\n"
			      "[[registry.mirror]]\nlocation = \"m1.io\"\ninsecure = true\n"
			      "[[registry.mirror]]\nlocation = \"m2.io/q\"\n"
			      "pull-from-mirror = \"digest-only\"\n"),
	    0, "%s", e.text);
	cr_assert_eq(c.nentries, 1);
	cr_assert_eq(c.entries[0].nmirrors, 2);
	cr_assert(c.entries[0].mirrors[0].insecure);
	cr_assert_eq(c.entries[0].mirrors[1].use, REGISTRIES_MIRROR_DIGEST);
}

Test(registries, faults)
{
	static const char *const bad[] = {"[[registry]]\nlocation = \"https://q.io\"\n",
	    "[[registry]]\nblocked = true\n", "short-name-mode = \"often\"\n", "registries = []\n",
	    "[registries.block]\nregistries = 5\n",
	    "[registries.search]\nregistries = [\"https://q.io\"]\n",
	    "[registries.insecure]\nregistries = [\"/\"]\n",
	    "short-name-mode = \"enforcing\"\n[registries.search]\nregistries = [\"q.io\"]\n",
	    "[registries.block]\nregistries = [\"q.io\"]\n[aliases]\na = \"q.io/a\"\n",
	    "unqualified-search-registries = [\"http://q.io\"]\n",
	    "[[registry]]\nlocation = \"q.io\"\n[[registry.mirror]]\ninsecure = true\n",
	    "unqualified-search-registries = \"q.io\"\n", "[[registry]]\nlocation = 7\n",
	    "[[registry]]\nprefix = \"\"\nlocation = \"\"\n",
	    "[[registry]]\nlocation = \"q.io\"\ninsecure = true\n"
	    "[[registry]]\nprefix = \"p.io\"\nlocation = \"q.io\"\n",
	    "[[registry]]\nlocation = \"q.io\"\nblocked = true\n[[registry]]\nlocation = "
	    "\"q.io\"\n",
	    "[[registry]]\nprefix = \"p.io\"\nlocation = \"\"\nblocked = true\n",
	    "[[registry]]\nprefix = \"*.q.io/ns\"\nlocation = \"q.io\"\n",
	    "[[registry]]\nlocation = \"q.io\"\npull-from-mirror = \"all\"\n",
	    "unqualified-search-registries = [\" q.io\"]\n",
	    "unqualified-search-registries = [\"q.io/a:1\"]\n", "[aliases]\n\"a\" = \"b\"\n",
	    "[aliases]\n\"a\" = \"q.io/a:1\"\n", "[aliases]\n\"a:1\" = \"q.io/a\"\n",
	    "[aliases]\n\"q.io/a\" = \"q.io/a\"\n",
	    "[[registry]]\nlocation = \"q.io\"\nmirror-by-digest-only = true\n"
	    "[[registry.mirror]]\nlocation = \"m.io\"\npull-from-mirror = \"all\"\n"};

	for (size_t i = 0; i < COUNTOF(bad); i++) {
		own_registries_conf struct registries_conf c = {0};

		cr_expect_eq(load(&c, bad[i]), -1, "accepted: %s", bad[i]);
	}
}

Test(registries, a_named_file_must_be_there)
{
	own_registries_conf struct registries_conf c = {0};

	err_clear(&e);
	cr_expect_eq(registries_conf_load(&c, "/nonexistent/r.conf", &e), -1);
	cr_expect_str_eq(e.text, "loading registries configuration \"/nonexistent/r.conf\": open "
				 "/nonexistent/r.conf: no such file or directory");
}

Test(registries, what_is_empty_is_not_there)
{
	own_registries_conf struct registries_conf c = {0};

	cr_assert_eq(
	    load(&c, "[[registry]]\nprefix = \"\"\nlocation = \"q.io\"\npull-from-mirror = \"\"\n"
		     "[[registry]]\nprefix = \"*.p.io\"\nlocation = \"\"\n"),
	    0, "%s", e.text);
	expect_rewrite(&c, "q.io/a:1", "q.io/a:1");
	expect_rewrite(&c, "a.p.io/a:1", "a.p.io/a:1");
}

Test(registries, version_1)
{
	own_registries_conf struct registries_conf c = {0};

	cr_assert_eq(load(&c, "unqualified-search-registries = []\n"
			      "[registries.search]\nregistries = [\"a.io\", \"b.io:5000/\"]\n"
			      "[registries.insecure]\nregistries = [\"b.io:5000\", \"c.io/ns\"]\n"
			      "[registries.block]\nregistries = [\"c.io/ns/\"]\n"),
	    0, "%s", e.text);
	cr_assert_eq(c.search.n, 2);
	cr_expect_str_eq(c.search.v[0], "a.io");
	cr_expect_str_eq(c.search.v[1], "b.io:5000");
	cr_assert_eq(c.nentries, 2);
	cr_expect_str_eq(c.entries[0].prefix, "c.io/ns");
	cr_expect(c.entries[0].blocked && c.entries[0].primary.insecure);
	cr_expect_str_eq(c.entries[1].primary.location, "b.io:5000");
	cr_expect(!c.entries[1].blocked && c.entries[1].primary.insecure);
	expect_rewrite(&c, "c.io/ns/app", "c.io/ns/app");
}

Test(registries, an_empty_version_1_is_version_2)
{
	own_registries_conf struct registries_conf c = {0};

	cr_assert_eq(load(&c, "short-name-mode = \"enforcing\"\n"
			      "[registries.search]\nregistries = []\n"
			      "[[registry]]\nlocation = \"q.io\"\n"),
	    0, "%s", e.text);
	cr_expect_eq(c.mode, REGISTRIES_ENFORCING);
	cr_expect_eq(c.nentries, 1);
}
