/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/cli/human.h"
#include "pod-store/bring.h"
#include "pod-store/flush.h"
#include "pod-store/image.h"
#include "pod-store/layer.h"
#include "pod-store/naming.h"
#include "pod-store/stage.h"
#include "pod-store/unwritten.h"

/* What is checked and computed before anything is changed. */
struct plan {
	char id[SHA256_HEX], digest[SHA256_HEX + 8];
	struct strv names;
	struct strv chain; /* identifiers of the layers, lowest first */
	int64_t created_ns;
	bool bring; /* some layer comes from the area */
};

static void
plan_free(struct plan *p)
{
	strv_free(&p->names);
	strv_free(&p->chain);
}

static int
plan_names(struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	for (size_t i = 0; i < m->names.n; i++) {
		char *full = naming_full(m->names.v[i], e);

		if (full == NULL)
			return -1;
		strv_take(&p->names, full);
	}
	return 0;
}

/* The configuration must speak of exactly these layers, or the image would not be what its ID says. */
static int
plan_layers(struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	char id[SHA256_HEX] = "";

	if (m->parsed->diff_ids.n != m->layers.n)
		return err_set(e, ERR_INTEGRITY,
		    "the image's configuration names %zu layers, its manifest %zu",
		    m->parsed->diff_ids.n, m->layers.n);
	for (size_t i = 0; i < m->layers.n; i++) {
		const char *hex = layer_hex(m->layers.v[i].diff_id);
		char parent[SHA256_HEX];

		if (hex == NULL || strcmp(m->layers.v[i].diff_id, m->parsed->diff_ids.v[i]) != 0)
			return err_set(e, ERR_INTEGRITY,
			    "layer %zu of the image is not the one its configuration names", i);
		memcpy(parent, id, sizeof(parent));
		layer_id(parent, hex, id);
		strv_add(&p->chain, id);
	}
	return 0;
}

static int
plan(struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	sha256_hex(m->config.p, m->config.n, p->id);
	memcpy(p->digest, "sha256:", 7);
	sha256_hex(m->manifest.p, m->manifest.n, p->digest + 7);
	if (m->manifest.n == 0)
		p->digest[0] = '\0';
	if (m->parsed->created != NULL)
		human_parse_rfc3339(m->parsed->created, &p->created_ns);
	return plan_names(p, m, e) == 0 && plan_layers(p, m, e) == 0 ? 0 : -1;
}

/* --- Within the transaction ----------------------------------------------------------------------- */

static int
settle(struct store *s, struct stage *g, struct plan *p, const struct msg_image_commit *m, size_t i,
    struct err *e)
{
	const char *hex = layer_hex(m->layers.v[i].diff_id);
	const char *parent = i > 0 ? p->chain.v[i - 1] : "";
	struct staged *l;
	int r = layer_present(s, p->chain.v[i], e);

	if (r != 0)
		return r == 1 ? 0 : -1;
	l = stage_layer_find(g, hex);
	if (l == NULL && (r = bring_layer(s, p->chain.v[i], parent, hex, e)) != 0)
		return r == 1 ? 0 : -1;
	if (l == NULL) {
		err_set(e, ERR_STATE, "layer %s of the image is not in the store", p->chain.v[i]);
		return err_hint(e, "It may have been removed meanwhile; try again.");
	}
	p->bring = true;
	if (!g->sync && unwritten_add(s, p->chain.v[i], e) == -1)
		return -1;
	return layer_settle(s, g->dir, l->name, p->chain.v[i], parent, hex, l->tar_size, e);
}

static int64_t
layers_size(struct store *s, const struct plan *p, struct err *e)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->chain.n; i++) {
		sqlite3_stmt *q = db_query(&s->db, SQL_LAYER_ROW, e, "t", p->chain.v[i]);

		if (db_step(&s->db, q, e) != 1)
			return -1;
		sum += db_int(q, 1);
		db_done(q);
	}
	return sum;
}

static int
use_layers(struct store *s, const struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	for (size_t i = 0; i < p->chain.n; i++) {
		const struct rec_layer_ref *l = &m->layers.v[i];
		sqlite3_stmt *q = db_query(&s->db, SQL_LAYER_USE, e, "tittti", p->id, (int64_t)i,
		    p->chain.v[i], l->digest != NULL ? l->digest : "",
		    l->media_type != NULL ? l->media_type : "", (int64_t)l->size);

		if (db_run(&s->db, q, e) == -1)
			return -1;
	}
	return 0;
}

