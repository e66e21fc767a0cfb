/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/own.h"
#include "common/oci/reference.h"
#include "common/role/spawn.h"
#include "pod-image/artifact.h"
#include "pod-image/dest.h"

#define NO_TAR "Storing signatures for docker tar files is not supported"
#define ABANDON_MS 10000 /* of no answer: what it waits for is another's end */
#define NO_OCI "Pushing signatures for OCI images is not supported"

/* How a form calls things and what it holds. */
static const struct files_form {
	const char *name;
	bool directory; /* the output is one */
	const char *blobs;
	enum dest_layers layers;
	enum dest_kind kind;
	const char *no_signatures;
} forms[] = {
    {"docker-archive", false, "", DEST_TARS, DEST_DOCKER_MANIFEST, NO_TAR},
    {"oci-archive", false, "blobs/sha256/", DEST_COMPRESSED, DEST_OCI_MANIFEST, NO_OCI},
    {"oci", true, "blobs/sha256/", DEST_COMPRESSED, DEST_OCI_MANIFEST, NO_OCI},
    {"dir", true, "", DEST_AS_THEY_ARE, DEST_ANY_MANIFEST, NULL},
};

static const struct files_form *
find_form(const char *name)
{
	for (size_t i = 0; i < COUNTOF(forms); i++)
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	return NULL;
}

static bool
is_oci(const struct dest *d)
{
	return d->form->kind == DEST_OCI_MANIFEST;
}

static bool
is_dir(const struct dest *d)
{
	return d->form->kind == DEST_ANY_MANIFEST;
}

/* --- Files ------------------------------------------------------------------------------------ */

static bool
already_written(struct dest *d, const char *name)
{
	if (strv_find(&d->written, name) < d->written.n)
		return true;
	strv_add(&d->written, name);
	return false;
}

static int
put_file(struct dest *d, const char *name, struct bytes b, struct err *e)
{
	struct msg_archive_add m = {.name = name, .data = b};
	own_peer_in struct peer_in in = {0};

	return peer_call(d->peer, &msg_archive_add_desc, &m, &in, NULL, NULL, e);
}

static int
put_text(struct dest *d, const char *name, const char *text, struct err *e)
{
	return put_file(d, name, (struct bytes){(const uint8_t *)text, strlen(text)}, e);
}

static int
put_json(struct dest *d, const char *name, const json_t *j, struct err *e)
{
	own_mem char *text = json_text(j);

	return put_text(d, name, text, e);
}

static char *
blob_name(const struct dest *d, const char *digest)
{
	return xasprintf("%s%s%s", d->form->blobs, digest + strlen("sha256:"),
	    d->form->layers == DEST_TARS ? ".tar" : "");
}

/* --- Layers ----------------------------------------------------------------------------------- */

/* In a directory a layer has a passing name until its digest is known; an archive needs all before. */
static char *
new_name(const struct dest *d, size_t number)
{
	return xasprintf("%sincoming-%zu", d->form->blobs, number);
}

/* What this process has written counts, and what a layout held before: names there are digests. */
static int
files_has(
    struct dest *d, const char *digest, const struct image *from, bool *present, struct err *e)
{
	own_mem char *name = blob_name(d, digest);

	(void)from;
	(void)e;
	*present = strv_find(&d->written, name) < d->written.n;
	return 0;
}

static int
files_put(struct dest *d, size_t number, const char *digest, uint64_t size, int stream,
    uint32_t *seq, struct err *e)
{
	own_mem char *name = d->form->directory ? new_name(d, number) : blob_name(d, digest);
	struct msg_archive_add m = {.name = name, .size = size, .stream = stream};

	if (!d->form->directory)
		strv_add(&d->written, name);
	else
		m.unsized = size == 0;
	*seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_archive_add_desc, *seq, &m, e);
}

static int
files_commit(struct dest *d, size_t number, const char *digest, uint32_t *seq, struct err *e)
{
	own_mem char *from = new_name(d, number), *to = blob_name(d, digest);
	struct msg_layout_rename m = {.from = from, .to = to};

	strv_add(&d->written, to);
	*seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_layout_rename_desc, *seq, &m, e);
}

/* --- Documents -------------------------------------------------------------------------------- */

static int
files_put_config(struct dest *d, const char *digest, struct bytes b, struct err *e)
{
	own_mem char *name = d->form->layers == DEST_TARS
				 ? xasprintf("%s.json", digest + strlen("sha256:"))
				 : blob_name(d, digest);

	return already_written(d, name) ? 0 : put_file(d, name, b, e);
}

