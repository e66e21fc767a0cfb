/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/role/spawn.h"
#include "pod-image/layers.h"
#include "pod-image/list.h"
#include "pod-image/schema1.h"
#include "pod-image/spool.h"
#include "pod-image/transfer.h"

/* --- The first half --------------------------------------------------------------------------- */

int
transfer_prepare(struct transfer *t, struct err *e)
{
	t->spool = -1;
	if (t->tries == 0)
		t->tries = 1;
	for (; t->ncoders < TRANSFER_CODERS; t->ncoders++) {
		t->coders[t->ncoders] = spawn_peer(ROLE_IMAGE, ROLE_RECODE, NULL, e);
		if (t->coders[t->ncoders] == NULL)
			return -1;
	}
	if (!t->to->needs_size)
		return 0;
	t->spool =
	    t->graph_root != NULL ? spool_open(t->graph_root, e) : spool_beside(t->beside, e);
	return t->spool < 0 ? -1 : 0;
}

void
transfer_fds(const struct transfer *t, struct keep *k)
{
	for (size_t i = 0; i < t->ncoders; i++)
		keep_peer(k, t->coders[i]);
	if (t->ncoders > 0)
		keep_fd(k, t->spool);
}

void
transfer_free(struct transfer *t)
{
	if (t->ncoders > 0)
		fd_close(&t->spool);
	while (t->ncoders > 0)
		peer_free(t->coders[--t->ncoders]);
}

/* --- Manifests -------------------------------------------------------------------------------- */

struct result { /* an image that is being copied */
	struct image *image;
	bool docker; /* the kind of manifest to be written */
	struct layers_way *ways;
	struct written *layers;
	struct outcome outcome;
	char *made;   /* the manifest, if it had to be made */
	char *config; /* the same of the configuration */
};

static void
result_free(struct result *r)
{
	for (size_t k = 0; r->layers != NULL && k < r->image->npieces; k++)
		free(r->layers[k].annotations);
	free(r->ways);
	free(r->layers);
	free(r->made);
	free(r->config);
}

static bool
is_docker(const struct image *i)
{
	return i->manifest.media_type == NULL ||
	       strcmp(i->manifest.media_type, MANIFEST_TYPE_DOCKER) == 0;
}

static bool
any_zstd(const struct result *r)
{
	for (size_t k = 0; k < r->image->npieces; k++)
		if (manifest_layer_form(r->ways[k].media_type) == MANIFEST_LAYER_ZSTD)
			return true;
	return false;
}

/* Which kind of manifest; Docker's knows no zstd, so it gives way unless it was demanded. */
static int
decide(struct transfer *t, struct result *r, struct err *e)
{
	bool docker = t->to->kind == DEST_DOCKER_MANIFEST ||
		      (t->to->kind == DEST_ANY_MANIFEST && is_docker(r->image));
	bool asked = t->format != NULL && t->to->kind == DEST_ANY_MANIFEST;
	bool seals = t->crypt != NULL && t->crypt->seals;

	if (asked)
		docker = strcmp(t->format, "v2s2") == 0;
	if (seals && docker && (asked || t->to->kind == DEST_DOCKER_MANIFEST))
		return err_set(e, ERR_UNSUPPORTED,
		    "encrypted layers cannot be written in the format v2s2: choose 'oci'");
	docker &= !seals;
	if (layers_decide(t, r->image, docker, r->ways, e) < 0)
		return -1;
	if (docker && any_zstd(r)) {
		if (asked)
			return err_set(e, ERR_INVALID,
			    "layers compressed by zstd cannot be written in the format v2s2");
		docker = false;
		if (layers_decide(t, r->image, docker, r->ways, e) < 0)
			return -1;
	}
	r->docker = docker;
	return 0;
}

/* --- Signatures ------------------------------------------------------------------------------- */

#define WHY "\"Would invalidate signatures\""

static int
refuse(struct err *e)
{
	return err_hint(e, "--remove-signatures copies it without its signatures.");
}

/* They were of what the source holds; can the destination keep them? */
static int
check_kept(const struct transfer *t, const struct signatures *s, struct err *e)
{
	if (s->n == 0 || t->to->no_signatures == NULL)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "Can not copy signatures to %.300s: %s",
	    t->to->shown != NULL ? t->to->shown : "the destination", t->to->no_signatures);
	return refuse(e);
}

