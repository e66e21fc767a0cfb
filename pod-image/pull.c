/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/digest.h"
#include "pod-image/copy.h"
#include "pod-image/document.h"
#include "pod-image/pull.h"
#include "pod-image/schema1.h"

struct image { /* one image on its way from one registry */
	const struct pull *pull;
	const struct plan_source *source;
	struct trust *trust;
	struct peer *fetch;
	const char *repository; /* as that registry has it */
	struct document top, own_manifest_doc, config;
	struct manifest index, manifest;
	struct late late; /* of a manifest of schema 1 */
	struct strbuf made_config, made_manifest;
	struct copy copy;
	struct signatures signatures;
	struct arena arena;
	char top_digest[DIGEST_TEXT], digest[DIGEST_TEXT];
	size_t endpoint; /* of the source */
};

static void
image_free(struct image *i)
{
	document_free(&i->top);
	document_free(&i->own_manifest_doc);
	document_free(&i->config);
	manifest_free(&i->index);
	manifest_free(&i->manifest);
	late_free(&i->late);
	strbuf_free(&i->made_config);
	strbuf_free(&i->made_manifest);
	signatures_free(&i->signatures);
	arena_free(&i->arena);
}

static int
fetch(struct image *i, const char *kind, const char *reference, uint64_t max, struct document *out,
    struct err *e)
{
	return document_fetch(i->fetch, kind, i->repository, reference, max, out, e);
}

/* What went wrong before the registry answered is said without the name of what was read. */
static bool
is_about_registry(const struct err *e)
{
	return text_has_prefix(e->text, "pinging container registry") ||
	       text_has_prefix(e->text, "unable to retrieve auth token");
}

static int
fetch_top(struct image *i, struct err *e)
{
	const struct reference *r = &i->source->ref;
	const char *what = r->digest != NULL ? r->digest : r->tag;
	own_mem char *repository = reference_repository(r);

	if (fetch(i, "manifest", what, MANIFEST_MAX, &i->top, e) < 0) {
		if (!is_about_registry(e))
			err_wrap(e, "reading manifest %s in %s", what, repository);
		return err_wrap(e, "initializing source docker://%s", i->source->name);
	}
	if (schema1_check(&i->top, r->digest, i->top_digest, e) < 0)
		return err_wrap(e, "reading manifest %s in %s", what, repository);
	memcpy(i->digest, i->top_digest, sizeof(i->digest));
	return 0;
}

/* Follows an index once; an index behind an index is refused, so nothing can go in circles. */
static int
choose_manifest(struct image *i, struct err *e)
{
	struct manifest first = {0};
	const struct manifest_entry *entry;

	if (schema1_or_newer(&i->top, &first, &i->late, e) < 0)
		return -1;
	if (!first.is_index) {
		i->manifest = first;
		return 0;
	}
	i->index = first;
	entry = manifest_choose(&i->index, &i->pull->platform, e);
	if (entry == NULL)
		return err_wrap(
		    e, "choosing an image from manifest list docker://%s", i->source->name);
	if (entry->desc.size > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "the manifest %s is too large", entry->desc.digest);
	if (fetch(i, "manifest", entry->desc.digest, MANIFEST_MAX, &i->own_manifest_doc, e) < 0 ||
	    document_check(&i->own_manifest_doc, entry->desc.digest, i->digest, e) < 0)
		return err_wrap(e, "reading manifest %s", entry->desc.digest);
	if (i->own_manifest_doc.bytes.n != entry->desc.size)
		return err_set(e, ERR_INTEGRITY,
		    "manifest %s has %zu bytes, its descriptor says %llu", entry->desc.digest,
		    i->own_manifest_doc.bytes.n, (unsigned long long)entry->desc.size);
	if (manifest_parse(i->own_manifest_doc.bytes.s, i->own_manifest_doc.bytes.n,
		i->own_manifest_doc.media_type, &i->manifest, e) < 0)
		return -1;
	if (i->manifest.is_index)
		return err_set(e, ERR_FORMAT, "an index refers to another index");
	return 0;
}

