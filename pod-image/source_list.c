/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/source_list.h"

#define LOCAL "containers-storage:"
#define ORIGINS_MAX 32

/* --- The first half --------------------------------------------------------------------------- */

/* What stands before the digest in the place of an entry; NULL if it is malformed. */
static char *
origin_text(const char *source)
{
	const char *at = strrchr(source, '@');

	return at != NULL ? xstrndup(source, (size_t)(at - source)) : NULL;
}

static struct origin *
find_origin(const struct source_list *l, const char *text)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->origins[i].text, text) == 0)
			return &l->origins[i];
	return NULL;
}

static int
prepare_origin(struct origin *o, const char *source, const char *graph_root,
    const struct rec_registry_access *access, struct err *e)
{
	const char *rest = o->text, *whole = source;
	const char *transport = reference_transport(o->text, &rest);

	if (transport == NULL)
		return err_set(e, ERR_INVALID, "an image of the list has no place: %s", source);
	if (strcmp(transport, "docker") == 0) {
		reference_transport(source, &whole);
		return plan_pull(&o->plan, whole, true, access, e);
	}
	o->load = (struct load){
	    .graph_root = graph_root, .policy_file = access != NULL ? access->policy_file : NULL};
	return load_prepare_path(&o->load, transport, rest, e);
}

static int
prepare_instance(struct source_list *l, const struct rec_instance *x, const char *graph_root,
    const struct rec_registry_access *access, struct err *e)
{
	own_mem char *text = NULL;
	struct origin *o;

	if (x->source == NULL || text_has_prefix(x->source, LOCAL))
		return 0;
	text = origin_text(x->source);
	if (text == NULL || find_origin(l, text) != NULL)
		return 0;
	if (l->n == ORIGINS_MAX)
		return err_set(
		    e, ERR_LIMIT, "the images of the list are in more than %d places", ORIGINS_MAX);
	if (l->origins == NULL)
		l->origins = xcalloc(ORIGINS_MAX, sizeof(*l->origins));
	o = &l->origins[l->n++];
	o->text = xstrdup(text);
	if (prepare_origin(o, x->source, graph_root, access, e) < 0)
		return err_wrap(e, "opening \"%s\" as image source", x->source);
	return 0;
}

int
source_list_prepare(struct source_list *l, struct peer *store, const char *id,
    const char *graph_root, const struct rec_registry_access *access, bool *is_list, struct err *e)
{
	struct msg_image_get get = {.name = id, .list = true};
	const struct rec_image_config *c;

	*is_list = false;
	l->store = store;
	if (peer_call(store, &msg_image_get_desc, &get, &l->record, NULL, NULL, e) < 0)
		return -1;
	l->image = MSG_OF(&l->record, image_got)->image;
	c = l->image->config;
	if (c == NULL || !c->list)
		return 0;
	*is_list = true;
	for (size_t i = 0; i < c->instances.n; i++)
		if (prepare_instance(l, &c->instances.v[i], graph_root, access, e) < 0)
			return -1;
	return 0;
}

static bool
is_signed(struct peer *store, const char *id)
{
	struct msg_image_blob m = {.image = id, .kind = "signatures"};
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0};

	return peer_call(store, &msg_image_blob_desc, &m, &in, NULL, NULL, &ignored) == 0 &&
	       MSG_OF(&in, image_blob_r)->signatures.n > 0;
}

bool
source_list_signed(const struct source_list *l)
{
	const struct rec_image_config *c = l->image->config;

	for (size_t i = 0; c != NULL && c->list && i < c->instances.n; i++) {
		const char *source = c->instances.v[i].source;

		if (source != NULL && text_has_prefix(source, LOCAL) &&
		    is_signed(l->store, source + strlen(LOCAL)))
			return true;
	}
	return is_signed(l->store, l->image->id);
}

void
source_list_fds(const struct source_list *l, struct keep *k)
{
	for (size_t i = 0; i < l->n; i++) {
		plan_fds(&l->origins[i].plan, k);
		load_fds(&l->origins[i].load, k);
	}
}

void
source_list_free(struct source_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct origin *o = &l->origins[i];

		document_free(&o->source.first);
		plan_free(&o->plan);
		load_free(&o->load);
		free(o->text);
	}
	free(l->origins);
	peer_in_free(&l->record);
}

/* --- The second half -------------------------------------------------------------------------- */

static int
list_top(struct source *s, struct document *out, struct err *e)
{
	struct msg_image_blob m = {.image = s->list->image->id, .kind = "manifest"};
	own_peer_in struct peer_in in = {0};
	const struct msg_image_blob_r *r;

	if (peer_call(s->peer, &msg_image_blob_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	r = MSG_OF(&in, image_blob_r);
	strbuf_addn(&out->bytes, (const char *)r->data.p, r->data.n);
	out->media_type = xstrdup(r->media_type != NULL ? r->media_type : "");
	return 0;
}

static const struct rec_instance *
find_instance(const struct source_list *l, const char *digest)
{
	const struct rec_image_config *c = l->image->config;

	for (size_t i = 0; i < c->instances.n; i++)
		if (strcmp(c->instances.v[i].digest, digest) == 0)
			return &c->instances.v[i];
	return NULL;
}

static int
open_origin(struct origin *o, struct err *e)
{
	int r;

	if (o->opened)
		return 0;
	r = o->plan.nsources > 0 ? source_registry(&o->source, &o->plan, e)
				 : source_files(&o->source, &o->load, e);
	o->opened = r == 0;
	/* What it was found by is one image of several. */
	document_free(&o->source.first);
	return r;
}

static int
list_part(struct source *s, const struct manifest_desc *d, struct source *own, struct source **out,
    struct err *e)
{
	const struct rec_instance *x = find_instance(s->list, d->digest);
	own_mem char *text = NULL;
	struct origin *o;
	int r = 0;

	if (x == NULL || x->source == NULL)
		return err_set(
		    e, ERR_NOTFOUND, "where image %s of the list is, is not known", d->digest);
	if (text_has_prefix(x->source, LOCAL)) {
		/*
		 * It may have been pulled again with another manifest since; it is the same image, and the
		 * index that is written says so.
		 */
		*out = own;
		source_store(own, s->peer, x->source + strlen(LOCAL));
	} else {
		text = origin_text(x->source);
		o = text != NULL ? find_origin(s->list, text) : NULL;
		r = o != NULL ? open_origin(o, e)
			      : err_set(e, ERR_INVALID, "its place is malformed");
		*out = o != NULL ? &o->source : NULL;
	}
	return r < 0 ? err_wrap(e, "opening \"%s\" as image source", x->source) : 0;
}

static const struct source_ops list_ops = {.top = list_top, .part = list_part};

void
source_list(struct source *s, struct source_list *l)
{
	*s = (struct source){.ops = &list_ops, .peer = l->store, .list = l};
}
