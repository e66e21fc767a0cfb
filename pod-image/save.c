/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/oci/digest.h"
#include "common/oci/manifest.h"
#include "common/oci/reference.h"
#include "common/role/spawn.h"
#include "pod-image/save.h"
#include "pod-image/spool.h"

#define PIPE_SIZE (256 << 10)

/* How a form calls things and what it holds. */
static const struct form {
	const char *name;
	bool directory;	 /* the output is one */
	bool plain_tars; /* layers are named after their DiffID and never compressed */
	bool docker;	 /* Docker's media types */
	const char *blobs;
} forms[] = {
    {"docker-archive", false, true, true, ""},
    {"oci-archive", false, false, false, "blobs/sha256/"},
    {"oci", true, false, false, "blobs/sha256/"},
    {"dir", true, false, true, ""},
};

struct layer { /* as written */
	char digest[DIGEST_TEXT];
	uint64_t size;
	bool gzip;
};

struct run {
	struct save *s;
	const struct form *form;
	struct strv written; /* members that are in the archive already: layers may be shared */
	json_t *list;	     /* entries of manifest.json or index.json */
};

struct image {
	const char *id;
	struct peer_in got, manifest, config;
	const struct rec_image *rec;
	const struct msg_image_blob_r *docs;
	struct bytes config_bytes;
	struct layer *layers;
};

static const struct form *
find_form(const char *name)
{
	for (size_t i = 0; i < COUNTOF(forms); i++) {
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	}
	return NULL;
}

/* --- The first half --------------------------------------------------------------------------- */

int
save_prepare(struct save *s, int output, struct err *e)
{
	own_fd int out = output, theirs = -1;
	const struct form *form = find_form(s->form);
	struct spawn sp = {.nfds = PEER_FD + 1};
	struct msg_archive_create m = {.output = out};
	int pair[2];

	s->spool = -1;
	if (form == NULL)
		return err_set(e, ERR_USAGE, "unknown format \"%.64s\"", s->form);
	s->spool = spool_open(s->graph_root, e);
	if (s->spool < 0 || peer_pair(pair, e) < 0)
		return -1;
	sp.role = form->directory ? ROLE_LAYOUT : ROLE_ARCHIVE;
	s->worker = peer_new(pair[0], ROLE_IMAGE, sp.role);
	sp.fds[PEER_FD] = theirs = pair[1];
	if (form->directory) {
		sp.fds[ROLE_VIEW_FD_NUMBER] = out;
		sp.nfds = ROLE_VIEW_FD_NUMBER + 1;
	}
	if (spawn_start(&sp, e) < 0)
		return -1;
	if (form->directory)
		return 0;
	s->create_seq = peer_next_seq(s->worker);
	return peer_send(s->worker, &msg_archive_create_desc, s->create_seq, &m, e);
}

size_t
save_fds(const struct save *s, int fds[SAVE_FDS_MAX])
{
	size_t n = 0;

	if (s->worker == NULL)
		return 0;
	fds[n++] = peer_fd(s->worker);
	if (s->spool >= 0)
		fds[n++] = s->spool;
	return n;
}

void
save_free(struct save *s)
{
	if (s->worker != NULL)
		fd_close(&s->spool);
	peer_free(s->worker);
}

/* --- Files ------------------------------------------------------------------------------------ */

static bool
already_written(struct run *r, const char *name)
{
	if (strv_find(&r->written, name) < r->written.n)
		return true;
	strv_add(&r->written, name);
	return false;
}

static int
add_file(struct run *r, const char *name, const void *p, size_t n, struct err *e)
{
	struct msg_archive_add m = {.name = name, .data = {p, n}};
	own_peer_in struct peer_in in = {0};

	if (already_written(r, name))
		return 0;
	return peer_call(r->s->worker, &msg_archive_add_desc, &m, &in, NULL, NULL, e);
}

static int
add_json(struct run *r, const char *name, const json_t *j, struct err *e)
{
	own_mem char *text = json_text(j);

	return add_file(r, name, text, strlen(text), e);
}

