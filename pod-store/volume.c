/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/fs/tree.h"
#include "pod-store/copy.h"
#include "pod-store/volume.h"
#include "pod-store/volume_place.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static int
check_name(const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > STORE_NAME_MAX || strspn(name, NAME_CHARS) != n ||
	    strchr("_.-", name[0]) != NULL)
		return err_set(e, ERR_INVALID,
		    "volume name \"%s\": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid "
		    "argument",
		    name);
	return 0;
}

/* Those of other drivers have a row here, and nothing else. */
static bool
is_ours(const struct rec_volume *v)
{
	return v->driver == NULL || *v->driver == '\0' || strcmp(v->driver, "local") == 0;
}

static int
unpack(struct store *s, sqlite3_stmt *q, struct rec_volume *out, struct arena *a, struct err *e)
{
	if (wire_unpack(&rec_volume_desc, sqlite3_column_blob(q, 0),
		(size_t)sqlite3_column_bytes(q, 0), out, a, e) == -1)
		return err_wrap(e, "reading the record of volume %s", db_text(q, 1));
	out->mountpoint =
	    is_ours(out) ? arena_printf(a, "%s/%s/_data", s->volume_path, out->name) : NULL;
	return 0;
}

/* 1 found, 0 none, -1 failed. */
static int
load(struct store *s, const char *name, struct rec_volume *out, struct arena *a, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_VOLUME_ROW, e, "t", name);
	int r = db_step(&s->db, q, e);

	if (r != 1)
		return r;
	r = unpack(s, q, out, a, e);
	db_done(q);
	return r == 0 ? 1 : -1;
}

static int
put(struct store *s, const struct rec_volume *v, struct err *e)
{
	own_strbuf struct strbuf packed = {0};
	struct rec_volume stored = *v;
	sqlite3_stmt *q;

	stored.mountpoint = NULL;
	wire_pack(&rec_volume_desc, &stored, &packed);
	q = db_query(&s->db, SQL_VOLUME_PUT, e, "tb", v->name, packed.s, packed.n);
	return db_run(&s->db, q, e);
}

