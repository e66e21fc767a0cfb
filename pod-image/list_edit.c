/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-image/artifact.h"
#include "pod-image/list.h"
#include "pod-image/list_edit.h"
#include "pod-image/task.h"

#define LOCAL "containers-storage:"
#define TRIES 50 /* of a change that others were faster with */

void
list_job_free(struct list_job *l)
{
	free(l->origin);
	strbuf_free(&l->text);
}

/* --- What an act works with ------------------------------------------------------------------- */

struct addition {
	json_t *entry;
	char *source;
};

struct work {
	struct task *t;
	struct addition *adds;
	size_t n, cap;
	struct document subject;
	struct manifest_desc subject_desc;
	char subject_digest[DIGEST_TEXT];
};

static void
work_free(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		json_decref(w->adds[i].entry);
		free(w->adds[i].source);
	}
	free(w->adds);
	document_free(&w->subject);
}

/* entry and source are owned afterwards. */
static void
add(struct work *w, json_t *entry, char *source)
{
	w->adds = mem_grow(w->adds, &w->cap, w->n + 1, sizeof(*w->adds));
	w->adds[w->n++] = (struct addition){entry, source};
}

/* A list of the store: its record, and its document. */
struct stored {
	struct peer_in record, blob;
	const struct rec_image *image;
	json_t *json;
};

static void
stored_free(struct stored *s)
{
	peer_in_free(&s->record);
	peer_in_free(&s->blob);
	json_decref(s->json);
}

static int
get(struct task *t, const char *id, struct stored *s, struct err *e)
{
	struct msg_image_get get = {.name = id, .list = true};
	struct msg_image_blob blob = {.image = id, .kind = "manifest"};

	if (peer_call(t->store, &msg_image_get_desc, &get, &s->record, NULL, NULL, e) < 0 ||
	    peer_call(t->store, &msg_image_blob_desc, &blob, &s->blob, NULL, NULL, e) < 0)
		return -1;
	s->image = MSG_OF(&s->record, image_got)->image;
	if (s->image->config == NULL)
		return err_set(e, ERR_PEER, "pod-store gave no configuration of %s", id);
	if (!s->image->config->list)
		return 0;
	s->json = list_parse(
	    MSG_OF(&s->blob, image_blob_r)->data, MSG_OF(&s->blob, image_blob_r)->media_type, e);
	return s->json != NULL ? 0 : err_wrap(e, "manifest list %s", id);
}

/* --- Adding ----------------------------------------------------------------------------------- */

static char *
place(const struct work *w, const char *digest)
{
	return xasprintf("%s@%s", w->t->list.origin, digest);
}

static int
add_entries(struct work *w, const struct manifest *index, const json_t *list, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;
	struct manifest_platform want = {0};
	const struct manifest_entry *one = NULL;

	if (m->change != NULL)
		want = (struct manifest_platform){
		    m->change->os, m->change->architecture, m->change->variant};
	if (!m->all && (one = manifest_choose(index, &want, e)) == NULL)
		return -1;
	for (size_t i = 0; i < index->nentries; i++) {
		const struct manifest_desc *d = &index->entries[i].desc;
		own_document struct document doc = {0};

		if (one != NULL && one != &index->entries[i])
			continue;
		if (source_read(&w->t->from, d, true, &doc, e) < 0)
			return err_wrap(e, "reading manifest for image instance \"%s\"", d->digest);
		add(w, json_deep_copy(json_array_get(json_object_get(list, "manifests"), i)),
		    place(w, d->digest));
	}
	return 0;
}

static void
add_image(struct work *w, const struct image *i, char *source)
{
	struct manifest_desc d = {.media_type = i->manifest.media_type,
	    .digest = i->digest,
	    .size = document_bytes(&i->doc).n};
	const char *kind = i->manifest.artifact_type[0] != '\0' ? i->manifest.artifact_type
								: i->manifest.config.media_type;

	add(w, list_entry(&d, i->is_image ? &i->parsed : NULL, i->is_image ? NULL : kind), source);
}

