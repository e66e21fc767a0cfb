/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-store/artifacts.h"
#include "pod-store/attach.h"
#include "pod-store/image.h"
#include "pod-store/layer.h"
#include "pod-store/adopt.h"
#include "pod-store/places.h"
#include "pod-store/remove.h"

void
removed_free(struct removed *r)
{
	strv_free(&r->untagged);
	strv_free(&r->deleted);
}

/* The image to be named, which gets a record here if it lies elsewhere. */
static int
find_to_tag(struct store *all, const char *text, struct naming_match *found, struct err *e)
{
	struct store *first = places_first(all), *at;

	if (places_find(all, text, NULL, found, &at, e) == -1)
		return -1;
	return at == first ? 0 : adopt_image(first, at, found->id, e);
}

/* For what changes an image: it must lie in the first place. */
static int
find_own(struct store *s, const char *text, const struct strs *candidates, const char *act,
    struct naming_match *found, struct err *e)
{
	struct store *all = s->base != NULL ? s->base : s, *at;
	own_naming_match struct naming_match elsewhere = {0};
	struct err other;

	if (naming_find(s, text, candidates, found, e) == 0)
		return 0;
	if (e->class != ERR_NOTFOUND ||
	    places_find(all, text, candidates, &elsewhere, &at, &other) == -1)
		return -1;
	err_set(e, ERR_DENIED, "cannot %s read-only image \"%s\"", act, elsewhere.id);
	return err_hint(e, "It is in the store %s.", at->root);
}

int
remove_tag(struct store *all, const struct msg_image_tag *m, struct err *e)
{
	struct store *s = places_first(all);
	own_naming_match struct naming_match found = {0};
	own_strv struct strv names = {0};
	bool ok = true;

	for (size_t i = 0; i < m->names.n; i++) {
		char *full = naming_full(m->names.v[i], e);

		if (full == NULL)
			return -1;
		strv_take(&names, full);
	}
	if (db_grow(&s->db, e) == -1)
		return -1;
	ok = find_to_tag(all, m->image, &found, e) == 0;
	for (size_t i = 0; i < names.n && ok; i++)
		ok = image_add_name(s, found.id, names.v[i], e) == 0;
	return db_end(&s->db, ok, e);
}

/* Takes one name; the digests of its repository go with the repository's last name. */
static int
drop_name(struct store *s, const char *id, const char *name, struct err *e)
{
	own_mem char *repository = naming_repository(name);
	own_strv struct strv names = {0}, digests = {0};

	if (db_run(&s->db, db_query(&s->db, SQL_NAME_TAKE, e, "t", name), e) == -1 ||
	    db_run(&s->db, db_query(&s->db, SQL_DIGEST_NAME_TAKE, e, "tt", name, id), e) == -1 ||
	    image_names(s, id, &names, &digests, e) == -1)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		own_mem char *other = naming_repository(names.v[i]);

		if (strcmp(other, repository) == 0)
			return 0;
	}
	for (size_t i = 0; i < digests.n; i++) {
		own_mem char *other = naming_repository(digests.v[i]);

		if (strcmp(other, repository) == 0 &&
		    db_run(&s->db,
			db_query(&s->db, SQL_DIGEST_NAME_TAKE, e, "tt", digests.v[i], id), e) == -1)
			return -1;
	}
	return 0;
}

static int
untag_one(struct store *s, const char *id, const char *name, const struct strv *have, struct err *e)
{
	own_naming_match struct naming_match found = {0};

	if (naming_find(s, name, NULL, &found, e) == -1)
		return -1;
	if (found.name == NULL || strcmp(found.id, id) != 0 ||
	    strv_find(have, found.name) == have->n)
		return err_set(e, ERR_NOTFOUND, "%s: tag not known", name);
	return drop_name(s, id, found.name, e);
}

static int
untag(struct store *s, const struct msg_image_untag *m, struct err *e)
{
	own_naming_match struct naming_match found = {0};
	own_strv struct strv names = {0};

	if (find_own(s, m->image, NULL, "untag", &found, e) == -1 ||
	    image_names(s, found.id, &names, &names, e) == -1)
		return -1;
	for (size_t i = 0; i < m->names.n; i++)
		if (untag_one(s, found.id, m->names.v[i], &names, e) == -1)
			return -1;
	for (size_t i = 0; i < names.n && m->names.n == 0; i++)
		if (drop_name(s, found.id, names.v[i], e) == -1)
			return -1;
	return 0;
}

