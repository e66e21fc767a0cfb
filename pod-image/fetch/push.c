/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "common/oci/reference.h"
#include "pod-image/fetch/push.h"

#define OWN_SESSION 0 /* number of a session that no request can name */

/* --- Sessions --------------------------------------------------------------------------------- */

static struct upload *
upload_new(struct worker *w, uint64_t id)
{
	struct upload *u = xcalloc(1, sizeof(*u));

	u->id = id;
	u->next = w->uploads;
	w->uploads = u;
	return u;
}

static struct upload *
upload_find(const struct worker *w, uint64_t id)
{
	struct upload *u = w->uploads;

	while (u != NULL && u->id != id)
		u = u->next;
	return u;
}

static void
upload_free(struct worker *w, struct upload *gone)
{
	struct upload **at = &w->uploads;

	while (*at != NULL && *at != gone)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = gone->next;
	free(gone->location);
	free(gone);
}

/* *u: the session of that number, or NULL; no two operations work with one. */
static int
upload_named(const struct worker *w, uint64_t id, struct upload **u, struct err *e)
{
	if (id == OWN_SESSION)
		return err_set(e, ERR_INVALID, "invalid number of an upload");
	*u = upload_find(w, id);
	return *u != NULL && (*u)->busy
		   ? err_set(e, ERR_STATE, "another request works with the upload")
		   : 0;
}

static void
upload_hold(struct op *op, struct upload *u)
{
	op->upload = u;
	u->busy = true;
}

void
push_release(struct worker *w, struct op *op)
{
	if (op->upload == NULL)
		return;
	if (op->upload->id == OWN_SESSION)
		upload_free(w, op->upload);
	else
		op->upload->busy = false;
	op->upload = NULL;
}

/* The registry said where the session goes on. */
static int
take_location(struct op *op, struct err *e)
{
	const struct http_exchange *x = &op->r.x;
	char *full = x->location != NULL ? http_url_join(op->r.url, x->location) : NULL;

	if (full == NULL || !http_url_allowed(full, op->r.reg->insecure)) {
		free(full);
		return err_set(e, ERR_FORMAT, "the registry names no place for the upload");
	}
	free(op->upload->location);
	op->upload->location = full;
	return 0;
}

/* --- Requests --------------------------------------------------------------------------------- */

static void
set_scope(struct op *op, const char *actions, const char *from)
{
	free(op->r.scope);
	op->r.scope = from != NULL ? xasprintf("repository:%s:%s repository:%s:pull",
					 op->repository, actions, from)
				   : xasprintf("repository:%s:%s", op->repository, actions);
}

static struct op *
new_op(struct worker *w, uint32_t seq, const char *repository, op_finish_fn *finish, struct err *e)
{
	struct op *op;

	if (op_check_repository(repository, e) < 0 || op_admit(w, e) < 0)
		return NULL;
	op = op_new(w, seq, finish);
	op->repository = xstrdup(repository);
	op->r.body_max = HTTP_ERROR_BODY_MAX;
	set_scope(op, "pull,push", NULL);
	return op;
}

/* A request without a body to a path of the repository, or, if tail is NULL, to the session. */
static void
aim(struct op *op, const char *method, const char *tail, const char *object)
{
	struct request *r = &op->r;

	free(r->path);
	free(r->at);
	r->path = r->at = NULL;
	if (tail != NULL)
		r->path = xasprintf("/v2/%s/%s%s", op->repository, tail, object);
	else
		r->at = xstrdup(op->upload->location);
	r->method = method;
	r->sends_nothing = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
	r->send = (struct bytes){0};
	r->body_type = NULL;
	r->feed = NULL;
	r->fed = false;
}

/* The session's URL with the digest that ends it. */
static void
aim_commit(struct op *op, const char *digest)
{
	char *url;

	aim(op, "PUT", NULL, NULL);
	url = xasprintf("%s%sdigest=%s", op->upload->location,
	    strchr(op->upload->location, '?') != NULL ? "&" : "?", digest);
	free(op->r.at);
	op->r.at = url;
}

/* --- Is it there? ----------------------------------------------------------------------------- */

static op_finish_fn finish_mount;

static int
answer_check(struct worker *w, struct op *op, bool present, bool mounted, struct err *e)
{
	struct msg_push_check_r m = {.present = present, .mounted = mounted};

	if (present && !mounted)
		m.size = op->r.x.content_length;
	return peer_send(w->peer, &msg_push_check_r_desc, op->seq, &m, e);
}

static int
finish_check(struct worker *w, struct op *op, struct err *e)
{
	return answer_check(w, op, true, false, e);
}

/* Asks for a mount from the next repository that may have it; without one the answer is no. */
static int
try_mount(struct worker *w, struct op *op, struct err *e)
{
	own_mem char *from = NULL, *query = NULL;

	err_clear(&op->r.failure);
	if (op->mounts.n == 0)
		return answer_check(w, op, false, false, e);
	from = xstrdup(op->mounts.v[0]);
	strv_remove(&op->mounts, 0);
	query = xasprintf("?mount=%s&from=%s", op->want, from);
	aim(op, "POST", "blobs/uploads/", query);
	set_scope(op, "pull,push", from);
	op->finish = finish_mount;
	op->rescue = try_mount;
	request_start(&op->r);
	return 0;
}

