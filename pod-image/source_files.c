/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-image/artifact.h"
#include "pod-image/schema1.h"
#include "pod-image/source.h"

static struct bytes
text_of(const struct strbuf *b)
{
	return (struct bytes){(const uint8_t *)(b->s != NULL ? b->s : ""), b->n};
}

/* --- OCI layouts and dir: --------------------------------------------------------------------- */

static int
files_read(struct source *s, const struct manifest_desc *d, bool manifest, struct document *out,
    struct err *e)
{
	bool dir = s->blobs[0] == '\0';
	char name[64 + 80];

	/* An instance of an index has a name of its own in dir:. */
	snprintf(name, sizeof(name), "%s%s%s", s->blobs, d->digest + strlen("sha256:"),
	    dir && manifest ? ".manifest.json" : "");
	if (manifest && d->media_type[0] != '\0')
		out->media_type = xstrdup(d->media_type);
	return load_read_member(s->load, name, d->size > 0 ? d->size : 1, &out->bytes, e);
}

static int
files_ask(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	char name[64 + 80];

	(void)tar;
	snprintf(name, sizeof(name), "%s%s", s->blobs, p->from.digest + strlen("sha256:"));
	return load_ask_member(s->load, name, stream, seq, e);
}

/* Those of an image of an index have names of their own. */
static int
dir_signatures(struct source *s, const char *digest, struct signatures *out, struct err *e)
{
	own_mem char *prefix = strcmp(digest, s->top) == 0
				   ? xstrdup("")
				   : xasprintf("%s.", digest + strlen("sha256:"));

	return load_signatures(s->load, prefix, out, e);
}

static int
files_trust(struct source *s, const char *digest, const struct signatures *have, struct err *e)
{
	return load_trust(s->load, digest, have, e);
}

/* The entry of index.json that was meant: by its name, or the only one. */
static const struct manifest_entry *
find_entry(const struct manifest *index, const struct load *l, struct err *e)
{
	const char *reference = l->reference;
	const struct manifest_entry *found = NULL;

	if (load_number(l, index->nentries, e) < 0)
		return NULL;
	if (l->nth > 0)
		return &index->entries[l->nth - 1];
	for (size_t k = 0; k < index->nentries; k++) {
		const struct manifest_entry *x = &index->entries[k];

		if (reference != NULL &&
		    (x->ref_name == NULL || strcmp(x->ref_name, reference) != 0))
			continue;
		if (found != NULL) {
			err_set(e, ERR_INVALID, "more than one image in oci, choose an image");
			return NULL;
		}
		found = x;
	}
	if (found == NULL)
		err_set(e, ERR_NOTFOUND, "no descriptor found for reference \"%.300s\"",
		    reference != NULL ? reference : "");
	return found;
}

static int
layout_top(struct source *s, struct document *out, struct err *e)
{
	own_strbuf struct strbuf text = {0};
	own_manifest struct manifest index = {0};
	const struct manifest_entry *entry;
	struct bytes b;

	if (load_read_member(s->load, "index.json", MANIFEST_MAX, &text, e) < 0)
		return err_wrap(e, "loading OCI layout");
	b = text_of(&text);
	if (manifest_parse((const char *)b.p, b.n, MANIFEST_TYPE_OCI_INDEX, &index, e) < 0)
		return err_wrap(e, "index.json");
	entry = find_entry(&index, s->load, e);
	return entry != NULL ? source_read(s, &entry->desc, true, out, e) : -1;
}

static int
dir_top(struct source *s, struct document *out, struct err *e)
{
	struct err ignored = {0};

	if (load_read_member(s->load, "manifest.json", MANIFEST_MAX, &out->bytes, e) < 0)
		return -1;
	/* What is malformed is refused by whoever reads it. */
	(void)schema1_check(out, NULL, s->top, &ignored);
	return 0;
}

static const struct source_ops layout_ops = {
    .top = layout_top, .read = files_read, .trust = files_trust, .ask = files_ask};
