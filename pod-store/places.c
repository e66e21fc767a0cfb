/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/conf/host_root.h"
#include "common/fs/path.h"
#include "pod-store/copy.h"
#include "pod-store/image.h"
#include "pod-store/layer.h"
#include "pod-store/options.h"
#include "pod-store/places.h"
#include "pod-store/theirs.h"
#include "pod-store/unwritten.h"
#include "pod-store/volume_place.h"

#define COPY_TRIES 20

struct store *
places_first(struct store *s)
{
	return s->images != NULL ? s->images : s;
}

size_t
places_count(const struct store *s)
{
	return 1 + (s->images != NULL) + s->nmore;
}

struct store *
places_at(struct store *s, size_t i)
{
	if (s->images != NULL) {
		if (i == 0)
			return s->images;
		i--;
	}
	return i == 0 ? s : &s->more[i - 1];
}

/* --- Looking -------------------------------------------------------------------------------------- */

struct store *
places_image(struct store *s, const char *id, struct err *e)
{
	for (size_t i = 0; i < places_count(s); i++) {
		struct store *at = places_at(s, i);
		sqlite3_stmt *q = db_query(&at->db, SQL_IMAGE_TOP, e, "t", id);
		int r = db_step(&at->db, q, e);

		if (r == -1)
			return NULL;
		if (r == 1) {
			db_done(q);
			return at;
		}
	}
	err_set(e, ERR_NOTFOUND, "%s: image not known", id);
	return NULL;
}

struct store *
places_layer(struct store *s, const char *id, struct err *e)
{
	for (size_t i = 0; i < places_count(s); i++) {
		int r = layer_present(places_at(s, i), id, e);

		if (r != 0)
			return r == 1 ? places_at(s, i) : NULL;
	}
	err_set(e, ERR_NOTFOUND, "%s: layer not known", id);
	return NULL;
}

int
places_open_layer(struct store *s, const char *id, const char *below, struct err *e)
{
	struct store *at = s;

	/* Whose layer it is only has to be asked where there is a choice. */
	if (places_count(s) > 1)
		at = places_layer(s, id, e);
	return at != NULL ? store_open_layer(at, id, below, e) : -1;
}

int
places_find(struct store *s, const char *text, const struct strs *candidates,
    struct naming_match *out, struct store **at, struct err *e)
{
	for (size_t i = 0; i < places_count(s); i++) {
		struct err later = {0};
		struct err *why = i == 0 ? e : &later;

		*at = places_at(s, i);
		if (naming_find(*at, text, candidates, out, why) == 0) {
			err_clear(e);
			return 0;
		}
		if (why->class == ERR_NOTFOUND)
			continue;
		*e = *why;
		return -1;
	}
	return -1;
}

/* --- Additional stores ----------------------------------------------------------------------------- */

static int
copy_part(int from, int to, const char *name, struct err *e)
{
	if (copy_named(from, name, to, name, e) == 0)
		return 0;
	if (e->no != ENOENT)
		return -1;
	err_clear(e);
	return 0;
}

static const char *const parts[] = {"store.db", "store.db-wal", "store.db-shm"};