static int
get_layer(struct run *r, const char *layer, const char *how, int stream, struct peer_in *in,
    struct err *e)
{
	struct msg_layer_get m = {.layer = layer, .form = how, .stream = stream};

	return peer_call(r->s->store, &msg_layer_get_desc, &m, in, NULL, NULL, e);
}

/*
 * A layer whose size is known goes from pod-store to the writer directly.  If the writer fails, the
 * store sees only that its reader has gone, so the writer is heard first.
 */
static int
pipe_layer(struct run *r, const char *layer, const char *name, uint64_t size, struct err *e)
{
	own_peer_in struct peer_in got = {0}, added = {0};
	struct msg_archive_add m = {.name = name, .size = size};
	uint32_t seq = peer_next_seq(r->s->worker);
	own_fd int in = -1, out = -1;
	struct err store = {0};
	int ends[2], rc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "making a pipe");
	out = ends[0];
	in = ends[1];
	(void)fcntl(in, F_SETPIPE_SZ, PIPE_SIZE);
	m.stream = out;
	if (peer_send(r->s->worker, &msg_archive_add_desc, seq, &m, e) < 0)
		return -1;
	fd_close(&out);
	rc = get_layer(r, layer, "tar", in, &got, &store);
	fd_close(&in);
	if (peer_wait(r->s->worker, &msg_archive_add_desc, seq, &added, NULL, NULL, e) < 0) {
		if (rc < 0 && e->class == ERR_INTEGRITY)
			*e = store;
		return -1;
	}
	if (rc < 0)
		*e = store;
	return rc;
}

/* A layer whose size or digest is not known before it has been made: by way of the spool. */
static int
spool_layer(struct run *r, const char *layer, const char *how, struct layer *out, struct err *e)
{
	own_peer_in struct peer_in got = {0}, added = {0};
	own_mem char *name = NULL;
	struct msg_archive_add m = {.stream = r->s->spool};
	const struct msg_layer_get_r *answer;

	if (spool_reset(r->s->spool, e) < 0 || get_layer(r, layer, how, r->s->spool, &got, e) < 0)
		return -1;
	answer = MSG_OF(&got, layer_get_r);
	if (!reference_digest_valid(answer->digest))
		return err_set(e, ERR_PEER, "pod-store gave a malformed digest");
	memcpy(out->digest, answer->digest, DIGEST_TEXT);
	out->size = m.size = answer->size;
	m.name = name = xasprintf("%s%s", r->form->blobs, out->digest + 7);
	if (already_written(r, name))
		return 0;
	if (lseek(r->s->spool, 0, SEEK_SET) < 0)
		return err_sys(e, "rewinding a temporary file");
	return peer_call(r->s->worker, &msg_archive_add_desc, &m, &added, NULL, NULL, e);
}

static int
write_layer(struct run *r, struct image *i, size_t k, struct err *e)
{
	const struct rec_layer_ref *ref = &i->docs->layers.v[k];
	const char *id = i->rec->layers.v[k];
	struct layer *out = &i->layers[k];
	own_mem char *name = NULL;

	if (!reference_digest_valid(ref->diff_id))
		return err_set(e, ERR_PEER, "pod-store gave a malformed digest");
	out->gzip = !r->form->plain_tars && (r->s->compress || !r->form->docker);
	report_text(&r->s->report, "Copying blob %s", ref->diff_id);
	if (out->gzip || ref->tar_size == 0) {
		if (r->form->plain_tars)
			return err_set(e, ERR_INTERNAL, "the size of layer %s is not known", id);
		return spool_layer(r, id, out->gzip ? "gzip" : "tar", out, e);
	}
	memcpy(out->digest, ref->diff_id, DIGEST_TEXT);
	out->size = ref->tar_size;
	name = xasprintf(
	    "%s%s%s", r->form->blobs, ref->diff_id + 7, r->form->plain_tars ? ".tar" : "");
	return already_written(r, name) ? 0 : pipe_layer(r, id, name, ref->tar_size, e);
}

/* --- Documents -------------------------------------------------------------------------------- */