static int
refuse_layer(size_t k, const char *is, const char *becomes, struct err *e)
{
	err_set(e, ERR_UNSUPPORTED,
	    "Copying this image would require changing layer representation, which we cannot "
	    "do: " WHY);
	return err_hint(e,
	    "Layer %zu is %.128s, and would be %.128s.  --remove-signatures copies it without its "
	    "signatures.",
	    k + 1, is, becomes);
}

/* Before anything is sent: changes that are known by now. */
static int
check_unchanged(const struct result *r, struct err *e)
{
	const struct image *i = r->image;

	if (i->signatures.n == 0)
		return 0;
	if (r->docker != is_docker(i)) {
		err_set(e, ERR_UNSUPPORTED,
		    "Manifest must be converted to type \"%s\" to be written to destination, but "
		    "we cannot modify it: " WHY,
		    r->docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI);
		return refuse(e);
	}
	for (size_t k = 0; k < i->npieces; k++) {
		const struct piece *p = &i->pieces[k];

		if (p->opened != NULL)
			return refuse_layer(k, p->sealed.media_type, r->ways[k].media_type, e);
		if (strcmp(p->from.media_type, r->ways[k].media_type) != 0)
			return refuse_layer(k, p->from.media_type, r->ways[k].media_type, e);
	}
	return 0;
}

/* --- Writing manifests ------------------------------------------------------------------------ */

static void
put_descriptor(json_t *j, const struct manifest_desc *d, const char *media_type)
{
	json_put_str(j, "mediaType", media_type);
	json_put_int(j, "size", (int64_t)d->size);
	json_put_str(j, "digest", d->digest);
}

static void
put_annotations(json_t *j, const struct written *w)
{
	struct err ignored = {0};
	json_t *more = w->annotations != NULL
			   ? json_read(w->annotations, strlen(w->annotations), &ignored)
			   : NULL;

	if (more == NULL)
		return;
	if (json_object_get(j, "annotations") != NULL)
		json_object_update(json_object_get(j, "annotations"), more);
	else
		json_put_take(j, "annotations", json_incref(more));
	json_decref(more);
}

static json_t *
make_manifest(const struct result *r)
{
	struct manifest_desc config = {
	    .digest = r->outcome.config_digest, .size = r->outcome.config.n};
	json_t *j = json_obj(), *layers;

	json_put_int(j, "schemaVersion", 2);
	json_put_str(j, "mediaType", r->docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI);
	put_descriptor(json_put_obj(j, "config"), &config,
	    r->docker ? MANIFEST_TYPE_DOCKER_CONFIG : MANIFEST_TYPE_OCI_CONFIG);
	layers = json_put_arr(j, "layers");
	for (size_t k = 0; k < r->image->npieces; k++) {
		json_t *l = json_add_obj(layers);

		put_descriptor(l, &r->layers[k].to, r->layers[k].to.media_type);
		put_annotations(l, &r->layers[k]);
	}
	return j;
}

/* The manifest as it was, with other layers; what else it holds stays. */
static json_t *
edit_manifest(const struct result *r, struct err *e)
{
	struct bytes b = document_bytes(&r->image->doc);
	json_t *j = json_read((const char *)b.p, b.n, e), *layers;

	if (j == NULL)
		return NULL;
	layers = json_object_get(j, "layers");
	for (size_t k = 0; k < r->image->npieces; k++) {
		json_t *l = json_array_get(layers, k);

		put_descriptor(l, &r->layers[k].to, r->layers[k].to.media_type);
		if (r->image->pieces[k].opened != NULL)
			crypt_strip(l);
		put_annotations(l, &r->layers[k]);
	}
	return j;
}

/* The first layer that is not written as it was; npieces: all are. */
static size_t
first_changed(const struct result *r)
{
	size_t k = 0;

	while (k < r->image->npieces && r->image->pieces[k].opened == NULL &&
	       strcmp(r->layers[k].to.digest, r->image->pieces[k].from.digest) == 0)
		k++;
	return k;
}

static bool
is_changed(const struct result *r)
{
	return r->image->doc.bytes.n == 0 || r->docker != is_docker(r->image) ||
	       first_changed(r) < r->image->npieces;
}

