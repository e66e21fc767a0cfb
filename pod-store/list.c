/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/manifest.h"
#include "pod-store/image.h"
#include "pod-store/list.h"
#include "pod-store/naming.h"

#define LOCAL "containers-storage:"

/* --- Making and changing --------------------------------------------------------------------------- */

static int
check_name_free(struct store *s, const char *name, struct err *e)
{
	own_mem char *full = naming_full(name, e), *id = NULL;
	sqlite3_stmt *q;
	int r;

	if (full == NULL)
		return -1;
	q = db_query(&s->db, SQL_IMAGE_BY_NAME, e, "t", full);
	r = db_step(&s->db, q, e);
	if (r != 1)
		return r;
	id = xstrdup(db_text(q, 0));
	db_done(q);
	return err_set(e, ERR_EXISTS,
	    "creating image to hold manifest list: image name \"%s\" is already associated with "
	    "image \"%s\": that name is already in use",
	    full, id);
}

static int
add_list(struct store *s, const struct msg_list_put *m, const char *digest,
    const struct strbuf *parsed, const char *id, struct err *e)
{
	own_mem char *full = NULL;
	struct timespec now;
	sqlite3_stmt *q;

	clock_gettime(CLOCK_REALTIME, &now);
	q = db_query(&s->db, SQL_IMAGE_ADD, e, "tttiiti", id, digest, m->media_type,
	    (int64_t)m->manifest.n, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, "",
	    (int64_t)now.tv_sec);
	if (db_run(&s->db, q, e) == -1)
		return -1;
	q = db_query(&s->db, SQL_DOCUMENT_ADD, e, "tbbb", id, m->manifest.p, m->manifest.n, "",
	    (size_t)0, parsed->s, parsed->n);
	if (db_run(&s->db, q, e) == -1)
		return -1;
	if (m->name == NULL)
		return 0;
	full = naming_full(m->name, e);
	return full != NULL ? image_add_name(s, id, full, e) : -1;
}

/* Two who change it at the same time: the second one starts again from what the first one made. */
static int
change_list(struct store *s, const struct msg_list_put *m, const char *digest,
    const struct strbuf *parsed, struct err *e)
{
	own_arena struct arena a = {0};
	struct rec_image old;
	sqlite3_stmt *q;
	int r = image_load(s, m->image, 0, &old, &a, e);

	if (r != 1)
		return r == 0 ? err_set(e, ERR_NOTFOUND, "%s: image not known", m->image) : -1;
	if (!manifest_type_is_index(old.media_type))
		return err_set(e, ERR_INVALID, "%s: image is not a manifest list", m->image);
	if (m->was != NULL && strcmp(m->was, old.digest) != 0)
		return err_set(
		    e, ERR_STATE, "manifest list %s has been changed meanwhile", m->image);
	q = db_query(&s->db, SQL_IMAGE_SET_LIST, e, "ttti", m->image, digest, m->media_type,
	    (int64_t)m->manifest.n);
	if (db_run(&s->db, q, e) == -1)
		return -1;
	q = db_query(&s->db, SQL_DOCUMENT_SET_LIST, e, "tbb", m->image, m->manifest.p,
	    m->manifest.n, parsed->s, parsed->n);
	return db_run(&s->db, q, e);
}

static int
put_in_tx(struct store *s, const struct msg_list_put *m, const char *id, struct err *e)
{
	own_strbuf struct strbuf parsed = {0};
	char digest[SHA256_HEX + 8] = "sha256:";

	sha256_hex(m->manifest.p, m->manifest.n, digest + 7);
	wire_pack(&rec_image_config_desc, m->parsed, &parsed);
	if (m->image != NULL)
		return change_list(s, m, digest, &parsed, e);
	if (m->name != NULL && check_name_free(s, m->name, e) == -1)
		return -1;
	return add_list(s, m, digest, &parsed, id, e);
}

int
list_put(struct store *s, const struct msg_list_put *m, char id[SHA256_HEX], struct err *e)
{
	if (!m->parsed->list || !manifest_type_is_index(m->media_type))
		return err_set(e, ERR_INVALID, "what is to be stored as a manifest list is none");
	if (m->image != NULL && (strlen(m->image) != 64 || !text_is_hex(m->image, 64)))
		return err_set(e, ERR_INVALID, "malformed ID of a manifest list");
	if (m->image != NULL)
		memcpy(id, m->image, SHA256_HEX);
	else if (store_random(id, 32, e) == -1)
		return -1;
	if (db_grow(&s->db, e) == -1)
		return -1;
	return db_end(&s->db, put_in_tx(s, m, id, e) == 0, e);
}

/* --- Choosing -------------------------------------------------------------------------------------- */

static const struct rec_instance *
choose(const struct rec_image *list, const struct msg_image_get *m, struct arena *a, struct err *e)
{
	const struct rec_image_config *c = list->config;
	struct manifest index = {.media_type = list->media_type, .is_index = true};
	struct manifest_platform want = {m->os, m->architecture, m->variant};
	const struct manifest_entry *entry;

	index.entries = arena_array(a, c->instances.n + 1, sizeof(*index.entries));
	index.nentries = c->instances.n;
	for (size_t i = 0; i < c->instances.n; i++) {
		const struct rec_instance *x = &c->instances.v[i];

		index.entries[i] = (struct manifest_entry){.os = x->os != NULL ? x->os : "",
		    .architecture = x->architecture != NULL ? x->architecture : "",
		    .variant = x->variant != NULL ? x->variant : ""};
	}
	entry = manifest_choose(&index, &want, e);
	return entry != NULL ? &c->instances.v[entry - index.entries] : NULL;
}

/* By its digest; the image it was made of may have got another manifest since, and is still the same. */
static int
find_image(struct store *s, const struct rec_instance *x, struct rec_image *out, struct arena *a,
    struct err *e)
{
	own_naming_match struct naming_match found = {0};
	int r = naming_find(s, x->digest, NULL, &found, e);

	if (r == -1 && e->class != ERR_NOTFOUND)
		return -1;
	if (r == 0)
		return image_load(s, found.id, IMAGE_CONFIG | IMAGE_LAYERS | IMAGE_PAST, out, a, e);
	err_clear(e);
	if (x->source == NULL || !text_has_prefix(x->source, LOCAL))
		return 0;
	return image_load(
	    s, x->source + strlen(LOCAL), IMAGE_CONFIG | IMAGE_LAYERS | IMAGE_PAST, out, a, e);
}

int
list_choose(struct store *s, const struct msg_image_get *m, struct rec_image *image,
    struct arena *a, struct err *e)
{
	const char *list = image->id;
	const struct rec_instance *x = choose(image, m, a, e);
	int r = x != NULL ? find_image(s, x, image, a, e) : -1;

	if (r == 0 || (r == 1 && image->config->list))
		return err_set(e, ERR_NOTFOUND,
		    "could not find image instance %s of manifest list %s in local containers "
		    "storage: image not known",
		    x->digest, list);
	return r;
}