static json_t *
descriptor(const char *type, const char *digest, uint64_t size)
{
	json_t *j = json_obj();

	json_put_str(j, "mediaType", type);
	json_put_str(j, "digest", digest);
	json_put_int(j, "size", (int64_t)size);
	return j;
}

static json_t *
make_manifest(const struct run *r, const struct image *i)
{
	bool docker = r->form->docker;
	json_t *j = json_obj(), *layers;
	char digest[DIGEST_TEXT];

	digest_of(i->config_bytes.p, i->config_bytes.n, digest);
	json_put_int(j, "schemaVersion", 2);
	json_put_str(j, "mediaType", docker ? MANIFEST_TYPE_DOCKER : MANIFEST_TYPE_OCI);
	json_put_take(j, "config",
	    descriptor(docker ? MANIFEST_TYPE_DOCKER_CONFIG : MANIFEST_TYPE_OCI_CONFIG, digest,
		i->config_bytes.n));
	layers = json_put_arr(j, "layers");
	for (size_t k = 0; k < i->docs->layers.n; k++) {
		const struct layer *l = &i->layers[k];

		json_add_take(
		    layers, descriptor(docker	 ? l->gzip ? MANIFEST_TYPE_DOCKER_LAYER ".gzip"
							   : MANIFEST_TYPE_DOCKER_LAYER
				       : l->gzip ? MANIFEST_TYPE_OCI_LAYER "+gzip"
						 : MANIFEST_TYPE_OCI_LAYER,
				l->digest, l->size));
	}
	return j;
}

/* One entry of manifest.json for each image, with all its names. */
static int
end_docker(struct run *r, struct image *i, struct err *e)
{
	own_mem char *config = xasprintf("%s.json", i->id);
	json_t *entry, *tags, *layers;

	if (add_file(r, config, i->config_bytes.p, i->config_bytes.n, e) < 0)
		return -1;
	entry = json_add_obj(r->list);
	json_put_str(entry, "Config", config);
	tags = json_put_arr(entry, "RepoTags");
	for (size_t k = 0; k < r->s->nnames; k++) {
		if (strcmp(r->s->names[k].key, i->id) == 0)
			json_add_str(tags, r->s->names[k].value);
	}
	layers = json_put_arr(entry, "Layers");
	for (size_t k = 0; k < i->docs->layers.n; k++) {
		own_mem char *name = xasprintf("%s.tar", i->layers[k].digest + 7);

		json_add_str(layers, name);
	}
	return 0;
}

static void
add_index_entry(struct run *r, const char *digest, size_t size, const char *name)
{
	json_t *entry = descriptor(MANIFEST_TYPE_OCI, digest, size);

	if (name != NULL)
		json_put_str(
		    json_put_obj(entry, "annotations"), "org.opencontainers.image.ref.name", name);
	json_add_take(r->list, entry);
}

/* An entry of index.json for each name. */
static int
end_oci(struct run *r, struct image *i, struct err *e)
{
	own_json json_t *manifest = make_manifest(r, i);
	own_mem char *text = json_text(manifest), *config = NULL, *name = NULL;
	char digest[DIGEST_TEXT];
	size_t n = 0;

	config = xasprintf("%s%s", r->form->blobs, i->id);
	digest_of(text, strlen(text), digest);
	name = xasprintf("%s%s", r->form->blobs, digest + 7);
	if (add_file(r, config, i->config_bytes.p, i->config_bytes.n, e) < 0 ||
	    add_file(r, name, text, strlen(text), e) < 0)
		return -1;
	for (size_t k = 0; k < r->s->nnames; k++) {
		if (strcmp(r->s->names[k].key, i->id) != 0)
			continue;
		add_index_entry(r, digest, strlen(text), r->s->names[k].value);
		n++;
	}
	if (n == 0)
		add_index_entry(r, digest, strlen(text), NULL);
	return 0;
}

