/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "pod-store/layer.h"
#include "pod-store/naming.h"

char *
naming_repository(const char *name)
{
	const char *at = strchr(name, '@'), *end = at != NULL ? at : name + strlen(name);
	const char *slash = memrchr(name, '/', (size_t)(end - name));
	const char *first = slash != NULL ? slash : name;
	const char *colon = memrchr(first, ':', (size_t)(end - first));

	return xstrndup(name, (size_t)((colon != NULL ? colon : end) - name));
}

char *
naming_with_digest(const char *name, const char *digest)
{
	own_mem char *repository = naming_repository(name);

	return xasprintf("%s@%s", repository, digest);
}

char *
naming_full(const char *name, struct err *e)
{
	own_reference struct reference r = {0};

	if (reference_parse(name, &r, e) == -1)
		return NULL;
	if (r.domain == NULL)
		r.domain = xstrdup("localhost");
	reference_complete(&r);
	return reference_string(&r);
}

void
naming_match_free(struct naming_match *m)
{
	free(m->id);
	free(m->name);
	*m = (struct naming_match){0};
}

/* One row with one text column.  1 found, 0 none, -1 failed. */
static int
one_id(struct store *s, sqlite3_stmt *q, struct naming_match *out, struct err *e)
{
	int r = db_step(&s->db, q, e);

	if (r == 1) {
		out->id = xstrdup(db_text(q, 0));
		db_done(q);
	}
	return r;
}

static int
by_name(struct store *s, const char *name, struct naming_match *out, struct err *e)
{
	int r = one_id(s, db_query(&s->db, SQL_IMAGE_BY_NAME, e, "t", name), out, e);

	if (r == 0)
		r = one_id(s, db_query(&s->db, SQL_IMAGE_BY_DIGEST_NAME, e, "t", name), out, e);
	if (r == 1)
		out->name = xstrdup(name);
	return r;
}

/* A digest matches any image with that manifest. */
static int
by_digest(struct store *s, const char *digest, struct naming_match *out, struct err *e)
{
	return one_id(s, db_query(&s->db, SQL_IMAGE_BY_DIGEST, e, "t", digest), out, e);
}

static int
by_id(struct store *s, const char *text, struct naming_match *out, struct err *e)
{
	const char *hex = text_has_prefix(text, "sha256:") ? text + 7 : text;
	size_t n = strlen(hex);
	sqlite3_stmt *q;
	int r;

	if (n == 0 || n > 64 || !text_is_hex(hex, n))
		return 0;
	q = db_query(&s->db, SQL_IMAGE_BY_PREFIX, e, "t", hex);
	r = db_step(&s->db, q, e);
	if (r != 1)
		return r;
	out->id = xstrdup(db_text(q, 0));
	r = db_step(&s->db, q, e);
	if (r == 1) {
		db_done(q);
		own_mem_free(&out->id);
		out->id = NULL;
		return err_set(e, ERR_INVALID, "%s: image ID prefix is ambiguous", text);
	}
	return r == 0 ? 1 : -1;
}

/* A short name also means the repository of any registry that ends in it. */
static int
by_suffix(struct store *s, const struct reference *ref, struct naming_match *out, struct err *e)
{
	own_mem char *text = reference_string(ref), *suffix = xasprintf("/%s", text);
	sqlite3_stmt *q = db_query(&s->db, SQL_NAMES_LIKE, e, "t", suffix);
	int r = db_step(&s->db, q, e);

	if (r == 1) {
		out->name = xstrdup(db_text(q, 0));
		out->id = xstrdup(db_text(q, 1));
		db_done(q);
	}
	return r;
}

static int
by_reference(struct store *s, const char *text, const struct strs *candidates,
    struct naming_match *out, struct err *e)
{
	own_reference struct reference ref = {0};
	own_mem char *full = NULL;
	struct err bad;
	int r = 0;

	/* What cannot be a name may still be an ID. */
	if (reference_parse(text, &ref, &bad) == -1)
		return 0;
	reference_complete(&ref);
	full = reference_string(&ref);
	if (strcmp(full, text) != 0)
		r = by_name(s, full, out, e);
	if (r == 0 && ref.domain == NULL) {
		own_mem char *local = xasprintf("localhost/%s", full);

		r = by_name(s, local, out, e);
	}
	for (size_t i = 0; candidates != NULL && i < candidates->n && r == 0; i++)
		r = by_name(s, candidates->v[i], out, e);
	if (r == 0 && ref.digest != NULL)
		return by_digest(s, ref.digest, out, e);
	if (r == 0 && ref.domain == NULL)
		r = by_suffix(s, &ref, out, e);
	return r;
}

static int
find(struct store *s, const char *text, const struct strs *candidates, struct naming_match *out,
    struct err *e)
{
	bool digest = layer_hex(text) != NULL;
	int r = digest ? 0 : by_name(s, text, out, e);

	/* 64 digits are an ID before they are anything else. */
	if (r == 0 && (digest || text_is_hex(text, 64)))
		r = by_id(s, text, out, e);
	if (r == 0 && digest)
		r = by_digest(s, text, out, e);
	if (r == 0 && !text_has_prefix(text, "sha256:"))
		r = by_reference(s, text, candidates, out, e);
	return r != 0 ? r : by_id(s, text, out, e);
}

int
naming_find(struct store *s, const char *text, const struct strs *candidates,
    struct naming_match *out, struct err *e)
{
	int r;

	*out = (struct naming_match){0};
	if (*text == '\0')
		return err_set(e, ERR_INVALID, "the name of an image cannot be empty");
	r = find(s, text, candidates, out, e);
	if (r == 1)
		return 0;
	naming_match_free(out);
	return r == 0 ? err_set(e, ERR_NOTFOUND, "%s: image not known", text) : -1;
}