static int
add_rows(struct store *s, const struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	own_strbuf struct strbuf parsed = {0};
	int64_t size = layers_size(s, p, e);
	sqlite3_stmt *q;

	if (size == -1)
		return -1;
	size += (int64_t)(m->manifest.n + m->config.n);
	q = db_query(&s->db, SQL_IMAGE_ADD, e, "tttiiti", p->id, p->digest,
	    m->media_type != NULL ? m->media_type : "", size, p->created_ns,
	    p->chain.n > 0 ? p->chain.v[p->chain.n - 1] : "", (int64_t)time(NULL));
	if (db_run(&s->db, q, e) == -1)
		return -1;
	wire_pack(&rec_image_config_desc, m->parsed, &parsed);
	q = db_query(&s->db, SQL_DOCUMENT_ADD, e, "tbbb", p->id, m->manifest.p, m->manifest.n,
	    m->config.p, m->config.n, parsed.s, parsed.n);
	return db_run(&s->db, q, e);
}

/* The same image by another manifest: the newest one is what push and inspect speak of. */
static int
renew_rows(struct store *s, const struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	sqlite3_stmt *q;

	if (m->manifest.n == 0)
		return 0;
	q = db_query(&s->db, SQL_IMAGE_SET_DIGEST, e, "ttt", p->id, p->digest,
	    m->media_type != NULL ? m->media_type : "");
	if (db_run(&s->db, q, e) == -1)
		return -1;
	q = db_query(
	    &s->db, SQL_DOCUMENT_SET_MANIFEST, e, "tb", p->id, m->manifest.p, m->manifest.n);
	return db_run(&s->db, q, e);
}

static int
add_names(struct store *s, const struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	for (size_t i = 0; i < p->names.n; i++)
		if (image_add_name(s, p->id, p->names.v[i], e) == -1)
			return -1;
	for (size_t i = 0; i < m->repo_digests.n; i++)
		if (image_add_name(s, p->id, m->repo_digests.v[i], e) == -1)
			return -1;
	return 0;
}

/* What came with the image; an image that came without any this time keeps what is known of its manifest. */
static int
put_signatures(
    struct store *s, const struct plan *p, const struct msg_image_commit *m, struct err *e)
{
	if (m->signatures.n == 0)
		return 0;
	if (db_run(&s->db, db_query(&s->db, SQL_SIGNATURES_TAKE, e, "tt", p->id, p->digest), e) ==
	    -1)
		return -1;
	for (size_t i = 0; i < m->signatures.n; i++) {
		const struct bytes *b = &m->signatures.v[i].file;
		sqlite3_stmt *q = db_query(
		    &s->db, SQL_SIGNATURE_ADD, e, "ttib", p->id, p->digest, (int64_t)i, b->p, b->n);

		if (db_run(&s->db, q, e) == -1)
			return -1;
	}
	return 0;
}

static int
write_image(struct store *s, struct stage *g, struct plan *p, const struct msg_image_commit *m,
    struct err *e)
{
	sqlite3_stmt *q;
	int r;

	for (size_t i = 0; i < p->chain.n; i++)
		if (settle(s, g, p, m, i, e) == -1)
			return -1;
	if (p->bring && layer_sync(s, e) == -1)
		return -1;
	q = db_query(&s->db, SQL_IMAGE_TOP, e, "t", p->id);
	r = db_step(&s->db, q, e);
	if (r == -1)
		return -1;
	if (r == 1)
		db_done(q);
	if ((r == 1 ? renew_rows(s, p, m, e) : add_rows(s, p, m, e)) == -1)
		return -1;
	return use_layers(s, p, m, e) == 0 && add_names(s, p, m, e) == 0 &&
		       put_signatures(s, p, m, e) == 0
		   ? 0
		   : -1;
}

int
stage_commit(struct store *s, struct stage *g, const struct msg_image_commit *m,
    char id[SHA256_HEX], struct err *e)
{
	own(plan_free) struct plan p = {0};
	bool ok;

	if (plan(&p, m, e) == -1)
		return err_wrap(e, "committing the image");
	flush_end(g->flush);
	g->flush = NULL;
	if (g->n > 0 && g->sync && syncfs(g->dir) == -1)
		return err_sys(e, "committing image %s: writing its layers", p.id);
	if (g->n > 0 && !g->sync && unwritten_begin(s, e) == -1)
		return err_wrap(e, "committing image %s", p.id);
	if (db_grow(&s->db, e) == -1)
		return err_wrap(e, "committing image %s", p.id);
	ok = write_image(s, g, &p, m, e) == 0;
	if (db_end(&s->db, ok, e) == -1)
		return err_wrap(e, "committing image %s", p.id);
	memcpy(id, p.id, SHA256_HEX);
	return 0;
}