/* Changes whenever the index or its log does. */
static uint64_t
index_state(int dir)
{
	uint64_t state = 0;
	struct stat st;

	for (size_t i = 0; i < 2; i++)
		if (fstatat(dir, parts[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			state = state * 1000003 + (uint64_t)st.st_size * 31 +
				(uint64_t)st.st_mtim.tv_sec * 1000000007 +
				(uint64_t)st.st_mtim.tv_nsec;
	return state;
}

/* Somebody may be writing to it meanwhile: then once more. */
static int
copy_index(int from, int to, struct err *e)
{
	for (int i = 0; i < COPY_TRIES; i++) {
		uint64_t before = index_state(from);

		/* An old log would be played over the new index, which holds what is in it. */
		unlinkat(to, parts[1], 0);
		if (copy_part(from, to, parts[0], e) == -1 ||
		    copy_part(from, to, parts[1], e) == -1)
			return -1;
		if (index_state(from) == before)
			return 0;
	}
	return err_set(e, ERR_TIMEOUT, "its index changes all the time");
}

static int
check_owner_of(const struct stat *st, struct err *e)
{
	if (st->st_uid != 0)
		return err_set(e, ERR_UNSUPPORTED, "it is another user's");
	if ((st->st_mode & 0022) != 0)
		return err_set(e, ERR_UNSUPPORTED, "others than root may write to it");
	return 0;
}

/* Who can write the index or its log could make it up for SQLite, which reads it with root's rights here. */
static int
check_owner(const struct store *at, struct err *e)
{
	struct stat st;

	if (!host_root())
		return 0;
	if (fstat(at->dir, &st) == -1)
		return err_sys(e, "looking at it");
	if (check_owner_of(&st, e) == -1)
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (fstatat(at->dir, parts[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (check_owner_of(&st, e) == -1)
				return -1;
		} else if (errno != ENOENT) {
			return err_sys(e, "looking at its index");
		}
	}
	return 0;
}

static int
read_index(struct store *at, const char *path, struct err *e)
{
	char why[512];
	bool fresh;

	if (db_open(&at->db, path, false, &fresh, e) == -1)
		return -1;
	if (fresh)
		return err_set(e, ERR_INVALID, "its index is empty");
	switch (db_check(&at->db, true, why, sizeof(why), e)) {
	case 1:
		return 0;
	case 0:
		return err_set(e, ERR_INTEGRITY, "its index is damaged");
	default:
		return -1;
	}
}

/* What was kept of it may have been cut short since. */
static int
read_theirs(struct store *at, const char *run_root, int stage, const char *path, struct err *e)
{
	if (theirs_index(at, run_root, false, stage, path, e) == -1)
		return -1;
	if (read_index(at, path, e) == 0)
		return 0;
	if (at->db.h != NULL)
		db_close(&at->db);
	err_clear(e);
	return theirs_index(at, run_root, true, stage, path, e) == -1 ? -1
								      : read_index(at, path, e);
}

/* SQLite writes beside an index that it only reads, so it reads a copy. */
static int
open_index(struct store *at, struct store *s, const char *run_root, struct err *e)
{
	char name[STORE_NAME_MAX];
	own_fd int stage = store_stage(s, name, e);
	own_mem char *path = xasprintf("%s/tmp/%s/store.db", s->root, name);
	own_mem char *gone = xasprintf("tmp/%s", name);
	int r;

	if (stage == -1)
		return -1;
	r = copy_index(at->dir, stage, e);
	if (r == 0 && faccessat(stage, parts[0], F_OK, 0) == 0)
		r = check_owner(at, e) == -1 ? -1 : read_index(at, path, e);
	else if (r == 0)
		r = theirs_is(at->dir)
			? read_theirs(at, run_root, stage, path, e)
			: err_set(e, ERR_INVALID, "no images of this program are in it");
	/* What is open stays until the end. */
	for (size_t i = 0; i < COUNTOF(parts); i++)
		unlinkat(stage, parts[i], 0);
	unlinkat(s->dir, gone, AT_REMOVEDIR);
	return r;
}

static int
open_more(struct store *at, const char *root, struct store *s, const char *run_root, struct err *e)
{
	*at = (struct store){.dir = -1,
	    .trash = -1,
	    .lock = -1,
	    .writing = -1,
	    .read_only = true,
	    .base = s,
	    .root = xstrdup(root),
	    .userxattr = s->userxattr,
	    .single_id = s->single_id};
	at->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at->dir == -1)
		err_sys(e, "opening it");
	else if (open_index(at, s, run_root, e) == 0)
		return 0;
	store_close(at);
	return -1;
}

/* repair: what is in the way is moved out of it, and an index that cannot be read gets a successor. */
static int
open_one(struct store *s, const char *root, bool repair, struct err *e)
{
	if (repair && root[0] == '/' && store_mend(root, e) == -1)
		return -1;
	if (store_open(s, root, e) == 0)
		return 0;
	if (!repair || e->class != ERR_INTEGRITY)
		return -1;
	log_warn("%s", e->text);
	return store_renew_db(s, root, e) == -1 ? -1 : store_open(s, root, e);
}

static int
open_others(
    struct store *s, const struct options *o, const char *run_root, bool repair, struct err *e)
{
	struct err why;

	if (o->image_store != NULL && strcmp(o->image_store, s->root) != 0) {
		s->images = xcalloc(1, sizeof(*s->images));
		if (open_one(s->images, o->image_store, repair, e) == -1) {
			free(s->images);
			s->images = NULL;
			return err_wrap(e, "image store");
		}
		s->images->base = s;
		s->images->layout = s->layout;
		s->images->opt.sync = s->opt.sync;
	}
	if (o->more.n > PLACES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d additional image stores", PLACES_MAX);
	s->more = xcalloc(o->more.n + 1, sizeof(*s->more));
	for (size_t i = 0; i < o->more.n; i++) {
		if (strcmp(o->more.v[i], s->root) == 0)
			continue;
		if (open_more(&s->more[s->nmore], o->more.v[i], s, run_root, &why) == 0)
			s->nmore++;
		else
			log_warn(
			    "Additional image store %s is passed over: %s", o->more.v[i], why.text);
	}
	return 0;
}

int
places_open(struct store *s, const struct msg_hello *m, bool repair, struct err *e)
{
	own(options_free) struct options o = {0};

	if (options_read(&o, m, e) == -1 || open_one(s, m->graph_root, repair, e) == -1)
		return -1;
	s->opt = o.store;
	s->layout = s->opt.driver == DRIVER_VFS ? LAYOUT_DIR : s->opt.layout;
	o.store = (struct store_options){0};
	if ((o.volume_path == NULL ||
		volume_place_set(s, o.volume_path, o.volume_path_must, e) == 0) &&
	    open_others(s, &o, m->run_root, repair, e) == 0 &&
	    unwritten_look(places_first(s), e) == 0)
		return 0;
	store_close(s);
	return -1;
}