static int
write_manifest(struct transfer *t, struct result *r, struct err *e)
{
	struct outcome *o = &r->outcome;
	own_json json_t *j = NULL;
	size_t k;

	if (!is_changed(r)) {
		o->manifest = document_bytes(&r->image->doc);
		o->media_type = r->image->manifest.media_type;
		memcpy(o->digest, r->image->digest, DIGEST_TEXT);
		return 0;
	}
	if (r->image->signatures.n > 0) {
		k = first_changed(r);
		/* What has signatures has its manifest, and check_unchanged was content with its kind. */
		if (k == r->image->npieces)
			abort();
		/* Compressed again, to other bytes than those that were signed. */
		return refuse_layer(k, r->image->pieces[k].from.digest, r->layers[k].to.digest, e);
	}
	if (t->preserve && (r->image->doc.bytes.n > 0 || r->image->late.config != NULL))
		return err_set(e, ERR_UNSUPPORTED,
		    "the manifest would have to be changed, which was asked not to be done");
	if (r->image->doc.bytes.n == 0 || r->docker != is_docker(r->image))
		j = make_manifest(r);
	else if ((j = edit_manifest(r, e)) == NULL)
		return -1;
	r->made = json_text(j);
	o->manifest = (struct bytes){(const uint8_t *)r->made, strlen(r->made)};
	if (o->manifest.n > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "the manifest is too large");
	o->media_type = r->docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI;
	digest_of(o->manifest.p, o->manifest.n, o->digest);
	return 0;
}

/* All layers have passed: now there can be a configuration. */
static void
make_config(struct result *r)
{
	struct image *i = r->image;
	struct outcome *o = &r->outcome;
	own_mem const char **ids = xcalloc(i->npieces + 1, sizeof(*ids));

	for (size_t k = 0; k < i->npieces; k++)
		ids[k] = i->pieces[k].diff_id;
	r->config = late_config(&i->late, ids, i->npieces);
	o->config = (struct bytes){(const uint8_t *)r->config, strlen(r->config)};
	digest_of(o->config.p, o->config.n, o->config_digest);
}

/* --- Images ----------------------------------------------------------------------------------- */

/* The configuration goes while the layers do, on a connection of its own.  If no layer goes, one is enough. */
static int
begin_config(struct transfer *t, const struct result *r, struct err *e)
{
	const struct outcome *o = &r->outcome;
	bool sends = false;

	for (size_t k = 0; k < r->image->npieces; k++)
		sends |= !r->ways[k].done && r->ways[k].twin == 0;
	return sends && t->to->ops->begin_config != NULL && r->image->late.config == NULL
		   ? t->to->ops->begin_config(t->to, o->config_digest, o->config, e)
		   : 0;
}

static int
send_result(struct transfer *t, struct result *r, struct err *e)
{
	struct outcome *o = &r->outcome;

	if (check_kept(t, &r->image->signatures, e) < 0 || layers_open(t, r->image, e) < 0 ||
	    decide(t, r, e) < 0 || check_unchanged(r, e) < 0 || begin_config(t, r, e) < 0 ||
	    layers_send(t, r->image, r->ways, r->layers, e) < 0)
		return -1;
	if (r->image->late.config != NULL)
		make_config(r);
	report_text(&t->report, "Copying config %s", o->config_digest);
	if (t->to->ops->put_config(t->to, o->config_digest, o->config, e) < 0 ||
	    write_manifest(t, r, e) < 0)
		return -1;
	report_text(&t->report, "Writing manifest to image destination");
	if (o->signatures->n > 0)
		report_text(&t->report, "Storing signatures");
	if (t->to->ops->put_image(t->to, o, e) < 0)
		return -1;
	if (t->crypt == NULL || !t->crypt->seals)
		layers_note_place(t, r->image);
	return 0;
}

/* doc is taken over; NULL: the source's only image.  out: what was written, until the next call. */
static int
send_image(struct transfer *t, struct document *doc, bool instance, struct manifest_desc *out,
    char digest[DIGEST_TEXT], struct err *e)
{
	struct image i = {0};
	struct result r = {.image = &i};
	struct outcome *o = &r.outcome;
	int rc;

	if (source_image(t->from, doc, &i, e) < 0)
		return -1;
	if (t->remove_signatures)
		signatures_free(&i.signatures);
	o->signatures = &i.signatures;
	r.ways = xcalloc(i.npieces + 1, sizeof(*r.ways));
	r.layers = xcalloc(i.npieces + 1, sizeof(*r.layers));
	o->image = &i;
	o->layers = r.layers;
	o->instance = instance;
	o->names = t->names;
	o->config = document_bytes(&i.config);
	digest_of(o->config.p, o->config.n, o->config_digest);
	if (t->from->named != NULL)
		strv_take(&i.mounts, reference_repository(&t->from->named->ref));
	rc = send_result(t, &r, e);
	if (rc == 0) {
		memcpy(digest, o->digest, DIGEST_TEXT);
		*out = (struct manifest_desc){
		    .media_type = o->media_type, .digest = digest, .size = o->manifest.n};
	}
	result_free(&r);
	image_free(&i);
	return rc;
}

