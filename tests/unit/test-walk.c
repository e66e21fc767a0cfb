/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/fs/tree.h"
#include "common/fs/walk.h"

static char where[64];
static int at = -1;
static struct err e;

static void
setup(void)
{
	err_clear(&e);
	snprintf(where, sizeof(where), "/tmp/test-walk-XXXXXX");
	cr_assert_not_null(mkdtemp(where));
	at = open(where, O_RDONLY | O_DIRECTORY);
}

static void
teardown(void)
{
	close(at);
	cr_assert_eq(tree_remove(AT_FDCWD, where, &e), 0, "%s", e.text);
}

TestSuite(walk, .init = setup, .fini = teardown);

static int
note(void *arg, const struct walk_entry *w, struct err *unused)
{
	(void)unused;
	strbuf_addf(arg, "%s ", w->path);
	return strcmp(w->name, "skip") == 0 ? WALK_PRUNE : 0;
}

Test(walk, in_order_without_following)
{
	own_strbuf struct strbuf seen = {0};

	cr_assert_eq(mkdirat(at, "b", 0755), 0);
	cr_assert_eq(mkdirat(at, "b/skip", 0755), 0);
	cr_assert_eq(mkdirat(at, "b/skip/x", 0755), 0);
	cr_assert_eq(mkdirat(at, "b/y", 0755), 0);
	cr_assert_eq(symlinkat("b", at, "c"), 0);
	close(openat(at, "a", O_WRONLY | O_CREAT, 0600));
	cr_assert_eq(walk_tree(at, note, &seen, &e), 0, "%s", e.text);
	cr_assert_str_eq(seen.s, "a b b/skip b/y c ");
}

Test(walk, counts_deeper_than_a_path)
{
	own_strbuf struct strbuf seen = {0};
	struct walk_usage u;
	char name[201];
	int here = dup(at);

	memset(name, 'd', 200);
	name[200] = '\0';
	for (int i = 0; i < 100; i++) {
		int next;

		cr_assert_eq(mkdirat(here, name, 0755), 0);
		next = openat(here, name, O_RDONLY | O_DIRECTORY);
		close(here);
		here = next;
	}
	close(openat(here, "a", O_WRONLY | O_CREAT, 0600));
	close(here);
	cr_assert_eq(walk_count(at, &u, &e), 0, "%s", e.text);
	cr_assert_eq(u.inodes, 101);
	cr_assert_eq(walk_tree(at, note, &seen, &e), -1);
	cr_assert_eq(e.class, ERR_LIMIT);
	err_clear(&e);
}

struct seen {
	size_t named, beyond, wrong;
	size_t longest;
};

static int
look(void *arg, const struct walk_entry *w, struct err *unused)
{
	struct seen *s = arg;
	size_t n = strlen(w->path), name = strlen(w->name);

	(void)unused;
	s->named += !w->beyond;
	s->beyond += w->beyond;
	s->longest = n > s->longest ? n : s->longest;
	/* A path that is told is that of the entry, and what is beyond has that of a directory. */
	if (w->beyond ? (n + 1) % 201 != 0 : n < name || strcmp(w->path + n - name, w->name) != 0)
		s->wrong++;
	return 0;
}

Test(walk, tells_where_paths_end)
{
	struct seen s = {0};
	char name[201];
	int here = dup(at);

	memset(name, 'd', 200);
	name[200] = '\0';
	/* A short name fits at each level for itself. */
	for (int i = 0; i < 30; i++) {
		int next;

		cr_assert_eq(mkdirat(here, name, 0755), 0);
		close(openat(here, "a", O_WRONLY | O_CREAT, 0600));
		next = openat(here, name, O_RDONLY | O_DIRECTORY);
		close(here);
		here = next;
	}
	close(here);
	cr_assert_eq(walk_deep(at, look, &s, &e), 0, "%s", e.text);
	cr_assert_eq(s.wrong, 0);
	cr_assert_eq(s.named, 20 + 21);
	cr_assert_eq(s.beyond, 10 + 9);
	cr_assert_leq(s.longest, 4095);
}

Test(walk, counts_a_file_of_two_names_once)
{
	struct walk_usage u;
	int fd = openat(at, "a", O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(ftruncate(fd, 1000), 0);
	close(fd);
	cr_assert_eq(linkat(at, "a", at, "b", 0), 0);
	cr_assert_eq(walk_count(at, &u, &e), 0, "%s", e.text);
	cr_assert_eq(u.bytes, 1000);
	cr_assert_eq(u.inodes, 1);
}

Test(walk, deep)
{
	struct walk_usage u;
	int fd = dup(at);

	for (int i = 0; i < 1500; i++) {
		int next;

		cr_assert_eq(mkdirat(fd, "d", 0755), 0);
		cr_assert_eq(mkdirat(fd, "e", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = next;
	}
	close(fd);
	cr_assert_eq(walk_count(at, &u, &e), 0, "%s", e.text);
	cr_assert_eq(u.inodes, 3000);
}