/* One entry of manifest.json for each image, with all its names. */
static int
end_docker(struct dest *d, const struct outcome *o, struct err *e)
{
	own_mem char *config = xasprintf("%s.json", o->config_digest + strlen("sha256:"));
	json_t *entry = json_add_obj(d->list), *tags, *layers;

	(void)e;
	json_put_str(entry, "Config", config);
	tags = json_put_arr(entry, "RepoTags");
	for (size_t k = 0; k < o->names.n; k++)
		json_add_str(tags, o->names.v[k]);
	layers = json_put_arr(entry, "Layers");
	for (size_t k = 0; k < o->image->npieces; k++) {
		own_mem char *name = blob_name(d, o->layers[k].digest);

		json_add_str(layers, name);
	}
	return 0;
}

static void
add_index_entry(struct dest *d, const char *type, const char *digest, size_t size, const char *name)
{
	json_t *entry = json_add_obj(d->list);

	json_put_str(entry, "mediaType", type);
	json_put_str(entry, "digest", digest);
	json_put_int(entry, "size", (int64_t)size);
	if (name != NULL)
		json_put_str(
		    json_put_obj(entry, "annotations"), "org.opencontainers.image.ref.name", name);
}

/* An entry of index.json that had the name before gives it up. */
static void
drop_name(struct dest *d, const char *name)
{
	for (size_t i = json_array_size(d->list); i-- > 0;) {
		const json_t *x = json_array_get(d->list, i);
		const char *has = json_string_value(json_object_get(
		    json_object_get(x, "annotations"), "org.opencontainers.image.ref.name"));

		if (has != NULL && strcmp(has, name) == 0)
			json_array_remove(d->list, i);
	}
}

static void
drop_digest(struct dest *d, const char *digest)
{
	for (size_t i = json_array_size(d->list); i-- > 0;) {
		const json_t *x = json_array_get(d->list, i);
		const char *has = json_string_value(json_object_get(x, "digest"));

		if (has != NULL && strcmp(has, digest) == 0 &&
		    json_object_get(x, "annotations") == NULL)
			json_array_remove(d->list, i);
	}
}

/* A document as a blob, and an entry of index.json for each name. */
static int
put_named(struct dest *d, struct bytes b, const char *type, const struct strs *names, struct err *e)
{
	char digest[DIGEST_TEXT];
	own_mem char *name = NULL;

	digest_of(b.p, b.n, digest);
	name = blob_name(d, digest);
	if (!already_written(d, name) && put_file(d, name, b, e) < 0)
		return -1;
	for (size_t k = 0; k < names->n; k++) {
		drop_name(d, names->v[k]);
		add_index_entry(d, type, digest, b.n, names->v[k]);
	}
	if (names->n == 0) {
		drop_digest(d, digest);
		add_index_entry(d, type, digest, b.n, NULL);
	}
	return 0;
}

/* Beside the manifest of that name. */
static int
put_signatures(struct dest *d, const char *prefix, const char *digest, const struct signatures *s,
    struct err *e)
{
	return signer_put_dir(d->signer, prefix, digest, s, d->peer, e);
}

/* What is known of it already is kept if it comes without any from elsewhere. */
static int
put_artifact_signatures(struct dest *d, const struct outcome *o, struct err *e)
{
	own_mem char *prefix = artifact_signatures(o->digest);

	return !d->artifacts || o->signatures == NULL || o->signatures->n == 0
		   ? 0
		   : put_signatures(d, prefix, o->digest, o->signatures, e);
}

static int
files_put_image(struct dest *d, const struct outcome *o, struct err *e)
{
	own_mem char *name = NULL, *prefix = NULL;

	if (d->form->layers == DEST_TARS)
		return end_docker(d, o, e);
	if (is_dir(d)) {
		prefix =
		    o->instance ? xasprintf("%s.", o->digest + strlen("sha256:")) : xstrdup("");
		name = xasprintf("%smanifest.json", prefix);
		return put_file(d, name, o->manifest, e) < 0
			   ? -1
			   : put_signatures(d, prefix, o->digest, o->signatures, e);
	}
	if (!o->instance)
		return put_artifact_signatures(d, o, e) < 0
			   ? -1
			   : put_named(d, o->manifest, o->media_type, &o->names, e);
	name = blob_name(d, o->digest);
	return already_written(d, name) ? 0 : put_file(d, name, o->manifest, e);
}

static int
files_put_index(struct dest *d, struct bytes b, const char *media_type, const struct signatures *s,
    struct err *e)
{
	const char *name = d->name;
	char digest[DIGEST_TEXT];

	if (is_dir(d)) {
		digest_of(b.p, b.n, digest);
		return put_file(d, "manifest.json", b, e) < 0 ? -1
							      : put_signatures(d, "", digest, s, e);
	}
	if (!is_oci(d))
		return err_set(e, ERR_UNSUPPORTED, "%s cannot hold an index", d->form->name);
	return put_named(d, b, media_type, &(struct strs){&name, name != NULL}, e);
}

