/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/own.h"
#include "pod-run/state/ctr.h"
#include "pod-run/state/summary.h"

#define KEEP_EXIT_CODES_NS (300 * INT64_C(1000000000))

static const char *const status_names[CTR_STATUS_COUNT] = {[CTR_UNKNOWN] = "unknown",
    [CTR_CONFIGURED] = "created",
    [CTR_CREATED] = "initialized",
    [CTR_RUNNING] = "running",
    [CTR_STOPPED] = "stopped",
    [CTR_PAUSED] = "paused",
    [CTR_EXITED] = "exited",
    [CTR_REMOVING] = "removing",
    [CTR_STOPPING] = "stopping"};

const char *
ctr_status_name(enum ctr_status s)
{
	return (unsigned)s < CTR_STATUS_COUNT ? status_names[s] : "unknown";
}

bool
ctr_status_is_live(enum ctr_status s)
{
	return s == CTR_RUNNING || s == CTR_PAUSED || s == CTR_STOPPING;
}

bool
ctr_has_process(const struct ctr *c)
{
	return ctr_status_is_live(c->status) || (c->status == CTR_CREATED && c->pid > 0);
}

void
ctr_free(struct ctr *c)
{
	arena_free(&c->arena);
	memset(c, 0, sizeof(*c));
}

/* --- Rows to structs
 * ----------------------------------------------------------------------------*/

#define BRIEF                                                                                   \
	"id, name, created, status, pid, pid_start, monitor_pid, started, finished, exit_code," \
	" oom, restarts, stopped_by_user, error, image"
#define CONFIG "(SELECT config FROM container_config g WHERE g.id = container.id)"
#define COLUMNS BRIEF ", " CONFIG ", run, summary"
#define LIVE "status IN (3, 5, 8)" /* CTR_RUNNING, CTR_PAUSED, CTR_STOPPING */

static struct bytes
copy_blob(struct arena *a, struct bytes b)
{
	uint8_t *copy = b.n > 0 ? arena_alloc(a, b.n) : NULL;

	if (b.n > 0)
		memcpy(copy, b.p, b.n);
	return (struct bytes){copy, b.n};
}

static int
fill(struct ctr *c, sqlite3_stmt *s, struct err *e)
{
	struct bytes run = db_blob(s, 16);

	memset(c, 0, sizeof(*c));
	strncpy(c->id, db_text(s, 0), NAMES_ID_LEN);
	c->name = arena_strdup(&c->arena, db_text(s, 1));
	c->created_ns = sqlite3_column_int64(s, 2);
	c->status = (enum ctr_status)sqlite3_column_int(s, 3);
	c->pid = sqlite3_column_int(s, 4);
	c->pid_start = (uint64_t)sqlite3_column_int64(s, 5);
	c->monitor_pid = sqlite3_column_int(s, 6);
	c->started_ns = sqlite3_column_int64(s, 7);
	c->finished_ns = sqlite3_column_int64(s, 8);
	c->exit_code = sqlite3_column_int(s, 9);
	c->oom = sqlite3_column_int(s, 10) != 0;
	c->restarts = (uint64_t)sqlite3_column_int64(s, 11);
	c->stopped_by_user = sqlite3_column_int(s, 12) != 0;
	c->error = arena_strdup(&c->arena, db_text(s, 13));
	c->image = arena_strdup(&c->arena, db_text(s, 14));
	c->config_raw = copy_blob(&c->arena, db_blob(s, 15));
	c->summary_raw = copy_blob(&c->arena, db_blob(s, 17));
	if (run.n > 0 &&
	    wire_unpack(&rec_ctr_run_desc, run.p, run.n, &c->run, &c->arena, e) == -1) {
		err_wrap(e, "reading container %s", c->id);
		ctr_free(c);
		return -1;
	}
	return 0;
}

int
ctr_load(struct db *db, const char *id, struct ctr *c, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, "SELECT " COLUMNS " FROM container WHERE id = ?1", e);
	int r;

	if (s == NULL)
		return -1;
	db_bind(s, "s", id);
	r = db_step(db, s, "reading a container", e);
	if (r == 1)
		r = fill(c, s, e);
	else if (r == 0)
		r = err_set(e, ERR_NOTFOUND,
		    "no container with ID %s found in database: no such container", id);
	sqlite3_reset(s);
	return r;
}

int
ctr_config(struct ctr *c, struct err *e)
{
	if (c->config != NULL)
		return 0;
	c->config = arena_alloc(&c->arena, rec_ctr_config_desc.size);
	if (wire_unpack(&rec_ctr_config_desc, c->config_raw.p, c->config_raw.n, c->config,
		&c->arena, e) == -1) {
		c->config = NULL;
		return err_wrap(e, "reading the configuration of container %s", c->id);
	}
	return 0;
}

