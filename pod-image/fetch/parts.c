/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-image/fetch/parts.h"
#include "pod-image/fetch/ranges.h"

#define SINGLE_MAX 6	/* so few are asked for one by one, which every server understands */
#define REQUEST_MAX 300 /* ranges of one request: servers take headers of 8 KiB */

struct parts {
	struct range *v;
	size_t n, at; /* at: first of the request under way */
	bool exact;   /* the whole blob is no answer */
	struct ranges body;
	uint64_t given,
	    drop; /* bytes of this request: given already; of a further try to be left out */
	char *header;
};

void
parts_free(struct parts *p)
{
	if (p == NULL)
		return;
	free(p->v);
	free(p->header);
	free(p);
}

/* The body of an answer begins. */
static int
begin(void *arg, const struct http_exchange *x, struct err *e)
{
	struct op *op = arg;
	struct parts *p = op->parts;

	p->drop = p->given;
	if (x->status == 200) {
		if (p->exact)
			return err_set(e, ERR_UNSUPPORTED, "the registry gives no parts of blobs");
		p->body.n = p->n - p->at;
	}
	return ranges_begin(&p->body, x->status, x->content_type, x->content_range, e);
}

static int
give(struct op *op, const char *s, size_t n, struct err *e)
{
	struct parts *p = op->parts;
	size_t drop = n < p->drop ? n : (size_t)p->drop;

	p->drop -= drop;
	p->given += n - drop;
	op->r.offset += n - drop;
	return op_write(op, s + drop, n - drop, e);
}

static enum http_sink_result
sink(void *arg, const char *s, size_t n, struct err *e)
{
	struct op *op = arg;
	size_t skip, some;

	if (op->pending.n > 0) {
		op->paused = true;
		return HTTP_SINK_PAUSE;
	}
	for (; n > 0; s += skip + some, n -= skip + some) {
		if (ranges_take(&op->parts->body, s, n, &skip, &some, e) < 0 ||
		    (some > 0 && give(op, s + skip, some, e) < 0))
			return HTTP_SINK_FAIL;
	}
	return HTTP_SINK_OK;
}

static void
next_request(struct op *op)
{
	struct parts *p = op->parts;
	own_strbuf struct strbuf b = {0};
	size_t left = p->n - p->at;

	p->body.v = p->v + p->at;
	p->body.n = left <= SINGLE_MAX ? 1 : left < REQUEST_MAX ? left : REQUEST_MAX;
	p->given = 0;
	for (size_t i = 0; i < p->body.n; i++)
		strbuf_addf(&b, "%s%" PRIu64 "-%" PRIu64, i == 0 ? "bytes=" : ",", p->body.v[i].at,
		    p->body.v[i].at + p->body.v[i].size - 1);
	free(p->header);
	op->r.wanted = p->header = strbuf_take(&b);
}

static int
finish(struct worker *w, struct op *op, struct err *e)
{
	struct parts *p = op->parts;
	struct msg_fetch_blob_r out = {.size = op->r.offset};

	if (p->body.done < p->body.n)
		return err_set(e, ERR_FORMAT,
		    "the registry sent less of blob %s than was asked for", op->want);
	p->at += p->body.n;
	if (p->at < p->n) {
		next_request(op);
		request_start(&op->r);
		return 0;
	}
	fd_close(&op->fd);
	return peer_send(w->peer, &msg_fetch_blob_r_desc, op->seq, &out, e);
}

/* Pairs of numbers, 64 bits each, little-endian. */
static struct parts *
read_ranges(const struct bytes *b, uint64_t total, struct err *e)
{
	struct parts *p = xcalloc(1, sizeof(*p));
	uint64_t end = 0, pair[2];

	p->n = b->n / sizeof(pair);
	p->v = xcalloc(p->n + 1, sizeof(*p->v));
	for (size_t i = 0; i < p->n; i++) {
		memcpy(pair, b->p + i * sizeof(pair), sizeof(pair));
		p->v[i] = (struct range){le64toh(pair[0]), le64toh(pair[1])};
		if (p->v[i].at < end || p->v[i].at >= total || p->v[i].size == 0 ||
		    p->v[i].size > total - p->v[i].at) {
			parts_free(p);
			err_set(e, ERR_INVALID, "these are no ranges of the blob");
			return NULL;
		}
		end = p->v[i].at + p->v[i].size;
	}
	p->body.total = total;
	return p;
}

int
parts_fetch(struct peer *peer, struct peer_in *in, void *worker, struct err *e)
{
	struct msg_fetch_parts *m = MSG_OF(in, fetch_parts);
	struct worker *w = worker;
	struct parts *p;
	struct op *op;

	(void)peer;
	if (op_check_repository(m->repository, e) < 0)
		return -1;
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	if (m->ranges.n == 0 || m->ranges.n % 16 != 0)
		return err_set(e, ERR_INVALID, "malformed ranges");
	if (op_admit(w, e) < 0 || op_nonblocking(m->stream, e) < 0 ||
	    (p = read_ranges(&m->ranges, m->size, e)) == NULL)
		return -1;
	op = op_new(w, in->seq, finish);
	op->parts = p;
	p->exact = m->exact;
	op->fd = fd_take(&m->stream);
	op->want = xstrdup(m->digest);
	op->bulk = true;
	for (size_t i = 0; i < p->n; i++)
		op->size += p->v[i].size;
	op->r.sink = sink;
	op->r.sink_arg = op;
	op->r.begin = begin;
	op_target(op, m->repository, "blobs/", m->digest);
	next_request(op);
	return 0;
}
