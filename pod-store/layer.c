/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <unistd.h>

#include "common/base/own.h"
#include "pod-store/layer.h"
#include "pod-store/made.h"

int
layer_present(struct store *s, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_LAYER_ROW, e, "t", id);
	int r = db_step(&s->db, q, e);

	if (r == 1) {
		/* Without it the layer lies in another place, or is damaged and may come again. */
		r = db_int(q, 2) == 0 && store_has_layer(s, id);
		db_done(q);
	}
	return r;
}

int
layer_condemn(struct store *s, struct err *e)
{
	return db_run(&s->db, db_query(&s->db, SQL_LAYERS_CONDEMN, e, ""), e);
}

int
layer_bury(struct store *s, size_t *count, struct err *e)
{
	own_fd int layers = store_dir(s, "layers", e);
	own_strv struct strv ids = {0};
	sqlite3_stmt *q;
	bool ok = true;
	int r;

	if (layers == -1 || db_begin(&s->db, e) == -1)
		return -1;
	q = db_query(&s->db, SQL_LAYERS_DYING, e, "");
	while ((r = db_step(&s->db, q, e)) == 1)
		strv_add(&ids, db_text(q, 0));
	ok = r == 0;
	/* Under the index's write lock nobody can bring the same layer back meanwhile. */
	for (size_t i = 0; i < ids.n && ok; i++)
		ok = store_trash(s, layers, ids.v[i], e) == 0 &&
		     made_forget(s->base != NULL ? s->base : s, ids.v[i], e) == 0 &&
		     db_run(&s->db, db_query(&s->db, SQL_LAYER_DELETE, e, "t", ids.v[i]), e) == 0;
	if (db_end(&s->db, ok, e) == -1)
		return -1;
	if (count != NULL)
		*count = ids.n;
	return 0;
}

int
layer_settle(struct store *s, int dirfd, const char *name, const char *id, const char *parent,
    const char *diff_hex, uint64_t tar_size, struct err *e)
{
	own_fd int layers = store_dir(s, "layers", e);

	if (layers == -1 || store_trash(s, layers, id, e) == -1)
		return -1;
	if (renameat(dirfd, name, layers, id) == -1)
		return err_sys(e, "putting layer %s in place", id);
	return layer_refer(s, id, parent, diff_hex, tar_size, e);
}

int
layer_refer(struct store *s, const char *id, const char *parent, const char *diff_hex,
    uint64_t tar_size, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_LAYER_ADD, e, "ttti", id,
	    parent != NULL ? parent : "", diff_hex, (int64_t)tar_size);

	return db_run(&s->db, q, e);
}

int
layer_sync(struct store *s, struct err *e)
{
	own_fd int layers = store_dir(s, "layers", e);

	if (layers == -1)
		return -1;
	return fsync(layers) == 0 ? 0 : err_sys(e, "writing the directory of layers");
}
