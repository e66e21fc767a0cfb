/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/own.h"
#include "common/fs/file.h"
#include "pod-store/layer/assemble.h"
#include "pod-store/layer/inflate.h"

/* --- The tail ------------------------------------------------------------------------------------------ */

static int
check_digest(const void *p, size_t n, const char *want, const char *what, struct err *e)
{
	struct digest d = {0};
	char got[DIGEST_TEXT];

	if (digest_init(&d, e) == -1)
		return -1;
	digest_add(&d, p, n);
	digest_text(&d, got);
	digest_free(&d);
	return strcmp(got, want) == 0
		   ? 0
		   : err_set(e, ERR_INTEGRITY,
			 "the %s of the layer has another digest than it must", what);
}

/* Is this one piece of the blob, the table of contents first? */
static bool
is_tail(const struct assemble_job *j)
{
	const struct toc_place *t = &j->toc, *s = &j->split;

	return t->size > 0 && s->size > 0 && t->at <= j->blob_size &&
	       t->size <= j->blob_size - t->at && s->at >= t->at + t->size &&
	       s->at <= j->blob_size && s->size <= j->blob_size - s->at &&
	       s->at + s->size - t->at <= ASSEMBLE_TAIL_MAX && t->plain <= TOC_MAX;
}

static int
read_tail(struct assemble *a, struct err *e)
{
	const struct assemble_job *j = &a->job;
	ssize_t n;

	if (!is_tail(j))
		return err_set(
		    e, ERR_FORMAT, "the index of the layer cannot be where it is said to be");
	a->tail_n = j->split.at + j->split.size - j->toc.at;
	a->tail_bytes = xmalloc(a->tail_n);
	a->split = a->tail_bytes + (j->split.at - j->toc.at);
	n = file_get(a->tail, a->tail_bytes, a->tail_n);
	if (n == -1)
		return err_sys(e, "reading the index of the layer");
	if ((size_t)n != a->tail_n)
		return err_set(e, ERR_FORMAT, "the index of the layer ends too early");
	return check_digest(a->tail_bytes, j->toc.size, j->checksum, "table of contents", e);
}

static int
read_target(struct assemble *a, struct err *e)
{
	const struct assemble_job *j = &a->job;
	char split[DIGEST_TEXT];
	own_mem char *text = NULL;
	size_t n;

	if (read_tail(a, e) == -1 ||
	    toc_unpack(a->tail_bytes, j->toc.size, j->toc.plain, &text, &n, e) == -1 ||
	    reuse_target(&a->reuse, text, n, j->toc.at, split, e) == -1)
		return -1;
	return split[0] == '\0' ? 0 : check_digest(a->split, j->split.size, split, "tar-split", e);
}

/* For the layers to come: as the end of a blob, with only a table of contents before it. */
static int
keep(const struct assemble *a, struct err *e)
{
	const struct toc_place *t = &a->job.toc;
	uint64_t footer[TOC_FOOTER / 8] = {htole64(UINT64_C(64) << 32 | 0x184d2a50), 0,
	    htole64(t->size), htole64(t->plain), htole64(1)};

	memcpy(&footer[8], "GNUlInUx", 8);
	if (file_put(a->keep, a->tail_bytes, t->size) == -1 ||
	    file_put(a->keep, footer, sizeof(footer)) == -1)
		return err_sys(e, "keeping the table of contents of the layer");
	return 0;
}

/* --- What the store has -------------------------------------------------------------------------------- */

static bool
read_at(int fd, void *p, size_t n, uint64_t at)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = pread(fd, (char *)p + done, n - done, (off_t)(at + done));

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static void
read_source(struct assemble *a, size_t k)
{
	uint8_t footer[TOC_FOOTER];
	struct toc_place place;
	struct err ignored = {0};
	own_mem char *packed = NULL, *text = NULL;
	struct stat st;
	size_t n;

	if (fstat(a->sources[k], &st) == -1 || st.st_size < (off_t)TOC_FOOTER ||
	    !read_at(a->sources[k], footer, TOC_FOOTER, (uint64_t)st.st_size - TOC_FOOTER) ||
	    toc_footer(footer, (uint64_t)st.st_size, &place, &ignored) == -1 ||
	    place.size > ASSEMBLE_TAIL_MAX)
		return;
	packed = xmalloc(place.size + 1);
	if (!read_at(a->sources[k], packed, place.size, place.at) ||
	    toc_unpack(packed, place.size, place.plain, &text, &n, &ignored) == -1)
		return;
	reuse_source(&a->reuse, (int)k, text, n);
}