int
remove_untag(struct store *s, const struct msg_image_untag *m, struct err *e)
{
	if (db_begin(&s->db, e) == -1)
		return -1;
	return db_end(&s->db, untag(s, m, e) == 0, e);
}

/* --- Removal -------------------------------------------------------------------------------------- */

static bool
in_use(const struct strv *users, const char *id)
{
	return strv_find(users, id) < users->n;
}

/* Names that count: digests only if there is no other. */
static int
names_of(struct store *s, const char *id, struct strv *out, struct err *e)
{
	own_strv struct strv digests = {0};

	if (image_names(s, id, out, &digests, e) == -1)
		return -1;
	if (out->n == 0)
		strv_add_all(out, (const char *const *)digests.v, digests.n);
	return 0;
}

static int
delete_rows(struct store *s, const char *id, struct err *e)
{
	static const enum db_sql steps[] = {SQL_NAMES_DELETE, SQL_DIGEST_NAMES_DELETE,
	    SQL_PAST_NAMES_DELETE, SQL_SIGNATURES_DELETE, SQL_USES_DELETE, SQL_USERS_DELETE,
	    SQL_DOCUMENT_DELETE, SQL_IMAGE_DELETE};

	for (size_t i = 0; i < COUNTOF(steps); i++)
		if (db_run(&s->db, db_query(&s->db, steps[i], e, "t", id), e) == -1)
			return -1;
	return 0;
}

/*
 * Deletes the image and then, one after the other, the parents it leaves without a name or a child.  As
 * Podman's, an image others were made from is not reported as deleted: its content stays.
 */
static int
delete_image(struct store *s, const char *first, bool keep_parents, const struct strv *users,
    struct removed *out, struct err *e)
{
	own_mem char *id = xstrdup(first);

	for (;;) {
		own_strv struct strv names = {0}, children = {0}, parents = {0}, siblings = {0};
		own_strv struct strv parent_names = {0};

		if (names_of(s, id, &names, e) == -1 || image_children(s, id, &children, e) == -1 ||
		    (!keep_parents && image_parents(s, id, &parents, e) == -1) ||
		    delete_rows(s, id, e) == -1)
			return -1;
		strv_add_all(&out->untagged, (const char *const *)names.v, names.n);
		if (children.n == 0)
			strv_add(&out->deleted, id);
		if (parents.n == 0 || in_use(users, parents.v[0]))
			return 0;
		if (names_of(s, parents.v[0], &parent_names, e) == -1 ||
		    image_children(s, parents.v[0], &siblings, e) == -1)
			return -1;
		if (parent_names.n > 0 || siblings.n > 0)
			return 0;
		own_mem_free(&id);
		id = xstrdup(parents.v[0]);
	}
}

static void
join(const struct strv *names, struct strbuf *out)
{
	for (size_t i = 0; i < names->n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? " " : "", names->v[i]);
}

/* 1: the request only took a name; 0: the image has to go; -1. */
static int
remove_name(struct store *s, const struct msg_image_remove *m, const struct naming_match *found,
    struct removed *out, struct err *e)
{
	own_strv struct strv names = {0};
	own_strbuf struct strbuf all = {0};

	if (names_of(s, found->id, &names, e) == -1)
		return -1;
	if (names.n <= 1)
		return 0;
	if (found->name != NULL) {
		strv_add(&out->untagged, found->name);
		return drop_name(s, found->id, found->name, e) == 0 ? 1 : -1;
	}
	if (m->force)
		return 0;
	join(&names, &all);
	return err_set(e, ERR_INUSE,
	    "unable to delete image \"%s\" by %s with more than one tag ([%s]): please force "
	    "removal",
	    found->id, text_has_prefix(m->image, "sha256:") ? "digest" : "ID", all.s);
}