/* What a registry or a directory has under the name. */
static int
add_named(struct work *w, struct err *e)
{
	struct source *s = &w->t->from;
	own_document struct document top = {0};
	own_manifest struct manifest m = {0};
	struct image i = {0};
	struct bytes b;

	if (task_open_source(w->t, e) < 0 || source_top(s, &top, e) < 0)
		return -1;
	b = document_bytes(&top);
	if (b.n == 0)
		return err_set(
		    e, ERR_UNSUPPORTED, "the source has no manifest that an index could name");
	if (manifest_parse((const char *)b.p, b.n, top.media_type, &m, e) < 0)
		return -1;
	if (m.is_index) {
		own_json json_t *list = list_parse(b, top.media_type, e);

		return list != NULL ? add_entries(w, &m, list, e) : -1;
	}
	if (source_image(s, &top, &i, e) < 0)
		return -1;
	add_image(w, &i, place(w, i.digest));
	image_free(&i);
	return 0;
}

/* Every entry of a list of the store; where they are to be had stays what it was. */
static void
add_stored_list(struct work *w, const struct stored *s)
{
	const struct rec_image_config *c = s->image->config;

	for (size_t i = 0; i < c->instances.n; i++) {
		const struct rec_instance *x = &c->instances.v[i];
		json_t *entry = list_find(s->json, x->digest);

		if (entry != NULL && x->source != NULL)
			add(w, json_deep_copy(entry), xstrdup(x->source));
	}
}

static int
add_stored_image(struct work *w, const char *id, struct err *e)
{
	struct image i = {0};

	source_store(&w->t->from, w->t->store, id);
	if (source_image(&w->t->from, NULL, &i, e) < 0)
		return -1;
	if (document_bytes(&i.doc).n == 0) {
		image_free(&i);
		return err_set(e, ERR_UNSUPPORTED,
		    "image %s has no manifest of its own that an index could name", id);
	}
	add_image(w, &i, xasprintf(LOCAL "%s", id));
	image_free(&i);
	return 0;
}

static int
add_stored(struct work *w, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;
	own(stored_free) struct stored s = {0};
	own_peer_in struct peer_in in = {0};
	struct msg_image_get one = {.name = m->image};

	if (get(w->t, m->image, &s, e) < 0)
		return -1;
	if (s.json != NULL && m->all) {
		add_stored_list(w, &s);
		return 0;
	}
	if (s.json == NULL)
		return add_stored_image(w, m->image, e);
	if (m->change != NULL) {
		one.os = m->change->os;
		one.architecture = m->change->architecture;
		one.variant = m->change->variant;
	}
	if (peer_call(w->t->store, &msg_image_get_desc, &one, &in, NULL, NULL, e) < 0)
		return -1;
	return add_stored_image(w, MSG_OF(&in, image_got)->image->id, e);
}

/* --- Artifacts -------------------------------------------------------------------------------- */

static int
add_config(struct work *w, json_t *manifest, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;
	struct bytes empty = {(const uint8_t *)ARTIFACT_EMPTY, strlen(ARTIFACT_EMPTY)};
	struct rec_artifact_file f = {0};
	struct manifest_desc d = {.size = empty.n};
	char digest[DIGEST_TEXT];

	if (m->config != NULL) {
		if (artifact_store_file(w->t, w->t->artifact.files[w->t->artifact.nfiles - 1],
			m->config_type, &f, e) < 0)
			return -1;
		d = (struct manifest_desc){f.media_type, f.digest, f.size};
		artifact_set_config(manifest, &d);
		return 0;
	}
	digest_of(empty.p, empty.n, digest);
	d.digest = digest;
	d.media_type = m->config_type;
	if (m->config_type != NULL)
		artifact_set_config(manifest, &d);
	return w->t->to.ops->put_config(&w->t->to, digest, empty, e);
}