/* The store's artifacts. */
static int
artifacts_signatures(struct source *s, const char *digest, struct signatures *out, struct err *e)
{
	own_mem char *prefix = artifact_signatures(digest);

	return signatures_read(out, s->load->worker, prefix, e);
}

static const struct source_ops artifacts_ops = {.top = layout_top,
    .read = files_read,
    .signatures = artifacts_signatures,
    .trust = files_trust,
    .ask = files_ask};
static const struct source_ops dir_ops = {.top = dir_top,
    .read = files_read,
    .signatures = dir_signatures,
    .trust = files_trust,
    .ask = files_ask};

/* --- docker-archive --------------------------------------------------------------------------- */

static bool
has_tag(const json_t *entry, const char *reference)
{
	own_strv struct strv tags = {0};
	own_reference struct reference want = {0};
	own_mem char *full = NULL;
	struct err ignored = {0};

	if (reference_parse_normal(reference, &want, &ignored) < 0 ||
	    json_want_strv(entry, "RepoTags", &tags, &ignored) < 0)
		return false;
	reference_complete(&want);
	full = reference_string(&want);
	for (size_t k = 0; k < tags.n; k++) {
		own_reference struct reference r = {0};
		own_mem char *text = NULL;

		if (reference_parse_normal(tags.v[k], &r, &ignored) < 0)
			continue;
		reference_complete(&r);
		text = reference_string(&r);
		if (strcmp(text, full) == 0)
			return true;
	}
	return false;
}

static const json_t *
find_docker_entry(const json_t *list, const struct load *l, struct err *e)
{
	const char *reference = l->reference;
	const json_t *found = NULL;

	if (load_number(l, json_array_size(list), e) < 0)
		return NULL;
	for (size_t k = 0; k < json_array_size(list); k++) {
		const json_t *x = json_array_get(list, k);

		if (!json_is_object(x) || (l->nth > 0 && k + 1 != l->nth) ||
		    (reference != NULL && !has_tag(x, reference)))
			continue;
		if (found != NULL) {
			err_set(e, ERR_INVALID,
			    "the archive holds more than one image, choose an image");
			return NULL;
		}
		found = x;
	}
	if (found == NULL)
		err_set(e, ERR_NOTFOUND, "the archive holds no image%s%.300s",
		    reference != NULL ? " " : "", reference != NULL ? reference : "");
	return found;
}

static int
docker_layers(struct source *s, const json_t *entry, struct image *i, struct err *e)
{
	own_strv struct strv layers = {0};
	const char *config;
	struct bytes b;

	if (json_need_str(entry, "Config", &config, e) < 0 ||
	    json_want_strv(entry, "Layers", &layers, e) < 0)
		return -1;
	if (layers.n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_LIMIT, "the image has too many layers");
	if (load_read_member(s->load, config, MANIFEST_MAX, &i->config.bytes, e) < 0)
		return -1;
	b = document_bytes(&i->config);
	if (manifest_config((const char *)b.p, b.n, layers.n, &i->parsed, &i->arena, e) < 0)
		return -1;
	i->is_image = true;
	i->npieces = layers.n;
	i->pieces = arena_array(&i->arena, layers.n + 1, sizeof(*i->pieces));
	for (size_t k = 0; k < layers.n; k++) {
		struct piece *p = &i->pieces[k];

		p->diff_id = i->parsed.diff_ids.v[k];
		p->name = arena_strdup(&i->arena, layers.v[k]);
		p->from = (struct manifest_desc){.media_type = MANIFEST_TYPE_DOCKER_LAYER,
		    .digest = p->diff_id,
		    .size = load_member_size(s->load, p->name)};
	}
	return 0;
}

/* What the archive holds, a new reference, or NULL. */
static json_t *
docker_list(struct source *s, struct err *e)
{
	own_strbuf struct strbuf text = {0};
	struct bytes b;
	json_t *j;

	if (load_read_member(s->load, "manifest.json", MANIFEST_MAX, &text, e) < 0) {
		err_wrap(e, "loading docker-archive");
		return NULL;
	}
	b = text_of(&text);
	j = json_read_max((const char *)b.p, b.n, MANIFEST_MAX, 16, e);
	if (j == NULL)
		err_wrap(e, "parsing manifest.json");
	return j;
}

