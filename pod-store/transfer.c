/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/fs/file.h"
#include "common/fs/path.h"
#include "common/fs/stream.h"
#include "pod-store/blob.h"
#include "pod-store/job.h"
#include "pod-store/layer.h"
#include "pod-store/layer/opaque.h"
#include "pod-store/partial.h"
#include "pod-store/places.h"
#include "pod-store/theirs.h"
#include "pod-store/transfer.h"

/* Descriptors of the workers, see their sources. */
#define DIR_SLOT ROLE_VIEW_FD_NUMBER
#define INDEX_SLOT 5
#define FACTS_SLOT 6
#define INFLATE_RESULT_SLOT 4
#define COPY_SLOT 5

/* --- Packing -------------------------------------------------------------------------------------- */

static void
add_ids(struct strbuf *lines, const char *key, const struct rec_id_range *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(lines, "%s %llu %llu %llu\n", key, (unsigned long long)v[i].inside,
		    (unsigned long long)v[i].outside, (unsigned long long)v[i].count);
}

/* The pack worker may not look for marks that are trusted.*: it is told. */
static int
facts_file(struct strbuf *lines, const struct owners *map, struct err *e)
{
	own_fd int fd = memfd_create("facts", MFD_CLOEXEC);

	if (map != NULL) {
		add_ids(lines, "uid", map->uid, map->nuid);
		add_ids(lines, "gid", map->gid, map->ngid);
	}
	if (fd == -1 || file_put(fd, lines->n > 0 ? lines->s : "", lines->n) == -1 ||
	    lseek(fd, 0, SEEK_SET) == -1)
		return err_sys(e, "telling what is known of a directory");
	return fd_take(&fd);
}

int
transfer_facts(int dir, const struct strs *skip, const struct owners *map, struct err *e)
{
	own_strbuf struct strbuf lines = {0};

	if (dir >= 0 && opaque_list(dir, &lines, e) == -1)
		return -1;
	for (size_t i = 0; skip != NULL && i < skip->n; i++)
		result_add(&lines, "skip", skip->v[i]);
	return facts_file(&lines, map, e);
}

int
transfer_facts_plain(const struct owners *map, struct err *e)
{
	own_strbuf struct strbuf lines = {0};

	result_add(&lines, "plain", "yes");
	return facts_file(&lines, map, e);
}

static int
start_pack(struct job *j, const struct transfer_source *from, int out, struct err *e)
{
	struct spawn pack = {.role = ROLE_PACK, .mode = "pack", .nfds = FACTS_SLOT + 2};

	pack.fds[1] = out;
	pack.fds[DIR_SLOT] = from->dir;
	pack.fds[INDEX_SLOT] = -1;
	pack.fds[FACTS_SLOT] = from->facts;
	return job_start(j, &pack, FACTS_SLOT + 1, e);
}

static int
export_done(struct job *j, struct result *r, bool cancelled, struct err *e)
{
	return r == NULL || cancelled ? -1 : peer_send_ok(j->conn->peer, j->seq, e);
}

int
transfer_export(
    struct conn *c, uint32_t seq, int stream, const struct transfer_source *from, struct err *e)
{
	struct job *j = job_new(c, seq, export_done, NULL, e);

	if (j != NULL && start_pack(j, from, stream, e) == 0)
		return 0;
	job_abort(j);
	return -1;
}

/* --- In ------------------------------------------------------------------------------------------- */

struct put {
	uint32_t stage;
	size_t at; /* index of the layer in the area */
	struct stage_place place;
	char want_diff[SHA256_HEX + 8], want_digest[SHA256_HEX + 8];
	uint64_t want_size;
	bool keep;		 /* the stream is written to a file too */
	struct partial *partial; /* what makes the stream, or NULL */
};

static void
put_free(struct put *p)
{
	fd_close(&p->place.content);
	fd_close(&p->place.index);
	partial_free(p->partial);
	free(p);
}

static int
check_digest(const char *what, const char *want, const char *got, struct err *e)
{
	if (*want == '\0' || strcmp(want, got) == 0)
		return 0;
	return err_set(e, ERR_INTEGRITY, "%s does not match: expected %s, got %s", what, want, got);
}

static int
put_verify(
    const struct put *p, const struct result *inflate, struct msg_layer_put_r *out, struct err *e)
{
	out->diff_id = result_get(inflate, "plain_digest");
	out->digest = result_get(inflate, "packed_digest");
	if (layer_hex(out->diff_id) == NULL || layer_hex(out->digest) == NULL)
		return err_set(e, ERR_PEER, "the answer of the decompressor is malformed");
	if (result_u64(inflate, "plain_size", &out->tar_size, e) == -1 ||
	    result_u64(inflate, "packed_size", &out->size, e) == -1)
		return -1;
	if (p->want_size != 0 && p->want_size != out->size)
		return err_set(e, ERR_INTEGRITY, "layer has %llu bytes instead of %llu",
		    (unsigned long long)out->size, (unsigned long long)p->want_size);
	if (check_digest("digest of the layer", p->want_digest, out->digest, e) == -1)
		return -1;
	return check_digest("DiffID of the layer", p->want_diff, out->diff_id, e);
}