/* The files become an artifact that only this list has, kept beside it. */
static int
add_artifact(struct work *w, struct err *e)
{
	struct task *t = w->t;
	const struct msg_list_edit *m = t->list.edit;
	own_json json_t *manifest =
	    artifact_new(m->artifact_type != NULL ? m->artifact_type : ARTIFACT_TYPE_DEFAULT, NULL);
	own_mem char *text = NULL;
	struct outcome o = {.media_type = MANIFEST_TYPE_OCI, .instance = true};
	struct manifest_desc d = {.media_type = MANIFEST_TYPE_OCI, .digest = o.digest};

	if (dest_files(&t->to, e) < 0)
		return -1;
	for (size_t i = 0; i < m->files.n; i++) {
		const char *slash = strrchr(m->files.v[i], '/');
		struct rec_artifact_file f = {0};

		if (artifact_store_file(t, t->artifact.files[i], m->layer_type, &f, e) < 0)
			return err_wrap(e, "adding %s", m->files.v[i]);
		if (!m->no_titles)
			f.title = slash != NULL ? slash + 1 : m->files.v[i];
		if (artifact_add(manifest, &f, NULL, 0, e) < 0)
			return -1;
	}
	if (w->subject_desc.digest != NULL)
		list_set_subject(manifest, &w->subject_desc);
	if (add_config(w, manifest, e) < 0)
		return -1;
	text = json_text(manifest);
	o.manifest = (struct bytes){(const uint8_t *)text, strlen(text)};
	digest_of(o.manifest.p, o.manifest.n, o.digest);
	d.size = o.manifest.n;
	if (t->to.ops->put_image(&t->to, &o, e) < 0 || t->to.ops->finish(&t->to, e) < 0)
		return -1;
	add(w, list_entry(&d, NULL, json_string_value(json_object_get(manifest, "artifactType"))),
	    xasprintf("oci:%s@%s", m->place, o.digest));
	return 0;
}

/* --- The subject ------------------------------------------------------------------------------ */

static int
read_subject(struct work *w, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;
	own_manifest struct manifest parsed = {0};
	struct bytes b;

	if (m->image != NULL) {
		own(stored_free) struct stored s = {0};

		if (get(w->t, m->image, &s, e) < 0)
			return -1;
		b = MSG_OF(&s.blob, image_blob_r)->data;
		strbuf_addn(&w->subject.bytes, (const char *)b.p, b.n);
	} else if (task_open_source(w->t, e) < 0 || source_top(&w->t->from, &w->subject, e) < 0) {
		return -1;
	}
	b = document_bytes(&w->subject);
	if (b.n == 0)
		return err_set(e, ERR_UNSUPPORTED, "the subject has no manifest");
	if (manifest_parse((const char *)b.p, b.n, w->subject.media_type, &parsed, e) < 0)
		return -1;
	digest_of(b.p, b.n, w->subject_digest);
	/* The word of manifest_parse lasts. */
	w->subject_desc = (struct manifest_desc){
	    .media_type = parsed.media_type, .digest = w->subject_digest, .size = b.n};
	return 0;
}

/* --- Applying --------------------------------------------------------------------------------- */

static int
apply_add(struct work *w, json_t *list, struct err *e)
{
	struct task *t = w->t;

	for (size_t i = 0; i < w->n; i++) {
		json_t *entry = json_deep_copy(w->adds[i].entry);

		if (t->list.edit->change != NULL)
			list_change_entry(entry, t->list.edit->change);
		snprintf(t->list.digest, sizeof(t->list.digest), "%s",
		    json_string_value(json_object_get(entry, "digest")));
		if (list_add(list, entry, e) < 0)
			return -1;
	}
	return 0;
}

static int
apply_annotate(struct work *w, json_t *list, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;
	json_t *entry;

	if (w->subject_desc.digest != NULL)
		list_set_subject(list, &w->subject_desc);
	if (m->digest == NULL) {
		if (m->change != NULL)
			list_change(list, m->change);
		return 0;
	}
	entry = list_find(list, m->digest);
	if (entry == NULL)
		return err_set(e, ERR_NOTFOUND,
		    "no Docker manifest matching digest \"%s\" was found in list: no image "
		    "instance matching the specified digest was found in the list or index",
		    m->digest);
	if (m->change != NULL)
		list_change_entry(entry, m->change);
	return 0;
}