static int
send_plan(struct assemble *a, struct err *e)
{
	const struct reuse *r = &a->reuse;
	own_strbuf struct strbuf b = {0};

	strbuf_add(&b, ASSEMBLE_PLAN);
	for (size_t i = 0; i < r->nranges; i++) {
		uint64_t pair[2] = {htole64(r->ranges[i].at), htole64(r->ranges[i].size)};

		strbuf_addn(&b, (const char *)pair, sizeof(pair));
	}
	if (file_put(a->plan, b.s, b.n) == -1)
		return err_sys(e, "asking for parts of the layer");
	/* Its reader waits for the end. */
	fd_close(&a->plan);
	return 0;
}

static int
plan(struct assemble *a, struct err *e)
{
	struct reuse *r = &a->reuse;

	for (size_t k = 0; k < a->job.nsources && r->missing > 0; k++)
		read_source(a, k);
	reuse_plan(r);
	if (r->fetched + a->tail_n > a->job.blob_size / 4 * 3)
		return err_set(e, ERR_UNSUPPORTED, "most of the layer is not there");
	return send_plan(a, e);
}

/* --- Contents ------------------------------------------------------------------------------------------ */

static int
write_out(struct assemble *a, const void *p, size_t n, struct err *e)
{
	a->written += n;
	if (a->written > INFLATE_MAX ||
	    (a->written > INFLATE_FREE &&
		(a->written - INFLATE_FREE) / INFLATE_RATIO > a->job.blob_size))
		return err_set(e, ERR_LIMIT,
		    "the layer grows to more than 1 GiB and 200 times its compressed size");
	return file_put(a->out, p, n) == -1 ? err_sys(e, "passing the layer on") : 0;
}

static int
check_file(struct digest *d, const struct reuse_file *x, struct err *e)
{
	char got[DIGEST_TEXT];
	uint8_t bytes[SHA256_SIZE];

	digest_text(d, got);
	return toc_digest(got, bytes) == 0 && memcmp(bytes, x->digest, sizeof(bytes)) == 0
		   ? 0
		   : err_set(
			 e, ERR_INTEGRITY, "a file of the layer has another digest than it must");
}