/* The session that was not wanted is gone, or the registry did not care. */
static int
after_cancel(struct worker *w, struct op *op, struct err *e)
{
	upload_free(w, op->upload);
	op->upload = NULL;
	return try_mount(w, op, e);
}

/* Instead of mounting, the registry opened a session: it is given back. */
static int
finish_mount(struct worker *w, struct op *op, struct err *e)
{
	if (op->r.x.status == 201)
		return answer_check(w, op, true, true, e);
	op->upload = upload_new(w, OWN_SESSION);
	op->finish = op->rescue = after_cancel;
	if (take_location(op, e) < 0) {
		err_clear(e);
		return after_cancel(w, op, e);
	}
	aim(op, "DELETE", NULL, NULL);
	request_start(&op->r);
	return 0;
}

static int
not_there(struct worker *w, struct op *op, struct err *e)
{
	if (op->r.failure.class != ERR_NOTFOUND) {
		*e = op->r.failure;
		return -1;
	}
	return try_mount(w, op, e);
}

int
push_check(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_check *m = MSG_OF(in, push_check);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	for (size_t i = 0; i < m->mounts.n; i++)
		if (op_check_repository(m->mounts.v[i], e) < 0)
			return -1;
	op = new_op(w, in->seq, m->repository, finish_check, e);
	if (op == NULL)
		return -1;
	op->rescue = not_there;
	op->want = xstrdup(m->digest);
	strv_add_all(&op->mounts, m->mounts.v, m->mounts.n);
	aim(op, "HEAD", "blobs/", m->digest);
	return 0;
}

/* --- A stream --------------------------------------------------------------------------------- */

