/* SPDX-License-Identifier: ISC */
/* The second half of load.h: images out of what the worker reads; without privilege. */
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/digest.h"
#include "common/oci/reference.h"
#include "pod-image/copy.h"
#include "pod-image/graph.h"
#include "pod-image/load.h"
#include "pod-image/schema1.h"

struct image { /* one image on its way */
	struct load *load;
	const char *blobs; /* what stands before the hexadecimal digest in names of blobs */
	struct arena arena;
	struct strbuf manifest_bytes, config_bytes, made_manifest;
	struct manifest manifest;
	struct late late;    /* then config_bytes is made of it */
	struct strs members; /* names of the layers' members, lowest first */
	struct strv names;
	struct signatures signatures;
	struct copy copy;
};

static void
image_free(struct image *i)
{
	manifest_free(&i->manifest);
	late_free(&i->late);
	strbuf_free(&i->manifest_bytes);
	strbuf_free(&i->config_bytes);
	strbuf_free(&i->made_manifest);
	strv_free(&i->names);
	signatures_free(&i->signatures);
	arena_free(&i->arena);
}

/* --- Members ---------------------------------------------------------------------------------- */

int
load_read_member(struct load *l, const char *name, uint64_t max, struct strbuf *out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_archive_read m = {.name = name, .max = max > 0 ? max : 1};
	const struct bytes *data;

	if (strlen(name) > 4096)
		return err_set(e, ERR_FORMAT, "a name in the archive is too long");
	if (peer_call(l->worker, &msg_archive_read_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	data = &MSG_OF(&in, archive_read_r)->data;
	strbuf_addn(out, (const char *)data->p, data->n);
	return 0;
}

static const struct rec_archive_member *
find_member(const struct load *l, const char *name)
{
	if (l->members == NULL)
		return NULL;
	for (size_t i = 0; i < l->members->members.n; i++) {
		if (strcmp(l->members->members.v[i].name, name) == 0)
			return &l->members->members.v[i];
	}
	return NULL;
}

uint64_t
load_member_size(const struct load *l, const char *name)
{
	const struct rec_archive_member *m = find_member(l, name);

	if (m != NULL && m->link != NULL)
		m = find_member(l, m->link);
	return m != NULL ? m->size : 0;
}

static char *
blob_member(struct image *i, const char *digest)
{
	return arena_printf(&i->arena, "%s%s", i->blobs, digest + strlen("sha256:"));
}

/* A document that a descriptor names: size and digest must be right. */
static int
read_blob(struct image *i, const struct manifest_desc *d, struct strbuf *out, struct err *e)
{
	char got[DIGEST_TEXT];

	if (d->size > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "blob %s is too large", d->digest);
	if (load_read_member(i->load, blob_member(i, d->digest), d->size, out, e) < 0)
		return err_wrap(e, "reading blob %s", d->digest);
	if (out->n != d->size)
		return err_set(e, ERR_INTEGRITY, "blob %s has %zu bytes, its descriptor says %llu",
		    d->digest, out->n, (unsigned long long)d->size);
	digest_of(out->s != NULL ? out->s : "", out->n, got);
	if (strcmp(got, d->digest) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", d->digest, got);
	return 0;
}

/* --- Trust ------------------------------------------------------------------------------------ */

int
load_signatures(struct load *l, const char *prefix, struct signatures *out, struct err *e)
{
	return strcmp(l->found, "dir") == 0 ? signatures_read(out, l->worker, prefix, e) : 0;
}

int
load_trust(struct load *l, const char *digest, const struct signatures *s, struct err *e)
{
	static const struct signatures none;
	char nothing[DIGEST_TEXT];

	if (l->ours)
		return 0;
	digest_of("", 0, nothing);
	for (size_t k = 0; k < LOAD_FORMS_MAX && l->trust_form[k] != NULL; k++) {
		if (strcmp(l->trust_form[k], l->found) == 0)
			return trust_check(&l->trust[k], digest != NULL ? digest : nothing,
			    s != NULL ? s : &none, e);
	}
	return err_set(e, ERR_INTERNAL, "no policy was prepared for %s", l->found);
}

static int
check_trust(struct image *i, struct err *e)
{
	char digest[DIGEST_TEXT];

	if (schema1_digest(i->manifest_bytes.s != NULL ? i->manifest_bytes.s : "",
		i->manifest_bytes.n, digest, e) < 0 ||
	    load_signatures(i->load, "", &i->signatures, e) < 0)
		return -1;
	return load_trust(i->load, digest, &i->signatures, e);
}

/* --- Names ------------------------------------------------------------------------------------ */

/* A name out of an archive or from the user; a short one is local. */
static int
add_name(struct image *i, const char *text, bool docker, struct err *e)
{
	own_reference struct reference r = {0}, full = {0};

	if ((docker ? reference_parse_normal : reference_parse)(text, &r, e) < 0)
		return -1;
	if (r.domain == NULL && reference_qualify(&r, "localhost", &full, e) < 0)
		return -1;
	reference_complete(r.domain != NULL ? &r : &full);
	strv_take(&i->names, reference_string(r.domain != NULL ? &r : &full));
	return 0;
}

/* --- Copying ---------------------------------------------------------------------------------- */

int
load_ask_member(struct load *l, const char *name, int stream, uint32_t *seq, struct err *e)
{
	struct msg_archive_copy m = {.name = name, .stream = stream};

	*seq = peer_next_seq(l->worker);
	return peer_send(l->worker, &msg_archive_copy_desc, *seq, &m, e);
}

static int
ask_member(void *arg, size_t layer, int stream, uint32_t *seq, struct err *e)
{
	struct image *i = arg;

	if (i->load->tarball.n > 0)
		return tarball_ask(&i->load->tarball, layer, i->load->worker, stream, seq, e);
	if (i->copy.tars)
		return graph_ask(i->load, i->members.v[layer], stream, seq, e);
	return load_ask_member(i->load, i->members.v[layer], stream, seq, e);
}

static int
store_image(struct image *i, struct strv *ids, struct strv *names, struct err *e)
{
	struct copy_from from = {.peer = i->load->worker,
	    .request = i->load->tarball.n > 0 ? &msg_recode_desc
		       : i->copy.tars	      ? &msg_graph_layer_desc
					      : &msg_archive_copy_desc,
	    .ask = ask_member,
	    .arg = i};
	char id[65];

	if (i->load->only_name) {
		strv_free(&i->names);
		i->names = (struct strv){0};
		if (add_name(i, i->load->name, false, e) < 0)
			return -1;
	}
	i->copy.store = i->load->store;
	i->copy.report = i->load->report;
	i->copy.signatures = &i->signatures;
	i->copy.config_bytes =
	    (struct bytes){(const uint8_t *)i->config_bytes.s, i->config_bytes.n};
	i->copy.names = (struct strs){(const char **)i->names.v, i->names.n};
	if (copy_image(&i->copy, &from, id, e) < 0)
		return -1;
	strv_add(ids, id);
	for (size_t k = 0; k < i->names.n; k++)
		strv_add(names, i->names.v[k]);
	if (i->names.n == 0)
		strv_addf(names, "sha256:%s", id);
	return 0;
}

/* --- docker-archive --------------------------------------------------------------------------- */

/*
 * docker-archive holds no manifest in the registry's sense: this makes one, as it would be after a
 * push of the layers as they are.  A layer that was in the store already is taken to be a plain tar.
 */
static int
make_manifest(struct copy *c, struct err *e)
{
	struct image *i = (struct image *)(void *)((char *)c - offsetof(struct image, copy));

	for (size_t k = 0; k < c->nlayers; k++) {
		struct rec_layer_ref *layer = &c->layers[k];

		if (layer->digest == NULL) {
			layer->digest = layer->diff_id;
			layer->size = load_member_size(i->load, i->members.v[k]);
		}
		layer->media_type = strcmp(layer->digest, layer->diff_id) == 0
					? MANIFEST_TYPE_DOCKER_LAYER
					: MANIFEST_TYPE_DOCKER_LAYER ".gzip";
	}
	c->manifest_type = MANIFEST_TYPE_DOCKER;
	return copy_write_manifest(c, &i->made_manifest, e);
}

static int
take_docker_layers(struct image *i, const json_t *entry, struct err *e)
{
	own_strv struct strv layers = {0};

	if (json_want_strv(entry, "Layers", &layers, e) < 0)
		return -1;
	if (layers.n > MANIFEST_LAYERS_MAX)
		return err_set(e, ERR_LIMIT, "the image has too many layers");
	i->members.v = arena_array(&i->arena, layers.n + 1, sizeof(*i->members.v));
	i->members.n = layers.n;
	for (size_t k = 0; k < layers.n; k++)
		i->members.v[k] = arena_strdup(&i->arena, layers.v[k]);
	i->copy.nlayers = layers.n;
	i->copy.layers = arena_array(&i->arena, layers.n + 1, sizeof(*i->copy.layers));
	return 0;
}

/* True if the entry is what the user asked for; its names are then those to give. */
static int
take_docker_names(struct image *i, const json_t *entry, bool *wanted, struct err *e)
{
	const struct load *l = i->load;
	own_strv struct strv tags = {0};
	struct image asked = {0};

	if (json_want_strv(entry, "RepoTags", &tags, e) < 0)
		return -1;
	for (size_t k = 0; k < tags.n && k < 1024; k++) {
		if (add_name(i, tags.v[k], true, e) < 0)
			return err_wrap(e, "RepoTags");
	}
	*wanted = true;
	if (l->reference != NULL) {
		if (add_name(&asked, l->reference, true, e) < 0)
			return -1;
		*wanted = strv_find(&i->names, asked.names.v[0]) < i->names.n;
		strv_free(&i->names);
		i->names = asked.names;
	} else if (i->names.n == 0 && l->name != NULL) {
		return add_name(i, l->name, false, e);
	}
	return 0;
}

static int
load_docker_entry(struct load *l, const json_t *entry, struct strv *ids, struct strv *names,
    bool *wanted, struct err *e)
{
	struct image i = {.load = l};
	const char *config;
	int r = -1;

	if (!json_is_object(entry))
		return err_set(e, ERR_FORMAT, "manifest.json: an entry is no object");
	if (json_need_str(entry, "Config", &config, e) < 0 ||
	    take_docker_layers(&i, entry, e) < 0 || take_docker_names(&i, entry, wanted, e) < 0)
		goto out;
	r = 0;
	if (!*wanted)
		goto out;
	r = -1;
	if (check_trust(&i, e) < 0)
		goto out;
	if (load_read_member(l, config, MANIFEST_MAX, &i.config_bytes, e) < 0 ||
	    manifest_config(i.config_bytes.s != NULL ? i.config_bytes.s : "", i.config_bytes.n,
		i.copy.nlayers, &i.copy.config, &i.arena, e) < 0)
		goto out;
	for (size_t k = 0; k < i.copy.nlayers; k++)
		i.copy.layers[k].diff_id = i.copy.config.diff_ids.v[k];
	i.copy.settle = make_manifest;
	r = store_image(&i, ids, names, e);
out:
	image_free(&i);
	return r;
}

static int
load_docker(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	own_strbuf struct strbuf text = {0};
	own_json json_t *j = NULL;
	bool any = false;

	if (load_read_member(l, "manifest.json", MANIFEST_MAX, &text, e) < 0)
		return err_wrap(e, "loading docker-archive");
	j = json_read_max(text.s != NULL ? text.s : "", text.n, MANIFEST_MAX, 16, e);
	if (j == NULL)
		return err_wrap(e, "parsing manifest.json");
	if (!json_is_array(j) || json_array_size(j) > LOAD_IMAGES_MAX)
		return err_set(e, ERR_FORMAT, "manifest.json is no list of images");
	if (load_number(l, json_array_size(j), e) < 0)
		return -1;
	for (size_t k = 0; k < json_array_size(j); k++) {
		bool wanted = false;

		if (l->nth > 0 && k + 1 != l->nth)
			continue;
		if (load_docker_entry(l, json_array_get(j, k), ids, names, &wanted, e) < 0)
			return -1;
		any |= wanted;
	}
	if (!any)
		return err_set(e, ERR_NOTFOUND, "the archive holds no image%s%s",
		    l->reference != NULL ? " " : "", l->reference != NULL ? l->reference : "");
	return 0;
}

/* --- OCI layouts and dir: --------------------------------------------------------------------- */

static int
settle_late(struct copy *c, struct err *e)
{
	struct image *i = (struct image *)(void *)((char *)c - offsetof(struct image, copy));

	return copy_settle_late(c, &i->late, &i->config_bytes, &i->made_manifest, &i->arena, e);
}

/* i->manifest is parsed: its configuration and layers, then the store. */
static int
take_manifest(struct image *i, struct err *e)
{
	const struct manifest *m = &i->manifest;

	if (i->late.config != NULL)
		i->copy.settle = settle_late;
	else if (manifest_config(i->config_bytes.s != NULL ? i->config_bytes.s : "",
		     i->config_bytes.n, m->nlayers, &i->copy.config, &i->arena, e) < 0)
		return -1;
	i->copy.manifest_bytes =
	    (struct bytes){(const uint8_t *)i->manifest_bytes.s, i->manifest_bytes.n};
	i->copy.manifest_type = m->media_type;
	i->copy.descs = m->layers;
	i->copy.crypt = i->load->crypt;
	i->copy.nlayers = m->nlayers;
	i->copy.layers = arena_array(&i->arena, m->nlayers + 1, sizeof(*i->copy.layers));
	i->members.v = arena_array(&i->arena, m->nlayers + 1, sizeof(*i->members.v));
	i->members.n = m->nlayers;
	for (size_t k = 0; k < m->nlayers; k++) {
		const struct manifest_desc *d = &m->layers[k];

		if (d->media_type[0] != '\0' &&
		    manifest_layer_form(manifest_plain_type(d)) == MANIFEST_LAYER_UNKNOWN)
			return err_set(e, ERR_UNSUPPORTED, "unsupported layer media type");
		i->copy.layers[k] = (struct rec_layer_ref){
		    .diff_id = i->late.config != NULL ? LATE_UNKNOWN : i->copy.config.diff_ids.v[k],
		    .digest = d->digest,
		    .size = d->size,
		    .media_type = d->media_type[0] != '\0' ? d->media_type : NULL};
	}
	return 0;
}

static int
load_manifest(struct image *i, struct strv *ids, struct strv *names, struct err *e)
{
	const struct manifest *m = &i->manifest;

	if (m->is_index)
		return err_set(e, ERR_FORMAT, "an index refers to another index");
	if (check_trust(i, e) < 0 ||
	    (i->late.config == NULL && read_blob(i, &m->config, &i->config_bytes, e) < 0) ||
	    take_manifest(i, e) < 0)
		return -1;
	for (size_t k = 0; k < m->nlayers; k++)
		i->members.v[k] = blob_member(i, m->layers[k].digest);
	return store_image(i, ids, names, e);
}

static int
parse_manifest(struct image *i, const struct manifest_desc *d, struct err *e)
{
	strbuf_free(&i->manifest_bytes);
	manifest_free(&i->manifest);
	if (read_blob(i, d, &i->manifest_bytes, e) < 0)
		return -1;
	return manifest_parse(i->manifest_bytes.s != NULL ? i->manifest_bytes.s : "",
	    i->manifest_bytes.n, d->media_type, &i->manifest, e);
}

/* An entry of index.json: a manifest, or the index of several platforms. */
static int
load_oci_entry(struct load *l, const struct manifest_entry *entry, const char *name,
    struct strv *ids, struct strv *names, struct err *e)
{
	struct image i = {.load = l, .blobs = "blobs/sha256/"};
	const struct manifest_entry *chosen;
	struct manifest index = {0};
	int r = -1;

	if (name != NULL && add_name(&i, name, false, e) < 0)
		goto out;
	if (parse_manifest(&i, &entry->desc, e) < 0)
		goto out;
	if (i.manifest.is_index) {
		index = i.manifest;
		memset(&i.manifest, 0, sizeof(i.manifest));
		chosen = manifest_choose(&index, &l->platform, e);
		if (chosen == NULL || parse_manifest(&i, &chosen->desc, e) < 0)
			goto out;
	}
	r = load_manifest(&i, ids, names, e);
out:
	manifest_free(&index);
	image_free(&i);
	return r;
}

static const char *
oci_name(const struct load *l, const struct manifest_entry *entry)
{
	if (l->reference != NULL)
		return l->reference;
	return entry->ref_name != NULL ? entry->ref_name : l->name;
}

static int
load_oci(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	own_strbuf struct strbuf text = {0};
	own_manifest struct manifest index = {0};
	bool any = false;

	if (load_read_member(l, "index.json", MANIFEST_MAX, &text, e) < 0)
		return err_wrap(e, "loading OCI layout");
	if (manifest_parse(
		text.s != NULL ? text.s : "", text.n, MANIFEST_TYPE_OCI_INDEX, &index, e) < 0)
		return err_wrap(e, "index.json");
	if (index.nentries > LOAD_IMAGES_MAX)
		return err_set(e, ERR_LIMIT, "index.json names too many images");
	if (load_number(l, index.nentries, e) < 0)
		return -1;
	for (size_t k = 0; k < index.nentries; k++) {
		const struct manifest_entry *x = &index.entries[k];

		if (l->nth > 0 && k + 1 != l->nth)
			continue;
		if (l->reference != NULL &&
		    (x->ref_name == NULL || strcmp(x->ref_name, l->reference) != 0))
			continue;
		if (load_oci_entry(l, x, oci_name(l, x), ids, names, e) < 0)
			return -1;
		any = true;
	}
	if (!any)
		return err_set(e, ERR_NOTFOUND, "no descriptor found for reference \"%.300s\"",
		    l->reference != NULL ? l->reference : "");
	return 0;
}

/* The manifest of "dir:", which may be one of schema 1. */
static int
parse_dir(struct image *i, struct err *e)
{
	const char *text = i->manifest_bytes.s != NULL ? i->manifest_bytes.s : "";

	return schema1_is(text, i->manifest_bytes.n)
		   ? schema1_parse(text, i->manifest_bytes.n, &i->manifest, &i->late, e)
		   : manifest_parse(text, i->manifest_bytes.n, NULL, &i->manifest, e);
}

static int
load_dir(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	struct image i = {.load = l, .blobs = ""};
	int r = -1;

	if ((l->name == NULL || add_name(&i, l->name, false, e) == 0) &&
	    load_read_member(l, "manifest.json", MANIFEST_MAX, &i.manifest_bytes, e) == 0 &&
	    parse_dir(&i, e) == 0)
		r = load_manifest(&i, ids, names, e);
	image_free(&i);
	return r;
}

/* --- The store of another engine -------------------------------------------------------------- */

static int
take_graph(struct image *i, struct graph_image *g, struct err *e)
{
	i->manifest_bytes = g->manifest.bytes;
	i->config_bytes = g->config.bytes;
	memset(&g->manifest.bytes, 0, sizeof(g->manifest.bytes));
	memset(&g->config.bytes, 0, sizeof(g->config.bytes));
	i->signatures = g->signatures;
	memset(&g->signatures, 0, sizeof(g->signatures));
	if (manifest_parse(i->manifest_bytes.s, i->manifest_bytes.n, NULL, &i->manifest, e) < 0 ||
	    check_trust(i, e) < 0 || take_manifest(i, e) < 0)
		return -1;
	if (g->nlayers != i->copy.nlayers)
		return err_set(e, ERR_FORMAT, "the image has %zu layers there, by its manifest %zu",
		    g->nlayers, i->copy.nlayers);
	for (size_t k = 0; k < g->nlayers; k++)
		i->members.v[k] = arena_strdup(&i->arena, g->layers[k].id);
	for (size_t k = 0; k < g->names.n; k++)
		if (add_name(i, g->names.v[k], false, e) < 0)
			return -1;
	i->copy.tars = true;
	return 0;
}

static int
load_graph(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	own_graph_image struct graph_image g = {0};
	struct image i = {.load = l};
	int r = -1;

	if (graph_read(l, &g, e) == 0 && take_graph(&i, &g, e) == 0)
		r = store_image(&i, ids, names, e);
	image_free(&i);
	return r;
}

/* --- Tarballs ------------------------------------------------------------------------------------- */

static int
load_tarball(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	struct image i = {.load = l};
	int r = load_trust(l, NULL, NULL, e);

	tarball_describe(&l->tarball, &i.late);
	i.copy.settle = settle_late;
	i.copy.manifest_type = MANIFEST_TYPE_OCI;
	i.copy.nlayers = l->tarball.n;
	i.copy.layers = arena_array(&i.arena, i.copy.nlayers, sizeof(*i.copy.layers));
	i.copy.labels = arena_array(&i.arena, i.copy.nlayers, sizeof(*i.copy.labels));
	for (size_t k = 0; k < i.copy.nlayers; k++) {
		i.copy.layers[k] = (struct rec_layer_ref){
		    .diff_id = LATE_UNKNOWN, .media_type = l->tarball.v[k].media_type};
		i.copy.labels[k] = l->tarball.v[k].name;
	}
	if (r == 0)
		r = store_image(&i, ids, names, e);
	image_free(&i);
	return r;
}

/* --- Which form ------------------------------------------------------------------------------- */

static const struct {
	const char *form;
	int (*load)(struct load *l, struct strv *ids, struct strv *names, struct err *e);
} loaders[] = {
    {"docker-archive", load_docker},
    {"docker-daemon", load_docker},
    {"oci-archive", load_oci},
    {"oci", load_oci},
    {"dir", load_dir},
    {"containers-storage", load_graph},
    {"tarball", load_tarball},
};

/* Docker 25 writes both forms into one archive; manifest.json has the full names. */
static const char *
find_form(const struct load *l)
{
	bool docker = find_member(l, "manifest.json") != NULL;
	bool oci = find_member(l, "index.json") != NULL;

	if (peer_role(l->worker) == ROLE_LAYOUT)
		return oci ? "oci" : docker ? "dir" : NULL;
	return docker ? "docker-archive" : oci ? "oci-archive" : NULL;
}

static int
list_members(struct load *l, struct err *e)
{
	struct msg_layout_list none = {0};

	if (l->open_seq == 0) /* a directory: nothing to hand over */
		return peer_call(
		    l->worker, &msg_layout_list_desc, &none, &l->opened, NULL, NULL, e);
	return peer_wait(l->worker, &msg_archive_open_desc, l->open_seq, &l->opened, NULL, NULL, e);
}

/* What the daemon says of its archive explains more than what could be read of it. */
static int
open_archive(struct load *l, struct err *e)
{
	int r = list_members(l, e);
	struct err cause = {0};

	if (l->daemon.peer == NULL || daemon_wait(&l->daemon, &cause) == 0)
		return r;
	if (r == 0 || cause.class != ERR_CANCELLED)
		*e = cause;
	return -1;
}

int
load_open(struct load *l, struct err *e)
{
	if (l->driver != NULL || l->tarball.n > 0) { /* there is one form of it */
		l->found = l->form;
		return 0;
	}
	if (open_archive(l, e) < 0)
		return -1;
	l->members = MSG_OF(&l->opened, archive_opened);
	if (l->form == NULL)
		l->form = find_form(l);
	for (size_t k = 0; l->form != NULL && k < COUNTOF(loaders); k++) {
		if (strcmp(loaders[k].form, l->form) != 0)
			continue;
		l->found = loaders[k].form;
		return 0;
	}
	return err_set(e, ERR_FORMAT,
	    "payload does not match any of the supported image formats: oci-archive, "
	    "docker-archive, oci, dir");
}

int
load_run(struct load *l, struct strv *ids, struct strv *names, struct err *e)
{
	if (load_open(l, e) < 0)
		return -1;
	for (size_t k = 0; k < COUNTOF(loaders); k++)
		if (strcmp(loaders[k].form, l->form) == 0)
			return loaders[k].load(l, ids, names, e);
	return -1;
}