static int
put_done(struct job *j, struct result *r, bool cancelled, struct err *e)
{
	struct put *p = j->data;
	struct msg_layer_put_r out = {0};
	struct stage *g;
	struct staged *l;
	int rc = -1;

	if (r == NULL || cancelled)
		goto out;
	g = stage_find(&j->conn->stages, p->stage, e);
	if (g == NULL || put_verify(p, &r[0], &out, e) == -1 ||
	    (p->place.layout == LAYOUT_DIR && opaque_apply(p->place.content, &r[1], e) == -1))
		goto out;
	l = &g->layers[p->at];
	snprintf(l->digest, sizeof(l->digest), "%s", out.digest);
	l->size = out.size;
	l->tar_size = out.tar_size;
	/* Last: from now on image_commit may use it. */
	snprintf(l->diff_hex, sizeof(l->diff_hex), "%s", layer_hex(out.diff_id));
	if (p->keep)
		blob_end(g, l);
	rc = peer_send(j->conn->peer, &msg_layer_put_r_desc, j->seq, &out, e);
out:
	put_free(p);
	return rc;
}

static int
put_workers(struct job *j, const struct put *p, int stream, int copy, struct err *e)
{
	const struct store *s = &j->conn->srv->store;
	struct spawn inflate = {
	    .role = ROLE_INFLATE, .mode = copy >= 0 ? "keep" : "inflate", .nfds = COPY_SLOT + 1};
	struct spawn unpack = {
	    .role = p->place.layout == LAYOUT_EROFS ? ROLE_EROFS : ROLE_UNPACK,
	    .mode = s->single_id || s->opt.ignore_chown_errors ? "squash-ids" : "unpack",
	    .nfds = INDEX_SLOT + 1,
	};
	int between[2], rc;

	if (stream_pair(between, e) == -1)
		return -1;
	inflate.fds[0] = stream;
	inflate.fds[1] = between[1];
	inflate.fds[COPY_SLOT] = copy;
	unpack.fds[0] = between[0];
	/* Both workers have them at the same numbers. */
	unpack.fds[DIR_SLOT] = p->place.content;
	unpack.fds[INDEX_SLOT] = p->place.index;
	rc = job_start(j, &inflate, INFLATE_RESULT_SLOT, e);
	if (rc == 0)
		rc = job_start(j, &unpack, 1, e);
	fd_close(&between[0]);
	fd_close(&between[1]);
	return rc;
}

static struct put *
put_new(const struct rec_layer_ref *layer, uint32_t stage, struct partial *partial)
{
	struct put *p = xcalloc(1, sizeof(*p));

	p->partial = partial;
	p->place.content = p->place.index = -1;
	p->stage = stage;
	if (layer == NULL)
		return p;
	snprintf(p->want_diff, sizeof(p->want_diff), "%s", layer->diff_id);
	if (partial != NULL)
		return p;
	snprintf(p->want_digest, sizeof(p->want_digest), "%s",
	    layer->digest != NULL ? layer->digest : "");
	p->want_size = layer->size;
	p->keep = layer->kept;
	return p;
}

/* A third worker that makes the stream, of a directory or of parts; both NULL: there is none. */
struct maker {
	const struct transfer_source *from;
	struct partial *partial; /* taken */
	int out;
};

static int
start_maker(
    struct job *j, const struct put *p, const struct stage *g, const struct maker *m, struct err *e)
{
	if (m->partial != NULL)
		return partial_start(p->partial, j, g, &g->layers[p->at], m->out, e);
	return m->from != NULL ? start_pack(j, m->from, m->out, e) : 0;
}

static int
put_start(struct conn *c, uint32_t seq, struct stage *g, const struct rec_layer_ref *layer,
    int stream, const struct maker *m, struct err *e)
{
	struct put *p = put_new(layer, g->number, m->partial);
	enum layout layout = LAYOUT_DIR;
	own_fd int copy = -1;
	struct job *j = NULL;

	if (layout_of_new(places_first(&c->srv->store), &layout, e) == 0 &&
	    stage_layer(g, layout, &p->at, &p->place, e) == 0 &&
	    (!p->keep || (copy = blob_begin(g, &g->layers[p->at], e)) != -1))
		j = job_new(c, seq, put_done, p, e);
	if (j != NULL && put_workers(j, p, stream, copy, e) == 0 && start_maker(j, p, g, m, e) == 0)
		return 0;
	job_abort(j);
	put_free(p);
	return -1;
}

