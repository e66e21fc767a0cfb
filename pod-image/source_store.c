/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-image/source.h"

static void
take_document(struct document *d, const struct msg_image_blob_r *m)
{
	strbuf_addn(&d->bytes, (const char *)m->data.p, m->data.n);
	if (m->media_type != NULL && m->media_type[0] != '\0')
		d->media_type = xstrdup(m->media_type);
}

static int
get_blob(struct source *s, const char *kind, struct peer_in *in, struct err *e)
{
	struct msg_image_blob m = {.image = s->id, .kind = kind};

	return peer_call(s->peer, &msg_image_blob_desc, &m, in, NULL, NULL, e);
}

static void
take_packed(struct piece *p, const struct rec_layer_ref *l, struct arena *a)
{
	for (size_t n = 0; n < l->packed.n && p->npacked < PIECE_PACKED_MAX; n++) {
		const struct rec_packed *x = &l->packed.v[n];

		if (!reference_digest_valid(x->digest))
			continue;
		p->packed[p->npacked].desc.digest = arena_strdup(a, x->digest);
		p->packed[p->npacked].desc.size = x->size;
		p->packed[p->npacked++].how = arena_strdup(a, x->how);
	}
}

/* Its blobs may be mounted from a repository that has got it. */
static void
add_mount(struct image *i, const char *name)
{
	own_reference struct reference r = {0};
	struct err ignored = {0};
	own_mem char *repository = NULL;

	if (reference_parse(name, &r, &ignored) < 0 || r.domain == NULL)
		return;
	repository = reference_repository(&r);
	if (strv_find(&i->mounts, repository) == i->mounts.n)
		strv_add(&i->mounts, repository);
}

static int
take_layers(struct image *i, const struct rec_image *rec, const struct msg_image_blob_r *docs,
    struct err *e)
{
	if (docs->layers.n != rec->layers.n)
		return err_set(e, ERR_PEER, "pod-store counts layers of %s differently", rec->id);
	i->npieces = docs->layers.n;
	i->pieces = arena_array(&i->arena, i->npieces + 1, sizeof(*i->pieces));
	for (size_t k = 0; k < i->npieces; k++) {
		const struct rec_layer_ref *l = &docs->layers.v[k];
		struct piece *p = &i->pieces[k];

		if (!reference_digest_valid(l->diff_id))
			return err_set(e, ERR_PEER, "pod-store gave a malformed digest");
		p->diff_id = arena_strdup(&i->arena, l->diff_id);
		p->name = arena_strdup(&i->arena, rec->layers.v[k]);
		p->from = (struct manifest_desc){.media_type = arena_strdup(&i->arena,
						     l->media_type != NULL ? l->media_type : ""),
		    .digest = arena_strdup(&i->arena, l->digest != NULL ? l->digest : ""),
		    .size = l->size};
		p->tar_size = l->tar_size;
		if (strcmp(p->from.digest, p->diff_id) == 0)
			p->from.size = l->tar_size;
		else
			p->plain = !l->kept;
		take_packed(p, l, &i->arena);
		for (size_t n = 0; n < l->places.n; n++) {
			add_mount(i, l->places.v[n]);
			/* One missing here is only noted again: the lowest layer speaks for all. */
			if (k == 0)
				strv_add(&i->places, l->places.v[n]);
		}
	}
	return 0;
}

/* A manifest of the store that does not speak of these layers (import, commit) is made anew. */
static int
take_manifest(struct image *i, struct err *e)
{
	struct bytes b = document_bytes(&i->doc);
	struct err ignored = {0};

	if (b.n == 0)
		return 0;
	document_check(&i->doc, NULL, i->digest, e);
	if (manifest_parse((const char *)b.p, b.n, i->doc.media_type, &i->manifest, &ignored) ==
		0 &&
	    !i->manifest.is_index && i->manifest.nlayers == i->npieces)
		return 0;
	manifest_free(&i->manifest);
	document_free(&i->doc);
	return 0;
}

/* Where it came from, and what it is called: there its blobs may be mounted from. */
static void
take_mounts(struct image *i, const struct rec_image *rec)
{
	for (size_t k = 0; k < rec->repo_digests.n; k++)
		add_mount(i, rec->repo_digests.v[k]);
	for (size_t k = 0; k < rec->names.n; k++)
		add_mount(i, rec->names.v[k]);
}

/* Those of a manifest that is not handed on would be of nothing. */
static int
take_signatures(struct source *s, struct image *i, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	const struct msg_image_blob_r *r;

	if (i->doc.bytes.n == 0)
		return 0;
	if (get_blob(s, "signatures", &in, e) < 0)
		return -1;
	r = MSG_OF(&in, image_blob_r);
	return signatures_add_all(&i->signatures, r->signatures.v, r->signatures.n, e);
}

static int
store_image(struct source *s, struct image *i, struct err *e)
{
	own_peer_in struct peer_in got = {0}, manifest = {0}, config = {0};
	struct msg_image_get get = {.name = s->id};
	const struct rec_image *rec;
	struct bytes b;

	if (peer_call(s->peer, &msg_image_get_desc, &get, &got, NULL, NULL, e) < 0 ||
	    get_blob(s, "manifest", &manifest, e) < 0 || get_blob(s, "config", &config, e) < 0)
		return -1;
	rec = MSG_OF(&got, image_got)->image;
	take_document(&i->doc, MSG_OF(&manifest, image_blob_r));
	take_document(&i->config, MSG_OF(&config, image_blob_r));
	b = document_bytes(&i->config);
	if (take_layers(i, rec, MSG_OF(&manifest, image_blob_r), e) < 0 ||
	    manifest_config((const char *)b.p, b.n, i->npieces, &i->parsed, &i->arena, e) < 0)
		return -1;
	i->is_image = true;
	take_mounts(i, rec);
	return take_manifest(i, e) < 0 ? -1 : take_signatures(s, i, e);
}

static int
store_ask(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	struct msg_layer_get m = {.layer = p->name,
	    .form = tar ? "raw" : "blob", /* digested where it arrives (layers_send) */
	    .digest = tar ? NULL : p->from.digest,
	    .stream = stream};

	*seq = peer_next_seq(s->peer);
	return peer_send(s->peer, &msg_layer_get_desc, *seq, &m, e);
}

static const struct source_ops store_ops = {.image = store_image, .ask = store_ask};

void
source_store(struct source *s, struct peer *store, const char *id)
{
	*s = (struct source){.ops = &store_ops,
	    .peer = store,
	    .request = &msg_layer_get_desc,
	    .tars = true,
	    .id = id};
}
