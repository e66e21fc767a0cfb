/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/schema1.h"
#include "pod-image/source.h"

void
image_free(struct image *i)
{
	for (size_t k = 0; k < i->npieces; k++)
		if (i->pieces[k].opened != NULL)
			explicit_bzero(i->pieces[k].opened, sizeof(*i->pieces[k].opened));
	document_free(&i->doc);
	document_free(&i->config);
	manifest_free(&i->manifest);
	late_free(&i->late);
	signatures_free(&i->signatures);
	strv_free(&i->mounts);
	strv_free(&i->places);
	arena_free(&i->arena);
	memset(i, 0, sizeof(*i));
}

int
source_top(struct source *s, struct document *out, struct err *e)
{
	if (s->first.bytes.n > 0) {
		*out = s->first;
		memset(&s->first, 0, sizeof(s->first));
		return 0;
	}
	return s->ops->top != NULL ? s->ops->top(s, out, e) : 0;
}

int
source_read(struct source *s, const struct manifest_desc *d, bool manifest, struct document *out,
    struct err *e)
{
	char got[DIGEST_TEXT];

	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "blob %s is too large", d->digest);
	if (s->ops->read(s, d, manifest, out, e) < 0 || document_check(out, d->digest, got, e) < 0)
		return err_wrap(e, "reading blob %s", d->digest);
	if (out->bytes.n != d->size)
		return err_set(e, ERR_INTEGRITY, "blob %s has %zu bytes, its descriptor says %llu",
		    d->digest, out->bytes.n, (unsigned long long)d->size);
	return 0;
}

/* Artifacts have configurations of other kinds, which are copied as they are. */
static int
take_config(struct image *i, struct err *e)
{
	const char *type = i->manifest.config.media_type;
	struct bytes b = document_bytes(&i->config);

	i->is_image = strcmp(type, MANIFEST_TYPE_OCI_CONFIG) == 0 ||
		      strcmp(type, MANIFEST_TYPE_DOCKER_CONFIG) == 0;
	if (!i->is_image)
		return 0;
	return manifest_config(
	    (const char *)b.p, b.n, i->manifest.nlayers, &i->parsed, &i->arena, e);
}

int
image_take_late(struct image *i, struct err *e)
{
	own_mem char *text = late_config(&i->late, NULL, 0);

	i->is_image = true;
	strbuf_add(&i->config.bytes, text);
	return manifest_config(i->config.bytes.s, i->config.bytes.n, 0, &i->parsed, &i->arena, e);
}

static int
image_of_manifest(struct source *s, struct image *i, struct err *e)
{
	if (schema1_check(&i->doc, NULL, i->digest, e) < 0 ||
	    schema1_or_newer(&i->doc, &i->manifest, &i->late, e) < 0)
		return -1;
	if (i->manifest.is_index)
		return err_set(e, ERR_FORMAT, "an index refers to another index");
	if ((s->ops->signatures != NULL &&
		s->ops->signatures(s, i->digest, &i->signatures, e) < 0) ||
	    (s->ops->trust != NULL && s->ops->trust(s, i->digest, &i->signatures, e) < 0))
		return -1;
	if (i->late.config != NULL) {
		/* What is written will be another document. */
		document_free(&i->doc);
		signatures_free(&i->signatures);
		if (image_take_late(i, e) < 0)
			return -1;
	} else if (source_read(s, &i->manifest.config, false, &i->config, e) < 0 ||
		   take_config(i, e) < 0) {
		return -1;
	}
	i->npieces = i->manifest.nlayers;
	i->pieces = arena_array(&i->arena, i->npieces + 1, sizeof(*i->pieces));
	for (size_t k = 0; k < i->npieces; k++) {
		i->pieces[k].from = i->manifest.layers[k];
		if (i->is_image && i->late.config == NULL)
			i->pieces[k].diff_id = i->parsed.diff_ids.v[k];
	}
	return 0;
}

int
source_image(struct source *s, struct document *doc, struct image *out, struct err *e)
{
	struct image i = {0};

	if (doc != NULL) {
		i.doc = *doc;
		memset(doc, 0, sizeof(*doc));
	}
	if ((s->ops->image != NULL ? s->ops->image(s, &i, e) : image_of_manifest(s, &i, e)) < 0) {
		image_free(&i);
		return -1;
	}
	*out = i;
	return 0;
}

/* --- A registry ------------------------------------------------------------------------------- */

static int
registry_top(struct source *s, struct document *out, struct err *e)
{
	const struct reference *r = &s->named->ref;
	const char *what = r->digest != NULL ? r->digest : r->tag;
	own_mem char *repository = reference_repository(r);
	char got[DIGEST_TEXT];

	if (document_fetch(s->peer, "manifest", s->repository, what, MANIFEST_MAX, out, e) < 0 ||
	    schema1_check(out, r->digest, got, e) < 0) {
		if (!text_has_prefix(e->text, "pinging container registry") &&
		    !text_has_prefix(e->text, "unable to retrieve auth token"))
			err_wrap(e, "reading manifest %s in %s", what, repository);
		return err_wrap(e, "initializing source docker://%s", s->named->name);
	}
	return 0;
}

static int
registry_read(struct source *s, const struct manifest_desc *d, bool manifest, struct document *out,
    struct err *e)
{
	uint64_t max = manifest ? MANIFEST_MAX : d->size > 0 ? d->size : 1;

	return document_fetch(
	    s->peer, manifest ? "manifest" : "blob", s->repository, d->digest, max, out, e);
}

static int
registry_ask(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	struct msg_fetch_blob m = {.repository = s->repository,
	    .digest = p->from.digest,
	    .size = p->from.size,
	    .any_size = p->diff_id == NULL && p->from.size == 0,
	    .stream = stream};

	(void)tar;
	*seq = peer_next_seq(s->peer);
	return peer_send(s->peer, &msg_fetch_blob_desc, *seq, &m, e);
}

static int
registry_signatures(struct source *s, const char *digest, struct signatures *out, struct err *e)
{
	return trust_signatures(
	    &s->named->trust, s->endpoint, s->peer, s->repository, digest, out, e);
}

static int
registry_trust(struct source *s, const char *digest, const struct signatures *have, struct err *e)
{
	return trust_check(&s->named->trust, digest, have, e);
}

static const struct source_ops registry_ops = {.top = registry_top,
    .read = registry_read,
    .signatures = registry_signatures,
    .trust = registry_trust,
    .ask = registry_ask};

int
source_registry(struct source *s, struct plan *plan, struct err *e)
{
	struct err last = {0};

	*s = (struct source){.ops = &registry_ops, .request = &msg_fetch_blob_desc, .plan = plan};
	for (size_t i = 0; i < plan->nsources; i++) {
		own_strbuf struct strbuf said = {0};

		s->named = &plan->sources[i];
		for (size_t k = 0; k < s->named->nendpoints; k++) {
			const struct plan_endpoint *at = &s->named->endpoints[k];

			err_clear(e);
			s->repository = at->ref.path;
			s->endpoint = k;
			s->peer = plan_worker_peer(plan, at->worker, e);
			if (s->peer != NULL && registry_top(s, &s->first, e) == 0)
				return 0;
			document_free(&s->first);
			plan_failed(s->named, k, &said, e);
			last = *e;
		}
	}
	*e = last;
	return -1;
}
