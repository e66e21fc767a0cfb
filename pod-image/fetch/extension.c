/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/reference.h"
#include "pod-image/fetch/extension.h"

#define LIST_MAX ((size_t)8 << 20)

static void
aim(struct op *op, const char *actions)
{
	free(op->r.path);
	op->r.path = xasprintf("/extensions/v2/%s/signatures/%s", op->repository, op->want);
	op->r.scope = xasprintf("repository:%s:%s", op->repository, actions);
}

static int
check(const struct worker *w, const char *repository, const char *digest, struct err *e)
{
	if (op_check_repository(repository, e) < 0)
		return -1;
	if (digest != NULL && !reference_digest_valid(digest))
		return err_set(e, ERR_INVALID, "invalid digest");
	return op_admit(w, e);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static int
finish_list(struct worker *w, struct op *op, struct err *e)
{
	struct msg_fetch_signatures_r m = {.supported = true};

	m.data = (struct bytes){(const uint8_t *)op->r.x.body.s, op->r.x.body.n};
	return peer_send(w->peer, &msg_fetch_signatures_r_desc, op->seq, &m, e);
}

/* It is known whether the registry has the extension. */
static int
go_on(struct worker *w, struct op *op, struct err *e)
{
	struct msg_fetch_signatures_r m = {.supported = w->reg.keeps_signatures};

	if (!m.supported || op->want == NULL)
		return peer_send(w->peer, &msg_fetch_signatures_r_desc, op->seq, &m, e);
	op->finish = finish_list;
	op->r.body_max = LIST_MAX;
	op->r.any_answer = false;
	aim(op, "pull");
	request_start(&op->r);
	return 0;
}

static int
finish_ping(struct worker *w, struct op *op, struct err *e)
{
	w->reg.pinged = true;
	return go_on(w, op, e);
}

int
extension_fetch(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_fetch_signatures *m = MSG_OF(in, fetch_signatures);
	struct worker *w = arg;
	struct msg_fetch_signatures_r none = {0};
	struct op *op;

	if (check(w, m->repository, m->digest, e) < 0)
		return -1;
	if (w->reg.pinged && !w->reg.keeps_signatures)
		return peer_send(p, &msg_fetch_signatures_r_desc, in->seq, &none, e);
	op = op_new(w, in->seq, finish_ping);
	op->repository = xstrdup(m->repository);
	op->want = m->digest != NULL ? xstrdup(m->digest) : NULL;
	op->r.body_max = HTTP_ERROR_BODY_MAX;
	/* Without a token: who refuses this says so too. */
	op->r.path = xstrdup("/v2/");
	op->r.any_answer = true;
	return 0;
}

/* --- Writing ---------------------------------------------------------------------------------- */

static int
finish_put(struct worker *w, struct op *op, struct err *e)
{
	return peer_send_ok(w->peer, op->seq, e);
}

int
extension_push(struct peer *p, struct peer_in *in, void *arg, struct err *e)
{
	const struct msg_push_signature *m = MSG_OF(in, push_signature);
	struct worker *w = arg;
	struct op *op;

	(void)p;
	if (check(w, m->repository, m->digest, e) < 0)
		return -1;
	op = op_new(w, in->seq, finish_put);
	op->repository = xstrdup(m->repository);
	op->want = xstrdup(m->digest);
	strbuf_addn(&op->data, (const char *)m->data.p, m->data.n);
	aim(op, "pull,push");
	op->r.body_max = HTTP_ERROR_BODY_MAX;
	op->r.method = "PUT";
	op->r.body_type = "application/json";
	op->r.send = (struct bytes){(const uint8_t *)op->data.s, op->data.n};
	return 0;
}