int
dest_files_end(struct peer *worker, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_archive_end end = {0};

	return peer_call(worker, &msg_archive_end_desc, &end, &in, NULL, NULL, e);
}

/* What stands once in the output, after all images. */
static int
files_finish(struct dest *d, struct err *e)
{
	own_json json_t *index = NULL;
	int r;

	if (d->form->layers == DEST_TARS) {
		r = put_json(d, "manifest.json", d->list, e);
	} else if (is_dir(d)) {
		r = put_text(d, "version", "Directory Transport Version: 1.1\n", e);
	} else {
		index = json_obj();
		json_put_int(index, "schemaVersion", 2);
		json_put_take(index, "manifests", json_incref(d->list));
		r = put_text(d, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", e);
		if (r == 0)
			r = put_json(d, "index.json", index, e);
	}
	if (r < 0)
		return -1;
	if (dest_files_end(d->peer, e) < 0)
		return -1;
	return d->daemon.peer != NULL ? daemon_commit(&d->daemon, e) : 0;
}

static const struct dest_ops archive_ops = {.has = files_has,
    .put = files_put,
    .put_request = &msg_archive_add_desc,
    .put_config = files_put_config,
    .put_image = files_put_image,
    .put_index = files_put_index,
    .finish = files_finish};
static const struct dest_ops directory_ops = {.has = files_has,
    .put = files_put,
    .put_request = &msg_archive_add_desc,
    .commit = files_commit,
    .commit_request = &msg_layout_rename_desc,
    .put_config = files_put_config,
    .put_image = files_put_image,
    .put_index = files_put_index,
    .finish = files_finish};

/* --- Beginning and end ------------------------------------------------------------------------ */

int
dest_files_prepare(
    struct dest *d, const char *form, const char *reference, int output, struct err *e)
{
	own_fd int out = output;
	const struct files_form *f = find_form(form);
	struct msg_archive_create m = {.output = out};

	if (f == NULL)
		return err_set(e, ERR_USAGE, "unknown format \"%.64s\"", form);
	*d = (struct dest){.ops = f->directory ? &directory_ops : &archive_ops,
	    .layers = f->layers,
	    .kind = f->kind,
	    .no_signatures = f->no_signatures,
	    .needs_size = !f->directory,
	    .parallel = f->directory ? DEST_SLOTS : 1,
	    .form = f,
	    .name = reference != NULL ? xstrdup(reference) : NULL,
	    .list = json_arr()};
	d->peer = f->directory ? spawn_peer_view(ROLE_IMAGE, ROLE_LAYOUT, out, e)
			       : spawn_peer(ROLE_IMAGE, ROLE_ARCHIVE, NULL, e);
	if (d->peer == NULL)
		return -1;
	if (f->directory)
		return 0;
	d->output = fcntl(out, F_DUPFD_CLOEXEC, 3);
	d->create_seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_archive_create_desc, d->create_seq, &m, e);
}

int
dest_files_artifacts(struct dest *d, int output, struct err *e)
{
	if (dest_files_prepare(d, "oci", NULL, output, e) < 0)
		return -1;
	d->artifacts = true;
	d->no_signatures = NULL;
	return 0;
}

/* Entries of an index.json that is there already stay. */
static int
merge_index(struct dest *d, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_archive_read m = {.name = "index.json", .max = MANIFEST_MAX};
	const struct bytes *data;
	own_manifest struct manifest check = {0};
	own_json json_t *j = NULL;

	if (peer_call(d->peer, &msg_archive_read_desc, &m, &in, NULL, NULL, e) < 0) {
		if (e->no != ENOENT && e->class != ERR_NOTFOUND)
			return -1;
		err_clear(e);
		return 0;
	}
	data = &MSG_OF(&in, archive_read_r)->data;
	if (manifest_parse((const char *)data->p, data->n, MANIFEST_TYPE_OCI_INDEX, &check, e) <
		0 ||
	    (j = json_read((const char *)data->p, data->n, e)) == NULL)
		return err_wrap(e, "index.json");
	json_array_extend(d->list, json_object_get(j, "manifests"));
	return 0;
}

int
dest_files(struct dest *d, struct err *e)
{
	own_peer_in struct peer_in created = {0};

	if (d->create_seq != 0 && peer_wait(d->peer, &msg_archive_create_desc, d->create_seq,
				      &created, NULL, NULL, e) < 0)
		return -1;
	return d->form->directory && is_oci(d) ? merge_index(d, e) : 0;
}

/* dir: writes over an image, and into an empty directory, but nowhere else. */
static int
check_directory(int fd, const char *path, struct err *e)
{
	own_dir DIR *dir = NULL;
	struct dirent *x;
	int copy;

	if (faccessat(fd, "version", F_OK, 0) == 0)
		return 0;
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0 || (dir = fdopendir(copy)) == NULL)
		return err_sys(e, "opening %s", path);
	while ((x = readdir(dir)) != NULL)
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			return err_set(
			    e, ERR_EXISTS, "%s is not empty, and no image directory", path);
	return 0;
}