static int
apply(struct work *w, json_t *list, struct err *e)
{
	const struct msg_list_edit *m = w->t->list.edit;

	if (strcmp(m->act, "add") == 0)
		return apply_add(w, list, e);
	if (strcmp(m->act, "annotate") == 0)
		return apply_annotate(w, list, e);
	if (strcmp(m->act, "remove") == 0)
		return list_remove(list, m->digest, e);
	if (m->change != NULL)
		list_change(list, m->change);
	return 0;
}

static const char *
source_of(const struct work *w, const struct stored *s, const char *digest)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(json_string_value(json_object_get(w->adds[i].entry, "digest")),
			digest) == 0)
			return w->adds[i].source;
	for (size_t i = 0; s->image != NULL && i < s->image->config->instances.n; i++)
		if (strcmp(s->image->config->instances.v[i].digest, digest) == 0)
			return s->image->config->instances.v[i].source;
	return NULL;
}

/* The record of what the document says; its words live in m. */
static void
describe(const struct work *w, const struct stored *s, const struct manifest *m,
    struct rec_image_config *out, struct arena *a)
{
	out->list = true;
	out->instances.v = arena_array(a, m->nentries + 1, sizeof(*out->instances.v));
	out->instances.n = m->nentries;
	for (size_t i = 0; i < m->nentries; i++) {
		const struct manifest_entry *x = &m->entries[i];

		out->instances.v[i] = (struct rec_instance){.digest = x->desc.digest,
		    .os = x->os,
		    .architecture = x->architecture,
		    .variant = x->variant,
		    .source = source_of(w, s, x->desc.digest)};
	}
}

