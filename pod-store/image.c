/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/below.h"
#include "pod-store/image.h"
#include "pod-store/naming.h"
#include "pod-store/places.h"

/* First column of every row into a list. */
static int
collect(struct store *s, sqlite3_stmt *q, struct strv *out, struct err *e)
{
	int r;

	while ((r = db_step(&s->db, q, e)) == 1)
		strv_add(out, db_text(q, 0));
	return r;
}

static struct strs
to_strs(const struct strv *l, struct arena *a)
{
	struct strs out = {.n = l->n};

	out.v = arena_array(a, l->n + 1, sizeof(*out.v));
	for (size_t i = 0; i < l->n; i++)
		out.v[i] = arena_strdup(a, l->v[i]);
	return out;
}

static void
fill_row(sqlite3_stmt *q, struct rec_image *out, struct arena *a)
{
	out->id = arena_strdup(a, db_text(q, 0));
	out->digest = arena_strdup(a, db_text(q, 1));
	out->media_type = arena_strdup(a, db_text(q, 2));
	out->size = (uint64_t)db_int(q, 3);
	out->created_ns = db_int(q, 4);
}

int
image_layers(struct store *s, const char *id, struct strv *out, struct err *e)
{
	return collect(s, db_query(&s->db, SQL_LAYERS_OF, e, "t", id), out, e);
}

int
image_config(
    struct store *s, const char *id, struct rec_image_config *out, struct arena *a, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_IMAGE_CONFIG, e, "t", id);
	int r = db_step(&s->db, q, e);

	if (r != 1)
		return r;
	r = wire_unpack(&rec_image_config_desc, sqlite3_column_blob(q, 0),
	    (size_t)sqlite3_column_bytes(q, 0), out, a, e);
	db_done(q);
	return r == 0 ? 1 : err_wrap(e, "configuration of image %s", id);
}

/*
 * What Podman shows as RepoDigests: the manifest's digest behind every repository the image has a name
 * in, and the digests it was pulled by.
 */
static void
fill_names(
    struct rec_image *out, const struct strv *names, const struct strv *digests, struct arena *a)
{
	own_strv struct strv all = {0};

	for (size_t i = 0; i < digests->n; i++)
		strv_add(&all, digests->v[i]);
	for (size_t i = 0; i < names->n && *out->digest != '\0'; i++) {
		own_mem char *full = naming_with_digest(names->v[i], out->digest);

		if (strv_find(&all, full) == all.n)
			strv_add(&all, full);
	}
	out->names = to_strs(names, a);
	out->repo_digests = to_strs(&all, a);
}

static int
load_names(struct store *s, struct rec_image *out, struct arena *a, struct err *e)
{
	own_strv struct strv names = {0}, digests = {0};

	if (collect(s, db_query(&s->db, SQL_NAMES_OF, e, "t", out->id), &names, e) == -1 ||
	    collect(s, db_query(&s->db, SQL_DIGEST_NAMES_OF, e, "t", out->id), &digests, e) == -1)
		return -1;
	fill_names(out, &names, &digests, a);
	return 0;
}

static int
load_extra(struct store *s, unsigned what, const struct strv *users, struct rec_image *out,
    struct arena *a, struct err *e)
{
	own_strv struct strv layers = {0}, past = {0};

	if (what & IMAGE_LAYERS) {
		if (image_layers(s, out->id, &layers, e) == -1)
			return -1;
		out->layers = to_strs(&layers, a);
	}
	if (what & IMAGE_CONFIG) {
		out->config = arena_alloc(a, sizeof(*out->config));
		if (image_config(s, out->id, out->config, a, e) != 1)
			return -1;
	}
	if (what & IMAGE_PAST) {
		if (collect(s, db_query(&s->db, SQL_PAST_NAMES_OF, e, "t", out->id), &past, e) ==
		    -1)
			return -1;
		out->past_names = to_strs(&past, a);
	}
	for (size_t i = 0; i < users->n; i++)
		out->containers += strcmp(users->v[i], out->id) == 0;
	return 0;
}