/* The container that stands on the image, for the error. */
static int
used_error(struct store *s, const char *id, struct err *e)
{
	own_mem char *user = image_user(s, id, e);

	if (user == NULL)
		return -1;
	return err_set(e, ERR_INUSE,
	    "image used by %s: image is in use by a container: consider listing external "
	    "containers and force-removing image",
	    user);
}

static int
remove_in_tx(struct store *s, const struct msg_image_remove *m, struct removed *out, struct err *e)
{
	own_naming_match struct naming_match found = {0};
	own_strv struct strv users = {0};
	int r;

	if (find_own(s, m->image, &m->candidates, "remove", &found, e) == -1)
		return -1;
	r = remove_name(s, m, &found, out, e);
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (image_users(s, &users, e) == -1)
		return -1;
	if (in_use(&users, found.id))
		return used_error(s, found.id, e);
	if (delete_image(s, found.id, m->keep_parents, &users, out, e) == -1)
		return -1;
	return layer_condemn(s, e);
}

/* Under the exclusive lock no container can be put on an image that is about to go. */
static int
exclusively(struct store *s, struct err *e)
{
	if (store_lock(s, LOCK_EXCLUSIVE, e) == -1)
		return -1;
	if (db_begin(&s->db, e) == 0)
		return 0;
	store_unlock(s);
	return -1;
}

/* What the images that are gone had on the disk, and where users had mounted them. */
static int
bury(struct store *s, const struct removed *out, struct err *e)
{
	for (size_t i = 0; i < out->deleted.n; i++)
		attach_drop(s, out->deleted.v[i]);
	return out->deleted.n > 0 ? layer_bury(s, NULL, e) : 0;
}

int
remove_image(struct store *s, const struct msg_image_remove *m, struct removed *out, struct err *e)
{
	int r;

	if (exclusively(s, e) == -1)
		return -1;
	r = db_end(&s->db, remove_in_tx(s, m, out, e) == 0, e);
	store_unlock(s);
	for (size_t i = 0; i < out->deleted.n && r == 0; i++)
		r = artifacts_drop(s, out->deleted.v[i], e);
	return r == 0 ? bury(s, out, e) : r;
}

static int
unused_in_tx(struct store *s, bool all, struct removed *out, struct err *e)
{
	own_arena struct arena a = {0};
	own_strv struct strv users = {0};
	struct msg_image_listed list = {0};

	if (image_users(s, &users, e) == -1 || image_rows(s, &list, &a, e) == -1)
		return -1;
	/* Newest first, so children before the parents they were made from. */
	for (size_t i = 0; i < list.images.n; i++) {
		const char *id = list.images.v[i].id;
		own_strv struct strv names = {0}, children = {0};

		if (in_use(&users, id))
			continue;
		if (names_of(s, id, &names, e) == -1 || image_children(s, id, &children, e) == -1)
			return -1;
		if ((names.n > 0 && !all) || children.n > 0)
			continue;
		if (delete_image(s, id, true, &users, out, e) == -1)
			return -1;
	}
	return layer_condemn(s, e);
}

int
remove_unused(struct store *s, bool all, struct removed *out, struct err *e)
{
	int r;

	if (exclusively(s, e) == -1)
		return -1;
	r = db_end(&s->db, unused_in_tx(s, all, out, e) == 0, e);
	store_unlock(s);
	return r == 0 ? bury(s, out, e) : r;
}

/* Without a look at relations, for which the configuration would have to be whole. */
static int
damaged_in_tx(struct store *s, const struct strv *ids, struct removed *out, struct err *e)
{
	own_strv struct strv users = {0};

	if (image_users(s, &users, e) == -1)
		return -1;
	for (size_t i = 0; i < ids->n; i++) {
		if (in_use(&users, ids->v[i]))
			continue;
		if (names_of(s, ids->v[i], &out->untagged, e) == -1 ||
		    delete_rows(s, ids->v[i], e) == -1)
			return -1;
		strv_add(&out->deleted, ids->v[i]);
	}
	return layer_condemn(s, e);
}

int
remove_damaged(struct store *s, const struct strv *ids, struct removed *out, struct err *e)
{
	int r;

	if (exclusively(s, e) == -1)
		return -1;
	r = db_end(&s->db, damaged_in_tx(s, ids, out, e) == 0, e);
	store_unlock(s);
	return r;
}
