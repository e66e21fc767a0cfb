/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/cli/human.h"
#include "common/cli/template.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/stream.h"
#include "common/oci/digest.h"
#include "common/oci/reference.h"
#include "pod-image/artifact.h"
#include "pod-image/artifact_extract.h"
#include "pod-image/artifact_task.h"
#include "pod-image/task.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define BLOBS "blobs/sha256/"
#define BLOCK ((size_t)128 << 10)
#define FORM "oci"

void
artifact_job_free(struct artifact_job *j)
{
	for (size_t i = 0; i < j->nfiles; i++)
		fd_close(&j->files[i]);
	dest_free(&j->target);
	strv_free(&j->digests);
	strbuf_free(&j->text);
	arena_free(&j->arena);
}

void
artifact_job_fds(const struct artifact_job *j, struct keep *k)
{
	for (size_t i = 0; i < j->nfiles; i++)
		keep_fd(k, j->files[i]);
	dest_fds(&j->target, k);
}

/* --- The layout ------------------------------------------------------------------------------- */

static char *
blob_path(const char *digest)
{
	return xasprintf(BLOBS "%s", digest + strlen("sha256:"));
}

static const char *
word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static const char *
entry_name(const json_t *entry)
{
	return word(json_object_get(entry, "annotations"), REF_NAME);
}

static const json_t *
entry_at(const struct task *t, size_t i)
{
	return json_array_get(t->to.list, i);
}