static int
fetch_config(struct image *i, struct rec_image_config *config, struct err *e)
{
	const struct manifest_desc *d = &i->manifest.config;
	char got[DIGEST_TEXT];

	if (d->media_type[0] != '\0' && strcmp(d->media_type, MANIFEST_TYPE_OCI_CONFIG) != 0 &&
	    strcmp(d->media_type, MANIFEST_TYPE_DOCKER_CONFIG) != 0) {
		char shown[200];

		text_escape(d->media_type, shown, sizeof(shown));
		return err_set(e, ERR_UNSUPPORTED,
		    "unsupported image-specific operation on artifact with type \"%s\"", shown);
	}
	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "the configuration %s is too large", d->digest);
	if (fetch(i, "blob", d->digest, d->size > 0 ? d->size : 1, &i->config, e) < 0 ||
	    document_check(&i->config, d->digest, got, e) < 0)
		return err_wrap(e, "reading config blob %s", d->digest);
	if (i->config.bytes.n != d->size)
		return err_set(e, ERR_INTEGRITY,
		    "config %s has %zu bytes, its descriptor says %llu", d->digest,
		    i->config.bytes.n, (unsigned long long)d->size);
	return manifest_config(
	    i->config.bytes.s, i->config.bytes.n, i->manifest.nlayers, config, &i->arena, e);
}

static int
ask_blob(void *arg, size_t layer, int stream, uint32_t *seq, struct err *e)
{
	struct image *i = arg;
	const struct manifest_desc *d = &i->manifest.layers[layer];
	struct msg_fetch_blob m = {.repository = i->repository,
	    .digest = d->digest,
	    .size = d->size,
	    .any_size = i->late.config != NULL,
	    .stream = stream};

	*seq = peer_next_seq(i->fetch);
	return peer_send(i->fetch, &msg_fetch_blob_desc, *seq, &m, e);
}

static int
ask_parts(void *arg, size_t layer, struct bytes ranges, bool exact, int stream, uint32_t *seq,
    struct err *e)
{
	struct image *i = arg;
	const struct manifest_desc *d = &i->manifest.layers[layer];
	struct msg_fetch_parts m = {.repository = i->repository,
	    .digest = d->digest,
	    .size = d->size,
	    .ranges = ranges,
	    .exact = exact,
	    .stream = stream};

	*seq = peer_next_seq(i->fetch);
	return peer_send(i->fetch, &msg_fetch_parts_desc, *seq, &m, e);
}

static int
check_layers(const struct manifest *m, struct err *e)
{
	for (size_t i = 0; i < m->nlayers; i++) {
		if (m->layers[i].media_type[0] != '\0' &&
		    manifest_layer_form(manifest_plain_type(&m->layers[i])) ==
			MANIFEST_LAYER_UNKNOWN) {
			char shown[200];

			text_escape(m->layers[i].media_type, shown, sizeof(shown));
			return err_set(
			    e, ERR_UNSUPPORTED, "unsupported layer media type \"%s\"", shown);
		}
	}
	return 0;
}

static void
warn_platform(const struct image *i, const struct rec_image_config *c)
{
	const struct manifest_platform *want = &i->pull->platform;
	const char *arch = want->architecture != NULL && *want->architecture
			       ? want->architecture
			       : manifest_host_architecture();

	if (c->architecture != NULL && c->architecture[0] != '\0' &&
	    strcmp(c->architecture, arch) != 0)
		report_text(&i->pull->report,
		    "WARNING: image platform (%s/%s) does not match the expected platform "
		    "(linux/%s)",
		    c->os != NULL ? c->os : "", c->architecture, arch);
}

static struct rec_layer_ref *
layer_refs(struct image *i, const struct rec_image_config *config)
{
	struct rec_layer_ref *refs = arena_array(&i->arena, i->manifest.nlayers + 1, sizeof(*refs));

	for (size_t k = 0; k < i->manifest.nlayers; k++) {
		const struct manifest_desc *d = &i->manifest.layers[k];

		refs[k].diff_id = i->late.config != NULL ? LATE_UNKNOWN : config->diff_ids.v[k];
		refs[k].digest = d->digest;
		refs[k].media_type = d->media_type[0] != '\0' ? d->media_type : NULL;
		refs[k].size = d->size;
	}
	return refs;
}