static int
make_dirs(struct store *s, const struct rec_volume *v, struct err *e)
{
	const char *name = v->name;
	own_fd int volumes = volume_place_make(s, e), dir = -1;

	if (volumes == -1)
		return -1;
	if (mkdirat(volumes, name, 0755) == -1 && errno != EEXIST)
		return err_sys(e, "making volume %s", name);
	dir = path_open(volumes, name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (dir == -1)
		return -1;
	if (mkdirat(dir, "_data", 0755) == -1 && errno != EEXIST)
		return err_sys(e, "making volume %s", name);
	if (v->owned &&
	    fchownat(dir, "_data", (uid_t)v->uid, (gid_t)v->gid, AT_SYMLINK_NOFOLLOW) == -1)
		return err_sys(e, "giving volume %s its owner", name);
	return 0;
}

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Within a transaction: 1 made, 0 there already (then out is it). */
static int
create(struct store *s, const struct rec_volume *want, struct rec_volume *out, struct arena *a,
    struct err *e)
{
	int r = load(s, want->name, out, a, e);

	if (r != 0)
		return r == 1 ? 0 : -1;
	wire_copy(&rec_volume_desc, want, out, a);
	out->created_ns = now_ns();
	if (!is_ours(out)) {
		out->mountpoint = NULL;
		return put(s, out, e) == -1 ? -1 : 1;
	}
	out->driver = "local";
	out->needs_copy_up = !out->no_copy;
	out->needs_chown = !out->owned;
	out->mountpoint = arena_printf(a, "%s/%s/_data", s->volume_path, out->name);
	/* A directory without a row is taken over: somebody was killed between the two. */
	if (make_dirs(s, out, e) == -1 || put(s, out, e) == -1)
		return -1;
	return 1;
}

/* That of a volume which was not made after all: only if it holds nothing. */
static void
forget_dir(struct store *s, const char *name)
{
	own_mem char *data = xasprintf("%s/_data", name);
	own_arena struct arena a = {0};
	own_fd int volumes = -1;
	struct rec_volume v;
	struct err ignored;

	if (load(s, name, &v, &a, &ignored) != 0)
		return;
	volumes = volume_place_open(s, NULL, &ignored);
	if (volumes == -1)
		return;
	unlinkat(volumes, data, AT_REMOVEDIR);
	unlinkat(volumes, name, AT_REMOVEDIR);
}

int
volume_create(struct store *s, const struct msg_volume_create *m, struct rec_volume *out,
    struct arena *a, struct err *e)
{
	const struct rec_volume *v = m->volume;
	char random[65];
	struct rec_volume want = *v;
	int r;

	if (want.name[0] == '\0') {
		if (store_random(random, 32, e) == -1)
			return -1;
		want.name = random;
	}
	if (check_name(want.name, e) == -1)
		return -1;
	if (db_grow(&s->db, e) == -1)
		return -1;
	r = create(s, &want, out, a, e);
	if (db_end(&s->db, r != -1, e) == -1) {
		forget_dir(s, want.name);
		return -1;
	}
	if (r == 0 && !m->ignore)
		return err_set(e, ERR_EXISTS,
		    "volume with name %s already exists: volume already exists", want.name);
	return 0;
}

int
volume_get(struct store *s, const char *name, bool exact, struct rec_volume *out, struct arena *a,
    struct err *e)
{
	int r = load(s, name, out, a, e);
	sqlite3_stmt *q;

	if (r != 0)
		return r == 1 ? 0 : -1;
	if (exact || *name == '\0')
		return err_set(e, ERR_NOTFOUND, "no such volume %s", name);
	q = db_query(&s->db, SQL_VOLUMES_LIKE, e, "t", name);
	r = db_step(&s->db, q, e);
	if (r == -1)
		return -1;
	if (r == 0)
		return err_set(e, ERR_NOTFOUND, "no such volume %s", name);
	if (unpack(s, q, out, a, e) == -1) {
		db_done(q);
		return -1;
	}
	r = db_step(&s->db, q, e);
	if (r == 1) {
		db_done(q);
		return err_set(e, ERR_INVALID,
		    "more than one result for volume name %s: volume already exists", name);
	}
	return r;
}

int
volume_list(struct store *s, struct msg_volume_listed *out, struct arena *a, struct err *e)
{
	int64_t n = 0;
	sqlite3_stmt *q;
	int r = -1;

	*out = (struct msg_volume_listed){0};
	if (db_view(&s->db, e) == -1)
		return -1;
	if (db_one_int(&s->db, db_query(&s->db, SQL_VOLUME_COUNT, e, ""), &n, e) == 1) {
		out->volumes.v = arena_array(a, (size_t)n, sizeof(*out->volumes.v));
		q = db_query(&s->db, SQL_VOLUMES_ALL, e, "");
		while ((r = db_step(&s->db, q, e)) == 1)
			if (unpack(s, q, &out->volumes.v[out->volumes.n++], a, e) == -1) {
				db_done(q);
				r = -1;
				break;
			}
	}
	db_view_end(&s->db);
	return r;
}

int
volume_remove(struct store *s, const char *name, bool ignore, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_volume v;
	int r = load(s, name, &v, &a, e);

	if (r == -1)
		return -1;
	if (r == 0)
		return ignore ? 0 : err_set(e, ERR_NOTFOUND, "no such volume %s", name);
	if (db_begin(&s->db, e) == -1)
		return -1;
	/* The content goes first: a volume that was deleted must not come back by the same name. */
	r = volume_place_trash(s, name, e);
	if (r == 0)
		r = db_run(&s->db, db_query(&s->db, SQL_VOLUME_DELETE, e, "t", name), e);
	return db_end(&s->db, r == 0, e);
}

int
volume_restore(struct store *s, const char *name, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_volume want = {.name = name}, v;
	int r;

	if (check_name(name, e) == -1 || db_grow(&s->db, e) == -1)
		return -1;
	r = create(s, &want, &v, &a, e);
	if (r == 0 && make_dirs(s, &v, e) == -1)
		r = -1;
	/* Its first use is long past. */
	if (r != -1)
		v.needs_copy_up = v.needs_chown = false;
	if (r == 1 && put(s, &v, e) == -1)
		r = -1;
	return db_end(&s->db, r != -1, e);
}

int
volume_damaged(struct store *s, struct strv *names, struct strv *keys, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_CHECK_VOLUMES, e, "");
	int r;

	while ((r = db_step(&s->db, q, e)) == 1) {
		own_arena struct arena a = {0};
		const char *name = db_text(q, 1);
		struct err ignored = {0};
		struct rec_volume v;

		if (check_name(name, &ignored) == 0 && unpack(s, q, &v, &a, &ignored) == 0 &&
		    strcmp(v.name, name) == 0)
			continue;
		strv_add(names, name);
		strv_add(keys, db_text(q, 2));
	}
	return r;
}

int
volume_drop(struct store *s, const char *key, struct err *e)
{
	if (db_begin(&s->db, e) == -1)
		return -1;
	return db_end(&s->db,
	    db_run(&s->db, db_query(&s->db, SQL_CHECK_VOLUME_DELETE, e, "t", key), e) == 0, e);
}

