/* SPDX-License-Identifier: ISC */
#include "pod-run/state/exec.h"

#define EXEC_CREATED 1
#define EXEC_RUNNING 2

int
exec_insert(struct db *db, const char *session, const char *ctr, int64_t now_ns, struct err *e)
{
	return db_exec(db, "recording the exec session", e,
	    "INSERT INTO exec_session (id, container, created, status, config)"
	    " VALUES (?1, ?2, ?3, ?4, x'80')",
	    "ssii", session, ctr, now_ns, (int64_t)EXEC_CREATED);
}

int
exec_started(struct db *db, const char *session, pid_t pid, uint64_t start_time, struct err *e)
{
	return db_exec(db, "recording the exec session", e,
	    "UPDATE exec_session SET status = ?2, pid = ?3, pid_start = ?4 WHERE id = ?1", "siii",
	    session, (int64_t)EXEC_RUNNING, (int64_t)pid, (int64_t)start_time);
}

int
exec_remove(struct db *db, const char *session, const int *code, int64_t now_ns, struct err *e)
{
	if (db_begin(db, e) == -1)
		return -1;
	if ((code != NULL && ctr_exit_code_put(db, session, *code, now_ns, e) == -1) ||
	    db_exec(db, "forgetting the exec session", e, "DELETE FROM exec_session WHERE id = ?1",
		"s", session) == -1) {
		db_rollback(db);
		return -1;
	}
	return db_commit(db, e);
}

int
exec_list(struct db *db, const char *ctr, struct strv *ids, struct err *e)
{
	sqlite3_stmt *s =
	    db_stmt(db, "SELECT id FROM exec_session WHERE container = ?1 ORDER BY created", e);
	int r;

	if (s == NULL)
		return -1;
	db_bind(s, "s", ctr);
	while ((r = db_step(db, s, "listing exec sessions", e)) == 1)
		strv_add(ids, db_text(s, 0));
	return r;
}