int
ctr_summary(struct ctr *c, struct err *e)
{
	if (c->summary != NULL)
		return 0;
	if (c->summary_raw.n == 0 && ctr_config(c, e) == -1)
		return -1;
	c->summary = arena_alloc(&c->arena, rec_ctr_summary_desc.size);
	if (c->summary_raw.n == 0) {
		summary_make(c->config, c->summary, &c->arena);
	} else if (wire_unpack(&rec_ctr_summary_desc, c->summary_raw.p, c->summary_raw.n,
		       c->summary, &c->arena, e) == -1) {
		c->summary = NULL;
		return err_wrap(e, "reading the summary of container %s", c->id);
	}
	return 0;
}

void
ctr_list_free(struct ctr_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		ctr_free(&l->v[i]);
	free(l->v);
	*l = (struct ctr_list){0};
}

static int
list(struct db *db, const char *sql, struct ctr_list *out, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, sql, e);
	struct ctr_list l = {0};
	int r;

	if (s == NULL)
		return -1;
	while ((r = db_step(db, s, "listing containers", e)) == 1) {
		l.v = mem_grow(l.v, &l.cap, l.n + 1, sizeof(*l.v));
		if (fill(&l.v[l.n], s, e) == -1) {
			r = -1;
			break;
		}
		l.n++;
	}
	sqlite3_reset(s);
	if (r == -1)
		ctr_list_free(&l);
	else
		*out = l;
	return r;
}

/* Rows are made in the order of creation, so the order of rowid is nearly sorted already. */
static int
by_creation(const void *a, const void *b)
{
	const struct ctr *x = a, *y = b;

	return x->created_ns < y->created_ns ? -1 : x->created_ns > y->created_ns;
}

static int
list_sorted(struct db *db, const char *sql, struct ctr_list *out, struct err *e)
{
	if (list(db, sql, out, e) == -1)
		return -1;
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), by_creation);
	return 0;
}

int
ctr_list(struct db *db, struct ctr_list *out, struct err *e)
{
	return list_sorted(db, "SELECT " COLUMNS " FROM container", out, e);
}

int
ctr_list_brief(struct db *db, struct ctr_list *out, struct err *e)
{
	return list_sorted(db,
	    "SELECT " BRIEF ", CASE WHEN " LIVE " THEN " CONFIG " END, CASE WHEN " LIVE
	    " THEN run END,"
	    " NULL FROM container",
	    out, e);
}

int
ctr_list_summaries(struct db *db, struct ctr_list *out, struct err *e)
{
	return list_sorted(db,
	    "SELECT " BRIEF ", CASE WHEN " LIVE " OR summary IS NULL THEN " CONFIG
	    " END, run, summary"
	    " FROM container",
	    out, e);
}

/* --- Structs to rows
 * ----------------------------------------------------------------------------*/

/* *found: the query with its one word has an answer. */
static int
is_found(struct db *db, const char *query, const char *word, const char *what, bool *found,
    struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, query, e);
	int r;

	if (s == NULL)
		return -1;
	db_bind(s, "s", word);
	r = db_step(db, s, what, e);
	sqlite3_reset(s);
	if (r == -1)
		return -1;
	*found = r == 1;
	return 0;
}

/* One statement for all who ask, since preparing one takes longer than asking. */
static const char name_owner[] = "SELECT id FROM container WHERE name = ?1";

int
ctr_name_is_free(struct db *db, const char *name, bool *is_free, struct err *e)
{
	bool found = false;

	if (is_found(db, name_owner, name, "looking for a name", &found, e) == -1)
		return -1;
	*is_free = !found;
	return 0;
}

int
ctr_config_has(struct db *db, const char *text, bool *has, struct err *e)
{
	return is_found(db,
	    "SELECT 1 FROM container_config WHERE instr(config, CAST(?1 AS BLOB)) > 0 LIMIT 1",
	    text, "looking at configurations", has, e);
}

int
ctr_name_check(struct db *db, const char *name, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, name_owner, e);
	int r;

	if (s == NULL)
		return -1;
	db_bind(s, "s", name);
	r = db_step(db, s, "looking for a name", e);
	if (r == 1)
		r = err_set(e, ERR_EXISTS,
		    "creating container storage: the container name \"%s\" is already in use by "
		    "%s. "
		    "You have to remove that container to be able to reuse that name: that name is "
		    "already in use, or use --replace to instruct Podman to do so.",
		    name, db_text(s, 0));
	sqlite3_reset(s);
	return r;
}