int
transfer_put(struct conn *c, uint32_t seq, struct msg_layer_put *m, struct err *e)
{
	struct stage *g = stage_find(&c->stages, m->stage, e);
	const struct maker none = {0};
	own_fd int stream = -1;

	if (g == NULL)
		return -1;
	if (m->layer->diff_id[0] != '\0' && layer_hex(m->layer->diff_id) == NULL)
		return err_set(e, ERR_INVALID, "a layer's DiffID is malformed");
	stream = fd_take(&m->stream);
	return put_start(c, seq, g, m->layer, stream, &none, e);
}

int
transfer_assemble(struct conn *c, uint32_t seq, struct msg_layer_assemble *m, struct err *e)
{
	struct stage *g = stage_find(&c->stages, m->stage, e);
	struct maker maker = {0};
	int between[2], r;

	if (g == NULL)
		return -1;
	if (layer_hex(m->layer->diff_id) == NULL || layer_hex(m->checksum) == NULL)
		return err_set(e, ERR_INVALID, "a digest of the layer is malformed");
	maker.partial = partial_new(places_first(&c->srv->store), m, e);
	if (maker.partial == NULL)
		return -1;
	if (stream_pair(between, e) == -1) {
		partial_free(maker.partial);
		return -1;
	}
	maker.out = between[1];
	r = put_start(c, seq, g, m->layer, between[0], &maker, e);
	fd_close(&between[0]);
	fd_close(&between[1]);
	return r;
}

int
transfer_take(
    struct conn *c, uint32_t seq, uint64_t stage, const struct transfer_source *from, struct err *e)
{
	struct stage *g = stage_find(&c->stages, stage, e);
	struct maker maker = {.from = from};
	int between[2], r;

	if (g == NULL || stream_pair(between, e) == -1)
		return -1;
	maker.out = between[1];
	r = put_start(c, seq, g, NULL, between[0], &maker, e);
	fd_close(&between[0]);
	fd_close(&between[1]);
	return r;
}

/* --- Out ------------------------------------------------------------------------------------------ */

/* A layer, wherever it lies. */
struct source {
	const struct store *at;
	const char *layer;
	int dir;
};

struct get {
	char digest[SHA256_HEX + 8]; /* of the tar, or of the kept blob */
	bool unseen;		     /* the stream is digested by its reader */
};

static int
get_done(struct job *j, struct result *r, bool cancelled, struct err *e)
{
	struct get *g = j->data;
	struct msg_layer_get_r out = {0};
	int rc = -1;

	if (r == NULL || cancelled)
		goto out;
	if (g->unseen) {
		out.diff_id = out.digest = g->digest;
		rc = peer_send(j->conn->peer, &msg_layer_get_r_desc, j->seq, &out, e);
		goto out;
	}
	out.diff_id = result_get(&r[j->n - 1], "plain_digest");
	out.digest = result_get(&r[j->n - 1], "packed_digest");
	if (layer_hex(out.diff_id) == NULL || layer_hex(out.digest) == NULL) {
		err_set(e, ERR_PEER, "the answer of the compressor is malformed");
		goto out;
	}
	if (result_u64(&r[j->n - 1], "packed_size", &out.size, e) == -1)
		goto out;
	/* Files of the layer were changed behind our back, or the disk lies. */
	if (check_digest("layer in the store", g->digest, out.diff_id, e) == -1)
		goto out;
	rc = peer_send(j->conn->peer, &msg_layer_get_r_desc, j->seq, &out, e);
out:
	free(g);
	return rc;
}

#define PASS "pass"

static const char *
get_mode(const char *form, struct err *e)
{
	static const char *const forms[][2] = {{"tar", "digest"}, {"gzip", "compress-gzip"},
	    {"zstd", "compress-zstd"}, {"raw", PASS}, {"blob", PASS}};

	if (form == NULL || *form == '\0')
		form = "tar";
	for (size_t i = 0; i < COUNTOF(forms); i++)
		if (strcmp(forms[i][0], form) == 0)
			return forms[i][1];
	err_set(e, ERR_INVALID, "a layer cannot be written in the form \"%s\"", form);
	return NULL;
}

/* A file that is given as it is or compressed. */
static int
get_file(struct job *j, int file, const char *mode, int stream, struct err *e)
{
	struct spawn copy = {.role = ROLE_INFLATE, .mode = mode, .nfds = INFLATE_RESULT_SLOT + 1};

	copy.fds[0] = file;
	copy.fds[1] = stream;
	return job_start(j, &copy, INFLATE_RESULT_SLOT, e);
}

static int
get_blob(struct job *j, int dir, const char *digest, int stream, struct err *e)
{
	own_fd int blob = blob_open(dir, digest);

	if (blob == -1)
		return err_set(e, ERR_NOTFOUND, "the blob of the layer was not kept");
	return get_file(j, blob, PASS, stream, e);
}