int
image_load(struct store *s, const char *id, unsigned what, struct rec_image *out, struct arena *a,
    struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, SQL_IMAGE_ROW, e, "t", id);
	own_strv struct strv users = {0};
	int r = db_step(&s->db, q, e);

	if (r != 1)
		return r;
	*out = (struct rec_image){0};
	fill_row(q, out, a);
	db_done(q);
	out->read_only = s->read_only;
	if ((what & IMAGE_USERS) && image_users(s, &users, e) == -1)
		return -1;
	if (load_names(s, out, a, e) == -1 || load_extra(s, what, &users, out, a, e) == -1)
		return -1;
	return 1;
}

/* Calls fn with each container that has a read-write layer and the image it stands on, until it says 1. */
static int
each_user(struct store *s, int (*fn)(void *arg, const char *ctr, const char *image), void *arg,
    struct err *e)
{
	own_fd int rw = store_dir(s, "rw", e);
	own_dir DIR *d = NULL;
	struct dirent *de;

	if (rw == -1)
		return -1;
	d = fdopendir(rw);
	if (d == NULL)
		return err_sys(e, "listing read-write layers");
	fd_take(&rw);
	while ((de = readdir(d)) != NULL) {
		struct below b;

		if (de->d_name[0] == '.' || below_read(dirfd(d), de->d_name, &b) == -1)
			continue;
		if (fn(arg, de->d_name, b.image) == 1)
			return 1;
	}
	return 0;
}

static int
add_user(void *arg, const char *ctr, const char *image)
{
	(void)ctr;
	strv_add(arg, image);
	return 0;
}

/* Containers lie in the graph root, wherever their images do. */
static struct store *
of_containers(struct store *s)
{
	return s->base != NULL ? s->base : s;
}

int
image_users(struct store *s, struct strv *out, struct err *e)
{
	if (each_user(of_containers(s), add_user, out, e) == -1)
		return -1;
	strv_sort(out);
	return 0;
}

struct user_search {
	const char *image;
	char *found;
};

static int
match_user(void *arg, const char *ctr, const char *image)
{
	struct user_search *u = arg;

	if (strcmp(image, u->image) != 0)
		return 0;
	u->found = xstrdup(ctr);
	return 1;
}

char *
image_user(struct store *s, const char *id, struct err *e)
{
	struct user_search u = {.image = id};

	if (each_user(of_containers(s), match_user, &u, e) == 0)
		err_set(e, ERR_NOTFOUND, "no container stands on image %s", id);
	return u.found;
}

/* --- The list ------------------------------------------------------------------------------------- */

struct pair {
	char *image, *name;
};

struct pairs {
	struct pair *v;
	size_t n, cap;
};

static void
pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].image);
		free(p->v[i].name);
	}
	free(p->v);
}

/* The statement gives image and name, by image. */
static int
load_pairs(struct store *s, sqlite3_stmt *q, struct pairs *out, struct err *e)
{
	int r;

	while ((r = db_step(&s->db, q, e)) == 1) {
		out->v = mem_grow(out->v, &out->cap, out->n + 1, sizeof(*out->v));
		out->v[out->n++] = (struct pair){xstrdup(db_text(q, 0)), xstrdup(db_text(q, 1))};
	}
	return r;
}

static int
pair_cmp(const void *key, const void *pair)
{
	return strcmp(key, ((const struct pair *)pair)->image);
}

static void
names_from(const struct pairs *p, const char *id, struct strv *out)
{
	struct pair *at = p->n > 0 ? bsearch(id, p->v, p->n, sizeof(*p->v), pair_cmp) : NULL;

	if (at == NULL)
		return;
	while (at > p->v && strcmp(at[-1].image, id) == 0)
		at--;
	for (; at < p->v + p->n && strcmp(at->image, id) == 0; at++)
		strv_add(out, at->name);
}