static int
settle(struct copy *c, struct err *e)
{
	struct image *i = (struct image *)(void *)((char *)c - offsetof(struct image, copy));
	int r = copy_settle_late(c, &i->late, &i->made_config, &i->made_manifest, &i->arena, e);

	if (r == 0)
		warn_platform(i, &c->config);
	return r;
}

static struct bytes
as_bytes(const struct strbuf *b)
{
	return (struct bytes){(const uint8_t *)b->s, b->n};
}

/* What is stored may be another manifest, made of one of schema 1 or of one with encrypted layers. */
static bool
has_digest(const struct image *i, const struct rec_image *image)
{
	if (image->digest != NULL && strcmp(image->digest, i->digest) == 0)
		return true;
	for (size_t k = 0; k < image->repo_digests.n; k++) {
		const char *digest = strchr(image->repo_digests.v[k], '@');

		if (digest != NULL && strcmp(digest + 1, i->digest) == 0)
			return true;
	}
	return false;
}

/* True if the store's image of that name has this manifest already. */
static bool
is_current(const struct image *i, struct strv *ids)
{
	own_peer_in struct peer_in in = {0};
	struct msg_image_get m = {.name = i->source->name};
	struct err ignored = {0};
	const struct rec_image *image;

	if (peer_call(i->pull->store, &msg_image_get_desc, &m, &in, NULL, NULL, &ignored) < 0)
		return false;
	image = MSG_OF(&in, image_got)->image;
	if (!has_digest(i, image))
		return false;
	strv_add(ids, image->id);
	return true;
}

static bool
holds(const struct strs *names, const char *name)
{
	for (size_t k = 0; k < names->n; k++)
		if (strcmp(names->v[k], name) == 0)
			return true;
	return false;
}

/* True if the store has all layers of this configuration. */
static bool
has_layers(const struct image *i, const struct rec_image_config *config)
{
	own_peer_in struct peer_in in = {0};
	struct msg_layer_query m = {.diff_ids = config->diff_ids};
	struct err ignored = {0};

	if (config->diff_ids.n != i->manifest.nlayers)
		return false;
	return m.diff_ids.n == 0 || (peer_call(i->pull->store, &msg_layer_query_desc, &m, &in, NULL,
					 NULL, &ignored) == 0 &&
					MSG_OF(&in, layer_query_r)->present == m.diff_ids.n);
}

/* True if the store keeps the signatures that the registry has now. */
static bool
has_signatures(const struct image *i, const char *id)
{
	own_peer_in struct peer_in in = {0};
	struct msg_image_blob m = {.image = id, .kind = "signatures"};
	struct err ignored = {0};
	const struct msg_image_blob_r *r;

	if (i->signatures.n == 0)
		return true;
	if (peer_call(i->pull->store, &msg_image_blob_desc, &m, &in, NULL, NULL, &ignored) < 0)
		return false;
	r = MSG_OF(&in, image_blob_r);
	return signatures_equal(&i->signatures, r->signatures.v, r->signatures.n);
}

/* Is the store's image made of this manifest?  Of one with encrypted layers only for who has the keys. */
static bool
is_made_of(const struct image *i, const struct rec_image *image)
{
	bool sealed = false;

	if (strcmp(image->digest, i->digest) == 0)
		return true;
	for (size_t k = 0; k < i->manifest.nlayers; k++) {
		struct wrapped_options key;
		struct err ignored = {0};

		if (i->manifest.layers[k].encrypted == NULL)
			continue;
		if (crypt_open(i->pull->crypt, &i->manifest.layers[k], &key, &ignored) < 0)
			return false;
		explicit_bzero(&key, sizeof(key));
		sealed = true;
	}
	return sealed && has_digest(i, image);
}

static void
report_present(const struct image *i)
{
	const struct report *r = &i->pull->report;

	report_text(r, "Getting image source signatures");
	for (size_t k = 0; k < i->manifest.nlayers; k++)
		report_text(
		    r, "Copying blob %s skipped: already exists", i->manifest.layers[k].digest);
	report_text(r, "Copying config %s", i->manifest.config.digest);
	report_text(r, "Writing manifest to image destination");
}