static int
get_tar(struct job *j, int dir, const char *mode, int stream, struct err *e)
{
	own_fd int tar = path_open(dir, LAYOUT_TAR, PATH_PLAIN, O_RDONLY, 0, e);

	return tar == -1 ? -1 : get_file(j, tar, mode, stream, e);
}

/* Of its files, and what tells how they stood in the tar. */
static int
get_by_index(struct job *j, int dir, int stream, struct err *e)
{
	struct spawn pack = {.role = ROLE_PACK, .mode = "pack", .nfds = FACTS_SLOT + 2};
	own_fd int diff = path_open(dir, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	own_fd int index = -1, facts = -1;

	if (diff == -1)
		return -1;
	index = path_try(dir, "tar.index", PATH_PLAIN, O_RDONLY, 0);
	/* The index has the marks of opaque directories too. */
	facts = transfer_facts(index == -1 ? diff : -1, NULL, NULL, e);
	pack.fds[1] = stream;
	pack.fds[DIR_SLOT] = diff;
	pack.fds[INDEX_SLOT] = index;
	pack.fds[FACTS_SLOT] = facts;
	return facts == -1 ? -1 : job_start(j, &pack, FACTS_SLOT + 1, e);
}

static int
get_by_split(struct job *j, const struct source *from, int stream, struct err *e)
{
	struct spawn split = {.role = ROLE_SPLIT, .mode = "split", .nfds = FACTS_SLOT + 2};
	own_fd int diff = path_open(from->dir, "diff", PATH_PLAIN, O_RDONLY | O_DIRECTORY, 0, e);
	own_fd int file = diff != -1 ? theirs_split(from->at, from->layer, e) : -1;

	if (file == -1)
		return -1;
	split.fds[1] = stream;
	split.fds[DIR_SLOT] = diff;
	split.fds[INDEX_SLOT] = file;
	return job_start(j, &split, FACTS_SLOT + 1, e);
}

static int
get_stream(struct job *j, const struct source *from, int stream, struct err *e)
{
	return from->at->theirs ? get_by_split(j, from, stream, e)
				: get_by_index(j, from->dir, stream, e);
}

static int
get_packed(struct job *j, const struct source *from, const char *mode, int stream, struct err *e)
{
	int between[2], rc;

	if (strcmp(mode, PASS) == 0)
		return get_stream(j, from, stream, e);
	if (stream_pair(between, e) == -1)
		return -1;
	rc = get_stream(j, from, between[1], e);
	if (rc == 0)
		rc = get_file(j, between[0], mode, stream, e);
	fd_close(&between[0]);
	fd_close(&between[1]);
	return rc;
}

static int
get_workers(struct job *j, const struct source *from, const char *mode, int stream, struct err *e)
{
	return layout_of(from->dir) == LAYOUT_EROFS ? get_tar(j, from->dir, mode, stream, e)
						    : get_packed(j, from, mode, stream, e);
}

int
transfer_get(struct conn *c, uint32_t seq, struct msg_layer_get *m, struct err *e)
{
	struct store *s = &c->srv->store;
	bool blob = m->form != NULL && strcmp(m->form, "blob") == 0;
	const char *mode = get_mode(m->form, e);
	own_fd int dir = -1, stream = -1;
	struct source from;
	struct store *at;
	struct get *g;
	struct job *j;
	sqlite3_stmt *q;
	int r;

	if (mode == NULL)
		return -1;
	if (!text_is_hex(m->layer, 64))
		return err_set(e, ERR_INVALID, "the identifier of a layer is malformed");
	at = places_layer(s, m->layer, e);
	if (at == NULL)
		return -1;
	q = db_query(&at->db, SQL_LAYER_ROW, e, "t", m->layer);
	r = db_step(&at->db, q, e);
	if (r != 1)
		return r == -1 ? -1 : err_set(e, ERR_NOTFOUND, "%s: layer not known", m->layer);
	g = xcalloc(1, sizeof(*g));
	g->unseen = strcmp(mode, PASS) == 0;
	if (blob)
		snprintf(g->digest, sizeof(g->digest), "%s", m->digest != NULL ? m->digest : "");
	else
		snprintf(g->digest, sizeof(g->digest), "sha256:%s", db_text(q, 0));
	db_done(q);
	dir = store_open_layer(at, m->layer, "", e);
	stream = fd_take(&m->stream);
	if (dir == -1) {
		free(g);
		return -1;
	}
	from = (struct source){at, m->layer, dir};
	j = job_new(c, seq, get_done, g, e);
	if (j != NULL && (blob ? get_blob(j, dir, m->digest, stream, e)
			       : get_workers(j, &from, mode, stream, e)) == 0)
		return 0;
	job_abort(j);
	free(g);
	return -1;
}
