/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "pod-image/document.h"

void
document_free(struct document *d)
{
	strbuf_free(&d->bytes);
	free(d->media_type);
	memset(d, 0, sizeof(*d));
}

struct bytes
document_bytes(const struct document *d)
{
	return (struct bytes){(const uint8_t *)(d->bytes.s != NULL ? d->bytes.s : ""), d->bytes.n};
}

int
document_fetch(struct peer *fetch, const char *kind, const char *repository, const char *reference,
    uint64_t max, struct document *out, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_fetch_document m = {
	    .kind = kind, .repository = repository, .reference = reference, .max = max};
	struct msg_fetch_document_r *answer;

	if (peer_call(fetch, &msg_fetch_document_desc, &m, &in, NULL, NULL, e) < 0)
		return -1;
	answer = MSG_OF(&in, fetch_document_r);
	strbuf_addn(&out->bytes, (const char *)answer->data.p, answer->data.n);
	out->media_type = answer->media_type != NULL ? xstrdup(answer->media_type) : NULL;
	return 0;
}

int
document_check(const struct document *d, const char *want, char got[DIGEST_TEXT], struct err *e)
{
	digest_of(d->bytes.s != NULL ? d->bytes.s : "", d->bytes.n, got);
	if (want != NULL && strcmp(got, want) != 0)
		return err_set(e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s", want, got);
	return 0;
}