/*
 * True if nothing is left to do: the store's image of that name is made of this very manifest, whole, and is known
 * by the digests that it has here.
 */
static bool
is_complete(struct image *i, struct strv *ids)
{
	own_peer_in struct peer_in in = {0};
	own_mem char *repository = reference_repository(&i->source->ref);
	struct msg_image_get m = {.name = i->source->name};
	struct err ignored = {0};
	const struct rec_image *image;

	if (i->pull->name != NULL || i->source->ref.digest != NULL ||
	    peer_call(i->pull->store, &msg_image_get_desc, &m, &in, NULL, NULL, &ignored) < 0)
		return false;
	image = MSG_OF(&in, image_got)->image;
	if (image->read_only || image->config == NULL || image->digest == NULL ||
	    !is_made_of(i, image) ||
	    strcmp(i->manifest.config.digest, arena_printf(&i->arena, "sha256:%s", image->id)) !=
		0 ||
	    !holds(&image->names, i->source->name) ||
	    !holds(&image->repo_digests,
		arena_printf(&i->arena, "%s@%s", repository, i->top_digest)) ||
	    !holds(&image->repo_digests, arena_printf(&i->arena, "%s@%s", repository, i->digest)) ||
	    !has_layers(i, image->config) || !has_signatures(i, image->id))
		return false;
	warn_platform(i, image->config);
	report_present(i);
	strv_add(ids, image->id);
	return true;
}

static int
store_image(struct image *i, struct strv *ids, struct err *e)
{
	const struct reference *r = &i->source->ref;
	const struct document *doc = i->index.is_index ? &i->own_manifest_doc : &i->top;
	own_mem char *repository = reference_repository(r);
	const char *digests[2];
	const char *name = i->pull->name != NULL ? i->pull->name : i->source->name;
	struct copy_from from = {.peer = i->fetch,
	    .request = &msg_fetch_blob_desc,
	    .ask = ask_blob,
	    .ask_parts = ask_parts,
	    .arg = i};
	struct copy *c = &i->copy;
	char id[65];

	*c = (struct copy){.store = i->pull->store,
	    .report = i->pull->report,
	    .manifest_bytes = as_bytes(&doc->bytes),
	    .manifest_type = i->manifest.media_type,
	    .descs = i->manifest.layers,
	    .signatures = &i->signatures,
	    .crypt = i->pull->crypt,
	    .nlayers = i->manifest.nlayers,
	    .parallel = i->pull->parallel,
	    .names = {&name, i->pull->name != NULL || r->digest == NULL},
	    .repo_digests = {digests, i->index.is_index ? 2 : 1},
	    .settle = i->late.config != NULL ? settle : NULL};
	if (check_layers(&i->manifest, e) < 0)
		return -1;
	if (c->settle == NULL) {
		if (fetch_config(i, &c->config, e) < 0)
			return -1;
		warn_platform(i, &c->config);
		c->config_bytes = as_bytes(&i->config.bytes);
	}
	c->layers = layer_refs(i, &c->config);
	digests[0] = arena_printf(&i->arena, "%s@%s", repository, i->top_digest);
	digests[1] = arena_printf(&i->arena, "%s@%s", repository, i->digest);
	if (copy_image(c, &from, id, e) < 0)
		return -1;
	strv_add(ids, id);
	return 0;
}

static int
pull_image(struct image *i, struct strv *ids, struct strv *names, struct err *e)
{
	size_t before = ids->n;

	if (choose_manifest(i, e) < 0 ||
	    trust_signatures(
		i->trust, i->endpoint, i->fetch, i->repository, i->digest, &i->signatures, e) < 0 ||
	    trust_check(i->trust, i->digest, &i->signatures, e) < 0)
		return -1;
	if (!(i->pull->newer && is_current(i, ids)) && !is_complete(i, ids) &&
	    store_image(i, ids, e) < 0)
		return -1;
	if (ids->n > before)
		strv_add(names, i->source->name);
	return 0;
}

