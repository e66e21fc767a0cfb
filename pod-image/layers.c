/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/layers.h"

static const struct {
	const char *word;
	enum layers_form form;
} words[] = {{"tar", LAYERS_TAR}, {"gzip", LAYERS_GZIP}, {"zstd", LAYERS_ZSTD},
    {"zstd:chunked", LAYERS_CHUNKED}};

enum layers_form
layers_form_parse(const char *word)
{
	for (size_t i = 0; word != NULL && i < COUNTOF(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].form;
	return LAYERS_SAME;
}

static enum layers_form
form_of(const char *media_type)
{
	switch (manifest_layer_form(media_type)) {
	case MANIFEST_LAYER_TAR:
		return LAYERS_TAR;
	case MANIFEST_LAYER_GZIP:
		return LAYERS_GZIP;
	case MANIFEST_LAYER_ZSTD:
		return LAYERS_ZSTD;
	default:
		return LAYERS_SAME;
	}
}

static const char *
media_type_of(enum layers_form form, bool docker)
{
	switch (form) {
	case LAYERS_TAR:
		return docker ? MANIFEST_TYPE_DOCKER_LAYER : MANIFEST_TYPE_OCI_LAYER;
	case LAYERS_GZIP:
		return docker ? MANIFEST_TYPE_DOCKER_LAYER ".gzip"
			      : MANIFEST_TYPE_OCI_LAYER "+gzip";
	default:
		return docker ? MANIFEST_TYPE_DOCKER_LAYER ".zstd"
			      : MANIFEST_TYPE_OCI_LAYER "+zstd";
	}
}

/* How a layer of this form was compressed, for the note that the store keeps. */
static char *
how(const struct transfer *t, enum layers_form form)
{
	return xasprintf(
	    "%s/%llu", form == LAYERS_GZIP ? "gzip" : "zstd", (unsigned long long)t->level);
}

/* A docker-archive says nothing of how its layers are compressed, if they are. */
static bool
is_unsure(const struct transfer *t, const struct image *i)
{
	return !t->from->tars && i->doc.bytes.n == 0 && i->late.config == NULL;
}

/* What the layer should become, by the user's wish and what the destination takes. */
static enum layers_form
wanted(const struct transfer *t, const struct image *i, enum layers_form now)
{
	enum layers_form wish = layers_form_parse(t->compression);
	bool tars = t->from->tars || is_unsure(t, i);

	if (t->to->layers == DEST_TARS)
		return LAYERS_TAR;
	if (now == LAYERS_SAME) /* no layer of an image: an artifact's */
		return LAYERS_SAME;
	if (wish != LAYERS_SAME && (t->force || now == LAYERS_TAR))
		return wish;
	if (now == LAYERS_TAR && t->compress)
		return LAYERS_GZIP;
	/* What is signed is not changed without being asked. */
	if (now == LAYERS_TAR && t->to->layers == DEST_COMPRESSED && tars && i->signatures.n == 0)
		return LAYERS_GZIP;
	return now;
}

static int
there(struct transfer *t, const struct image *i, const char *digest, bool *present, struct err *e)
{
	*present = false;
	/* A layer whose DiffID is to be learnt must pass. */
	if (t->to->ops->has == NULL || i->late.config != NULL || digest[0] == '\0')
		return 0;
	return t->to->ops->has(t->to, digest, i, present, e);
}

/* It has been compressed in this way before, and the result is known: perhaps it is still there. */
static int
try_packed(
    struct transfer *t, struct image *i, struct piece *p, struct layers_way *w, struct err *e)
{
	own_mem char *now = how(t, w->form);

	/* What its descriptor must say besides is not kept. */
	if (w->form == LAYERS_CHUNKED)
		return 0;
	for (size_t n = 0; n < p->npacked; n++) {
		if (strcmp(p->packed[n].how, now) != 0)
			continue;
		p->used = n;
		return there(t, i, p->packed[n].desc.digest, &w->done, e);
	}
	return 0;
}

static bool
is_chunked(const struct image *i, const struct piece *p)
{
	size_t k = (size_t)(p - i->pieces);

	return k < i->manifest.nlayers && i->manifest.layers[k].chunked != NULL;
}

/* An encrypted layer without its key can only stay what it is. */
static int
check_encrypted(
    const struct transfer *t, const struct piece *p, bool docker, bool seal, struct err *e)
{
	if (p->from.encrypted != NULL && (docker || seal || t->to->layers == DEST_TARS))
		return err_set(e, ERR_UNSUPPORTED,
		    "layer %s is encrypted, and needs its key to be anything else", p->from.digest);
	if (seal && form_of(p->from.media_type) == LAYERS_SAME)
		return err_set(e, ERR_UNSUPPORTED, "a layer of the type %.255s cannot be encrypted",
		    p->from.media_type);
	return 0;
}

static int
decide_plain(struct transfer *t, struct image *i, struct piece *p, bool docker,
    struct layers_way *w, struct err *e)
{
	enum layers_form now = form_of(p->from.media_type), form = wanted(t, i, now);
	bool same_kind = docker == (strcmp(i->manifest.media_type != NULL ? i->manifest.media_type
									  : MANIFEST_TYPE_DOCKER,
					MANIFEST_TYPE_DOCKER) == 0);

	*w = (struct layers_way){.form = form, .seal = w->seal};
	if (form == now && !is_unsure(t, i)) {
		w->form = LAYERS_SAME;
		w->media_type = same_kind || now == LAYERS_SAME ? p->from.media_type
								: media_type_of(now, docker);
		if (!same_kind && now == LAYERS_SAME)
			return err_set(e, ERR_UNSUPPORTED,
			    "a layer of this media type has no place in the other kind of "
			    "manifest");
		if (!w->seal && there(t, i, p->from.digest, &w->done, e) < 0)
			return -1;
		w->tar_in = t->from->tars && now == LAYERS_TAR;
		if (w->done || !p->plain)
			return 0;
		/* The store has no more than the tar: compressed again, by the same writer to the same bytes. */
		w->form = is_chunked(i, p) ? LAYERS_CHUNKED : now;
	}
	w->media_type = media_type_of(w->form, docker);
	w->tar_in = t->from->tars;
	w->inflate = is_unsure(t, i) || (!w->tar_in && now != LAYERS_TAR);
	if (w->seal)
		return 0;
	if (w->form == LAYERS_TAR)
		return there(t, i, p->diff_id != NULL ? p->diff_id : "", &w->done, e);
	return w->inflate ? 0 : try_packed(t, i, p, w, e);
}

static int
decide_one(struct transfer *t, struct image *i, struct piece *p, bool docker, struct layers_way *w,
    struct err *e)
{
	*w =
	    (struct layers_way){.seal = crypt_seals(t->crypt, (size_t)(p - i->pieces), i->npieces)};
	if (check_encrypted(t, p, docker, w->seal, e) < 0 ||
	    decide_plain(t, i, p, docker, w, e) < 0)
		return -1;
	if (w->seal)
		w->media_type = arena_printf(&i->arena, "%s" MANIFEST_ENCRYPTED, w->media_type);
	return 0;
}

static size_t
find_twin(const struct image *i, const struct layers_way *ways, size_t k)
{
	const struct piece *p = &i->pieces[k];

	for (size_t n = 0; n < k && p->from.digest[0] != '\0'; n++) {
		const struct piece *o = &i->pieces[n];

		if (ways[n].form == ways[k].form && ways[n].seal == ways[k].seal &&
		    strcmp(o->from.digest, p->from.digest) == 0 &&
		    (p->diff_id == NULL || strcmp(o->diff_id, p->diff_id) == 0))
			return n + 1;
	}
	return 0;
}

int
layers_open(struct transfer *t, struct image *i, struct err *e)
{
	for (size_t k = 0; t->crypt != NULL && t->crypt->opens && k < i->npieces; k++) {
		struct piece *p = &i->pieces[k];

		if (p->from.encrypted == NULL)
			continue;
		p->opened = arena_alloc(&i->arena, sizeof(*p->opened));
		if (crypt_open(t->crypt, &p->from, p->opened, e) < 0)
			return -1;
		p->sealed = p->from;
		p->from.encrypted = NULL;
		p->from.chunked = NULL;
		p->from.media_type = p->sealed.encrypted->plain_type;
		p->from.digest = p->opened->digest;
	}
	return crypt_check(t->crypt, i->npieces, e);
}

int
layers_decide(
    struct transfer *t, struct image *i, bool docker, struct layers_way *out, struct err *e)
{
	for (size_t k = 0; k < i->npieces; k++) {
		if (decide_one(t, i, &i->pieces[k], docker, &out[k], e) < 0)
			return -1;
		out[k].twin = find_twin(i, out, k);
	}
	return 0;
}

static void
note(struct transfer *t, const struct piece *p, struct rec_layer_ref *what)
{
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0};
	struct msg_layer_note m = {.layer = p->name, .what = what};

	if (t->store != NULL && p->name != NULL)
		(void)peer_call(t->store, &msg_layer_note_desc, &m, &in, NULL, NULL, &ignored);
}

void
layers_note(
    struct transfer *t, const struct piece *p, enum layers_form form, const struct written *w)
{
	own_mem char *text = how(t, form);
	struct rec_packed packed = {.digest = w->digest, .size = w->to.size, .how = text};
	struct rec_layer_ref ref = {.diff_id = p->diff_id};

	ref.packed.v = &packed;
	ref.packed.n = 1;
	if (form >= LAYERS_GZIP && form != LAYERS_CHUNKED)
		note(t, p, &ref);
}

void
layers_note_place(struct transfer *t, const struct image *i)
{
	own_mem char *place = NULL;
	const char *places[1];
	struct rec_layer_ref ref = {.places = {places, 1}};

	if (t->store == NULL || t->to->repository == NULL)
		return;
	place = xasprintf("%s/%s", t->to->ref->domain, t->to->repository);
	if (strv_find(&i->places, place) < i->places.n)
		return;
	places[0] = place;
	for (size_t k = 0; k < i->npieces; k++) {
		ref.diff_id = i->pieces[k].diff_id;
		note(t, &i->pieces[k], &ref);
	}
}