static int
put(struct work *w, const struct stored *s, json_t *list, struct err *e)
{
	struct task *t = w->t;
	own_manifest struct manifest check = {0};
	own_arena struct arena a = {0};
	own_peer_in struct peer_in in = {0};
	struct rec_image_config parsed = {0};
	const char *type = list_settle(list);
	own_mem char *text = json_text(list);
	struct msg_list_put m = {.image = t->list.edit->list,
	    .was = s->image != NULL ? s->image->digest : NULL,
	    .name = t->list.edit->name,
	    .manifest = {(const uint8_t *)text, strlen(text)},
	    .media_type = type,
	    .parsed = &parsed};

	/* What was read once must be readable again. */
	if (manifest_parse(text, m.manifest.n, type, &check, e) < 0)
		return -1;
	describe(w, s, &check, &parsed, &a);
	if (peer_call(t->store, &msg_list_put_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	snprintf(t->list.id, sizeof(t->list.id), "%s", MSG_OF(&in, image_commit_r)->id);
	return 0;
}

static int
change_once(struct work *w, struct err *e)
{
	const char *id = w->t->list.edit->list;
	own(stored_free) struct stored s = {0};

	if (id == NULL)
		s.json = list_new();
	else if (get(w->t, id, &s, e) < 0)
		return -1;
	if (s.json == NULL)
		return err_set(e, ERR_INVALID, "%s: image is not a manifest list", id);
	return apply(w, s.json, e) < 0 ? -1 : put(w, &s, s.json, e);
}

/* --- Both halves ------------------------------------------------------------------------------ */

static int
prepare_source(struct task *t, const char *text, bool normal, struct rec_registry_access *access,
    struct err *e)
{
	const char *rest = text, *colon;
	const char *transport = reference_transport(text, &rest);
	own_mem char *path = NULL, *real = NULL;

	if (transport == NULL || strcmp(transport, "docker") == 0) {
		if (plan_pull(&t->plan, rest, normal || transport != NULL, access, e) < 0)
			return -1;
		path = reference_repository(&t->plan.sources[0].ref);
		t->list.origin = xasprintf("docker://%s", path);
		return 0;
	}
	t->load = (struct load){.report = t->report,
	    .graph_root = t->graph_root,
	    .policy_file = access != NULL ? access->policy_file : NULL};
	if (load_prepare_path(&t->load, transport, rest, e) < 0)
		return -1;
	colon = strcmp(transport, "dir") == 0 ? NULL : strchr(rest, ':');
	path = colon != NULL ? xstrndup(rest, (size_t)(colon - rest)) : xstrdup(rest);
	real = realpath(path, NULL);
	if (real == NULL)
		return err_sys(e, "finding %s", path);
	t->list.origin = xasprintf("%s:%s", transport, real);
	return 0;
}

static int
prepare_artifact(struct task *t, struct msg_list_edit *m, struct err *e)
{
	struct strs config = {&m->config, m->config != NULL};

	if (m->place == NULL || m->dir <= 0 || m->list == NULL)
		return err_set(e, ERR_PEER, "an artifact without its place");
	if (artifact_open_files(t, &m->files, e) < 0 ||
	    (config.n > 0 && artifact_open_files(t, &config, e) < 0))
		return -1;
	return dest_files_prepare(&t->to, "oci", NULL, fd_take(&m->dir), e);
}

int
list_prepare_edit(struct task *t, struct msg_list_edit *m, struct err *e)
{
	int r = 0;

	t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	t->list.edit = m;
	if (m->digest != NULL && !reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID,
		    "invalid image digest \"%.200s\": invalid checksum digest format", m->digest);
	if (m->files.n > 0)
		r = prepare_artifact(t, m, e);
	if (r == 0 && m->source != NULL && m->image == NULL)
		r = prepare_source(t, m->source, true, m->access, e);
	if (m->access != NULL)
		task_wipe(m->access->creds);
	return r;
}

int
list_run_edit(struct task *t, struct err *e)
{
	const struct msg_list_edit *m = t->list.edit;
	own(work_free) struct work w = {.t = t};
	bool named = m->source != NULL || m->image != NULL;
	int r = 0;

	if (strcmp(m->act, "add") == 0 && m->files.n > 0)
		r = (named && read_subject(&w, e) < 0) ? -1 : add_artifact(&w, e);
	else if (strcmp(m->act, "add") == 0)
		r = m->image != NULL ? add_stored(&w, e) : add_named(&w, e);
	else if (strcmp(m->act, "annotate") == 0 && named)
		r = read_subject(&w, e);
	if (r < 0)
		return -1;
	for (int i = 0; i < TRIES; i++) {
		err_clear(e);
		if (change_once(&w, e) == 0)
			return 0;
		if (e->class != ERR_STATE)
			return -1;
	}
	return -1;
}

int
list_prepare_show(struct task *t, struct msg_list_show *m, struct err *e)
{
	int r = 0;

	t->list.show = m;
	if (m->store > 0)
		t->store = peer_new(fd_take(&m->store), ROLE_IMAGE, ROLE_STORE);
	if (m->list == NULL)
		r = prepare_source(t, m->source != NULL ? m->source : "", false, m->access, e);
	else if (t->store == NULL)
		return err_set(e, ERR_PEER, "a list without its store");
	if (m->access != NULL)
		task_wipe(m->access->creds);
	return r;
}

int
list_run_show(struct task *t, struct err *e)
{
	own(stored_free) struct stored s = {0};
	own_document struct document top = {0};
	own_manifest struct manifest m = {0};
	struct bytes b;

	if (t->list.show->list != NULL) {
		if (get(t, t->list.show->list, &s, e) < 0)
			return -1;
		if (s.json == NULL)
			return err_set(
			    e, ERR_INVALID, "%s: image is not a manifest list", s.image->id);
		list_show(s.json, &t->list.text);
		return 0;
	}
	if (task_open_source(t, e) < 0 || source_top(&t->from, &top, e) < 0)
		return -1;
	b = document_bytes(&top);
	if (manifest_parse((const char *)b.p, b.n, top.media_type, &m, e) < 0 ||
	    (s.json = json_read((const char *)b.p, b.n, e)) == NULL)
		return -1;
	t->list.single = !m.is_index;
	json_go(s.json, "    ", &t->list.text);
	strbuf_addc(&t->list.text, '\n');
	return 0;
}
