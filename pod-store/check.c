/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/path.h"
#include "common/oci/manifest.h"
#include "common/role/spawn.h"
#include "pod-store/artifacts.h"
#include "pod-store/below.h"
#include "pod-store/blob.h"
#include "pod-store/check.h"
#include "pod-store/check_blobs.h"
#include "pod-store/image.h"
#include "pod-store/layer.h"
#include "pod-store/layer/result.h"
#include "pod-store/mountpoints.h"
#include "pod-store/places.h"
#include "pod-store/remove.h"
#include "pod-store/verify.h"
#include "pod-store/volume.h"
#include "pod-store/volume_place.h"

#define FOUND_MAX 100000

struct check {
	struct store *s, *first; /* where images are made */
	const struct msg_store_check *m;
	struct arena *a;
	struct rec_damage *found;
	size_t n, cap;
	struct strv layers, images; /* that are damaged */
	struct strv removed;
};

static void __attribute__((format(printf, 4, 5)))
found(struct check *c, const char *kind, const char *id, const char *fmt, ...)
{
	char text[900], clean[1000], name[200];
	va_list ap;

	if (c->n == FOUND_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_escape(text, clean, sizeof(clean));
	/* It may be what the damage is. */
	text_escape(id != NULL ? id : "", name, sizeof(name));
	c->found = mem_grow(c->found, &c->cap, c->n + 1, sizeof(*c->found));
	c->found[c->n++] = (struct rec_damage){.kind = kind,
	    .id = id != NULL ? arena_strdup(c->a, name) : NULL,
	    .text = arena_strdup(c->a, clean)};
}

/* --- Layers ----------------------------------------------------------------------------------------- */

static void
damaged_layer(struct check *c, const char *id, const char *text)
{
	found(c, "layer", id, "%s", text);
	if (strv_find(&c->layers, id) == c->layers.n)
		strv_add(&c->layers, id);
}

/* What must be there, by a look at names only.  NULL: it is. */
static const char *
missing_part(int dir)
{
	if (layout_of(dir) == LAYOUT_EROFS)
		return NULL;
	if (faccessat(dir, "diff", F_OK, AT_SYMLINK_NOFOLLOW) == -1)
		return "its files are missing";
	return faccessat(dir, "tar.index", F_OK, AT_SYMLINK_NOFOLLOW) == -1 ? "its index is missing"
									    : NULL;
}

/* A worker that was killed or could not be started says nothing of the layer, which must not be removed for it. */
static bool
is_unknown(struct check *c, const char *id, const struct err *e)
{
	const int ours[] = {ENOMEM, EAGAIN, EMFILE, ENFILE, ENOSPC, EDQUOT, EROFS};
	bool unknown = e->class == ERR_PEER || e->class == ERR_TIMEOUT;

	for (size_t i = 0; i < COUNTOF(ours); i++)
		unknown |= e->no == ours[i];
	if (unknown)
		found(c, "layer", id, "it cannot be checked: %s", e->text);
	return unknown;
}

/* An image can be made again of the tar, which is the truth. */
static void
check_image_file(struct check *c, const char *id, int dir)
{
	struct err e = {0};
	bool there = faccessat(dir, LAYOUT_IMAGE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	int r = !there ? 0 : c->m->quick ? 1 : verify_image(dir, &e);

	if (r == 1 || (r == -1 && is_unknown(c, id, &e)))
		return;
	found(c, "layer", id, "%s",
	    !there   ? "its image is missing"
	    : r == 0 ? "its image was modified"
		     : e.text);
	if (c->m->repair && (verify_image_renew(dir, &e) == 0 || is_unknown(c, id, &e)))
		return;
	strv_add(&c->layers, id);
}

/* What was fetched or pushed is kept to be pushed again; without it that is made anew. */
static int
check_kept(struct check *c, const char *id, int dir, struct err *e)
{
	own_strv struct strv names = {0};

	if (store_names_in(dir, id, &names, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (blob_hex(names.v[i]) == NULL || verify_blob(dir, names.v[i]))
			continue;
		found(c, "layer", id, "the blob that it keeps was modified");
		if (c->m->repair && store_trash(c->first, dir, names.v[i], e) == -1)
			return -1;
	}
	return 0;
}

static int
check_layer(struct check *c, const char *id, const char *diff_id, struct err *why)
{
	own_mem char *path = xasprintf("layers/%s", id);
	struct err e = {0};
	own_fd int dir = store_dir(c->first, path, &e);
	const char *missing = dir == -1 ? "its directory is missing" : missing_part(dir);
	own_strv struct strv faults = {0};
	char digest[80] = "";

	if (dir == -1 && places_layer(c->s, id, &e) != NULL)
		return 0;
	if (missing != NULL) {
		damaged_layer(c, id, missing);
		return 0;
	}
	if (c->m->quick) {
		if (layout_of(dir) == LAYOUT_EROFS)
			check_image_file(c, id, dir);
		return 0;
	}
	/* Some streams cannot be had again although nothing is wrong: their index says so. */
	if (verify_digest(dir, digest, &faults, &e) == -1) {
		if (e.class != ERR_UNSUPPORTED && !is_unknown(c, id, &e))
			damaged_layer(c, id, e.text);
	} else if (faults.n > 0) {
		for (size_t i = 0; i < faults.n; i++)
			damaged_layer(c, id, faults.v[i]);
	} else if (strncmp(digest, "sha256:", 7) != 0 || strcmp(digest + 7, diff_id) != 0) {
		damaged_layer(c, id, "its content was modified");
	} else if (layout_of(dir) == LAYOUT_EROFS) {
		check_image_file(c, id, dir);
	}
	return check_kept(c, id, dir, why);
}

static int
check_layers(struct check *c, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->first->db, SQL_CHECK_LAYERS, e, "");
	own_strv struct strv ids = {0}, diffs = {0};
	int r;

	while ((r = db_step(&c->first->db, q, e)) == 1) {
		strv_add(&ids, db_text(q, 0));
		strv_add(&diffs, db_text(q, 2));
	}
	for (size_t i = 0; i < ids.n && r == 0; i++)
		if (strlen(ids.v[i]) < STORE_NAME_MAX - 16 && strchr(ids.v[i], '/') == NULL)
			r = check_layer(c, ids.v[i], diffs.v[i], e);
	return r;
}

/* --- Images ---------------------------------------------------------------------------------------- */

static void
damaged_image(struct check *c, const char *id, const char *text)
{
	found(c, "image", id, "%s", text);
	if (strv_find(&c->images, id) == c->images.n)
		strv_add(&c->images, id);
}

static bool
is_digest_of(const char *hex, sqlite3_stmt *q, int column)
{
	char now[SHA256_HEX];

	sha256_hex(sqlite3_column_blob(q, column), (size_t)sqlite3_column_bytes(q, column), now);
	return strcmp(now, hex) == 0;
}

static void
check_documents(struct check *c, sqlite3_stmt *q)
{
	const char *id = db_text(q, 0), *digest = db_text(q, 1);
	own_arena struct arena a = {0};
	struct rec_image_config config;
	struct err e;

	if (db_int(q, 6) != 0)
		damaged_image(c, id, "its configuration is missing");
	else if (!manifest_type_is_index(db_text(q, 7)) && !is_digest_of(id, q, 4))
		damaged_image(c, id, "its configuration was modified");
	else if (strncmp(digest, "sha256:", 7) == 0 && !is_digest_of(digest + 7, q, 3))
		damaged_image(c, id, "its manifest was modified");
	else if (wire_unpack(&rec_image_config_desc, sqlite3_column_blob(q, 5),
		     (size_t)sqlite3_column_bytes(q, 5), &config, &a, &e) == -1)
		damaged_image(c, id, "its parsed configuration is unreadable");
}

/* Its layers: none is missing, each stands on the one before, and the last one is its top. */
static int
check_chain(struct check *c, const char *id, const char *top, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->first->db, SQL_CHECK_USES, e, "t", id);
	own_strv struct strv chain = {0};
	const char *fault = NULL;
	int r;

	while ((r = db_step(&c->first->db, q, e)) == 1) {
		const char *below = chain.n > 0 ? chain.v[chain.n - 1] : "";

		if (db_int(q, 3) != 0 || db_int(q, 1) != (int64_t)chain.n)
			fault = "a layer is missing";
		else if (strcmp(db_text(q, 2), below) != 0)
			fault = "its layers do not stand on each other";
		else if (strv_find(&c->layers, db_text(q, 0)) < c->layers.n)
			fault = "a layer is damaged";
		strv_add(&chain, db_text(q, 0));
	}
	if (r == -1)
		return -1;
	if (fault == NULL && strcmp(chain.n > 0 ? chain.v[chain.n - 1] : "", top) != 0)
		fault = "a layer is missing";
	if (fault != NULL)
		damaged_image(c, id, fault);
	return 0;
}

static int
check_images(struct check *c, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->first->db, SQL_CHECK_IMAGES, e, "");
	own_strv struct strv ids = {0}, tops = {0};
	int64_t strays = 0;
	int r;

	while ((r = db_step(&c->first->db, q, e)) == 1) {
		strv_add(&ids, db_text(q, 0));
		strv_add(&tops, db_text(q, 2));
		check_documents(c, q);
	}
	for (size_t i = 0; i < ids.n && r == 0; i++)
		r = check_chain(c, ids.v[i], tops.v[i], e);
	if (r == -1 || db_one_int(&c->first->db, db_query(&c->first->db, SQL_CHECK_STRAYS, e, ""),
			   &strays, e) == -1)
		return -1;
	if (strays > 0)
		found(c, "index", NULL,
		    "%lld entries belong to images that are not there, or have a name that is none",
		    (long long)strays);
	return 0;
}

