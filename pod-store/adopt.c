/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "common/base/own.h"
#include "pod-store/adopt.h"
#include "pod-store/bring.h"
#include "pod-store/image.h"

/* The row of a statement that must have one. */
static sqlite3_stmt *
row(struct store *s, enum db_sql which, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&s->db, which, e, "t", id);

	switch (db_step(&s->db, q, e)) {
	case 1:
		return q;
	case 0:
		err_set(e, ERR_NOTFOUND, "%s: image not known", id);
		return NULL;
	default:
		return NULL;
	}
}

static int
copy_image(struct store *to, struct store *from, const char *id, struct err *e)
{
	sqlite3_stmt *top = row(from, SQL_IMAGE_TOP, id, e);
	sqlite3_stmt *im = top != NULL ? row(from, SQL_IMAGE_ROW, id, e) : NULL;
	sqlite3_stmt *q;
	int r;

	if (im == NULL)
		return -1;
	q = db_query(&to->db, SQL_IMAGE_ADD, e, "tttiiti", id, db_text(im, 1), db_text(im, 2),
	    db_int(im, 3), db_int(im, 4), db_text(top, 0), (int64_t)time(NULL));
	r = db_run(&to->db, q, e);
	/* What is not ended keeps its index as it was then. */
	db_done(top);
	db_done(im);
	return r;
}

static int
copy_documents(struct store *to, struct store *from, const char *id, struct err *e)
{
	sqlite3_stmt *d = row(from, SQL_IMAGE_DOCUMENTS, id, e);
	sqlite3_stmt *c = d != NULL ? row(from, SQL_IMAGE_CONFIG, id, e) : NULL;
	sqlite3_stmt *q;
	int r;

	if (c == NULL)
		return -1;
	q = db_query(&to->db, SQL_DOCUMENT_ADD, e, "tbbb", id, sqlite3_column_blob(d, 0),
	    (size_t)sqlite3_column_bytes(d, 0), sqlite3_column_blob(d, 1),
	    (size_t)sqlite3_column_bytes(d, 1), sqlite3_column_blob(c, 0),
	    (size_t)sqlite3_column_bytes(c, 0));
	r = db_run(&to->db, q, e);
	db_done(d);
	db_done(c);
	return r;
}

static int
copy_layers(struct store *to, struct store *from, const char *id, struct err *e)
{
	sqlite3_stmt *q = db_query(&from->db, SQL_LAYERS_OF, e, "t", id);
	own_mem char *below = xstrdup("");
	int64_t position = 0;
	int r;

	while ((r = db_step(&from->db, q, e)) == 1) {
		const char *layer = db_text(q, 0);

		if (bring_layer(to, layer, below, db_text(q, 1), e) != 1 ||
		    db_run(&to->db,
			db_query(&to->db, SQL_LAYER_USE, e, "tittti", id, position, layer,
			    db_text(q, 2), db_text(q, 3), db_int(q, 4)),
			e) == -1)
			return err_is_set(e)
				   ? -1
				   : err_set(e, ERR_NOTFOUND, "%s: layer not known", layer);
		own_mem_free(&below);
		below = xstrdup(layer);
		position++;
	}
	return r;
}

static int
copy_signatures(struct store *to, struct store *from, const char *id, struct err *e)
{
	sqlite3_stmt *im = row(from, SQL_IMAGE_ROW, id, e), *q;
	own_mem char *digest = im != NULL ? xstrdup(db_text(im, 1)) : NULL;
	int64_t position = 0;
	int r;

	if (im == NULL)
		return -1;
	db_done(im);
	q = db_query(&from->db, SQL_SIGNATURES_OF, e, "t", id);
	while ((r = db_step(&from->db, q, e)) == 1)
		if (db_run(&to->db,
			db_query(&to->db, SQL_SIGNATURE_ADD, e, "ttib", id, digest, position++,
			    sqlite3_column_blob(q, 0), (size_t)sqlite3_column_bytes(q, 0)),
			e) == -1)
			return -1;
	return r;
}

int
adopt_image(struct store *to, struct store *from, const char *id, struct err *e)
{
	return copy_image(to, from, id, e) == 0 && copy_documents(to, from, id, e) == 0 &&
		       copy_layers(to, from, id, e) == 0 && copy_signatures(to, from, id, e) == 0
		   ? 0
		   : -1;
}
