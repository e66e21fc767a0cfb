/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "pod-store/check.h"
#include "pod-store/unwritten.h"

int
unwritten_begin(struct store *s, struct err *e)
{
	own_fd int layers = -1;

	if (s->writing >= 0)
		return 0;
	layers = store_dir(s, "layers", e);
	if (layers == -1 || lock_take(layers, LOCK_SHARED, LOCK_WAIT, "layers", e) == -1)
		return -1;
	s->writing = fd_take(&layers);
	return 0;
}

int
unwritten_add(struct store *s, const char *layer, struct err *e)
{
	strv_add(&s->unwritten, layer);
	return db_run(&s->db, db_query(&s->db, SQL_UNWRITTEN_ADD, e, "t", layer), e);
}

static int
forget(struct store *s, const struct strv *layers, struct err *e)
{
	bool ok = true;

	if (db_begin(&s->db, e) == -1)
		return -1;
	for (size_t i = 0; i < layers->n && ok; i++)
		ok = db_run(&s->db, db_query(&s->db, SQL_UNWRITTEN_TAKE, e, "t", layers->v[i]),
			 e) == 0;
	return db_end(&s->db, ok, e);
}

int
unwritten_settle(struct store *s, struct err *e)
{
	int r = 0;

	if (s->writing == -1)
		return 0;
	/* The root was opened before anything was written: a failure of that is told here. */
	if (syncfs(s->dir) == -1) {
		r = err_sys(e, "writing layers");
		check_lost(s, &s->unwritten);
	} else {
		r = forget(s, &s->unwritten, e);
	}
	fd_close(&s->writing);
	return r;
}

static int
read_rows(struct store *s, struct strv *layers, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_UNWRITTEN, e, "");
	int r;

	while ((r = db_step(&s->db, q, e)) == 1)
		strv_add(layers, db_text(q, 0));
	return r;
}

/* With the lock: whoever held it may have been through with some. */
static int
look_again(struct store *s, struct err *e)
{
	own_strv struct strv left = {0}, sound = {0};
	struct err full;

	if (read_rows(s, &left, e) == -1 || check_unwritten(s, &left, &sound, e) == -1)
		return -1;
	if (sound.n > 0 && syncfs(s->dir) == -1)
		return err_sys(e, "writing layers");
	/* Else it is done once more, when there is room. */
	if (sound.n > 0 && forget(s, &sound, &full) == -1)
		log_debug("%s", full.text);
	return 0;
}

int
unwritten_look(struct store *s, struct err *e)
{
	own_strv struct strv layers = {0};
	own_fd int fd = -1;

	if (read_rows(s, &layers, e) == -1) {
		if (e->class != ERR_INTEGRITY)
			return -1;
		err_clear(e);
	}
	if (layers.n == 0)
		return 0;
	fd = store_dir(s, "layers", e);
	if (fd == -1)
		return -1;
	if (lock_take(fd, LOCK_EXCLUSIVE, LOCK_TRY, "layers", e) == 0)
		return look_again(s, e);
	if (e->class != ERR_INUSE)
		return -1;
	err_clear(e);
	/* Somebody is writing them back, or looks: that one is waited for. */
	return lock_take(fd, LOCK_SHARED, LOCK_WAIT, "layers", e);
}