static int
insert_uses(struct db *db, const char *id, const struct strv *needs, const struct strv *volumes,
    struct err *e)
{
	for (size_t i = 0; needs != NULL && i < needs->n; i++)
		if (db_exec(db, "recording a dependency", e,
			"INSERT OR IGNORE INTO dependency VALUES (?1, ?2)", "ss", id,
			needs->v[i]) == -1)
			return -1;
	for (size_t i = 0; volumes != NULL && i < volumes->n; i++)
		if (db_exec(db, "recording a volume", e,
			"INSERT OR IGNORE INTO volume_use VALUES (?1, ?2)", "ss", id,
			volumes->v[i]) == -1)
			return -1;
	return 0;
}

static struct bytes
packed(const struct strbuf *b)
{
	return (struct bytes){(const uint8_t *)b->s, b->n};
}

static void
pack_summary(const struct rec_ctr_config *c, struct strbuf *out)
{
	own_arena struct arena a = {0};
	struct rec_ctr_summary s;

	summary_make(c, &s, &a);
	wire_pack(&rec_ctr_summary_desc, &s, out);
}

int
ctr_insert(struct db *db, const struct ctr *c, const struct strv *needs, const struct strv *volumes,
    struct err *e)
{
	own_strbuf struct strbuf run = {0}, config = {0}, summary = {0};