int
image_rows(struct store *s, struct msg_image_listed *out, struct arena *a, struct err *e)
{
	int64_t n = 0;
	sqlite3_stmt *q;
	int r;

	if (db_one_int(&s->db, db_query(&s->db, SQL_IMAGE_COUNT, e, ""), &n, e) == -1)
		return -1;
	out->images.v = arena_array(a, (size_t)n, sizeof(*out->images.v));
	q = db_query(&s->db, SQL_IMAGE_ROWS, e, "");
	while ((r = db_step(&s->db, q, e)) == 1 && out->images.n < (size_t)n)
		fill_row(q, &out->images.v[out->images.n++], a);
	return r;
}

/* Drops images without a name that others were made from. */
static int
drop_intermediate(struct store *s, struct msg_image_listed *out, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < out->images.n; i++) {
		struct rec_image *im = &out->images.v[i];
		own_strv struct strv children = {0};

		if (im->names.n == 0 && im->repo_digests.n == 0 &&
		    image_children(s, im->id, &children, e) == -1)
			return -1;
		if (children.n == 0)
			out->images.v[kept++] = *im;
	}
	out->images.n = kept;
	return 0;
}

static int
list_view(
    struct store *s, unsigned what, struct msg_image_listed *out, struct arena *a, struct err *e)
{
	own(pairs_free) struct pairs names = {0};
	own(pairs_free) struct pairs digests = {0};
	own_strv struct strv users = {0};

	if (image_rows(s, out, a, e) == -1 ||
	    load_pairs(s, db_query(&s->db, SQL_NAMES_ALL, e, ""), &names, e) == -1 ||
	    load_pairs(s, db_query(&s->db, SQL_DIGEST_NAMES_ALL, e, ""), &digests, e) == -1)
		return -1;
	if ((what & IMAGE_USERS) && image_users(s, &users, e) == -1)
		return -1;
	for (size_t i = 0; i < out->images.n; i++) {
		own_strv struct strv mine = {0}, by_digest = {0};
		struct rec_image *im = &out->images.v[i];

		im->read_only = s->read_only;
		names_from(&names, im->id, &mine);
		names_from(&digests, im->id, &by_digest);
		fill_names(im, &mine, &by_digest, a);
		if (load_extra(s, what, &users, im, a, e) == -1)
			return -1;
	}
	return 0;
}

static int
list_place(struct store *s, bool all, unsigned what, struct msg_image_listed *out, struct arena *a,
    struct err *e)
{
	int r;

	*out = (struct msg_image_listed){0};
	if (db_view(&s->db, e) == -1)
		return -1;
	r = list_view(s, what, out, a, e);
	if (r == 0 && !all)
		r = drop_intermediate(s, out, e);
	db_view_end(&s->db);
	return r;
}

/* The first place that has an image is the one it is run from. */
static void
add_new(struct msg_image_listed *out, const struct msg_image_listed *more, bool read_only,
    struct arena *a)
{
	struct rec_image *all = arena_array(a, out->images.n + more->images.n + 1, sizeof(*all));
	size_t n = out->images.n;

	if (n > 0)
		memcpy(all, out->images.v, n * sizeof(*all));
	for (size_t i = 0; i < more->images.n; i++) {
		size_t at = 0;

		while (at < n && strcmp(all[at].id, more->images.v[i].id) != 0)
			at++;
		if (at < n)
			continue;
		all[n] = more->images.v[i];
		all[n++].read_only = read_only;
	}
	out->images.v = all;
	out->images.n = n;
}

static int
newest_first(const void *a, const void *b)
{
	const struct rec_image *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(x->id, y->id);
}

