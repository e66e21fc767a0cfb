/* SPDX-License-Identifier: ISC */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/value.h"
#include "common/oci/manifest.h"
#include "common/oci/names.h"
#include "common/oci/reference.h"
#include "pod-run/cmd/image_row.h"
#include "pod-run/life/image.h"

#define NS INT64_C(1000000000)

int
image_row_list(struct ctx *x, bool all, unsigned what, struct peer_in *in, struct err *e)
{
	struct msg_image_list m = {.all = all,
	    .configs = (what & IMAGE_ROW_CONFIGS) != 0,
	    .uses = (what & IMAGE_ROW_USES) != 0};
	struct peer *store = ctx_store(x, e);

	return store != NULL ? peer_call(store, &msg_image_list_desc, &m, in, NULL, NULL, e) : -1;
}

int
image_row_find(struct ctx *x, const char *word, struct peer_in *in, struct err *e)
{
	uint32_t seq;

	if (image_ask(x, word, NULL, &seq, e) == -1)
		return -1;
	return peer_wait(ctx_store(x, e), &msg_image_get_desc, seq, in, NULL, NULL, e);
}

int
image_row_find_list(struct ctx *x, const char *word, struct peer_in *in, struct err *e)
{
	own_strv struct strv candidates = {0};
	struct msg_image_get m = {.name = word, .list = true};
	struct peer *store = ctx_store(x, e);

	if (store == NULL || image_candidates(x, word, &candidates, e) == -1)
		return -1;
	m.candidates = (struct strs){.v = (const char **)candidates.v, .n = candidates.n};
	return peer_call(store, &msg_image_get_desc, &m, in, NULL, NULL, e);
}

void
image_row_doubt(const char *word, struct err *e)
{
	own_reference struct reference r = {0};
	struct err bad;

	if (e->class == ERR_NOTFOUND && !text_is_hex(word, strlen(word)) &&
	    reference_parse(word, &r, &bad) == -1)
		*e = bad;
}

void
image_row_split(const char *name, char **repository, char **tag)
{
	const char *at = strchr(name, '@'), *slash = strrchr(name, '/');
	const char *colon = strrchr(slash != NULL ? slash : name, ':');

	*tag = NULL;
	if (at != NULL) {
		*repository = xstrndup(name, (size_t)(at - name));
	} else if (colon != NULL) {
		*repository = xstrndup(name, (size_t)(colon - name));
		*tag = xstrdup(colon + 1);
	} else {
		*repository = xstrdup(name);
	}
}

/* --- Relations ----------------------------------------------------------------------------------*/

static bool
same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static bool
is_parent(const struct rec_image_config *p, const struct rec_image_config *c)
{
	if (p == NULL || c == NULL || p->list || c->list || p->history.n + 1 != c->history.n ||
	    (p->diff_ids.n != c->diff_ids.n && p->diff_ids.n + 1 != c->diff_ids.n))
		return false;
	for (size_t i = 0; i < p->diff_ids.n; i++)
		if (strcmp(p->diff_ids.v[i], c->diff_ids.v[i]) != 0)
			return false;
	for (size_t i = 0; i < p->history.n; i++)
		if (!same(p->history.v[i].created, c->history.v[i].created) ||
		    !same(p->history.v[i].created_by, c->history.v[i].created_by))
			return false;
	return true;
}

const struct rec_image *
image_row_parent(const struct msg_image_listed *all, const struct rec_image *child)
{
	for (size_t i = 0; i < all->images.n; i++)
		if (&all->images.v[i] != child && is_parent(all->images.v[i].config, child->config))
			return &all->images.v[i];
	return NULL;
}

static bool
has_child(const struct msg_image_listed *all, const struct rec_image *parent)
{
	for (size_t i = 0; i < all->images.n; i++)
		if (is_parent(parent->config, all->images.v[i].config))
			return true;
	return false;
}

/* --- Filters ------------------------------------------------------------------------------------*/

#define IMAGE(o) (((const struct image_row_object *)(o))->image)

