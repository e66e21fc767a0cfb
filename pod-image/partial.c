/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/fs/stream.h"
#include "pod-image/partial.h"

#define PLAN_MAX ((size_t)512 << 10)

static const char magic[] = "ranges1\n";

bool
partial_suits(const struct manifest_desc *d)
{
	return d->chunked != NULL && d->size >= PARTIAL_BLOB_MIN &&
	       manifest_layer_form(d->media_type) == MANIFEST_LAYER_ZSTD;
}

static void
drop(int *fd)
{
	if (*fd > 0)
		close(*fd);
	*fd = 0;
}

static uint64_t
tail_size(const struct manifest_chunked *c)
{
	return c->split_at + c->split_size - c->toc_at;
}

static int
ask_tail(struct partial *p, int stream, struct err *e)
{
	const struct manifest_chunked *c = p->desc->chunked;
	const uint64_t pair[2] = {htole64(c->toc_at), htole64(tail_size(c))};

	p->fetched = tail_size(c);
	return p->ask(p->arg, p->layer, (struct bytes){(const uint8_t *)pair, sizeof(pair)}, true,
	    stream, &p->tail_seq, e);
}

static int
ask_store(struct partial *p, struct peer *store, uint64_t stage, const struct rec_layer_ref *layer,
    const int fds[3], uint32_t *put_seq, struct err *e)
{
	const struct manifest_chunked *c = p->desc->chunked;
	struct rec_layer_ref ref = {.diff_id = layer->diff_id};
	struct msg_layer_assemble m = {.stage = stage,
	    .layer = &ref,
	    .checksum = c->checksum,
	    .blob_size = p->desc->size,
	    .toc_at = c->toc_at,
	    .toc_size = c->toc_size,
	    .toc_plain = c->toc_plain,
	    .split_at = c->split_at,
	    .split_size = c->split_size,
	    .tail = fds[0],
	    .plan = fds[1],
	    .frames = fds[2]};

	*put_seq = peer_next_seq(store);
	return peer_send(store, &msg_layer_assemble_desc, *put_seq, &m, e);
}

int
partial_start(struct partial *p, struct peer *store, uint64_t stage,
    const struct rec_layer_ref *layer, uint32_t *put_seq, struct err *e)
{
	int tail[2] = {-1, -1}, plan[2] = {-1, -1}, frames[2] = {-1, -1}, r = -1;

	if (stream_pair(tail, e) == 0 && stream_pair(plan, e) == 0 && stream_pair(frames, e) == 0) {
		const int theirs[] = {tail[0], plan[1], frames[0]};

		p->plan = fd_take(&plan[0]);
		p->frames = fd_take(&frames[1]);
		(void)fcntl(p->plan, F_SETFL, O_NONBLOCK);
		r = ask_tail(p, tail[1], e);
		if (r == 0)
			r = ask_store(p, store, stage, layer, theirs, put_seq, e);
	}
	for (int i = 0; i < 2; i++) {
		fd_close(&tail[i]);
		fd_close(&plan[i]);
		fd_close(&frames[i]);
	}
	return r;
}

int
partial_fd(const struct partial *p)
{
	return p->plan > 0 ? p->plan : -1;
}

static int
ask_frames(struct partial *p, struct err *e)
{
	const size_t head = sizeof(magic) - 1;
	struct bytes ranges = {(const uint8_t *)p->text.s + head, p->text.n - head};
	uint64_t pair[2];

	for (size_t i = 0; i + sizeof(pair) <= ranges.n; i += sizeof(pair)) {
		memcpy(pair, ranges.p + i, sizeof(pair));
		p->fetched += le64toh(pair[1]);
	}
	return ranges.n > 0 ? p->ask(p->arg, p->layer, ranges, false, p->frames, &p->frames_seq, e)
			    : 0;
}

/* The plan is whole.  Without one the store has failed, and says so in its answer. */
static int
on_plan(struct partial *p, struct err *e)
{
	int r = 0;

	drop(&p->plan);
	if (p->text.n < sizeof(magic) - 1 || memcmp(p->text.s, magic, sizeof(magic) - 1) != 0)
		p->failed = true;
	else
		r = ask_frames(p, e);
	drop(&p->frames);
	return r;
}

int
partial_read(struct partial *p, struct err *e)
{
	char buf[16384];
	ssize_t n = read(p->plan, buf, sizeof(buf));

	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n == -1)
		return err_sys(e, "reading what is wanted of a layer");
	if (n == 0)
		return on_plan(p, e);
	strbuf_addn(&p->text, buf, (size_t)n);
	if (p->text.n > PLAN_MAX)
		return err_set(e, ERR_PEER, "pod-store wants too many parts of a layer");
	return 0;
}

bool
partial_owns(const struct partial *p, uint32_t seq)
{
	return p->desc != NULL &&
	       (seq == p->tail_seq || (p->frames_seq != 0 && seq == p->frames_seq));
}

void
partial_answered(struct partial *p, uint32_t seq, bool ok)
{
	*(seq == p->tail_seq ? &p->tail_done : &p->frames_done) = true;
	if (!ok)
		partial_fail(p);
}

bool
partial_is_done(const struct partial *p)
{
	return p->tail_done && p->plan == 0 && (p->frames_seq == 0 || p->frames_done);
}

void
partial_fail(struct partial *p)
{
	p->failed = true;
	drop(&p->plan);
	drop(&p->frames);
}

void
partial_free(struct partial *p)
{
	drop(&p->plan);
	drop(&p->frames);
	strbuf_free(&p->text);
	*p = (struct partial){0};
}
