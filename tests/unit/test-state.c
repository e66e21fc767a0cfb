/* SPDX-License-Identifier: ISC */
// objs: pod-run/state/db.o pod-run/state/ctr.o pod-run/state/summary.o
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/names.h"
#include "pod-run/state/ctr.h"

static char dir[64];
static struct db *db;
static struct err e;

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/pod-test-state-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
	cr_assert_eq(db_open(dir, "/run/a", &db, &e), 0, "%s", e.text);
}

static void
teardown(void)
{
	static const char *const files[] = {"pod.db", "pod.db-wal", "pod.db-shm"};

	db_close(db);
	for (size_t i = 0; i < COUNTOF(files); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

TestSuite(state, .init = setup, .fini = teardown);

static int
insert(const char *id, const char *name, int64_t created, const struct strv *needs)
{
	struct rec_ctr_config config = {.name = name, .tty = true, .image_name = "image"};
	struct ctr c = {.name = name,
	    .created_ns = created,
	    .status = CTR_CONFIGURED,
	    .image = "i",
	    .config = &config};

	strcpy(c.id, id);
	return ctr_insert(db, &c, needs, NULL, &e);
}

#define ID_A "aa11111111111111111111111111111111111111111111111111111111111111"
#define ID_FAR "bb33333333333333333333333333333333333333333333333333333333333333"
#define ID_B "aa22222222222222222222222222222222222222222222222222222222222222"
#define ID_C "cc33333333333333333333333333333333333333333333333333333333333333"

Test(state, stores_and_finds)
{
	char id[NAMES_ID_LEN + 1];
	own_ctr struct ctr c = {0};

	cr_assert_eq(insert(ID_A, "web", 1, NULL), 0, "%s", e.text);
	cr_assert_eq(insert(ID_B, "aa1", 2, NULL), 0);
	cr_assert_eq(insert(ID_C, "other", 3, NULL), 0);
	cr_assert_eq(ctr_find(db, "web", id, &e), 0);
	cr_assert_str_eq(id, ID_A);
	cr_assert_eq(ctr_find(db, "aa1", id, &e), 0, "a name wins over an ID prefix");
	cr_assert_str_eq(id, ID_B);
	cr_assert_eq(ctr_find(db, "aa11", id, &e), 0);
	cr_assert_str_eq(id, ID_A);
	cr_assert_eq(ctr_find(db, "c", id, &e), 0);
	cr_assert_str_eq(id, ID_C);
	cr_assert_eq(ctr_find_latest(db, id, &e), 0);
	cr_assert_str_eq(id, ID_C);
	cr_assert_eq(ctr_load(db, ID_A, &c, &e), 0);
	cr_assert_str_eq(c.name, "web");
	cr_assert_eq(ctr_config(&c, &e), 0, "%s", e.text);
	cr_assert(c.config->tty);
}

Test(state, lookup_errors)
{
	char id[NAMES_ID_LEN + 1];

	insert(ID_A, "x", 1, NULL);
	insert(ID_B, "y", 1, NULL);
	cr_assert_eq(ctr_find(db, "", id, &e), -1);
	cr_assert_str_eq(e.text, "name or ID cannot be empty");
	cr_assert_eq(ctr_find(db, "nosuch", id, &e), -1);
	cr_assert_str_eq(
	    e.text, "no container with name or ID \"nosuch\" found: no such container");
	cr_assert_eq(e.class, ERR_NOTFOUND);
	cr_assert_eq(ctr_find(db, "aa", id, &e), -1);
	cr_assert_str_eq(e.text,
	    "more than one result for container name or ID \"aa\": container already exists");
}

Test(state, a_name_alone_is_no_prefix)
{
	char id[NAMES_ID_LEN + 1];

	insert(ID_A, "x", 1, NULL);
	cr_assert_eq(ctr_find_name(db, "aa", id, &e), -1);
	cr_assert_eq(e.class, ERR_NOTFOUND);
	err_clear(&e);
	cr_assert_eq(ctr_find_name(db, "x", id, &e), 0);
	cr_assert_str_eq(id, ID_A);
}

Test(state, names_are_unique)
{
	insert(ID_A, "web", 1, NULL);
	cr_assert_eq(insert(ID_B, "web", 2, NULL), -1);
	cr_assert_eq(e.class, ERR_EXISTS);
	cr_assert(strstr(e.text, "the container name \"web\" is already in use by " ID_A) != NULL);
}

Test(state, configurations_are_searched)
{
	bool has = true;

	cr_assert_eq(ctr_config_has(db, "image", &has, &e), 0);
	cr_assert_not(has);
	insert(ID_A, "web", 1, NULL);
	cr_assert_eq(ctr_config_has(db, "image", &has, &e), 0);
	cr_assert(has);
	cr_assert_eq(ctr_config_has(db, "s0:c1,c2", &has, &e), 0);
	cr_assert_not(has);
}

Test(state, removal_keeps_the_exit_code_and_notes_the_leftover)
{
	own_ctr struct ctr c = {0};
	own_strv struct strv left = {0};
	int code = -7;

	insert(ID_A, "web", 1, NULL);
	cr_assert_eq(ctr_load(db, ID_A, &c, &e), 0);
	c.status = CTR_EXITED;
	c.finished_ns = 5;
	c.exit_code = 3;
	cr_assert_eq(ctr_save(db, &c, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_remove(db, &c, true, 10, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_exit_code_get(db, ID_A, &code, &e), 0);
	cr_assert_eq(code, 3);
	cr_assert_eq(ctr_leftovers(db, false, 11, &left, &e), 0);
	cr_assert_eq(left.n, 0);
	cr_assert_eq(ctr_leftovers(db, true, 11, &left, &e), 0);
	cr_assert_eq(left.n, 1);
	cr_assert_eq(ctr_leftover_done(db, ID_A, &e), 0);
	cr_assert_eq(ctr_save(db, &c, &e), -1, "a row that is gone cannot be saved");
	cr_assert_eq(e.class, ERR_NOTFOUND);
}

Test(state, old_exit_codes_go)
{
	int code;

	cr_assert_eq(ctr_exit_code_put(db, ID_A, 1, 0, &e), 0);
	cr_assert_eq(ctr_exit_code_put(db, ID_FAR, 3, 0, &e), 0);
	cr_assert_eq(ctr_exit_code_put(db, ID_B, 2, INT64_C(301000000000), &e), 0);
	cr_assert_eq(ctr_exit_code_get(db, ID_A, &code, &e), -1);
	cr_assert_eq(ctr_exit_code_get(db, ID_B, &code, &e), 0);
	cr_assert_eq(ctr_exit_code_get(db, ID_FAR, &code, &e), 0, "it waits for one near it");
}

Test(state, dependencies_forbid_removal)
{
	own_strv struct strv needs = {0};
	own_ctr struct ctr c = {0};

	insert(ID_A, "base", 1, NULL);
	strv_add(&needs, ID_A);
	cr_assert_eq(insert(ID_B, "top", 2, &needs), 0, "%s", e.text);
	cr_assert_eq(ctr_load(db, ID_A, &c, &e), 0);
	cr_assert_eq(ctr_remove(db, &c, true, 10, &e), -1);
	cr_assert_eq(e.class, ERR_INUSE);
}

Test(state, reboot_ends_what_ran)
{
	own_ctr struct ctr a = {0}, b = {0};

	insert(ID_A, "ran", 1, NULL);
	insert(ID_B, "new", 2, NULL);
	cr_assert_eq(ctr_load(db, ID_A, &a, &e), 0);
	a.status = CTR_RUNNING;
	a.pid = 77;
	ctr_save(db, &a, &e);
	ctr_free(&a);
	cr_assert_eq(ctr_reset_all(db, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_load(db, ID_A, &a, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_load(db, ID_B, &b, &e), 0);
	cr_assert_eq(a.status, CTR_EXITED);
	cr_assert_eq(a.pid, 0);
	cr_assert_eq(b.status, CTR_CONFIGURED);
}

Test(state, another_run_root_is_refused)
{
	struct db *other;

	cr_assert_eq(db_open(dir, "/run/b", &other, &e), -1);
	cr_assert(strstr(e.text, "database configuration mismatch") != NULL);
}

Test(state, rollback_inside_undoes_all)
{
	char id[NAMES_ID_LEN + 1];

	cr_assert_eq(db_begin(db, &e), 0);
	cr_assert_eq(insert(ID_A, "web", 1, NULL), 0);
	cr_assert_eq(insert(ID_B, "web", 1, NULL), -1);
	cr_assert_eq(db_commit(db, &e), -1);
	cr_assert_eq(ctr_find(db, "web", id, &e), -1);
}

Test(names, ids_and_generated_names)
{
	char id[NAMES_ID_LEN + 1], name[NAMES_GENERATED_MAX];

	names_id(id);
	names_generate(name);
	cr_assert(names_is_id(id));
	cr_assert(names_is_valid(name));
	cr_assert(strspn(id, "0123456789") < NAMES_SHORT_LEN);
	cr_assert(names_is_valid("a-b_c.d"));
	cr_assert_not(names_is_valid("-a"));
	cr_assert_not(names_is_valid(""));
	cr_assert_not(names_is_valid("a/b"));
	cr_assert_not(names_is_valid("a b"));
}

/* --- Summaries
 * -------------------------------------------------------------------------------*/

Test(state, lists_summaries)
{
	own_ctr_list struct ctr_list l = {0};
	own_ctr struct ctr c = {0};

	cr_assert_eq(insert(ID_A, "web", 1, NULL), 0, "%s", e.text);
	cr_assert_eq(ctr_list_summaries(db, &l, &e), 0, "%s", e.text);
	cr_assert_eq(l.n, 1);
	cr_assert_eq(l.v[0].config_raw.n, 0, "a list does not read the configuration");
	cr_assert_eq(ctr_summary(&l.v[0], &e), 0, "%s", e.text);
	cr_assert_str_eq(l.v[0].summary->image_name, "image");
	cr_assert(l.v[0].summary->default_network);
	ctr_list_free(&l);

	cr_assert_eq(ctr_load(db, ID_A, &c, &e), 0);
	cr_assert_eq(ctr_config(&c, &e), 0);
	c.config->image_name = "other";
	c.config->network_mode = "none";
	cr_assert_eq(ctr_save_config(db, &c, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_list_summaries(db, &l, &e), 0);
	cr_assert_eq(ctr_summary(&l.v[0], &e), 0);
	cr_assert_str_eq(l.v[0].summary->image_name, "other", "it follows the configuration");
	cr_assert(!l.v[0].summary->default_network);
}

/* A database as version 1 made it, with one container, at path. */
static void
make_version_1(const char *path)
{
	static const char old[] =
	    "PRAGMA journal_mode = WAL;"
	    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	    "INSERT INTO setting VALUES ('run_root', '/run/a');"
	    "CREATE TABLE container ("
	    " id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,"
	    " status INTEGER NOT NULL, pid INTEGER NOT NULL DEFAULT 0,"
	    " pid_start INTEGER NOT NULL DEFAULT 0, monitor_pid INTEGER NOT NULL DEFAULT 0,"
	    " started INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0,"
	    " exit_code INTEGER NOT NULL DEFAULT 0, oom INTEGER NOT NULL DEFAULT 0,"
	    " restarts INTEGER NOT NULL DEFAULT 0, stopped_by_user INTEGER NOT NULL DEFAULT 0,"
	    " error TEXT NOT NULL DEFAULT '', image TEXT NOT NULL DEFAULT '',"
	    " config BLOB NOT NULL, run BLOB NOT NULL);"
	    "CREATE INDEX container_image ON container (image);"
	    "PRAGMA user_version = 1;";
	own_strbuf struct strbuf packed = {0};
	struct rec_ctr_config config = {.name = "old", .image_name = "of old"};
	sqlite3_stmt *s;
	sqlite3 *sql;

	wire_pack(&rec_ctr_config_desc, &config, &packed);
	cr_assert_eq(sqlite3_open(path, &sql), SQLITE_OK);
	cr_assert_eq(
	    sqlite3_exec(sql, old, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(sql));
	cr_assert_eq(sqlite3_prepare_v2(sql,
			 "INSERT INTO container (id, name, created, status, config, run)"
			 " VALUES ('" ID_A "', 'old', 7, 6, ?1, x'80')",
			 -1, &s, NULL),
	    SQLITE_OK, "%s", sqlite3_errmsg(sql));
	sqlite3_bind_blob(s, 1, packed.s, (int)packed.n, SQLITE_STATIC);
	cr_assert_eq(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
	sqlite3_close(sql);
}

Test(state, takes_over_version_1)
{
	own_ctr_list struct ctr_list l = {0};
	own_ctr struct ctr c = {0};
	char path[96];

	db_close(db);
	snprintf(path, sizeof(path), "%s/pod.db", dir);
	cr_assert_eq(unlink(path), 0);
	make_version_1(path);
	cr_assert_eq(db_open(dir, "/run/a", &db, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_list_summaries(db, &l, &e), 0, "%s", e.text);
	cr_assert_eq(l.n, 1);
	cr_assert_eq(ctr_summary(&l.v[0], &e), 0, "%s", e.text);
	cr_assert_str_eq(l.v[0].summary->image_name, "of old");
	cr_assert_eq(ctr_load(db, ID_A, &c, &e), 0, "%s", e.text);
	cr_assert_eq(c.created_ns, 7);
	cr_assert_eq(ctr_config(&c, &e), 0, "%s", e.text);
	cr_assert_str_eq(c.config->image_name, "of old");
	cr_assert_eq(ctr_save_config(db, &c, &e), 0, "%s", e.text);
	/* Opening it once more changes nothing. */
	db_close(db);
	cr_assert_eq(db_open(dir, "/run/a", &db, &e), 0, "%s", e.text);
	ctr_list_free(&l);
	cr_assert_eq(ctr_list_summaries(db, &l, &e), 0, "%s", e.text);
	cr_assert_eq(l.v[0].config_raw.n, 0, "it has its summary now");
}

/* The index of the log, FILE-shm, read into or written from text. */
static void
log_index(char *text, size_t size, bool put)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pod.db-shm", dir);
	f = fopen(path, put ? "r+" : "r");
	cr_assert_not_null(f);
	cr_assert_eq(put ? fwrite(text, 1, size, f) : fread(text, 1, size, f), size);
	cr_assert_eq(fclose(f), 0);
}

static void
open_again(void)
{
	cr_assert_eq(db_open(dir, "/run/a", &db, &e), 0, "%s", e.text);
}

/* Whatever stands in it, also what was right once, is made anew by the first who opens the database. */
Test(state, distrusts_the_index_of_the_log)
{
	static char old[32768], junk[32768];
	own_ctr struct ctr a = {0}, b = {0}, c = {0};

	cr_assert_eq(insert(ID_A, "a", 1, NULL), 0, "%s", e.text);
	log_index(old, sizeof(old), false);
	cr_assert_eq(insert(ID_B, "b", 2, NULL), 0, "%s", e.text);
	db_close(db);
	log_index(old, sizeof(old), true);
	open_again();
	cr_assert_eq(ctr_load(db, ID_A, &a, &e), 0, "%s", e.text);
	cr_assert_eq(ctr_load(db, ID_B, &b, &e), 0, "%s", e.text);
	db_close(db);
	memset(junk, 0x5a, sizeof(junk));
	log_index(junk, sizeof(junk), true);
	open_again();
	cr_assert_eq(insert(ID_C, "c", 3, NULL), 0, "%s", e.text);
	db_close(db);
	open_again();
	cr_assert_eq(ctr_load(db, ID_C, &c, &e), 0, "%s", e.text);
}

static void
away(const char *part)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/pod.db%s", dir, part);
	snprintf(to, sizeof(to), "%s/old%s", dir, part);
	cr_assert(rename(from, to) == 0);
}

static void
put_away(void)
{
	away("-wal");
	away("-shm");
	away("");
}

static void
forget_old(void)
{
	static const char *const parts[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < COUNTOF(parts); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/old%s", dir, parts[i]);
		unlink(path);
	}
}

/* As a repair does it while a command has it open. */
Test(state, goes_on_with_the_one_that_a_repair_put_there)
{
	own_mem char *path = xasprintf("%s/pod.db", dir);
	own_ctr struct ctr c = {0};
	struct db *other;

	cr_assert_eq(insert(ID_A, "a", 1, NULL), 0, "%s", e.text);
	put_away();
	cr_assert_eq(db_make(path, "/run/a", &e), 0, "%s", e.text);
	cr_expect_eq(ctr_load(db, ID_A, &c, &e), -1);
	err_clear(&e);
	cr_assert_eq(insert(ID_B, "b", 2, NULL), 0, "%s", e.text);
	cr_assert_eq(db_open(dir, "/run/a", &other, &e), 0, "%s", e.text);
	cr_expect_eq(ctr_load(other, ID_B, &c, &e), 0, "%s", e.text);
	db_close(other);
	forget_old();
}

Test(state, makes_none_where_it_was_removed)
{
	own_mem char *path = xasprintf("%s/pod.db", dir);

	put_away();
	cr_expect_eq(insert(ID_A, "a", 1, NULL), -1);
	cr_expect(strstr(e.text, "removed meanwhile") != NULL, "%s", e.text);
	cr_expect(access(path, F_OK) == -1);
	forget_old();
}