bool
image_row_reference(const char *name, const char *pattern)
{
	own_mem char *repository = NULL, *tag = NULL;

	image_row_split(name, &repository, &tag);
	/* A pattern may leave out the tag, and leading components such as the registry. */
	for (const char *at = name; at != NULL; at = strchr(at, '/')) {
		size_t skipped;

		at += *at == '/';
		skipped = (size_t)(at - name);
		if (fnmatch(pattern, at, FNM_PATHNAME) == 0)
			return true;
		if (skipped < strlen(repository) &&
		    fnmatch(pattern, repository + skipped, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static bool
match_reference(const struct term *t, const void *o)
{
	const struct rec_image *im = IMAGE(o);

	for (size_t i = 0; i < im->names.n; i++)
		if (image_row_reference(im->names.v[i], t->value))
			return true;
	for (size_t i = 0; i < im->repo_digests.n; i++)
		if (strcmp(im->repo_digests.v[i], t->value) == 0)
			return true;
	return strlen(t->value) >= 3 && text_has_prefix(im->id, t->value);
}

static bool
match_not_reference(const struct term *t, const void *o)
{
	return !match_reference(t, o);
}

static bool
match_dangling(const struct term *t, const void *o)
{
	return (IMAGE(o)->names.n == 0 && IMAGE(o)->repo_digests.n == 0) == (t->number != 0);
}

static bool
match_intermediate(const struct term *t, const void *o)
{
	bool is = IMAGE(o)->names.n == 0 &&
		  has_child(((const struct image_row_object *)o)->all, IMAGE(o));

	return is == (t->number != 0);
}

static bool
match_containers(const struct term *t, const void *o)
{
	return (IMAGE(o)->containers > 0) == (t->number != 0);
}

static bool
match_manifest(const struct term *t, const void *o)
{
	return manifest_type_is_index(IMAGE(o)->media_type) == (t->number != 0);
}

static bool
match_readonly(const struct term *t, const void *o)
{
	return IMAGE(o)->read_only == (t->number != 0);
}

static bool
match_label(const struct term *t, const void *o)
{
	const struct rec_image_config *c = IMAGE(o)->config;

	return c != NULL && terms_label(t->value, c->labels.v, c->labels.n);
}

static bool
match_not_label(const struct term *t, const void *o)
{
	return !match_label(t, o);
}

static bool
match_id(const struct term *t, const void *o)
{
	return text_has_prefix(IMAGE(o)->id, t->value);
}

static bool
match_digest(const struct term *t, const void *o)
{
	const char *digest = IMAGE(o)->digest;

	return digest != NULL && text_has_prefix(digest, t->value);
}

static bool
match_before(const struct term *t, const void *o)
{
	return IMAGE(o)->created_ns < t->number;
}

static bool
match_since(const struct term *t, const void *o)
{
	return IMAGE(o)->created_ns > t->number;
}

/* before=IMAGE and since=IMAGE compare times of creation. */
static int
prepare_image(struct ctx *x, struct term *t, struct err *e)
{
	own_peer_in struct peer_in in = {0};

	if (image_row_find(x, t->value, &in, e) == -1)
		return -1;
	t->number = MSG_OF(&in, image_got)->image->created_ns;
	return 0;
}

const struct terms_key image_row_keys[] = {
    {"after", false, prepare_image, match_since},
    {"before", false, prepare_image, match_before},
    {"containers", false, terms_prepare_bool, match_containers},
    {"dangling", false, terms_prepare_bool, match_dangling},
    {"digest", false, NULL, match_digest},
    {"id", false, NULL, match_id},
    {"intermediate", false, terms_prepare_bool, match_intermediate},
    {"label", true, NULL, match_label},
    {"label!", true, NULL, match_not_label},
    {"manifest", false, terms_prepare_bool, match_manifest},
    {"readonly", false, terms_prepare_bool, match_readonly},
    {"reference", false, NULL, match_reference},
    {"reference!", true, NULL, match_not_reference},
    {"since", false, prepare_image, match_since},
    {"until", false, terms_prepare_time, match_before},
    {0},
};

/* --- JSON ---------------------------------------------------------------------------------------*/

static json_t *
strings(const struct strs *l)
{
	json_t *a = json_arr();

	for (size_t i = 0; i < l->n; i++)
		json_add_str(a, l->v[i]);
	return a;
}

static void
put_labels(json_t *o, const struct rec_image_config *c)
{
	json_t *labels;

	if (c == NULL || c->labels.n == 0) {
		json_put_take(o, "Labels", json_null());
		return;
	}
	labels = json_put_obj(o, "Labels");
	for (size_t i = 0; i < c->labels.n; i++)
		json_put_str(labels, c->labels.v[i].key, c->labels.v[i].value);
}

json_t *
image_row_json(const struct msg_image_listed *all, const struct rec_image *im)
{
	const struct rec_image *parent = image_row_parent(all, im);
	bool dangling = im->names.n == 0 && im->repo_digests.n == 0;
	json_t *o = json_obj();
	char created[HUMAN_MAX];

	json_put_str(o, "Id", im->id);
	json_put_str(o, "ParentId", parent != NULL ? parent->id : "");
	json_put_take(o, "RepoTags", im->names.n > 0 ? strings(&im->names) : json_null());
	json_put_take(o, "RepoDigests", strings(&im->repo_digests));
	json_put_int(o, "Size", (int64_t)im->size);
	json_put_int(o, "SharedSize", 0);
	json_put_int(o, "VirtualSize", (int64_t)im->size);
	put_labels(o, im->config);
	json_put_int(o, "Containers", (int64_t)im->containers);
	if (im->read_only)
		json_put_bool(o, "ReadOnly", true);
	if (dangling)
		json_put_bool(o, "Dangling", true);
	if (im->names.n > 0)
		json_put_take(o, "Names", strings(&im->names));
	if (im->digest != NULL)
		json_put_str(o, "Digest", im->digest);
	if (im->past_names.n > 0)
		json_put_take(o, "History", strings(&im->past_names));
	json_put_int(o, "Created", im->created_ns / NS);
	human_rfc3339nano_utc(im->created_ns / NS * NS, created, sizeof(created));
	json_put_str(o, "CreatedAt", created);
	if (manifest_type_is_index(im->media_type))
		json_put_bool(o, "IsManifestList", true);
	return o;
}
