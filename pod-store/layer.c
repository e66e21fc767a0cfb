/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/layer.h"
#include "pod-store/made.h"

const char *
layer_hex(const char *digest)
{
	if (digest == NULL || !text_has_prefix(digest, "sha256:") || !text_is_hex(digest + 7, 64))
		return NULL;
	return digest + 7;
}

void
layer_id(const char *parent, const char *diff_hex, char out[SHA256_HEX])
{
	char both[2 * SHA256_HEX + 1];
	int n;

	if (parent == NULL || *parent == '\0') {
		snprintf(out, SHA256_HEX, "%s", diff_hex);
		return;
	}
	n = snprintf(both, sizeof(both), "%.64s+%.64s", parent, diff_hex);
	sha256_hex(both, (size_t)n, out);
}

static bool
has_directory(const struct store *s, const char *id)
{
	own_mem char *path = xasprintf("layers/%s", id);
	struct stat st;

	return fstatat(s->dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int
layer_present(struct store *s, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_LAYER_ROW, e, "t", id);
	int r = db_step(&s->db, q, e);

	if (r == 1) {
		/* Without it the layer lies in another place, or is damaged and may come again. */
		r = db_int(q, 2) == 0 && has_directory(s, id);
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