/* The first endpoint that gives the manifest is the one all else comes from. */
static int
find_endpoint(struct image *i, struct err *e)
{
	own_strbuf struct strbuf said = {0};

	for (size_t k = 0; k < i->source->nendpoints; k++) {
		const struct plan_endpoint *at = &i->source->endpoints[k];

		err_clear(e);
		document_free(&i->top);
		i->repository = at->ref.path;
		i->endpoint = k;
		i->fetch = plan_worker_peer(i->pull->plan, at->worker, e);
		if (i->fetch != NULL && fetch_top(i, e) == 0)
			return 0;
		plan_failed(i->source, k, &said, e);
	}
	return -1;
}

static int
pull_source(const struct pull *p, struct plan_source *s, struct strv *ids, struct strv *names,
    bool *found, struct err *e)
{
	struct image i = {.pull = p, .source = s, .trust = &s->trust};
	int r;

	report_text(&p->report, "Trying to pull %s...", s->name);
	if (trust_refused(&s->trust, e) < 0)
		return -1;
	r = find_endpoint(&i, e);
	*found = r == 0;
	if (r == 0)
		r = pull_image(&i, ids, names, e);
	image_free(&i);
	return r;
}

int
pull_list_tags(struct plan *p, const struct plan_source *s, struct strv *tags, struct err *e)
{
	const struct plan_endpoint *at = &s->endpoints[s->nendpoints - 1];
	struct msg_fetch_tags m = {.repository = at->ref.path};
	own_peer_in struct peer_in in = {0};
	struct peer *fetch = plan_worker_peer(p, at->worker, e);
	const struct strs *got;

	if (fetch == NULL || peer_call(fetch, &msg_fetch_tags_desc, &m, &in, NULL, NULL, e) < 0) {
		own_mem char *repository = reference_repository(&s->ref);

		return err_wrap(e, "getting repository tags of %s", repository);
	}
	got = &MSG_OF(&in, fetch_tags_r)->tags;
	strv_add_all(tags, got->v, got->n);
	return 0;
}

/* The same source with another tag; endpoints stay, for only names of images differ. */
static int
pull_tag(const struct pull *p, struct plan_source *s, const char *tag, struct strv *ids,
    struct strv *names, struct err *e)
{
	bool found;

	if (!reference_tag_valid(tag))
		return err_set(e, ERR_FORMAT, "invalid tag");
	if (plan_retag(p->plan, s, tag, e) < 0)
		return -1;
	return pull_source(p, s, ids, names, &found, e);
}

static int
pull_all_tags(const struct pull *p, struct plan_source *s, struct strv *ids, struct strv *names,
    struct err *e)
{
	own_strv struct strv tags = {0};

	if (s->ref.digest != NULL)
		return err_set(e, ERR_USAGE, "all tags cannot be pulled by digest");
	if (pull_list_tags(p->plan, s, &tags, e) < 0)
		return -1;
	for (size_t i = 0; i < tags.n; i++) {
		if (pull_tag(p, s, tags.v[i], ids, names, e) < 0)
			return -1;
	}
	return 0;
}

/* Several meanings of one name failed: all reasons in one line. */
static void
join_errors(const struct strv *reasons, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	enum err_class class = e->class;

	if (reasons->n < 2)
		return;
	for (size_t i = 0; i < reasons->n; i++)
		strbuf_addf(&b, "%s%s", i > 0 ? "; " : "", reasons->v[i]);
	err_set(e, class, "%zu errors occurred while pulling: %s", reasons->n, b.s);
}

int
pull_run(const struct pull *p, struct strv *ids, struct strv *names, struct err *e)
{
	own_strv struct strv reasons = {0};

	if (p->plan->notice != NULL)
		report_text(&p->report, "%s", p->plan->notice);
	for (size_t i = 0; i < p->plan->nsources; i++) {
		bool found = false;
		int r;

		err_clear(e);
		if (p->all_tags)
			r = pull_all_tags(p, &p->plan->sources[i], ids, names, e);
		else
			r = pull_source(p, &p->plan->sources[i], ids, names, &found, e);
		if (r == 0)
			return 0;
		strv_add(&reasons, e->text);
		if (found) /* the image is there but no good: another one is not what was meant */
			break;
	}
	join_errors(&reasons, e);
	return -1;
}