/* The files that come next, as descriptors. */
static int
receive_files(struct assemble *a, size_t n, struct err *e)
{
	char ok[ASSEMBLE_BATCH];
	union {
		char bytes[CMSG_SPACE(ASSEMBLE_BATCH * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {ok, sizeof(ok)};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control)};
	ssize_t got;
	struct cmsghdr *c;
	size_t have = 0;

	do
		got = recvmsg(a->files, &m, MSG_CMSG_CLOEXEC);
	while (got == -1 && errno == EINTR);
	if (got != (ssize_t)n)
		return got == -1 ? err_sys(e, "receiving files of the store")
				 : err_set(e, ERR_PEER, "pod-store has gone");
	c = CMSG_FIRSTHDR(&m);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		have = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	a->fds_n = n;
	a->fds_at = 0;
	for (size_t i = 0, k = 0; i < n; i++) {
		a->fds[i] = -1;
		if (ok[i] && k < have)
			memcpy(&a->fds[i], CMSG_DATA(c) + k++ * sizeof(int), sizeof(int));
	}
	return 0;
}

static int
ask_files(struct assemble *a, struct err *e)
{
	own_strbuf struct strbuf b = {0};
	size_t n = 0;

	for (; a->asked < a->reuse.n && n < ASSEMBLE_BATCH; a->asked++) {
		const struct reuse_file *x = &a->reuse.files[a->asked];
		const char *path = a->reuse.names.s + x->name;
		struct assemble_ask ask;

		if (x->source < 0)
			continue;
		ask = (struct assemble_ask){(uint32_t)x->source, (uint32_t)strlen(path) + 1};
		if (b.n + sizeof(ask) + ask.path_n > ASSEMBLE_PACKET)
			break;
		strbuf_addn(&b, (const char *)&ask, sizeof(ask));
		strbuf_addn(&b, path, ask.path_n);
		n++;
	}
	if (send(a->files, b.s, b.n, MSG_NOSIGNAL) != (ssize_t)b.n)
		return err_sys(e, "asking for files of the store");
	return receive_files(a, n, e);
}

static int
copy_local(struct assemble *a, const struct reuse_file *x, struct digest *d, struct err *e)
{
	own_fd int fd = -1;
	uint64_t left = x->size;

	if (a->fds_at == a->fds_n && ask_files(a, e) == -1)
		return -1;
	fd = fd_take(&a->fds[a->fds_at++]);
	if (fd == -1)
		return err_set(e, ERR_NOTFOUND, "a file of the store has gone");
	while (left > 0) {
		ssize_t n = file_get(fd, a->buffer, left < INFLATE_BUFFER ? left : INFLATE_BUFFER);

		if (n == -1)
			return err_sys(e, "reading a file of the store");
		if (n == 0)
			return err_set(e, ERR_INTEGRITY, "a file of the store has become shorter");
		digest_add(d, a->buffer, (size_t)n);
		if (write_out(a, a->buffer, (size_t)n, e) == -1)
			return -1;
		left -= (uint64_t)n;
	}
	return 0;
}

/* Up to size bytes of the blob, from a->pos, which stands in a range. */
static ssize_t
read_frames(struct assemble *a, char *p, size_t size, struct err *e)
{
	ssize_t n = file_get(a->frames, p, size);

	if (n == -1)
		return err_sys(e, "reading parts of the layer");
	if ((size_t)n < size)
		return err_set(e, ERR_FORMAT, "the parts of the layer end too early");
	a->pos += size;
	return n;
}

/* To where the frames of x begin. */
static int
seek_frames(struct assemble *a, const struct reuse_file *x, char *p, size_t size, struct err *e)
{
	const struct reuse_range *v = a->reuse.ranges;

	while (x->at >= v[a->range].at + v[a->range].size)
		a->pos = v[++a->range].at;
	while (a->pos < x->at) {
		uint64_t left = x->at - a->pos;

		if (read_frames(a, p, left < size ? (size_t)left : size, e) == -1)
			return -1;
	}
	return 0;
}

static int
inflate_some(struct assemble *a, ZSTD_inBuffer *in, uint64_t *left, size_t *state, struct digest *d,
    struct err *e)
{
	bool full;

	do {
		ZSTD_outBuffer out = {a->buffer, INFLATE_BUFFER, 0};

		*state = ZSTD_decompressStream(a->zstd, &out, in);
		if (ZSTD_isError(*state))
			return err_set(e, ERR_FORMAT,
			    "a part of the layer's compressed stream is damaged: %s",
			    ZSTD_getErrorName(*state));
		if (out.pos > *left)
			return err_set(e, ERR_FORMAT, "a file of the layer is longer than it says");
		*left -= out.pos;
		digest_add(d, out.dst, out.pos);
		if (write_out(a, out.dst, out.pos, e) == -1)
			return -1;
		/* At the end of a frame all of it is out, even if that filled the buffer. */
		full = *state != 0 && out.pos == out.size;
	} while (in->pos < in->size || full);
	return 0;
}

static int
copy_frames(struct assemble *a, const struct reuse_file *x, struct digest *d, struct err *e)
{
	own_mem char *packed = xmalloc(INFLATE_BUFFER);
	uint64_t left = x->size;
	size_t state = 1;

	if (seek_frames(a, x, packed, INFLATE_BUFFER, e) == -1)
		return -1;
	ZSTD_DCtx_reset(a->zstd, ZSTD_reset_session_only);
	while (a->pos < x->end) {
		uint64_t rest = x->end - a->pos;
		size_t some = rest < INFLATE_BUFFER ? (size_t)rest : INFLATE_BUFFER;
		ZSTD_inBuffer in = {packed, some, 0};

		if (read_frames(a, packed, some, e) == -1 ||
		    inflate_some(a, &in, &left, &state, d, e) == -1)
			return -1;
	}
	return left == 0 && state == 0
		   ? 0
		   : err_set(e, ERR_FORMAT, "a file of the layer is shorter than it says");
}

/* --- The tar ------------------------------------------------------------------------------------------- */

static int
on_segment(void *arg, const void *p, size_t n, struct err *e)
{
	return write_out(arg, p, n, e);
}

static int
on_file(void *arg, uint64_t size, struct err *e)
{
	struct assemble *a = arg;
	const struct reuse_file *x = a->next < a->reuse.n ? &a->reuse.files[a->next++] : NULL;
	struct digest d = {0};
	int r;

	if (x == NULL || x->size != size)
		return err_set(e, ERR_FORMAT, "the two indices of the layer contradict each other");
	if (digest_init(&d, e) == -1)
		return -1;
	r = x->source >= 0 ? copy_local(a, x, &d, e) : copy_frames(a, x, &d, e);
	if (r == 0)
		r = check_file(&d, x, e);
	digest_free(&d);
	return r;
}

int
assemble_run(struct assemble *a, struct err *e)
{
	const struct toc_split_ops ops = {on_segment, on_file, a};

	if (read_target(a, e) == -1 || plan(a, e) == -1 || keep(a, e) == -1)
		return -1;
	a->zstd = ZSTD_createDStream();
	a->buffer = xmalloc_pages(INFLATE_BUFFER);
	if (a->zstd == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(
				   a->zstd, ZSTD_d_windowLogMax, INFLATE_ZSTD_WINDOW_LOG)))
		return err_set(e, ERR_INTERNAL, "cannot start zstd");
	if (a->reuse.nranges > 0)
		a->pos = a->reuse.ranges[0].at;
	return toc_split(a->split, a->job.split.size, &ops, e);
}

void
assemble_free(struct assemble *a)
{
	for (; a->fds_at < a->fds_n; a->fds_at++)
		fd_close(&a->fds[a->fds_at]);
	reuse_free(&a->reuse);
	ZSTD_freeDStream(a->zstd);
	free(a->tail_bytes);
	free(a->buffer);
}
