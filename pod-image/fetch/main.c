/* SPDX-License-Identifier: ISC */
/*
 * pod-image-fetch: the worker that speaks with one registry.  It holds that registry's credential
 * and sees no more of what it fetches than bytes to be counted; documents are digested and parsed by
 * pod-image, layers by the workers of pod-store.  A digest computed here, beside the network, would
 * prove nothing to them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "common/wire/worker.h"
#include "pod-image/fetch/extension.h"
#include "pod-image/fetch/parts.h"
#include "pod-image/fetch/push.h"
#include "pod-image/fetch/tags.h"

#define BLOBS_PARALLEL 3
#define UPLOADS_PARALLEL 8 /* pod-image asks for fewer at once */
#define OPS_MAX 2048
#define PROGRESS_MS 200

static const char manifest_types[] =
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.docker.distribution.manifest.v1+prettyjws, "
    "application/vnd.docker.distribution.manifest.v1+json";

#define BLOB_MAX ((uint64_t)1 << 40) /* of which the size is not known */

enum { PHASE_SETUP = 1, PHASE_WORK = 2 };
static unsigned phase = PHASE_SETUP;

static void
op_free(struct op *op)
{
	request_free(&op->r);
	fd_close(&op->fd);
	free(op->want);
	parts_free(op->parts);
	free(op->repository);
	strbuf_free(&op->pending);
	strv_free(&op->tags);
	strv_free(&op->mounts);
	strbuf_free(&op->data);
	free(op);
}

struct op *
op_new(struct worker *w, uint32_t seq, op_finish_fn *finish)
{
	struct op *op = xcalloc(1, sizeof(*op)), **at = &w->ops;

	op->fd = -1;
	op->seq = seq;
	op->finish = finish;
	op->r.reg = &w->reg;
	while (*at != NULL)
		at = &(*at)->next;
	*at = op;
	w->nops++;
	return op;
}

int
op_admit(const struct worker *w, struct err *e)
{
	return w->nops < OPS_MAX ? 0 : err_set(e, ERR_LIMIT, "too many requests at once");
}

static void
answer(struct worker *w, struct op *op)
{
	struct err e = {0}, ignored = {0};
	int r;

	if (err_is_set(&op->r.failure) && op->rescue != NULL) {
		r = op->rescue(w, op, &e);
	} else if (err_is_set(&op->r.failure)) {
		e = op->r.failure;
		r = -1;
	} else {
		r = op->finish(w, op, &e);
	}
	if (r < 0 && peer_send_error(w->peer, op->seq, &e, &ignored) < 0)
		exit(1);
}

/* --- Blobs ------------------------------------------------------------------------------------ */

/* Writes what the pipe takes of pending.  0, or -1 with e. */
static int
flush_pending(struct op *op, struct err *e)
{
	while (op->pending_at < op->pending.n) {
		ssize_t n =
		    write(op->fd, op->pending.s + op->pending_at, op->pending.n - op->pending_at);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return err_set(e, ERR_CANCELLED, "the reader of the blob has gone");
		if (n < 0)
			return err_sys(e, "writing a blob");
		op->pending_at += (size_t)n;
	}
	op->pending.n = op->pending_at = 0;
	return 0;
}