/* --- Containers, volumes, what is left over ---------------------------------------------------------- */

typedef int check_name(struct check *c, int dir, const char *name, struct err *e);

/* Those in the directory fd, which is closed; -1 is a failure with its reason in e. */
static int
each_in(struct check *c, int take_fd, const char *path, check_name *fn, struct err *e)
{
	own_strv struct strv names = {0};
	own_fd int fd = take_fd;

	if (fd == -1 || store_names_in(fd, path, &names, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		if (fn(c, fd, names.v[i], e) == -1)
			return -1;
	return 0;
}

static int
each_name(struct check *c, struct store *s, const char *path, check_name *fn, struct err *e)
{
	return each_in(c, store_dir(s, path, e), path, fn, e);
}

static bool
is_directory(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_absent(int dir, const char *path)
{
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;
}

/* Overlay's own directory, of which nothing is lost. */
static int
check_work(struct check *c, int dir, const char *name, struct err *e)
{
	own_fd int rw = path_open(dir, name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);

	if (rw == -1)
		return -1;
	if (!is_directory(rw, "upper") || is_directory(rw, "work"))
		return 0;
	found(c, "container", NULL, "%.12s: the directory of its overlay is missing", name);
	if (!c->m->repair)
		return 0;
	if (store_trash(c->s, rw, "work", e) == -1)
		return -1;
	return mkdirat(rw, "work", 0700) == 0 ? 0 : err_sys(e, "making a directory for overlay");
}

/* A container whose own layer or whose image is no longer whole. */
static int
check_container(struct check *c, int dir, const char *name, struct err *e)
{
	own_mem char *upper = xasprintf("%s/upper", name);
	own_mem char *whole = xasprintf("%s/root", name);
	struct err none = {0};
	struct below b;

	(void)e;
	if (below_read(dir, name, &b) == -1 || !is_directory(dir, name) ||
	    (!is_directory(dir, upper) && !is_directory(dir, whole))) {
		found(c, "container", name, "its read-write layer is incomplete");
		return 0;
	}
	if (places_image(c->s, b.image, &none) == NULL)
		found(c, "container", name, "its image %.12s is missing", b.image);
	else if (strv_find(&c->images, b.image) < c->images.n)
		found(c, "container", name, "its image %.12s is damaged", b.image);
	return check_work(c, dir, name, e);
}

/* What may be in the place of a volume's directories is somebody's: it is moved. */
static int
clear_way(int top, const char *name, const char *data, struct err *e)
{
	own_fd int dir = -1;

	if (top == -1 || is_absent(top, name))
		return 0;
	if (!is_directory(top, name))
		return store_move_aside(top, name, e);
	if (is_absent(top, data))
		return 0;
	dir = path_open(top, name, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	return dir == -1 ? -1 : store_move_aside(dir, data + strlen(name) + 1, e);
}

/* A volume's directory without a record gets one again, see check_volume_dir. */
static int
check_volume_records(struct check *c, bool *sound, struct err *e)
{
	own_strv struct strv names = {0}, keys = {0};

	if (volume_damaged(c->s, &names, &keys, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		found(c, "volume", names.v[i], "its record cannot be read");
		if (c->m->repair && volume_drop(c->s, keys.v[i], e) == -1)
			return -1;
	}
	*sound = names.n == 0 || c->m->repair;
	return 0;
}

static int
check_volumes(struct check *c, struct err *e)
{
	bool sound = false;
	own_arena struct arena a = {0};
	struct msg_volume_listed l = {0};
	struct err none;
	own_fd int top = volume_place_open(c->s, NULL, &none);

	if (check_volume_records(c, &sound, e) == -1 ||
	    (sound && volume_list(c->s, &l, &a, e) == -1))
		return -1;
	for (size_t i = 0; i < l.volumes.n; i++) {
		const char *name = l.volumes.v[i].name;
		own_mem char *data = xasprintf("%s/_data", name);
		const char *at = l.volumes.v[i].mountpoint;
		struct stat st;

		/* Of plug-ins there is nothing here. */
		if (at == NULL || !text_has_prefix(at, c->s->volume_path))
			continue;
		if (top != -1 && fstatat(top, data, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			continue;
		found(c, "volume", name, "its directory is missing");
		if (c->m->repair &&
		    (clear_way(top, name, data, e) == -1 || volume_restore(c->s, name, e) == -1))
			return -1;
	}
	return 0;
}

/* --- Artifacts and manifest lists ---------------------------------------------------------------------- */

/* A modified blob of an artifact can be fetched or added again once it is out of the way. */
static int
check_artifacts(struct check *c, struct err *e)
{
	own_fd int dir = path_try(c->s->dir, "artifacts", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_fd int blobs =
	    dir == -1 ? -1 : path_try(dir, "blobs/sha256", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_strv struct strv bad = {0};

	if (blobs == -1)
		return 0;
	if (check_blobs(blobs, &bad, e) == -1)
		return -1;
	for (size_t i = 0; i < bad.n; i++) {
		found(c, "artifact", bad.v[i], "this blob was modified");
		if (!c->m->repair)
			continue;
		strv_add(&c->removed, bad.v[i]);
		if (store_trash(c->s, blobs, bad.v[i], e) == -1)
			return -1;
	}
	return 0;
}

static int
check_list(struct check *c, int dir, const char *name, struct err *e)
{
	own_mem char *path = xasprintf("%s/blobs/sha256", name);
	own_fd int blobs = path_try(dir, path, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_strv struct strv bad = {0};

	if (blobs == -1)
		return 0;
	if (check_blobs(blobs, &bad, e) == -1)
		return -1;
	if (bad.n > 0)
		damaged_image(c, name, "a blob that it keeps was modified");
	return 0;
}

static int
check_lists(struct check *c, struct err *e)
{
	return is_directory(c->s->dir, "lists") ? each_name(c, c->s, "lists", check_list, e) : 0;
}

/* Without a row, and too old to be on its way to one. */
static int
check_leftover(struct check *c, int dir, const char *name, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->first->db, SQL_LAYER_ROW, e, "t", name);
	int r = db_step(&c->first->db, q, e);
	struct stat st;

	if (r == 1)
		db_done(q);
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_ctim.tv_sec + (int64_t)c->m->max_age_s > time(NULL))
		return 0;
	found(c, "layer", name, "it belongs to no image");
	if (!c->m->repair)
		return 0;
	strv_add(&c->removed, name);
	return store_trash(c->first, dir, name, e);
}

static int
check_volume_dir(struct check *c, int dir, const char *name, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->s->db, SQL_VOLUME_ROW, e, "t", name);
	own_mem char *data = xasprintf("%s/_data", name);
	int r = db_step(&c->s->db, q, e);
	struct stat st;

	if (r == 1)
		db_done(q);
	if (r != 0 || fstatat(dir, data, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return r == -1 ? -1 : 0;
	/* People's data: it comes back, it does not go. */
	found(c, "volume", name, "the index does not know it");
	return c->m->repair ? volume_restore(c->s, name, e) : 0;
}

/* --- Repair ---------------------------------------------------------------------------------------- */

static int
condemn(struct check *c, struct err *e)
{
	bool ok = true;

	if (db_begin(&c->first->db, e) == -1)
		return -1;
	for (size_t i = 0; i < c->layers.n && ok; i++) {
		sqlite3_stmt *q =
		    db_query(&c->first->db, SQL_CHECK_LAYER_USERS, e, "t", c->layers.v[i]);
		int r = db_step(&c->first->db, q, e);

		if (r == 1)
			db_done(q);
		/* Else a container still stands on it. */
		else if (r == 0)
			ok = db_run(&c->first->db,
				 db_query(&c->first->db, SQL_CHECK_CONDEMN, e, "t", c->layers.v[i]),
				 e) == 0;
		else
			ok = false;
		if (r == 0)
			strv_add(&c->removed, c->layers.v[i]);
	}
	if (ok)
		ok = layer_condemn(c->first, e) == 0;
	return db_end(&c->first->db, ok, e);
}

static int
remove_strays(struct check *c, struct err *e)
{
	static const enum db_sql steps[] = {SQL_CHECK_STRAY_USES, SQL_CHECK_STRAY_DOCUMENTS,
	    SQL_CHECK_STRAY_NAMES, SQL_CHECK_STRAY_DIGESTS, SQL_CHECK_STRAY_USERS,
	    SQL_CHECK_STRAY_PAST, SQL_CHECK_STRAY_SIGNATURES};
	bool ok = true;

	if (db_begin(&c->first->db, e) == -1)
		return -1;
	for (size_t i = 0; i < COUNTOF(steps) && ok; i++)
		ok = db_run(&c->first->db, db_query(&c->first->db, steps[i], e, ""), e) == 0;
	return db_end(&c->first->db, ok, e);
}

static int
repair(struct check *c, struct err *e)
{
	own_removed struct removed gone = {0};

	if (remove_damaged(c->first, &c->images, &gone, e) == -1 || remove_strays(c, e) == -1 ||
	    condemn(c, e) == -1)
		return -1;
	for (size_t i = 0; i < gone.deleted.n; i++) {
		strv_add(&c->removed, gone.deleted.v[i]);
		if (artifacts_drop(c->s, gone.deleted.v[i], e) == -1)
			return -1;
	}
	return layer_bury(c->first, NULL, e);
}

static int
check_index(struct check *c, struct store *s, struct err *e)
{
	char text[512];
	int r = db_check(&s->db, c->m->quick, text, sizeof(text), e);

	if (r != 0)
		return r == 1 ? 0 : -1;
	found(c, "index", NULL, "%s", text);
	return c->m->repair ? store_renew_db(s, s->root, e) : 0;
}

/* Directories that only some stores have; without the others a store does not open. */
static int
check_places(struct check *c, struct err *e)
{
	own_strv struct strv gone = {0};

	if (store_displaced(c->s, &gone, e) == -1)
		return -1;
	for (size_t i = 0; i < gone.n; i++)
		found(c, "store", NULL, "something else is in the place of %s", gone.v[i]);
	return c->m->repair ? store_mend(c->s->root, e) : 0;
}

static int
check_mountpoints(struct check *c, struct err *e)
{
	if (mountpoints_sound(c->s))
		return 0;
	found(c, "store", NULL, "the mount points of containers are not what was made");
	return c->m->repair ? mountpoints_mend(c->s, e) : 0;
}

static int
run(struct check *c, struct err *e)
{
	if (check_places(c, e) == -1 || check_mountpoints(c, e) == -1 ||
	    check_index(c, c->s, e) == -1 ||
	    (c->first != c->s && check_index(c, c->first, e) == -1) || check_layers(c, e) == -1 ||
	    check_images(c, e) == -1 ||
	    (!c->m->quick && (check_lists(c, e) == -1 || check_artifacts(c, e) == -1)) ||
	    each_name(c, c->s, "rw", check_container, e) == -1 || check_volumes(c, e) == -1 ||
	    each_in(c, volume_place_make(c->s, e), "volumes", check_volume_dir, e) == -1)
		return -1;
	if (c->m->repair && repair(c, e) == -1)
		return -1;
	return each_name(c, c->first, "layers", check_leftover, e);
}

/* --- After a power failure --------------------------------------------------------------------------- */

/* The images that stand on the damaged layers go with them. */
static int
drop(struct check *c, struct err *e)
{
	for (size_t i = 0; i < c->layers.n; i++) {
		sqlite3_stmt *q =
		    db_query(&c->first->db, SQL_CHECK_LAYER_USERS, e, "t", c->layers.v[i]);
		int r;

		while ((r = db_step(&c->first->db, q, e)) == 1)
			if (strv_find(&c->images, db_text(q, 0)) == c->images.n)
				strv_add(&c->images, db_text(q, 0));
		if (r == -1)
			return -1;
	}
	for (size_t i = 0; i < c->images.n; i++)
		log_warn(
		    "image %.12s was not on disk as a whole when the power failed", c->images.v[i]);
	return repair(c, e);
}

static void
check_free(struct check *c)
{
	own_mem_free(&c->found);
	strv_free(&c->layers);
	strv_free(&c->images);
	strv_free(&c->removed);
}

/* 1: sound, or no layer any more; 0: not; -1. */
static int
is_sound(struct check *c, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&c->first->db, SQL_LAYER_ROW, e, "t", id);
	size_t before = c->n;
	char diff_id[SHA256_HEX];
	int r = db_step(&c->first->db, q, e);

	if (r != 1)
		return r == 0 ? 1 : -1;
	snprintf(diff_id, sizeof(diff_id), "%s", db_text(q, 0));
	db_done(q);
	return check_layer(c, id, diff_id, e) == -1 ? -1 : c->n == before;
}

int
check_unwritten(struct store *s, const struct strv *layers, struct strv *sound, struct err *e)
{
	own_arena struct arena a = {0};
	const struct msg_store_check m = {.repair = true};
	struct check c = {.s = s->base != NULL ? s->base : s, .first = s, .m = &m, .a = &a};
	int r = 0;

	for (size_t i = 0; i < layers->n && r != -1; i++) {
		r = is_sound(&c, layers->v[i], e);
		if (r == 1)
			strv_add(sound, layers->v[i]);
	}
	if (r != -1)
		r = c.layers.n > 0 ? drop(&c, e) : 0;
	for (size_t i = 0; i < c.layers.n && r == 0; i++)
		strv_add(sound, c.layers.v[i]);
	check_free(&c);
	return r;
}

void
check_lost(struct store *s, const struct strv *layers)
{
	const struct msg_store_check m = {.repair = true};
	struct check c = {.s = s->base != NULL ? s->base : s, .first = s, .m = &m};
	struct err e = {0};

	for (size_t i = 0; i < layers->n; i++)
		strv_add(&c.layers, layers->v[i]);
	if (drop(&c, &e) == -1)
		log_error("%s", e.text);
	check_free(&c);
}

int
check_store(struct store *s, const struct msg_store_check *m, struct msg_store_checked *out,
    struct arena *a, struct err *e)
{
	struct check c = {.s = s, .first = places_first(s), .m = m, .a = a};
	int r = run(&c, e);

	*out = (struct msg_store_checked){0};
	if (r == -1 && e->class == ERR_INTEGRITY && !m->repair && c.n > 0) {
		/* The index breaks off: what was found until then is the answer. */
		err_clear(e);
		r = 0;
	}
	out->found.v = arena_array(a, c.n + 1, sizeof(*out->found.v));
	if (c.n > 0)
		memcpy(out->found.v, c.found, c.n * sizeof(*c.found));
	out->found.n = c.n;
	out->removed.v = arena_array(a, c.removed.n + 1, sizeof(*out->removed.v));
	for (size_t i = 0; i < c.removed.n; i++)
		out->removed.v[i] = arena_strdup(a, c.removed.v[i]);
	out->removed.n = c.removed.n;
	check_free(&c);
	return r;
}