/* The index speaks of an image that changed on the way. */
static void
edit_entry(json_t *list, size_t k, const struct manifest_desc *now)
{
	json_t *x = json_array_get(list, k);

	json_put_str(x, "mediaType", now->media_type);
	json_put_str(x, "digest", now->digest);
	json_put_int(x, "size", (int64_t)now->size);
}

/* The image of an entry, from where it is. */
static int
send_part(struct transfer *t, const struct manifest_desc *d, struct manifest_desc *now,
    char digest[DIGEST_TEXT], struct err *e)
{
	own_document struct document doc = {0};
	struct source *whole = t->from, own = {0}, *part = whole;
	bool single;
	int r;

	if (whole->ops->part != NULL && whole->ops->part(whole, d, &own, &part, e) < 0)
		return -1;
	single = part->ops->image != NULL;
	if (!single && source_read(part, d, true, &doc, e) < 0)
		return -1;
	t->from = part;
	r = send_image(t, single ? NULL : &doc, true, now, digest, e);
	t->from = whole;
	return r;
}

/* c/image's word for entries that old clients should pass over. */
#define ZSTD_ANNOTATION "io.github.containers.compression.zstd"

/* The same image compressed in another way, as a further entry unless it is that already. */
static int
add_compressed(
    struct transfer *t, const struct manifest_desc *d, size_t k, json_t *list, struct err *e)
{
	struct transfer before = *t;
	int r = 0;

	for (size_t c = 0; c < t->add_compression.n && r == 0; c++) {
		json_t *entry = json_array_get(list, k), *more;
		struct manifest_desc now;
		char digest[DIGEST_TEXT];

		t->compression = t->add_compression.v[c];
		t->force = true;
		r = send_part(t, d, &now, digest, e);
		if (r < 0 ||
		    strcmp(digest, json_string_value(json_object_get(entry, "digest"))) == 0)
			continue;
		more = json_deep_copy(entry);
		json_add_take(list, more);
		edit_entry(list, json_array_size(list) - 1, &now);
		if (strcmp(t->compression, "zstd") == 0) {
			json_t *a = json_object_get(more, "annotations");

			json_put_str(a != NULL ? a : json_put_obj(more, "annotations"),
			    ZSTD_ANNOTATION, "true");
		}
	}
	t->compression = before.compression;
	t->force = before.force;
	return r;
}

static int
send_entries(
    struct transfer *t, const struct manifest *index, json_t *list, bool *changed, struct err *e)
{
	report_text(&t->report, "Copying %zu of %zu images in list",
	    t->only_index ? 0 : index->nentries, index->nentries);
	for (size_t k = 0; k < index->nentries && !t->only_index; k++) {
		const struct manifest_desc *d = &index->entries[k].desc;
		struct manifest_desc now;
		char digest[DIGEST_TEXT];

		report_text(
		    &t->report, "Copying image %s (%zu/%zu)", d->digest, k + 1, index->nentries);
		if (send_part(t, d, &now, digest, e) < 0)
			return -1;
		if (strcmp(digest, d->digest) != 0) {
			*changed = true;
			edit_entry(list, k, &now);
		}
		if (add_compressed(t, d, k, list, e) < 0)
			return -1;
	}
	*changed |= json_array_size(list) != index->nentries;
	return 0;
}

/* Which kind of index: the destination's only one, that which was demanded, else as it is. */
static bool
index_kind(const struct transfer *t, const struct manifest *index)
{
	if (t->to->kind == DEST_OCI_MANIFEST)
		return false;
	if (t->format != NULL && t->to->kind == DEST_ANY_MANIFEST)
		return strcmp(t->format, "v2s2") == 0;
	return strcmp(index->media_type, MANIFEST_TYPE_DOCKER_LIST) == 0;
}

static int
take_index_signatures(
    struct transfer *t, const struct bytes *index, struct signatures *out, struct err *e)
{
	char digest[DIGEST_TEXT];

	if (t->remove_signatures || t->from->ops->signatures == NULL)
		return 0;
	digest_of(index->p, index->n, digest);
	return t->from->ops->signatures(t->from, digest, out, e) < 0 ? -1 : check_kept(t, out, e);
}