int
image_list(struct store *s, bool all, unsigned what, struct msg_image_listed *out, struct arena *a,
    struct err *e)
{
	if (list_place(places_first(s), all, what, out, a, e) == -1)
		return -1;
	for (size_t i = 1; i < places_count(s); i++) {
		struct msg_image_listed more;

		if (list_place(places_at(s, i), all, what, &more, a, e) == -1)
			return -1;
		add_new(out, &more, true, a);
	}
	if (places_count(s) > 1 && out->images.n > 1)
		qsort(out->images.v, out->images.n, sizeof(*out->images.v), newest_first);
	return 0;
}

/* --- Parents and children -------------------------------------------------------------------------- */

static bool
same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
same_step(const struct rec_history *a, const struct rec_history *b)
{
	return same(a->created, b->created) && same(a->created_by, b->created_by) &&
	       same(a->author, b->author) && same(a->comment, b->comment) &&
	       a->empty_layer == b->empty_layer;
}

/* True if child was made from parent by one more step: one more history entry, the same layers below. */
static bool
image_is_child(const struct rec_image_config *parent, const struct rec_image_config *child)
{
	if (parent->list || child->list || parent->history.n + 1 != child->history.n ||
	    (parent->diff_ids.n != child->diff_ids.n &&
		parent->diff_ids.n + 1 != child->diff_ids.n))
		return false;
	for (size_t i = 0; i < parent->diff_ids.n; i++)
		if (strcmp(parent->diff_ids.v[i], child->diff_ids.v[i]) != 0)
			return false;
	for (size_t i = 0; i < parent->history.n; i++)
		if (!same_step(&parent->history.v[i], &child->history.v[i]))
			return false;
	return true;
}

static int
relatives(struct store *s, enum db_sql which, const char *id, bool children, struct strv *out,
    struct err *e)
{
	own_arena struct arena a = {0};
	own_strv struct strv near = {0}, top = {0};
	struct rec_image_config mine, other;

	if (collect(s, db_query(&s->db, SQL_IMAGE_TOP, e, "t", id), &top, e) == -1)
		return -1;
	if (top.n == 0 ||
	    collect(s, db_query(&s->db, which, e, "tt", id, top.v[0]), &near, e) == -1)
		return top.n == 0 ? 0 : -1;
	if (near.n > 0 && image_config(s, id, &mine, &a, e) != 1)
		return -1;
	for (size_t i = 0; i < near.n; i++) {
		if (image_config(s, near.v[i], &other, &a, e) != 1)
			return -1;
		if (children ? image_is_child(&mine, &other) : image_is_child(&other, &mine))
			strv_add(out, near.v[i]);
	}
	return 0;
}

int
image_children(struct store *s, const char *id, struct strv *out, struct err *e)
{
	return relatives(s, SQL_IMAGES_ABOVE, id, true, out, e);
}

int
image_parents(struct store *s, const char *id, struct strv *out, struct err *e)
{
	return relatives(s, SQL_IMAGES_NEAR, id, false, out, e);
}

int
image_names(
    struct store *s, const char *id, struct strv *names, struct strv *digests, struct err *e)
{
	if (collect(s, db_query(&s->db, SQL_NAMES_OF, e, "t", id), names, e) == -1)
		return -1;
	return collect(s, db_query(&s->db, SQL_DIGEST_NAMES_OF, e, "t", id), digests, e);
}

int
image_add_name(struct store *s, const char *id, const char *name, struct err *e)
{
	if (strchr(name, '@') != NULL)
		return db_run(&s->db, db_query(&s->db, SQL_DIGEST_NAME_ADD, e, "tt", name, id), e);
	if (db_run(&s->db, db_query(&s->db, SQL_NAME_TAKE, e, "t", name), e) == -1 ||
	    db_run(&s->db, db_query(&s->db, SQL_PAST_NAME_ADD, e, "tt", id, name), e) == -1)
		return -1;
	return db_run(&s->db, db_query(&s->db, SQL_NAME_ADD, e, "tt", name, id), e);
}