static int
end_dir(struct run *r, struct image *i, struct err *e)
{
	own_json json_t *manifest = make_manifest(r, i);

	if (add_file(r, i->id, i->config_bytes.p, i->config_bytes.n, e) < 0)
		return -1;
	return add_json(r, "manifest.json", manifest, e);
}

/* --- One image, all images -------------------------------------------------------------------- */

static int
get_documents(struct run *r, struct image *i, struct err *e)
{
	struct msg_image_get get = {.name = i->id};
	struct msg_image_blob manifest = {.image = i->id, .kind = "manifest"};
	struct msg_image_blob config = {.image = i->id, .kind = "config"};
	struct peer *p = r->s->store;

	if (peer_call(p, &msg_image_get_desc, &get, &i->got, NULL, NULL, e) < 0 ||
	    peer_call(p, &msg_image_blob_desc, &manifest, &i->manifest, NULL, NULL, e) < 0 ||
	    peer_call(p, &msg_image_blob_desc, &config, &i->config, NULL, NULL, e) < 0)
		return -1;
	i->rec = MSG_OF(&i->got, image_got)->image;
	i->docs = MSG_OF(&i->manifest, image_blob_r);
	i->config_bytes = MSG_OF(&i->config, image_blob_r)->data;
	if (i->docs->layers.n != i->rec->layers.n)
		return err_set(e, ERR_PEER, "pod-store counts layers of %s differently", i->id);
	i->layers = arena_array(&i->got.arena, i->docs->layers.n + 1, sizeof(*i->layers));
	return 0;
}

static int
save_image(struct run *r, const char *id, struct err *e)
{
	struct image i = {.id = id};
	int rc = -1;

	if (get_documents(r, &i, e) < 0)
		goto out;
	for (size_t k = 0; k < i.docs->layers.n; k++) {
		if (write_layer(r, &i, k, e) < 0) {
			err_wrap(e, "copying layer %s", i.docs->layers.v[k].diff_id);
			goto out;
		}
	}
	report_text(&r->s->report, "Copying config sha256:%s", id);
	report_text(&r->s->report, "Writing manifest to image destination");
	rc = r->form->plain_tars ? end_docker(r, &i, e)
	     : r->form->docker	 ? end_dir(r, &i, e)
				 : end_oci(r, &i, e);
out:
	peer_in_free(&i.got);
	peer_in_free(&i.manifest);
	peer_in_free(&i.config);
	return rc;
}

/* What stands once in the output, after all images. */
static int
finish(struct run *r, struct err *e)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	static const char version[] = "Directory Transport Version: 1.1\n";
	own_peer_in struct peer_in in = {0};
	struct msg_archive_end end = {0};
	own_json json_t *index = NULL;
	int rc;

	if (r->form->plain_tars) {
		rc = add_json(r, "manifest.json", r->list, e);
	} else if (r->form->docker) {
		rc = add_file(r, "version", version, strlen(version), e);
	} else {
		index = json_obj();
		json_put_int(index, "schemaVersion", 2);
		json_put_take(index, "manifests", json_incref(r->list));
		rc = add_file(r, "oci-layout", layout, strlen(layout), e);
		if (rc == 0)
			rc = add_json(r, "index.json", index, e);
	}
	if (rc < 0)
		return -1;
	return peer_call(r->s->worker, &msg_archive_end_desc, &end, &in, NULL, NULL, e);
}

int
save_run(struct save *s, struct err *e)
{
	struct run r = {.s = s, .form = find_form(s->form), .list = json_arr()};
	own_peer_in struct peer_in created = {0};
	int rc = 0;

	if (s->create_seq != 0)
		rc = peer_wait(
		    s->worker, &msg_archive_create_desc, s->create_seq, &created, NULL, NULL, e);

	if (rc == 0 && r.form->directory && r.form->docker && s->images.n != 1)
		rc = err_set(e, ERR_USAGE, "a directory holds one image");
	for (size_t k = 0; rc == 0 && k < s->images.n; k++)
		rc = save_image(&r, s->images.v[k], e);
	if (rc == 0)
		rc = finish(&r, e);
	json_decref(r.list);
	strv_free(&r.written);
	return rc;
}