static int
put_index(struct transfer *t, struct bytes b, const struct signatures *s, struct err *e)
{
	report_text(&t->report, "Writing manifest list to image destination");
	t->size = b.n;
	digest_of(b.p, b.n, t->digest);
	if (t->to->ops->put_index(t->to, b, t->media_type, s, e) < 0)
		return -1;
	report_text(&t->report, "Storing list signatures");
	return 0;
}

static int
check_index(const struct transfer *t, bool changed, const struct signatures *s, struct err *e)
{
	if (changed && s->n > 0) {
		err_set(e, ERR_UNSUPPORTED,
		    "Manifest list must be converted to type \"%s\" to be written to "
		    "destination, but we cannot modify it: " WHY,
		    t->media_type);
		return refuse(e);
	}
	return changed && t->preserve
		   ? err_set(e, ERR_UNSUPPORTED,
			 "the index would have to be changed, which was asked not to be done")
		   : 0;
}

static int
send_index(
    struct transfer *t, const struct document *top, const struct manifest *index, struct err *e)
{
	struct bytes b = document_bytes(top);
	own_json json_t *j = json_read((const char *)b.p, b.n, e);
	own_mem char *text = NULL;
	own_signatures struct signatures s = {0};
	bool docker = index_kind(t, index), changed;

	t->media_type = docker ? MANIFEST_TYPE_DOCKER_LIST : MANIFEST_TYPE_OCI_INDEX;
	changed = strcmp(index->media_type, t->media_type) != 0;
	if (j == NULL || take_index_signatures(t, &b, &s, e) < 0 ||
	    (s.n > 0 && check_index(t, changed, &s, e) < 0) ||
	    send_entries(t, index, json_object_get(j, "manifests"), &changed, e) < 0 ||
	    check_index(t, changed, &s, e) < 0)
		return -1;
	if (strcmp(index->media_type, t->media_type) != 0)
		list_convert(j, docker);
	if (changed) {
		text = json_text(j);
		b = (struct bytes){(const uint8_t *)text, strlen(text)};
	}
	return put_index(t, b, &s, e);
}

/* Follows an index once. */
static int
choose(struct transfer *t, const struct manifest *index, struct document *out, struct err *e)
{
	const struct manifest_entry *entry = manifest_choose(index, &t->platform, e);

	if (entry == NULL)
		return err_wrap(e, "choosing an image from the index");
	return source_read(t->from, &entry->desc, true, out, e);
}

static int
send_top(struct transfer *t, struct document *top, struct err *e)
{
	struct bytes b = document_bytes(top);
	own_manifest struct manifest m = {0};
	own_document struct document chosen = {0};
	struct manifest_desc now;
	int r;

	if (b.n > 0 && !schema1_is((const char *)b.p, b.n) &&
	    manifest_parse((const char *)b.p, b.n, top->media_type, &m, e) < 0)
		return -1;
	report_text(
	    &t->report, "Getting image %s signatures", m.is_index && t->all ? "list" : "source");
	if (m.is_index && t->all)
		return send_index(t, top, &m, e);
	if (m.is_index && choose(t, &m, &chosen, e) < 0)
		return -1;
	r = send_image(t, b.n == 0 ? NULL : m.is_index ? &chosen : top, false, &now, t->digest, e);
	if (r == 0) {
		t->media_type = strcmp(now.media_type, MANIFEST_TYPE_DOCKER) == 0
				    ? MANIFEST_TYPE_DOCKER
				    : MANIFEST_TYPE_OCI;
		t->size = now.size;
	}
	return r;
}

int
transfer_choose(struct source *s, const struct manifest_platform *platform, struct document *doc,
    struct document *out, struct err *e)
{
	struct transfer t = {.from = s, .platform = *platform};
	struct bytes b = document_bytes(doc);
	own_manifest struct manifest m = {0};

	if (b.n == 0)
		return 0;
	if (!schema1_is((const char *)b.p, b.n) &&
	    manifest_parse((const char *)b.p, b.n, doc->media_type, &m, e) < 0)
		return -1;
	if (m.is_index)
		return choose(&t, &m, out, e);
	*out = *doc;
	memset(doc, 0, sizeof(*doc));
	return 0;
}

int
transfer_run(struct transfer *t, struct err *e)
{
	own_document struct document top = {0};

	return source_top(t->from, &top, e) < 0 ? -1 : send_top(t, &top, e);
}
