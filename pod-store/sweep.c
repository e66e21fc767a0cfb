/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/walk.h"
#include "pod-store/layer.h"
#include "pod-store/made.h"
#include "pod-store/mount.h"
#include "pod-store/places.h"
#include "pod-store/sweep.h"
#include "pod-store/volume_place.h"

static int
trash_named(struct store *s, const char *dir, const char *name, uint64_t *count, struct err *e)
{
	own_mem char *path = xasprintf("%s/%s", dir, name);

	(*count)++;
	return store_trash(s, s->dir, path, e);
}

/*
 * Directories without a row.  Under the index's write lock: whoever puts a directory in place holds it until
 * the row is there.
 */
static int
orphans(struct store *s, const char *dir, enum db_sql row, uint64_t *count, struct err *e)
{
	own_strv struct strv names = {0};
	int r = 0;

	if (db_begin(&s->db, e) == -1)
		return -1;
	r = store_names(s, dir, &names, e);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		sqlite3_stmt *q = db_query(&s->db, row, e, "t", names.v[i]);

		r = db_step(&s->db, q, e);
		if (r == 1) {
			db_done(q);
			r = 0;
		} else if (r == 0) {
			r = trash_named(s, dir, names.v[i], count, e);
		}
	}
	return db_end(&s->db, r == 0, e);
}

/* The command mount is no container. */
static bool
is_mounted(const char *id)
{
	uint64_t pid;

	if (text_has_prefix(id, MOUNT_AT_PREFIX))
		return true;
	if (!text_has_prefix(id, MOUNT_PREFIX) ||
	    text_to_u64(id + strlen(MOUNT_PREFIX), INT32_MAX, &pid) == -1 || pid == 0)
		return false;
	return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

static int
unlisted(struct store *s, const struct msg_store_sweep *m, uint64_t *count, struct err *e)
{
	own_strv struct strv have = {0}, known = {0};

	if (store_names(s, "rw", &have, e) == -1)
		return -1;
	strv_add_all(&known, m->containers.v, m->containers.n);
	for (size_t i = 0; i < have.n; i++)
		if (strv_find(&known, have.v[i]) == known.n && !is_mounted(have.v[i]) &&
		    trash_named(s, "rw", have.v[i], count, e) == -1)
			return -1;
	return 0;
}

static int
condemn(struct store *s, struct err *e)
{
	if (db_begin(&s->db, e) == -1)
		return -1;
	return db_end(&s->db, layer_condemn(s, e) == 0, e);
}

int
sweep_store(
    struct store *s, const struct msg_store_sweep *m, struct msg_store_swept *out, struct err *e)
{
	struct walk_usage u = {0};
	struct store *first = places_first(s);
	size_t layers = 0;

	*out = (struct msg_store_swept){0};
	if (condemn(first, e) == -1 || layer_bury(first, &layers, e) == -1 ||
	    orphans(first, "layers", SQL_LAYER_ROW, &out->objects, e) == -1 ||
	    made_sweep(s, &out->objects, e) == -1 ||
	    /* There may be what was never ours, as lost+found. */
	    (!volume_place_is_apart(s) &&
		orphans(s, "volumes", SQL_VOLUME_ROW, &out->objects, e) == -1))
		return -1;
	if (m->rootfs && unlisted(s, m, &out->objects, e) == -1)
		return -1;
	out->objects += layers;
	if (walk_count(s->trash, &u, e) == -1 ||
	    (first != s && walk_count(first->trash, &u, e) == -1))
		return -1;
	out->bytes = u.bytes;
	return store_clean(s, true, e);
}
