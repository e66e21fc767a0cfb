/* SPDX-License-Identifier: ISC */
// libs: -lsqlite3
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "common/db/salvage.h"
#include "common/db/sqlite.h"

static char dir[64], path[96];
static struct err e;

static sqlite3 *
open_one(const char *at)
{
	sqlite3 *h = NULL;

	cr_assert_eq(sqlite3_open(at, &h), SQLITE_OK);
	sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_exec(h, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	sqlite_guard(h);
	return h;
}

static int
run(sqlite3 *h, const char *sql)
{
	return sqlite3_exec(h, sql, NULL, NULL, NULL);
}

static int
count(const char *at)
{
	sqlite3 *h = open_one(at);
	sqlite3_stmt *q = NULL;
	int n = -1;

	if (sqlite3_prepare_v2(h, "SELECT count(*) FROM t", -1, &q, NULL) == SQLITE_OK &&
	    sqlite3_step(q) == SQLITE_ROW)
		n = sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	sqlite3_close(h);
	return n;
}

static void
setup(void)
{
	sqlite3 *h;

	snprintf(dir, sizeof(dir), "/tmp/pod-test-salvage-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/x.db", dir);
	h = open_one(path);
	cr_assert_eq(run(h, "CREATE TABLE t(a); INSERT INTO t VALUES(1), (2)"), SQLITE_OK);
	sqlite3_close(h);
}

static void
teardown(void)
{
	static const char *const names[] = {"x.db", "x.db.damaged"};
	static const char *const parts[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < COUNTOF(names); i++)
		for (size_t k = 0; k < COUNTOF(parts); k++) {
			char name[128];

			snprintf(name, sizeof(name), "%s/%s%s", dir, names[i], parts[k]);
			unlink(name);
		}
	rmdir(dir);
}

TestSuite(salvage, .init = setup, .fini = teardown);

/* arg: one that has the database open. */
static int
make(const char *at, void *arg, struct err *err)
{
	sqlite3 *h = open_one(at);

	(void)err;
	cr_assert_eq(run(h, "CREATE TABLE t(a)"), SQLITE_OK);
	sqlite3_close(h);
	if (arg != NULL)
		cr_expect_eq(run(arg, "INSERT INTO t VALUES(3)"), SQLITE_BUSY);
	return 0;
}

static int
renew(void *arg)
{
	static const char *const tables[] = {"t"};
	const struct salvage s = {
	    .path = path, .tables = tables, .ntables = COUNTOF(tables), .make = make, .arg = arg};

	return salvage_renew(&s, &e);
}

Test(salvage, who_has_the_old_one_open_commits_nothing)
{
	own_mem char *damaged = xasprintf("%s.damaged", path);
	sqlite3 *h = open_one(path);

	cr_assert_eq(run(h, "INSERT INTO t VALUES(0)"), SQLITE_OK);
	cr_expect(!sqlite_was_replaced(h));
	/* While a new one is made nothing can be added that would not be in it. */
	cr_assert_eq(renew(h), 0, "%s", e.text);
	cr_expect_neq(run(h, "INSERT INTO t VALUES(3)"), SQLITE_OK);
	cr_expect(sqlite_was_replaced(h));
	cr_assert_eq(run(h, "BEGIN IMMEDIATE; INSERT INTO t VALUES(3)"), SQLITE_OK);
	cr_expect_neq(run(h, "COMMIT"), SQLITE_OK);
	cr_expect(sqlite_was_replaced(h));
	sqlite3_close(h);
	cr_expect_eq(count(path), 3);
	cr_expect_eq(count(damaged), 3);
	h = open_one(path);
	cr_expect_eq(run(h, "INSERT INTO t VALUES(3)"), SQLITE_OK);
	sqlite3_close(h);
	cr_expect_eq(count(path), 4);
}

/* In the place of the C library's: what somebody does who comes in the moment before the new one has its name. */
static int visitor_code = -1;

int
renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	own_mem char *log = xasprintf("%s-wal", path);
	sqlite3 *h = NULL;
	struct stat st;

	cr_assert_eq(sqlite3_open(path, &h), SQLITE_OK);
	visitor_code = run(h, "INSERT INTO t VALUES(9)");
	sqlite3_db_config(h, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(h);
	cr_expect(stat(log, &st) == -1 || !S_ISREG(st.st_mode), "there is a log");
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

Test(salvage, who_comes_in_between_makes_no_log)
{
	own_mem char *log = xasprintf("%s-wal", path);

	cr_assert_eq(renew(NULL), 0, "%s", e.text);
	cr_expect_eq(visitor_code, SQLITE_CANTOPEN);
	cr_expect_eq(access(log, F_OK), -1);
	cr_expect_eq(count(path), 2);
}

Test(salvage, of_nothing_is_a_database_all_the_same)
{
	own_mem char *log = xasprintf("%s-wal", path), *index = xasprintf("%s-shm", path);

	unlink(path);
	unlink(log);
	unlink(index);
	cr_assert_eq(renew(NULL), 0, "%s", e.text);
	cr_expect_eq(count(path), 0);
}