int
op_write(struct op *op, const char *p, size_t n, struct err *e)
{
	size_t done = 0;
	bool failed = false;

	while (done < n && op->pending.n == 0) {
		ssize_t k = write(op->fd, p + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		failed = k < 0 && errno != EAGAIN;
		if (k < 0)
			break;
		done += (size_t)k;
	}
	strbuf_addn(&op->pending, p + done, n - done);
	/* Says what is wrong. */
	return failed ? flush_pending(op, e) : 0;
}

/* Safe to keep what is left over: it is at most one buffer of libcurl, for then we pause. */
static enum http_sink_result
blob_sink(void *arg, const char *p, size_t n, struct err *e)
{
	struct op *op = arg;

	if (op->pending.n > 0) {
		op->paused = true;
		return HTTP_SINK_PAUSE;
	}
	if (n > op->size - op->r.offset) {
		err_set(e, ERR_INTEGRITY, "blob %s is larger than the %llu bytes of its descriptor",
		    op->want, (unsigned long long)op->size);
		return HTTP_SINK_FAIL;
	}
	return op_write(op, p, n, e) < 0 ? HTTP_SINK_FAIL : HTTP_SINK_OK;
}

static int
finish_blob(struct worker *w, struct op *op, struct err *e)
{
	struct msg_fetch_blob_r out = {.size = op->r.offset};

	if (op->r.offset != op->size && !op->any_size)
		return err_set(e, ERR_INTEGRITY, "blob %s has %llu bytes, its descriptor says %llu",
		    op->want, (unsigned long long)op->r.offset, (unsigned long long)op->size);
	fd_close(&op->fd);
	return peer_send(w->peer, &msg_fetch_blob_r_desc, op->seq, &out, e);
}

int
op_check_repository(const char *repository, struct err *e)
{
	own_mem char *text = xasprintf("registry.invalid/%s", repository);
	own_reference struct reference r = {0};

	if (reference_parse(text, &r, e) < 0)
		return -1;
	if (strcmp(r.path, repository) != 0)
		return err_set(e, ERR_INVALID, "invalid repository");
	return 0;
}

void
op_target(struct op *op, const char *repository, const char *tail, const char *object)
{
	op->r.path = xasprintf("/v2/%s/%s%s", repository, tail, object);
	op->r.scope = xasprintf("repository:%s:pull", repository);
}

int
op_nonblocking(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(e, "preparing the stream of a blob");
	return 0;
}

static int
on_blob(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_fetch_blob *m = MSG_OF(in, fetch_blob);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (op_check_repository(m->repository, e) < 0)
		return -1;
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	if (op_admit(w, e) < 0)
		return -1;
	if (op_nonblocking(m->stream, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_blob);
	op->fd = fd_take(&m->stream);
	op->want = xstrdup(m->digest);
	op->bulk = true;
	op->any_size = m->any_size;
	op->size = m->any_size ? BLOB_MAX : m->size;
	op->r.sink = blob_sink;
	op->r.sink_arg = op;
	op_target(op, m->repository, "blobs/", m->digest);
	return 0;
}

static void
announce(struct worker *w, struct op *op)
{
	struct msg_progress m = {.kind = "item",
	    .item = op->want,
	    .done = op->r.offset,
	    .total = op->any_size ? 0 : op->size};
	struct err ignored = {0};
	int64_t now = registry_now_ms();

	if (op->want == NULL || op->r.offset == op->announced ||
	    now - op->announced_ms < PROGRESS_MS)
		return;
	op->announced = op->r.offset;
	op->announced_ms = now;
	(void)peer_send(w->peer, &msg_progress_desc, op->seq, &m, &ignored);
}

/* --- Documents -------------------------------------------------------------------------------- */

static int
finish_document(struct worker *w, struct op *op, struct err *e)
{
	struct http_exchange *x = &op->r.x;
	struct msg_fetch_document_r m = {
	    .data = {(const uint8_t *)(x->body.s != NULL ? x->body.s : ""), x->body.n}};

	if (x->content_type != NULL && strlen(x->content_type) <= 256 &&
	    text_is_utf8(x->content_type, strlen(x->content_type)))
		m.media_type = x->content_type;
	return peer_send(w->peer, &msg_fetch_document_r_desc, op->seq, &m, e);
}

static int
on_document(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_fetch_document *m = MSG_OF(in, fetch_document);
	struct worker *w = arg;
	bool manifest = strcmp(m->kind, "manifest") == 0;
	struct op *op;

	(void)p;
	if (op_check_repository(m->repository, e) < 0)
		return -1;
	if (!reference_digest_valid(m->reference) &&
	    !(manifest && reference_tag_valid(m->reference)))
		return err_set(e, ERR_INVALID, "invalid tag or digest");
	if (op_admit(w, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_document);
	op->r.body_max = m->max;
	op->r.accept = manifest ? manifest_types : NULL;
	op_target(op, m->repository, manifest ? "manifests/" : "blobs/", m->reference);
	return 0;
}

/* --- Files of a lookaside --------------------------------------------------------------------- */

static int
on_file(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_fetch_file *m = MSG_OF(in, fetch_file);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	for (const char *c = m->path; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return err_set(e, ERR_INVALID, "invalid path of a signature");
	}
	if (m->path[0] != '/')
		return err_set(e, ERR_INVALID, "invalid path of a signature");
	if (op_admit(w, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_document);
	op->r.body_max = m->max;
	op->r.path = xstrdup(m->path);
	return 0;
}

/* --- Files of other web servers --------------------------------------------------------------- */

static int
finish_url(struct worker *w, struct op *op, struct err *e)
{
	struct msg_fetch_blob_r out = {.size = op->r.offset};

	fd_close(&op->fd);
	return peer_send(w->peer, &msg_fetch_blob_r_desc, op->seq, &out, e);
}

static int
on_url(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_fetch_url *m = MSG_OF(in, fetch_url);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	for (const char *c = m->path; *c != '\0'; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return err_set(e, ERR_INVALID, "invalid path of a URL");
	}
	if (m->path[0] != '/')
		return err_set(e, ERR_INVALID, "invalid path of a URL");
	if (op_admit(w, e) < 0 || op_nonblocking(m->stream, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_url);
	op->fd = fd_take(&m->stream);
	op->bulk = true;
	op->size = UINT64_MAX;
	op->r.sink = blob_sink;
	op->r.sink_arg = op;
	op->r.path = xstrdup(m->path);
	return 0;
}

/* --- Tags ------------------------------------------------------------------------------------- */

static int
finish_tags(struct worker *w, struct op *op, struct err *e)
{
	size_t before = op->tags.n;
	own_mem char *next = NULL;
	struct msg_fetch_tags_r m = {0};

	if (tags_take(&op->r.x.body, &op->tags, e) < 0)
		return -1;
	next = tags_next_page(op->r.x.link, op->r.path);
	if (!tags_new(&op->tags, before)) {
		while (op->tags.n > before)
			free(op->tags.v[--op->tags.n]);
	} else if (next != NULL) {
		free(op->r.path);
		op->r.path = ptr_take(&next);
		request_start(&op->r);
		return 0;
	}
	m.tags.v = (const char **)op->tags.v;
	m.tags.n = op->tags.n;
	return peer_send(w->peer, &msg_fetch_tags_r_desc, op->seq, &m, e);
}

static int
on_tags(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_fetch_tags *m = MSG_OF(in, fetch_tags);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (op_check_repository(m->repository, e) < 0 || op_admit(w, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_tags);
	op->r.body_max = TAGS_PAGE_MAX;
	op_target(op, m->repository, "tags/list", "?n=1000");
	return 0;
}

/* --- Login ------------------------------------------------------------------------------------ */

static int
finish_login(struct worker *w, struct op *op, struct err *e)
{
	return peer_send_ok(w->peer, op->seq, e);
}

static int
on_login(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (op_admit(w, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_login);
	op->r.body_max = HTTP_ERROR_BODY_MAX;
	op->r.path = xstrdup("/v2/");
	return 0;
}

static int
on_setup(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct worker *w = arg;

	wire_copy(&msg_fetch_setup_desc, in->msg, &w->setup, &w->setup_arena);
	arena_wipe(&in->arena);
	in->msg = NULL;
	if (registry_init(&w->reg, &w->setup, e) < 0)
		return -1;
	phase = PHASE_WORK;
	return peer_send_ok(p, in->seq, e);
}

static const struct peer_handler handlers[] = {
    {&msg_fetch_setup_desc, PHASE_SETUP, PEER_ONCE, on_setup},
    {&msg_fetch_document_desc, PHASE_WORK, 0, on_document},
    {&msg_fetch_blob_desc, PHASE_WORK, 0, on_blob},
    {&msg_fetch_parts_desc, PHASE_WORK, 0, parts_fetch},
    {&msg_fetch_url_desc, PHASE_WORK, 0, on_url},
    {&msg_fetch_file_desc, PHASE_WORK, 0, on_file},
    {&msg_fetch_tags_desc, PHASE_WORK, 0, on_tags},
    {&msg_fetch_login_desc, PHASE_WORK, 0, on_login},
    {&msg_fetch_signatures_desc, PHASE_WORK, 0, extension_fetch},
    {&msg_push_signature_desc, PHASE_WORK, 0, extension_push},
    {&msg_push_check_desc, PHASE_WORK, 0, push_check},
    {&msg_push_blob_desc, PHASE_WORK, 0, push_blob},
    {&msg_push_commit_desc, PHASE_WORK, 0, push_commit},
    {&msg_push_data_desc, PHASE_WORK, 0, push_data},
    {&msg_push_manifest_desc, PHASE_WORK, 0, push_manifest},
    {&msg_push_delete_desc, PHASE_WORK, 0, push_delete},
};

/* --- The loop --------------------------------------------------------------------------------- */

static void
start_idle(struct worker *w)
{
	unsigned blobs = 0;

	for (struct op *op = w->ops; op != NULL; op = op->next)
		blobs += op->bulk && op->r.state != REQUEST_IDLE;
	for (struct op *op = w->ops; op != NULL; op = op->next) {
		if (op->r.state != REQUEST_IDLE || (op->bulk && blobs >= BLOBS_PARALLEL))
			continue;
		blobs += op->bulk;
		request_start(&op->r);
	}
}

/* Moves one operation on; true when it has been answered. */
static bool
op_step(struct worker *w, struct op *op)
{
	if (op->pending.n > 0 && !err_is_set(&op->r.failure)) {
		if (flush_pending(op, &op->r.failure) < 0)
			op->r.state = REQUEST_DONE;
		else if (op->pending.n == 0 && op->paused) {
			op->paused = false;
			http_resume(&op->r.x);
		}
	}
	if (op->starved && push_can_feed(op)) {
		op->starved = false;
		http_resume(&op->r.x);
	}
	request_step(&op->r);
	announce(w, op);
	if (op->r.state != REQUEST_DONE || (op->pending.n > 0 && !err_is_set(&op->r.failure)))
		return false;
	answer(w, op);
	return op->r.state == REQUEST_DONE;
}

static void
step_all(struct worker *w)
{
	for (struct op **at = &w->ops; *at != NULL;) {
		struct op *op = *at;

		if (!op_step(w, op)) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		w->nops--;
		push_release(w, op);
		op_free(op);
	}
}

/* How long the loop may sleep: until the first further try is due. */
static int
sleep_ms(const struct worker *w)
{
	int64_t now = registry_now_ms(), least = 60000;

	for (const struct op *op = w->ops; op != NULL; op = op->next) {
		if (op->r.state == REQUEST_WAITING && op->r.due_ms - now < least)
			least = op->r.due_ms - now;
	}
	return least < 0 ? 0 : (int)least;
}

static void
wait_for_events(struct worker *w)
{
	struct curl_waitfd fds[1 + BLOBS_PARALLEL + UPLOADS_PARALLEL + 1] = {
	    {.fd = peer_fd(w->peer), .events = CURL_WAIT_POLLIN}};
	unsigned n = 1;

	for (struct op *op = w->ops; op != NULL && n < COUNTOF(fds); op = op->next) {
		if (op->pending.n > 0)
			fds[n++] = (struct curl_waitfd){.fd = op->fd, .events = CURL_WAIT_POLLOUT};
		else if (op->starved)
			fds[n++] = (struct curl_waitfd){.fd = op->fd, .events = CURL_WAIT_POLLIN};
	}
	http_step(w->reg.http, fds, n, sleep_ms(w));
}

static int
work(struct peer *p, void *arg, struct err *e)
{
	struct worker *w = arg;
	uint64_t done = 0;
	int r;

	w->peer = p;
	for (;;) {
		while (
		    (r = peer_serve(w->peer, handlers, COUNTOF(handlers), phase, &done, w, e)) == 1)
			continue;
		if (r != PEER_NONE)
			return r;
		if (w->reg.http == NULL) {
			struct pollfd pfd = {.fd = peer_fd(w->peer), .events = POLLIN};

			poll(&pfd, 1, -1);
			continue;
		}
		start_idle(w);
		wait_for_events(w);
		step_all(w);
	}
}

int
main(int argc, char **argv)
{
	struct worker w = {0};
	const struct worker_face face = {
	    .role = ROLE_FETCH, .starter = ROLE_IMAGE, .arg = &w, .serve = work};

	return worker_main(&face, argc, argv);
}