static int
open_output(const struct files_form *f, const char *path, struct err *e)
{
	own_fd int fd = -1;
	struct stat st;

	if (f->directory) {
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "making directory %s", path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "opening %s", path);
		if (f->kind == DEST_ANY_MANIFEST && check_directory(fd, path, e) < 0)
			return -1;
		return fd_take(&fd);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "opening %s", path);
	if (S_ISREG(st.st_mode) && st.st_size > 0 && f->layers == DEST_TARS)
		return err_set(
		    e, ERR_EXISTS, "docker-archive doesn't support modifying existing images");
	if (S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0)
		return err_sys(e, "emptying %s", path);
	return fd_take(&fd);
}

/* docker-archive records full names; a layout records what was said. */
static char *
name_to_record(const struct files_form *f, const char *text, struct err *e)
{
	own_reference struct reference r = {0};

	if (f->layers != DEST_TARS)
		return xstrdup(text);
	if (reference_parse_normal(text, &r, e) < 0)
		return NULL;
	reference_complete(&r);
	return reference_string(&r);
}

/* Docker's engine takes a docker-archive. */
static int
prepare_daemon(struct dest *d, const char *rest, const char *host, struct err *e)
{
	own_reference struct reference r = {0};
	own_mem char *name = NULL;
	struct daemon daemon = {0};
	int archive;

	if (daemon_name(rest, false, &name, &r, e) < 0)
		return -1;
	if (daemon_put(&daemon, host, &archive, e) < 0 ||
	    dest_files_prepare(d, "docker-archive", name, archive, e) < 0) {
		daemon_free(&daemon);
		return -1;
	}
	d->daemon = daemon;
	d->shown = xasprintf("docker-daemon:%s", rest);
	/* The worker has the only end of the pipe: when it closes that, the archive ends. */
	fd_close(&d->output);
	d->output = 0;
	return 0;
}

int
dest_files_path(
    struct dest *d, const char *transport, const char *rest, const char *daemon_host, struct err *e)
{
	const struct files_form *f = find_form(transport);
	size_t n = strcmp(transport, "dir") == 0 ? strlen(rest) : strcspn(rest, ":");
	own_mem char *path = xstrndup(rest, n), *name = NULL;
	int fd;

	if (strcmp(transport, "docker-daemon") == 0)
		return prepare_daemon(d, rest, daemon_host, e);
	if (f == NULL)
		return err_set(
		    e, ERR_UNSUPPORTED, "the transport %s: cannot be written to", transport);
	if (rest[n] == ':' && rest[n + 1] == '@')
		return err_set(e, ERR_INVALID,
		    "Destination reference must not contain a manifest index %.100s", rest + n + 1);
	if (rest[n] == ':' && rest[n + 1] != '\0' &&
	    (name = name_to_record(f, rest + n + 1, e)) == NULL)
		return -1;
	fd = open_output(f, path, e);
	if (fd < 0 || dest_files_prepare(d, transport, name, fd, e) < 0)
		return -1;
	/* As containers/image names it. */
	d->shown = xasprintf(
	    "%s:%s%s", transport, rest, is_oci(d) && strchr(rest, ':') == NULL ? ":" : "");
	return 0;
}

void
dest_fds(const struct dest *d, struct keep *k)
{
	if (d->form == NULL) /* a registry's peer belongs to its plan */
		return;
	keep_peer(k, d->peer);
	keep_fd(k, d->output);
	keep_peer(k, d->daemon.peer);
}

/* The worker removes what it made; whoever comes next must not meet it at that. */
static void
abandon_directory(struct dest *d)
{
	struct err ignored = {0};
	int r = shutdown(peer_fd(d->peer), SHUT_WR) == 0;

	while (r == 1) {
		own_peer_in struct peer_in in = {0};

		r = peer_recv(d->peer, &in, ABANDON_MS, &ignored);
	}
}

void
dest_abandon(struct dest *d)
{
	if (d->form != NULL && d->form->directory && d->peer != NULL)
		abandon_directory(d);
	/* A pipe cannot be emptied, nor need it be. */
	if (d->form != NULL && d->output > 0 && ftruncate(d->output, 0) < 0)
		log_debug("emptying the archive: %s", strerror(errno));
}

void
dest_free(struct dest *d)
{
	if (d->form == NULL) /* a registry's peer belongs to its plan */
		return;
	peer_free(d->peer);
	daemon_free(&d->daemon);
	if (d->output > 0)
		fd_close(&d->output);
	free(d->name);
	free(d->shown);
	strv_free(&d->written);
	json_decref(d->list);
	memset(d, 0, sizeof(*d));
}