static int
load_manifest(struct task *t, const char *digest, struct artifact *out, struct err *e)
{
	own_mem char *path = NULL;
	struct msg_archive_read m = {.max = MANIFEST_MAX};
	own_peer_in struct peer_in in = {0};
	char got[DIGEST_TEXT];
	struct bytes b;

	if (!reference_digest_valid(digest))
		return err_set(e, ERR_FORMAT, "invalid digest of an artifact");
	m.name = path = blob_path(digest);
	if (peer_call(t->to.peer, &msg_archive_read_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "reading artifact %s", digest);
	b = MSG_OF(&in, archive_read_r)->data;
	digest_of(b.p, b.n, got);
	if (strcmp(got, digest) != 0)
		return err_set(
		    e, ERR_INTEGRITY, "artifact %s has the digest %s: it is damaged", digest, got);
	return artifact_parse(b, out, e) < 0 ? err_wrap(e, "artifact %s", digest) : 0;
}

/* The name under which an artifact is kept; a short one is local. */
static char *
full_name(const char *text, struct err *e)
{
	own_reference struct reference r = {0}, full = {0};
	const char *rest = text, *transport = reference_transport(text, &rest);

	if (transport == NULL)
		rest = text;
	else if (strcmp(transport, "docker") != 0) {
		err_set(e, ERR_UNSUPPORTED, "the transport %s holds no artifacts", transport);
		return NULL;
	}
	if (reference_parse(rest, &r, e) < 0)
		return NULL;
	if (r.domain == NULL && reference_qualify(&r, "localhost", &full, e) < 0)
		return NULL;
	reference_complete(r.domain != NULL ? &r : &full);
	return reference_string(r.domain != NULL ? &r : &full);
}

static bool
is_digest_prefix(const char *text, const char *digest)
{
	const char *hex = text_has_prefix(text, "sha256:") ? text + 7 : text;

	return strlen(hex) >= 3 && text_is_hex(hex, strlen(hex)) &&
	       text_has_prefix(digest + strlen("sha256:"), hex);
}

/* By its name, else by its digest or the beginning of that.  1 found, 0 not, -1 ambiguous. */
static int
find(const struct task *t, const char *text, size_t *at, struct err *e)
{
	struct err ignored = {0};
	own_mem char *full = full_name(text, &ignored);
	size_t n = json_array_size(t->to.list), found = 0;

	for (size_t i = 0; i < n && full != NULL; i++)
		if (strcmp(entry_name(entry_at(t, i)), full) == 0) {
			*at = i;
			return 1;
		}
	for (size_t i = 0; i < n; i++) {
		const char *digest = word(entry_at(t, i), "digest");

		if (!reference_digest_valid(digest) || !is_digest_prefix(text, digest))
			continue;
		if (found++ > 0 && strcmp(word(entry_at(t, *at), "digest"), digest) != 0)
			return err_set(e, ERR_INVALID, "%s: digest prefix is ambiguous", text);
		*at = i;
	}
	return found > 0 ? 1 : 0;
}

static int
must_find(const struct task *t, const char *text, size_t *at, struct err *e)
{
	int r = find(t, text, at, e);

	return r == 0 ? err_set(e, ERR_NOTFOUND, "%s: artifact does not exist", text) : r;
}

/* --- What is no longer needed ----------------------------------------------------------------- */

static void
collect(const struct artifact *a, const char *digest, struct strv *out)
{
	strv_add(out, digest);
	strv_add(out, a->manifest.config.digest);
	for (size_t k = 0; k < a->manifest.nlayers; k++)
		strv_add(out, a->manifest.layers[k].digest);
}

static void
collect_entry(struct task *t, const json_t *entry, struct strv *out)
{
	own_artifact struct artifact a = {0};
	struct err ignored = {0};
	const char *digest = word(entry, "digest");

	if (load_manifest(t, digest, &a, &ignored) == 0)
		collect(&a, digest, out);
	else if (reference_digest_valid(digest))
		strv_add(out, digest);
}

static void
drop_file(struct task *t, const char *path)
{
	struct msg_layout_rename m = {.from = path};
	own_peer_in struct peer_in in = {0};
	struct err ignored = {0};

	peer_call(t->to.peer, &msg_layout_rename_desc, &m, &in, NULL, NULL, &ignored);
}

/* It is a manifest's digest, or there are none. */
static void
drop_signatures(struct task *t, const char *digest)
{
	own_mem char *prefix = artifact_signatures(digest);
	struct err ignored = {0};

	(void)signatures_cut(0, t->to.peer, prefix, &ignored);
}

/* Removes those of the blobs that no artifact names; what cannot be removed does no harm. */
static void
sweep(struct task *t, const struct strv *blobs)
{
	own_strv struct strv used = {0};

	if (blobs->n == 0)
		return;
	for (size_t i = 0; i < json_array_size(t->to.list); i++)
		collect_entry(t, entry_at(t, i), &used);
	for (size_t i = 0; i < blobs->n; i++) {
		own_mem char *path = blob_path(blobs->v[i]);

		if (strv_find(&used, blobs->v[i]) < used.n)
			continue;
		drop_file(t, path);
		drop_signatures(t, blobs->v[i]);
	}
}

/* --- add -------------------------------------------------------------------------------------- */

static int
pass_on(int from, int to, struct rec_artifact_file *f, char digest[DIGEST_TEXT], char type[128],
    struct err *e)
{
	own_mem unsigned char *block = xmalloc(BLOCK);
	struct digest *d = digest_new();
	bool first = true;
	ssize_t n;

	while ((n = file_get(from, block, BLOCK)) > 0) {
		if (first)
			snprintf(type, 128, "%s", artifact_sniff(block, (size_t)n));
		first = false;
		digest_add(d, block, (size_t)n);
		f->size += (uint64_t)n;
		if (file_put(to, block, (size_t)n) < 0)
			break;
	}
	if (first)
		snprintf(type, 128, "%s", artifact_sniff(block, 0));
	digest_end(d, digest);
	return n == 0 ? 0 : err_sys(e, "reading %s", f->title);
}

int
artifact_store_file(
    struct task *t, int fd, const char *type, struct rec_artifact_file *f, struct err *e)
{
	static const char incoming[] = BLOBS "incoming-0";
	struct msg_archive_add add = {.name = incoming, .unsized = true};
	own_peer_in struct peer_in added = {0}, renamed = {0};
	own_fd int in = -1, out = -1;
	own_mem char *path = NULL;
	char digest[DIGEST_TEXT], guess[128];
	struct msg_layout_rename m = {.from = incoming};
	uint32_t seq = peer_next_seq(t->to.peer);
	struct err why = {0};
	int ends[2], r;

	if (stream_pair(ends, e) < 0)
		return -1;
	out = ends[0];
	in = ends[1];
	add.stream = out;
	if (peer_send(t->to.peer, &msg_archive_add_desc, seq, &add, e) < 0)
		return -1;
	fd_close(&out);
	r = pass_on(fd, in, f, digest, guess, &why);
	fd_close(&in);
	if (peer_wait(t->to.peer, &msg_archive_add_desc, seq, &added, NULL, NULL, e) < 0)
		return -1;
	if (r < 0) {
		*e = why;
		return -1;
	}
	m.to = path = blob_path(digest);
	if (peer_call(t->to.peer, &msg_layout_rename_desc, &m, &renamed, NULL, NULL, e) < 0)
		return -1;
	f->digest = arena_strdup(&t->artifact.arena, digest);
	f->media_type = type != NULL ? type : arena_strdup(&t->artifact.arena, guess);
	return 0;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static int
add_files(struct task *t, json_t *manifest, struct strv *blobs, struct err *e)
{
	const struct msg_artifact_edit *m = t->artifact.edit;

	for (size_t i = 0; i < t->artifact.nfiles; i++) {
		struct rec_artifact_file f = {.title = base_name(m->files.v[i])};

		if (artifact_store_file(t, t->artifact.files[i], m->file_type, &f, e) < 0)
			return err_wrap(e, "adding %s", m->files.v[i]);
		strv_add(blobs, f.digest);
		if (artifact_add(manifest, &f, m->annotations.v, m->annotations.n, e) < 0)
			return -1;
	}
	return 0;
}

/* The configuration, the manifest, the name. */
static int
write_artifact(struct task *t, const char *name, const json_t *manifest, struct err *e)
{
	own_mem char *text = json_text(manifest);
	struct outcome o = {.manifest = {(const uint8_t *)text, strlen(text)},
	    .media_type = MANIFEST_TYPE_OCI,
	    .names = {&name, 1}};
	struct bytes config = {(const uint8_t *)ARTIFACT_EMPTY, strlen(ARTIFACT_EMPTY)};
	char digest[DIGEST_TEXT];

	if (o.manifest.n > MANIFEST_MAX)
		return err_set(e, ERR_LIMIT, "the manifest is too large");
	digest_of(config.p, config.n, digest);
	if (t->to.ops->put_config(&t->to, digest, config, e) < 0 ||
	    t->to.ops->put_image(&t->to, &o, e) < 0 || t->to.ops->finish(&t->to, e) < 0)
		return -1;
	digest_of(o.manifest.p, o.manifest.n, digest);
	strv_add(&t->artifact.digests, digest);
	return 0;
}

/* The manifest to begin with: a new one, or with append the one that is there. */
static int
begin_artifact(struct task *t, const char *name, json_t **out, struct strv *old, struct err *e)
{
	const struct msg_artifact_edit *m = t->artifact.edit;
	own_artifact struct artifact a = {0};
	char created[HUMAN_MAX];
	struct timespec now;
	size_t at = 0;
	int r = find(t, name, &at, e);

	if (r < 0)
		return -1;
	if (r == 1 && !m->append && !m->replace)
		return err_set(e, ERR_EXISTS, "%s: artifact already exists", name);
	if (r == 0 && m->append)
		return err_set(e, ERR_NOTFOUND, "%s: artifact does not exist", name);
	if (r == 1)
		collect_entry(t, entry_at(t, at), old);
	if (m->append) {
		if (load_manifest(t, word(entry_at(t, at), "digest"), &a, e) < 0)
			return -1;
		*out = json_incref(a.json);
		return 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	human_rfc3339nano_utc(
	    (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, created, sizeof(created));
	*out = artifact_new(m->type != NULL ? m->type : ARTIFACT_TYPE_DEFAULT, created);
	return 0;
}

static int
run_add(struct task *t, struct err *e)
{
	own_mem char *name = full_name(t->artifact.edit->names.v[0], e);
	own_strv struct strv old = {0}, blobs = {0};
	own_json json_t *manifest = NULL;
	int r;

	if (name == NULL || begin_artifact(t, name, &manifest, &old, e) < 0)
		return -1;
	r = add_files(t, manifest, &blobs, e);
	if (r == 0)
		r = write_artifact(t, name, manifest, e);
	sweep(t, r == 0 ? &old : &blobs);
	return r;
}

/* --- rm --------------------------------------------------------------------------------------- */

static int
remove_at(struct task *t, size_t at, struct strv *old)
{
	const char *digest = word(entry_at(t, at), "digest");

	strv_add(&t->artifact.digests, digest);
	collect_entry(t, entry_at(t, at), old);
	json_array_remove(t->to.list, at);
	return 0;
}

static int
run_rm(struct task *t, struct err *e)
{
	const struct msg_artifact_edit *m = t->artifact.edit;
	own_strv struct strv old = {0};
	size_t at;

	while (m->all && json_array_size(t->to.list) > 0)
		remove_at(t, 0, &old);
	for (size_t i = 0; i < m->names.n; i++) {
		int r = find(t, m->names.v[i], &at, e);

		if (r == 0 && m->ignore)
			continue;
		if (r == 0)
			return err_set(
			    e, ERR_NOTFOUND, "%s: artifact does not exist", m->names.v[i]);
		if (r < 0)
			return -1;
		remove_at(t, at, &old);
	}
	if (t->to.ops->finish(&t->to, e) < 0)
		return -1;
	sweep(t, &old);
	return 0;
}

/* --- pull and push ---------------------------------------------------------------------------- */

/* What a pull that failed has brought; the artifact it was to replace is still named. */
static void
give_up(struct task *t, const struct artifact *a, const char *digest)
{
	own_strv struct strv blobs = {0};

	for (size_t k = 0; k < a->manifest.nlayers; k++) {
		own_mem char *path = xasprintf(BLOBS "incoming-%zu", k);

		drop_file(t, path);
	}
	collect(a, digest, &blobs);
	sweep(t, &blobs);
}

static int
run_pull(struct task *t, struct err *e)
{
	char got[DIGEST_TEXT];
	own_strv struct strv old = {0};
	own_document struct document top = {0};
	own_artifact struct artifact a = {0};
	const char *name;
	size_t at = 0;

	if (source_registry(&t->from, &t->plan, e) < 0 || source_top(&t->from, &top, e) < 0 ||
	    artifact_parse(document_bytes(&top), &a, e) < 0)
		return -1;
	digest_of(top.bytes.s, top.bytes.n, got);
	t->from.first = top;
	memset(&top, 0, sizeof(top));
	name = t->from.named->name;
	if (find(t, name, &at, e) == 1)
		collect_entry(t, entry_at(t, at), &old);
	strv_add(&t->names, name);
	t->transfer.names = (struct strs){(const char **)t->names.v, t->names.n};
	if (transfer_run(&t->transfer, e) < 0 || t->to.ops->finish(&t->to, e) < 0) {
		give_up(t, &a, got);
		return -1;
	}
	strv_add(&t->artifact.digests, t->transfer.digest);
	sweep(t, &old);
	return 0;
}

static int
run_push(struct task *t, struct err *e)
{
	if (source_files(&t->from, &t->load, e) < 0)
		return -1;
	if (source_top(&t->from, &t->from.first, e) < 0)
		return e->class != ERR_NOTFOUND
			   ? -1
			   : err_set(e, ERR_NOTFOUND, "%s: artifact does not exist",
				 t->artifact.edit->names.v[0]);
	if (dest_registry(&t->to, &t->to_plan, e) < 0 || transfer_run(&t->transfer, e) < 0)
		return -1;
	strv_add(&t->artifact.digests, t->transfer.digest);
	return 0;
}

/* --- Both halves of edit ---------------------------------------------------------------------- */

int
artifact_open_files(struct task *t, const struct strs *files, struct err *e)
{
	struct artifact_job *j = &t->artifact;

	if (files->n == 0 || files->n > ARTIFACT_FILES_MAX)
		return err_set(
		    e, ERR_USAGE, "1 to %d files can be added at once", ARTIFACT_FILES_MAX);
	for (size_t i = 0; i < files->n; i++) {
		int fd = open(files->v[i], O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		struct stat st;

		if (fd < 0)
			return err_sys(e, "open %s", files->v[i]);
		j->files[j->nfiles++] = fd;
		if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
			return err_set(e, ERR_INVALID, "%s is no regular file", files->v[i]);
	}
	return 0;
}

/* Is any artifact signed?  By names only. */
static bool
any_signed(int dir)
{
	int fd = path_try(dir, ARTIFACT_SIGNATURES, PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0);
	own_dir DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *x;

	while (d != NULL && (x = readdir(d)) != NULL)
		if (x->d_name[0] != '.')
			return true;
	return false;
}

static int
prepare_push(struct task *t, struct msg_artifact_edit *m, struct err *e)
{
	enum signer_source source = any_signed(m->dir) ? SIGNER_SIGNED : SIGNER_UNSIGNED;

	t->load = (struct load){.report = t->report, .form = FORM, .ours = true};
	t->load.reference = t->load.reference_text = full_name(m->names.v[0], e);
	if (t->load.reference == NULL || load_prepare_fd(&t->load, fd_take(&m->dir), e) < 0 ||
	    plan_push(&t->to_plan, t->load.reference, m->access, e) < 0 ||
	    signer_prepare(&t->signer, m->signing, &t->to_plan.sources[0].ref, source, e) < 0)
		return -1;
	t->to.signer = &t->signer;
	return transfer_prepare(&t->transfer, e);
}

static int
prepare_pull(struct task *t, struct msg_artifact_edit *m, struct err *e)
{
	const char *rest = m->names.v[0];
	const char *transport = reference_transport(m->names.v[0], &rest);

	if (transport != NULL && strcmp(transport, "docker") != 0)
		return err_set(
		    e, ERR_UNSUPPORTED, "the transport %s holds no artifacts", transport);
	t->transfer.crypt = &t->crypt;
	/* An encrypted layer that is opened changes the manifest, and ends what its signatures are good for. */
	t->transfer.preserve = m->access == NULL || m->access->decryption_keys.n == 0;
	t->transfer.remove_signatures = !t->transfer.preserve;
	if (crypt_prepare(&t->crypt, m->access, NULL, e) < 0 ||
	    plan_pull(&t->plan, rest, transport != NULL, m->access, e) < 0 ||
	    dest_files_artifacts(&t->to, fd_take(&m->dir), e) < 0)
		return -1;
	return transfer_prepare(&t->transfer, e);
}

int
artifact_prepare_edit(struct task *t, struct msg_artifact_edit *m, struct err *e)
{
	uint64_t tries = m->access != NULL && m->access->retries > 0 ? m->access->retries : 4;
	int r;

	t->artifact.edit = m;
	t->transfer = (struct transfer){.report = t->report,
	    .preserve = true,
	    .tries = (unsigned)tries,
	    .graph_root = t->graph_root,
	    .from = &t->from,
	    .to = &t->to};
	if (m->names.n != 1 && strcmp(m->act, "rm") != 0)
		return err_set(e, ERR_PEER, "one artifact is wanted");
	if (strcmp(m->act, "push") == 0)
		r = prepare_push(t, m, e);
	else if (strcmp(m->act, "pull") == 0)
		r = prepare_pull(t, m, e);
	else if (strcmp(m->act, "add") == 0 && artifact_open_files(t, &m->files, e) < 0)
		r = -1;
	else
		r = dest_files_prepare(&t->to, FORM, NULL, fd_take(&m->dir), e);
	if (m->access != NULL)
		task_wipe(m->access->creds);
	return r;
}

int
artifact_run_edit(struct task *t, struct err *e)
{
	const char *act = t->artifact.edit->act;

	if (strcmp(act, "push") == 0)
		return run_push(t, e);
	if (dest_files(&t->to, e) < 0)
		return -1;
	if (strcmp(act, "pull") == 0)
		return run_pull(t, e);
	return strcmp(act, "add") == 0 ? run_add(t, e) : run_rm(t, e);
}

/* --- Looking ---------------------------------------------------------------------------------- */

int
artifact_prepare_look(struct task *t, struct msg_artifact_look *m, struct err *e)
{
	t->artifact.look = m;
	return dest_files_prepare(&t->to, FORM, NULL, fd_take(&m->dir), e);
}

static int
describe(struct task *t, size_t at, struct artifact *a, struct err *e)
{
	struct artifact_job *j = &t->artifact;
	struct rec_artifact *r = &j->found[j->n];
	const char *digest = word(entry_at(t, at), "digest");

	if (load_manifest(t, digest, a, e) < 0)
		return -1;
	r->name = arena_strdup(&j->arena, entry_name(entry_at(t, at)));
	r->digest = arena_strdup(&j->arena, digest);
	artifact_describe(a, r, &j->arena);
	j->n++;
	return 0;
}

static int
format(struct task *t, const struct artifact *a, struct err *e)
{
	struct artifact_job *j = &t->artifact;
	own_template struct template *tmpl = NULL;
	own_json json_t *o = json_obj();

	json_put_take(o, "Manifest", json_incref(a->json));
	json_put_str(o, "Name", j->found[0].name);
	json_put_str(o, "Digest", j->found[0].digest);
	if (strcmp(j->look->format, "json") == 0) {
		json_go(o, "     ", &j->text);
	} else {
		tmpl = template_parse("artifact inspect", j->look->format, e);
		if (tmpl == NULL ||
		    template_run(tmpl, o, NULL, "*artifact.Artifact", &j->text, e) < 0)
			return -1;
	}
	strbuf_addc(&j->text, '\n');
	return 0;
}

int
artifact_run_look(struct task *t, struct err *e)
{
	const struct msg_artifact_look *m = t->artifact.look;
	size_t n, at = 0;

	if (dest_files(&t->to, e) < 0)
		return -1;
	n = json_array_size(t->to.list);
	t->artifact.found = arena_array(&t->artifact.arena, n + 1, sizeof(*t->artifact.found));
	if (m->name != NULL) {
		own_artifact struct artifact a = {0};

		if (must_find(t, m->name, &at, e) < 0 || describe(t, at, &a, e) < 0)
			return -1;
		return m->format != NULL ? format(t, &a, e) : 0;
	}
	for (size_t i = 0; i < n; i++) {
		own_artifact struct artifact a = {0};

		if (describe(t, i, &a, e) < 0)
			return -1;
	}
	return 0;
}

/* --- Extracting ------------------------------------------------------------------------------- */

int
artifact_prepare_extract(struct task *t, struct msg_artifact_extract *m, struct err *e)
{
	t->artifact.extract = m;
	if (dest_files_prepare(&t->to, FORM, NULL, fd_take(&m->dir), e) < 0)
		return -1;
	return dest_files_prepare(&t->artifact.target, "dir", NULL, fd_take(&m->to), e);
}

static bool
is_chosen(const struct msg_artifact_extract *m, const struct rec_artifact_file *f)
{
	if (m->digest != NULL && strcmp(f->digest, m->digest) != 0)
		return false;
	return m->title == NULL || (f->title != NULL && strcmp(f->title, m->title) == 0);
}

static int
extract_all(struct task *t, const struct rec_artifact *a, struct err *e)
{
	const struct msg_artifact_extract *m = t->artifact.extract;
	bool one = m->digest != NULL || m->title != NULL;
	size_t n = 0;

	if (m->file != NULL && !one && a->files.n != 1)
		return err_set(e, ERR_INVALID,
		    "the artifact consists of several blobs and the target \"%s\" is not a "
		    "directory and neither digest or title was specified to only copy a single "
		    "blob",
		    m->target);
	for (size_t i = 0; i < a->files.n; i++) {
		const struct rec_artifact_file *f = &a->files.v[i];
		own_mem char *path = NULL;

		if (!is_chosen(m, f) || (one && n > 0))
			continue;
		n++;
		path = blob_path(f->digest);
		if (artifact_extract_file(t->to.peer, t->artifact.target.peer, path, f,
			m->file != NULL	   ? m->file
			: f->title != NULL ? f->title
					   : f->digest,
			e) < 0)
			return err_wrap(e, "extracting to %s", m->target);
	}
	if (n > 0 || !one)
		return dest_files_end(t->artifact.target.peer, e);
	return m->title != NULL
		   ? err_set(e, ERR_NOTFOUND, "no blob with the title \"%s\"", m->title)
		   : err_set(e, ERR_NOTFOUND, "no blob with the digest \"%s\"", m->digest);
}

int
artifact_run_extract(struct task *t, struct err *e)
{
	own_artifact struct artifact a = {0};
	size_t at = 0;

	if (dest_files(&t->to, e) < 0 || must_find(t, t->artifact.extract->name, &at, e) < 0)
		return -1;
	t->artifact.found = arena_array(&t->artifact.arena, 1, sizeof(*t->artifact.found));
	if (describe(t, at, &a, e) < 0)
		return -1;
	return extract_all(t, &t->artifact.found[0], e);
}