bool
push_can_feed(const struct op *op)
{
	struct pollfd p = {.fd = op->fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Passes over what the registry has from before; true while there is something to pass over. */
static ssize_t
skip_some(struct op *op)
{
	char block[16384];
	ssize_t n = 0;

	while (op->skip > 0) {
		n = read(
		    op->fd, block, op->skip < sizeof(block) ? (size_t)op->skip : sizeof(block));
		if (n <= 0)
			break;
		op->skip -= (uint64_t)n;
	}
	return op->skip == 0 ? 1 : n;
}

static ssize_t
feed(void *arg, char *p, size_t max)
{
	struct op *op = arg;
	ssize_t n;

	do {
		n = op->skip > 0 ? skip_some(op) : 1;
		if (n > 0)
			n = read(op->fd, p, max);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		op->starved = true;
		return HTTP_FEED_PAUSE;
	}
	if (n < 0) {
		err_sys(&op->r.failure, "reading a blob");
		return HTTP_FEED_FAIL;
	}
	op->upload->sent += (uint64_t)n;
	return n;
}

static int
finish_stream(struct worker *w, struct op *op, struct err *e)
{
	struct msg_push_blob_r m = {.size = op->upload->sent};

	if (take_location(op, e) < 0)
		return -1;
	return peer_send(w->peer, &msg_push_blob_r_desc, op->seq, &m, e);
}

static void
aim_stream(struct op *op)
{
	aim(op, "PATCH", NULL, NULL);
	op->r.feed = feed;
	op->r.feed_arg = op;
	op->r.feed_size = op->size > 0 ? (int64_t)(op->size - op->skip) : -1;
	op->r.body_type = "application/octet-stream";
	op->finish = finish_stream;
	op->rescue = NULL; /* the session stays, so that another stream can go on with it */
}

static int
finish_open(struct worker *w, struct op *op, struct err *e)
{
	(void)w;
	op->upload->sent = 0;
	op->skip = 0;
	if (take_location(op, e) < 0)
		return -1;
	aim_stream(op);
	request_start(&op->r);
	return 0;
}

/* "Range: 0-N" (specification, "Pushing a blob in chunks"): N + 1 bytes have arrived. */
static int
finish_status(struct worker *w, struct op *op, struct err *e)
{
	const char *range = op->r.x.answered_range;
	uint64_t last;

	(void)w;
	if (range != NULL && text_has_prefix(range, "bytes="))
		range += strlen("bytes=");
	if (range == NULL || !text_has_prefix(range, "0-") ||
	    text_to_u64(range + 2, INT64_MAX - 1, &last) < 0)
		return err_set(e, ERR_FORMAT, "the registry does not say how much it has");
	/* "0-0" is said of nothing as well as of one byte: sending one byte twice would be wrong. */
	if (last == 0 || (op->size > 0 && last >= op->size)) {
		aim(op, "POST", "blobs/uploads/", "");
		op->finish = finish_open;
		op->rescue = NULL;
		request_start(&op->r);
		return 0;
	}
	if (op->r.x.location != NULL && take_location(op, e) < 0)
		return -1;
	op->skip = op->upload->sent = last + 1;
	aim_stream(op);
	request_start(&op->r);
	return 0;
}

/* The session is gone: another one. */
static int
status_failed(struct worker *w, struct op *op, struct err *e)
{
	(void)w;
	(void)e;
	err_clear(&op->r.failure);
	aim(op, "POST", "blobs/uploads/", "");
	op->finish = finish_open;
	op->rescue = NULL;
	request_start(&op->r);
	return 0;
}

int
push_blob(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_blob *m = MSG_OF(in, push_blob);
	struct worker *w = arg;
	struct upload *u;
	struct op *op;

	(void)p;
	if (upload_named(w, m->upload, &u, e) < 0 || op_nonblocking(m->stream, e) < 0)
		return -1;
	op = new_op(w, in->seq, m->repository, finish_open, e);
	if (op == NULL)
		return -1;
	op->fd = fd_take(&m->stream);
	op->size = m->size;
	upload_hold(op, u != NULL ? u : upload_new(w, m->upload));
	if (u == NULL || u->location == NULL) {
		aim(op, "POST", "blobs/uploads/", "");
	} else {
		aim(op, "GET", NULL, NULL);
		op->finish = finish_status;
		op->rescue = status_failed;
	}
	return 0;
}

static int
finish_commit(struct worker *w, struct op *op, struct err *e)
{
	upload_free(w, op->upload);
	op->upload = NULL;
	return peer_send_ok(w->peer, op->seq, e);
}

int
push_commit(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_commit *m = MSG_OF(in, push_commit);
	struct worker *w = arg;
	struct upload *u;
	struct op *op;

	(void)p;
	if (upload_named(w, m->upload, &u, e) < 0)
		return -1;
	if (u == NULL || u->location == NULL)
		return err_set(e, ERR_NOTFOUND, "there is no such upload");
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	op = new_op(w, in->seq, m->repository, finish_commit, e);
	if (op == NULL)
		return -1;
	upload_hold(op, u);
	aim_commit(op, m->digest);
	return 0;
}

/* --- Bytes in hand ---------------------------------------------------------------------------- */

static int
finish_ok(struct worker *w, struct op *op, struct err *e)
{
	return peer_send_ok(w->peer, op->seq, e);
}

/* Monolithic, as the specification has it: POST, then PUT with all of it. */
static int
finish_data_open(struct worker *w, struct op *op, struct err *e)
{
	int r = take_location(op, e);

	if (r == 0) {
		aim_commit(op, op->want);
		op->r.send = (struct bytes){(const uint8_t *)op->data.s, op->data.n};
		op->r.body_type = "application/octet-stream";
		op->finish = finish_ok;
	}
	upload_free(w, op->upload);
	op->upload = NULL;
	if (r == 0)
		request_start(&op->r);
	return r;
}

static void
open_data(struct worker *w, struct op *op)
{
	op->upload = upload_new(w, OWN_SESSION);
	aim(op, "POST", "blobs/uploads/", "");
	op->finish = finish_data_open;
	op->rescue = NULL;
}

static int
data_not_there(struct worker *w, struct op *op, struct err *e)
{
	if (op->r.failure.class != ERR_NOTFOUND) {
		*e = op->r.failure;
		return -1;
	}
	err_clear(&op->r.failure);
	open_data(w, op);
	request_start(&op->r);
	return 0;
}

int
push_data(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_data *m = MSG_OF(in, push_data);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	op = new_op(w, in->seq, m->repository, finish_ok, e);
	if (op == NULL)
		return -1;
	op->want = xstrdup(m->digest);
	strbuf_addn(&op->data, (const char *)m->data.p, m->data.n);
	if (!m->look) {
		open_data(w, op);
		return 0;
	}
	op->rescue = data_not_there;
	aim(op, "HEAD", "blobs/", m->digest);
	return 0;
}

static bool
type_valid(const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return *s != '\0';
}

int
push_manifest(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_manifest *m = MSG_OF(in, push_manifest);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (!reference_digest_valid(m->reference) && !reference_tag_valid(m->reference))
		return err_set(e, ERR_INVALID, "invalid tag or digest");
	if (!type_valid(m->media_type))
		return err_set(e, ERR_INVALID, "invalid media type");
	op = new_op(w, in->seq, m->repository, finish_ok, e);
	if (op == NULL)
		return -1;
	strbuf_addn(&op->data, (const char *)m->data.p, m->data.n);
	aim(op, "PUT", "manifests/", m->reference);
	op->want = xstrdup(m->media_type);
	op->r.body_type = op->want;
	op->r.send = (struct bytes){(const uint8_t *)op->data.s, op->data.n};
	return 0;
}

int
push_delete(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	struct msg_push_delete *m = MSG_OF(in, push_delete);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (!reference_digest_valid(m->digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	op = new_op(w, in->seq, m->repository, finish_ok, e);
	if (op == NULL)
		return -1;
	set_scope(op, "*", NULL);
	aim(op, "DELETE", "manifests/", m->digest);
	return 0;
}