int
source_docker_tags(struct source *s, struct strv *out, struct err *e)
{
	own_json json_t *j = docker_list(s, e);

	if (j == NULL)
		return -1;
	for (size_t k = 0; k < json_array_size(j); k++) {
		own_strv struct strv tags = {0};

		if (json_want_strv(json_array_get(j, k), "RepoTags", &tags, e) < 0)
			return err_wrap(e, "parsing manifest.json");
		for (size_t i = 0; i < tags.n; i++) {
			own_reference struct reference r = {0};

			if (reference_parse_normal(tags.v[i], &r, e) < 0)
				return err_wrap(e, "RepoTags");
			reference_complete(&r);
			strv_take(out, reference_string(&r));
		}
	}
	return 0;
}

static int
docker_image(struct source *s, struct image *i, struct err *e)
{
	own_json json_t *j = docker_list(s, e);
	const json_t *entry;

	if (j == NULL)
		return -1;
	entry = find_docker_entry(j, s->load, e);
	if (load_trust(s->load, NULL, NULL, e) < 0)
		return -1;
	return entry != NULL ? docker_layers(s, entry, i, e) : -1;
}

static int
docker_ask(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	(void)tar;
	return load_ask_member(s->load, p->name, stream, seq, e);
}

static const struct source_ops docker_ops = {.image = docker_image, .ask = docker_ask};

/* --- Tarballs ------------------------------------------------------------------------------------- */

static int
tarball_image(struct source *s, struct image *i, struct err *e)
{
	const struct tarball *t = &s->load->tarball;

	if (load_trust(s->load, NULL, NULL, e) < 0)
		return -1;
	tarball_describe(t, &i->late);
	i->manifest.media_type = MANIFEST_TYPE_OCI;
	i->npieces = t->n;
	i->pieces = arena_array(&i->arena, t->n, sizeof(*i->pieces));
	for (size_t k = 0; k < t->n; k++) {
		i->pieces[k].name = t->v[k].name;
		i->pieces[k].from =
		    (struct manifest_desc){.media_type = t->v[k].media_type, .digest = ""};
	}
	return image_take_late(i, e);
}

static int
tarball_layer(
    struct source *s, const struct piece *p, bool tar, int stream, uint32_t *seq, struct err *e)
{
	size_t k = 0;

	(void)tar;
	/* The very pointer: two files may have one name. */
	while (k < s->load->tarball.n && s->load->tarball.v[k].name != p->name)
		k++;
	if (k == s->load->tarball.n)
		return err_set(e, ERR_INTERNAL, "there is no tarball %s", p->name);
	return tarball_ask(&s->load->tarball, k, s->peer, stream, seq, e);
}

static const struct source_ops tarball_ops = {.image = tarball_image, .ask = tarball_layer};

int
source_files(struct source *s, struct load *load, struct err *e)
{
	if (load_open(load, e) < 0)
		return -1;
	if (load->tarball.n > 0) {
		*s = (struct source){.ops = &tarball_ops,
		    .peer = load->worker,
		    .request = &msg_recode_desc,
		    .load = load};
		return 0;
	}
	if (strcmp(load->form, "containers-storage") == 0) {
		source_graph(s, load);
		return 0;
	}
	*s = (struct source){
	    .peer = load->worker, .request = &msg_archive_copy_desc, .load = load, .blobs = ""};
	if (strcmp(load->form, "docker-archive") == 0 || strcmp(load->form, "docker-daemon") == 0) {
		s->ops = &docker_ops;
	} else if (strcmp(load->form, "dir") == 0) {
		s->ops = &dir_ops;
	} else {
		s->ops = load->ours ? &artifacts_ops : &layout_ops;
		s->blobs = "blobs/sha256/";
	}
	return 0;
}