	wire_pack(&rec_ctr_run_desc, &c->run, &run);
	wire_pack(&rec_ctr_config_desc, c->config, &config);
	pack_summary(c->config, &summary);
	if (db_may_grow(db, "recording the container", e) == -1 || db_begin(db, e) == -1)
		return -1;
	if (ctr_name_check(db, c->name, e) == -1 ||
	    db_exec(db, "recording the container", e,
		"INSERT INTO container (id, name, created, status, image, run, summary)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		"ssiisbb", c->id, c->name, c->created_ns, (int64_t)c->status, c->image,
		packed(&run), packed(&summary)) == -1 ||
	    db_exec(db, "recording the container", e,
		"INSERT INTO container_config VALUES (?1, ?2)", "sb", c->id,
		packed(&config)) == -1 ||
	    insert_uses(db, c->id, needs, volumes, e) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

int
ctr_save(struct db *db, const struct ctr *c, struct err *e)
{
	own_strbuf struct strbuf run = {0};

	wire_pack(&rec_ctr_run_desc, &c->run, &run);
	if (db_exec(db, "recording the container's state", e,
		"UPDATE container SET status = ?2, pid = ?3, pid_start = ?4, monitor_pid = ?5,"
		" started = ?6, finished = ?7, exit_code = ?8, oom = ?9, restarts = ?10,"
		" stopped_by_user = ?11, error = ?12, run = ?13 WHERE id = ?1",
		"siiiiiiiiiisb", c->id, (int64_t)c->status, (int64_t)c->pid, (int64_t)c->pid_start,
		(int64_t)c->monitor_pid, c->started_ns, c->finished_ns, (int64_t)c->exit_code,
		(int64_t)c->oom, (int64_t)c->restarts, (int64_t)c->stopped_by_user,
		c->error != NULL ? c->error : "", packed(&run)) == -1)
		return -1;
	if (db_changes(db) == 0)
		return err_set(e, ERR_NOTFOUND,
		    "no container with ID %s found in database: no such container", c->id);
	return 0;
}

int
ctr_save_name(struct db *db, const struct ctr *c, const char *name, struct err *e)
{
	int r;

	if (db_begin(db, e) == -1)
		return -1;
	/* To its own name: as it was. */
	r = strcmp(name, c->name) == 0 ? 0 : ctr_name_check(db, name, e);
	if (r == -1 && e->class == ERR_EXISTS)
		err_set(e, ERR_EXISTS,
		    "renaming container %s: name %s already in use, cannot rename container %s: "
		    "container already exists",
		    c->id, name, c->id);
	if (r == -1 ||
	    db_exec(db, "renaming the container", e, "UPDATE container SET name = ?2 WHERE id = ?1",
		"ss", c->id, name) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

int
ctr_save_config(struct db *db, const struct ctr *c, struct err *e)
{
	static const char act[] = "recording the container's configuration";
	own_strbuf struct strbuf config = {0}, summary = {0};

	wire_pack(&rec_ctr_config_desc, c->config, &config);
	pack_summary(c->config, &summary);
	if (db_begin(db, e) == -1)
		return -1;
	if (db_exec(db, act, e, "UPDATE container_config SET config = ?2 WHERE id = ?1", "sb",
		c->id, packed(&config)) == -1 ||
	    db_exec(db, act, e, "UPDATE container SET summary = ?2 WHERE id = ?1", "sb", c->id,
		packed(&summary)) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

int
ctr_refuse_dependents(struct db *db, const struct ctr *c, struct err *e)
{
	own_strv struct strv ids = {0};
	own_strbuf struct strbuf list = {0};

	if (ctr_dependents(db, c->id, &ids, e) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++)
		strbuf_addf(&list, "%s%s", i > 0 ? ", " : "", ids.v[i]);
	if (ids.n == 0)
		return 0;
	return err_set(e, ERR_INUSE,
	    "container %s has dependent containers which must be removed before it: %s: container "
	    "already exists",
	    c->id, list.s);
}

/* The database keeps what others need; who they are is asked only then. */
static int
remove_row(struct db *db, const struct ctr *c, struct err *e)
{
	struct err why = {0};

	if (db_exec(db, "removing the container", e, "DELETE FROM container WHERE id = ?1", "s",
		c->id) == 0)
		return 0;
	if (ctr_refuse_dependents(db, c, &why) == -1)
		*e = why;
	return -1;
}

int
ctr_remove(struct db *db, const struct ctr *c, bool net, int64_t now_ns, struct err *e)
{
	if (db_begin(db, e) == -1)
		return -1;
	if (remove_row(db, c, e) == -1 ||
	    (c->finished_ns != 0 && ctr_exit_code_put(db, c->id, c->exit_code, now_ns, e) == -1) ||
	    db_exec(db, "removing the container", e,
		"INSERT OR REPLACE INTO leftover VALUES (?1, ?2, ?3)", "sii", c->id, now_ns,
		(int64_t)net) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

int
ctr_reset_all(struct db *db, struct err *e)
{
	static const char reset[] =
	    "UPDATE container SET pid = 0, pid_start = 0, monitor_pid = 0, restarts = 0,"
	    " run = x'80', status = CASE WHEN status IN (1, 2) THEN 1 WHEN status = 7 THEN 7"
	    " ELSE 6 END";

	if (db_begin(db, e) == -1)
		return -1;
	if (db_exec(db, "recording the reboot", e, reset, "") == -1 ||
	    db_exec(db, "recording the reboot", e, "DELETE FROM exec_session", "") == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

/* --- Lists of identifiers
 * -----------------------------------------------------------------------*/

static int
collect(struct db *db, sqlite3_stmt *s, const char *act, struct strv *ids, struct err *e)
{
	int r;

	while ((r = db_step(db, s, act, e)) == 1)
		strv_add(ids, db_text(s, 0));
	return r;
}

static int
collect_by(struct db *db, const char *sql, const char *key, const char *act, struct strv *ids,
    struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, sql, e);

	if (s == NULL)
		return -1;
	if (key != NULL)
		db_bind(s, "s", key);
	return collect(db, s, act, ids, e);
}

int
ctr_ids(struct db *db, struct strv *ids, struct err *e)
{
	return collect_by(db, "SELECT id FROM container ORDER BY created, rowid", NULL,
	    "listing containers", ids, e);
}

int
ctr_ids_stopped(struct db *db, struct strv *ids, struct err *e)
{
	return collect_by(
	    db, "SELECT id FROM container WHERE status = 4", NULL, "listing containers", ids, e);
}

int
ctr_dependents(struct db *db, const char *id, struct strv *ids, struct err *e)
{
	return collect_by(db, "SELECT id FROM dependency WHERE needs = ?1", id,
	    "listing dependent containers", ids, e);
}

int
ctr_needs(struct db *db, const char *id, struct strv *ids, struct err *e)
{
	return collect_by(
	    db, "SELECT needs FROM dependency WHERE id = ?1", id, "listing dependencies", ids, e);
}

int
ctr_using_image(struct db *db, const char *image, struct strv *ids, struct err *e)
{
	return collect_by(db, "SELECT id FROM container WHERE image = ?1", image,
	    "listing containers of an image", ids, e);
}

int
ctr_using_volume(struct db *db, const char *volume, struct strv *ids, struct err *e)
{
	return collect_by(db, "SELECT id FROM volume_use WHERE volume = ?1", volume,
	    "listing containers of a volume", ids, e);
}

/* --- Lookup
 * -------------------------------------------------------------------------------------*/

static int
not_found(const char *word, struct err *e)
{
	return err_set(
	    e, ERR_NOTFOUND, "no container with name or ID \"%s\" found: no such container", word);
}

int
ctr_find(struct db *db, const char *word, char id[NAMES_ID_LEN + 1], struct err *e)
{
	/* A name wins over an ID; then all IDs that begin with the word: digits sort below 'g'. */
	static const char by_name[] = "SELECT id FROM container WHERE name = ?1 OR id = ?1"
				      " ORDER BY name = ?1 DESC LIMIT 1";
	static const char by_prefix[] =
	    "SELECT id FROM container WHERE id >= ?1 AND id < ?1 || 'g' LIMIT 2";
	own_strv struct strv ids = {0};

	if (*word == '\0')
		return err_set(e, ERR_INVALID, "name or ID cannot be empty");
	if (collect_by(db, by_name, word, "looking for a container", &ids, e) == -1)
		return -1;
	if (ids.n == 0 && strspn(word, "0123456789abcdef") == strlen(word) &&
	    collect_by(db, by_prefix, word, "looking for a container", &ids, e) == -1)
		return -1;
	if (ids.n == 0)
		return not_found(word, e);
	if (ids.n > 1)
		return err_set(e, ERR_EXISTS,
		    "more than one result for container name or ID \"%s\": container already "
		    "exists",
		    word);
	memcpy(id, ids.v[0], NAMES_ID_LEN + 1);
	return 0;
}

int
ctr_find_name(struct db *db, const char *name, char id[NAMES_ID_LEN + 1], struct err *e)
{
	own_strv struct strv ids = {0};

	if (collect_by(db, "SELECT id FROM container WHERE name = ?1", name,
		"looking for a container", &ids, e) == -1)
		return -1;
	if (ids.n == 0)
		return not_found(name, e);
	memcpy(id, ids.v[0], NAMES_ID_LEN + 1);
	return 0;
}

int
ctr_find_latest(struct db *db, char id[NAMES_ID_LEN + 1], struct err *e)
{
	own_strv struct strv ids = {0};

	if (collect_by(db, "SELECT id FROM container ORDER BY created DESC, rowid DESC LIMIT 1",
		NULL, "looking for a container", &ids, e) == -1)
		return -1;
	if (ids.n == 0)
		return err_set(e, ERR_NOTFOUND, "no containers found: no such container");
	memcpy(id, ids.v[0], NAMES_ID_LEN + 1);
	return 0;
}

/* --- What outlives a container
 * ------------------------------------------------------------------*/

int
ctr_exit_code_put(struct db *db, const char *id, int code, int64_t now_ns, struct err *e)
{
	char from[4], to[4];

	if (db_exec(db, "recording the exit code", e,
		"INSERT OR REPLACE INTO exit_code VALUES (?1, ?2, ?3)", "sii", id, (int64_t)code,
		now_ns) == -1)
		return -1;
	/*
	 * Of old ones only those near it, mostly on the page that is written anyway.  IDs are random, so that in time
	 * every row is near a new one, and no removal reads the whole table.
	 */
	snprintf(from, sizeof(from), "%.2s", id);
	snprintf(to, sizeof(to), "%.2s~", id);
	return db_exec(db, "removing old exit codes", e,
	    "DELETE FROM exit_code WHERE id > ?1 AND id < ?2 AND at < ?3", "ssi", from, to,
	    now_ns - KEEP_EXIT_CODES_NS);
}

int
ctr_exit_code_get(struct db *db, const char *id, int *code, struct err *e)
{
	sqlite3_stmt *s = db_stmt(db, "SELECT code FROM exit_code WHERE id = ?1", e);
	int r;

	if (s == NULL)
		return -1;
	db_bind(s, "s", id);
	r = db_step(db, s, "reading an exit code", e);
	if (r == 1)
		*code = sqlite3_column_int(s, 0);
	sqlite3_reset(s);
	return r == 1 ? 0 : r == 0 ? not_found(id, e) : -1;
}

int
ctr_leftovers(struct db *db, bool net, int64_t before_ns, struct strv *ids, struct err *e)
{
	sqlite3_stmt *s =
	    db_stmt(db, "SELECT id FROM leftover WHERE at < ?1 AND net = ?2 LIMIT 64", e);

	if (s == NULL)
		return -1;
	db_bind(s, "ii", before_ns, (int64_t)net);
	return collect(db, s, "listing leftovers", ids, e);
}

int
ctr_is_leftover(struct db *db, const char *id, bool *is, struct err *e)
{
	return is_found(
	    db, "SELECT 1 FROM leftover WHERE id = ?1", id, "looking for a leftover", is, e);
}

int
ctr_leftover_done(struct db *db, const char *id, struct err *e)
{
	return db_exec(
	    db, "forgetting a leftover", e, "DELETE FROM leftover WHERE id = ?1", "s", id);
}