/* --- First use ------------------------------------------------------------------------------------ */

/*
 * The copy is made beside the volume and takes the empty directory's place in one step, so that a
 * volume holds all of the image's content or none.
 */
static int
copy_up(int dir, int target, struct err *e)
{
	own_fd int to = -1;

	if (tree_remove(dir, ".copy", e) == -1)
		return -1;
	if (mkdirat(dir, ".copy", 0700) == -1)
		return err_sys(e, "making a directory for the copy");
	to = path_open(dir, ".copy", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	if (to == -1 || copy_tree(target, to, e) == -1)
		return -1;
	if (renameat(dir, ".copy", dir, "_data") == -1)
		return err_sys(e, "putting the copy in place");
	return 0;
}

/* BEHAVIOURS: only a volume never used, empty, and a target that is a directory with content. */
static int
prepare(const struct rec_volume *v, int dir, int root, const struct rec_volume_use *u, uid_t uid,
    gid_t gid, struct err *e)
{
	own_fd int data = path_open(dir, "_data", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	own_fd int target = -1;
	int empty;

	if (data == -1 || (empty = copy_is_empty(data, e)) == -1)
		return -1;
	if (!empty)
		return 0;
	if (root >= 0)
		target = path_try(root, u->target, PATH_IN_ROOT, O_PATH | O_DIRECTORY, 0);
	if (target >= 0 && v->needs_copy_up && !u->no_copy) {
		empty = copy_is_empty(target, e);
		if (empty != 1)
			return empty == 0 ? copy_up(dir, target, e) : -1;
	}
	if (!v->needs_chown)
		return 0;
	if (fchown(data, uid, gid) == -1)
		return err_sys(e, "giving the volume to user %u", (unsigned)uid);
	return target >= 0 ? copy_attributes(target, data, e) : 0;
}

/*
 * Within a transaction: what prepare has done is done.  Copying takes its time, and who removed the volume meanwhile
 * must not find it back; nor is one that was made anew the one that was filled.
 */
static int
mark_used(struct store *s, struct rec_volume *v, int64_t made_ns, const struct rec_volume_use *u,
    struct arena *a, struct err *e)
{
	int r = load(s, u->name, v, a, e);

	if (r == -1)
		return -1;
	if (r == 0 || v->created_ns != made_ns)
		return err_set(e, ERR_NOTFOUND, "no such volume %s: it was removed", u->name);
	v->needs_chown = false;
	if (!u->no_copy)
		v->needs_copy_up = false;
	return put(s, v, e);
}

static int
first_use(struct store *s, struct rec_volume *v, int root, const struct rec_volume_use *u,
    uid_t uid, gid_t gid, struct arena *a, struct err *e)
{
	own_fd int dir = volume_place_open(s, v->name, e);
	int64_t made_ns;
	int r;

	/* Two containers may start at once; the second one finds nothing left to do. */
	if (dir == -1 || lock_take(dir, LOCK_EXCLUSIVE, LOCK_WAIT, "the volume", e) == -1)
		return -1;
	r = load(s, u->name, v, a, e);
	if (r != 1)
		return r == -1 ? -1 : err_set(e, ERR_NOTFOUND, "no such volume %s", u->name);
	if (prepare(v, dir, root, u, uid, gid, e) == -1)
		return -1;
	made_ns = v->created_ns;
	if (db_begin(&s->db, e) == -1)
		return -1;
	r = mark_used(s, v, made_ns, u, a, e);
	return db_end(&s->db, r == 0, e);
}

int
volume_use(struct store *s, int root, const struct rec_volume_use *u, uid_t uid, gid_t gid,
    const char **path, struct arena *a, struct err *e)
{
	struct rec_volume want = {.name = u->name, .anonymous = u->anonymous}, v = {0};
	struct msg_volume_create m = {.volume = &want, .ignore = true};
	int r;

	if (u->external) {
		*path = "";
		return 0;
	}
	r = load(s, u->name, &v, a, e);
	if (r == 0 && u->no_create)
		return err_set(e, ERR_NOTFOUND,
		    "volume %s does not exist and its creation was disabled: no such volume",
		    u->name);
	if (r == 0)
		r = volume_create(s, &m, &v, a, e) == 0 ? 1 : -1;
	if (r == -1)
		return -1;
	if ((v.needs_chown || (v.needs_copy_up && !u->no_copy)) &&
	    first_use(s, &v, root, u, uid, gid, a, e) == -1)
		return err_wrap(e, "preparing volume %s", u->name);
	*path = v.mountpoint;
	return 0;
}
