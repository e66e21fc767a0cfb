/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/base/text.h"
#include "pod-image/dest.h"

#define MOUNTS_MAX 4

/* The repositories of the same registry that hold the image's blobs, without the registry. */
static void
find_mounts(const struct dest *d, const struct image *from, struct strv *out)
{
	size_t n = strlen(d->ref->domain);

	for (size_t i = 0; i < from->mounts.n && out->n < MOUNTS_MAX; i++) {
		const char *s = from->mounts.v[i];

		if (strncmp(s, d->ref->domain, n) == 0 && s[n] == '/' &&
		    strcmp(s + n + 1, d->repository) != 0)
			strv_add(out, s + n + 1);
	}
}

static int
registry_has(
    struct dest *d, const char *digest, const struct image *from, bool *present, struct err *e)
{
	own_strv struct strv mounts = {0};
	own_peer_in struct peer_in in = {0};
	struct msg_push_check m = {.repository = d->repository, .digest = digest};
	const struct msg_push_check_r *r;

	find_mounts(d, from, &mounts);
	m.mounts = (struct strs){(const char **)mounts.v, mounts.n};
	if (peer_call(d->peer, &msg_push_check_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(e, "checking whether a blob %s exists in %s/%s", digest,
		    d->ref->domain, d->repository);
	r = MSG_OF(&in, push_check_r);
	*present = r->present;
	return 0;
}

static int
registry_put(struct dest *d, size_t number, const char *digest, uint64_t size, int stream,
    uint32_t *seq, struct err *e)
{
	struct msg_push_blob m = {
	    .repository = d->repository, .size = size, .upload = number + 1, .stream = stream};

	(void)digest;
	*seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_push_blob_desc, *seq, &m, e);
}

static int
registry_commit(struct dest *d, size_t number, const char *digest, uint32_t *seq, struct err *e)
{
	struct msg_push_commit m = {
	    .repository = d->repository, .upload = number + 1, .digest = digest};

	*seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_push_commit_desc, *seq, &m, e);
}

static int
registry_begin_config(struct dest *d, const char *digest, struct bytes b, struct err *e)
{
	struct msg_push_data m = {
	    .repository = d->repository, .digest = digest, .data = b, .look = true};

	d->config_seq = peer_next_seq(d->peer);
	return peer_send(d->peer, &msg_push_data_desc, d->config_seq, &m, e);
}

static int
registry_put_config(struct dest *d, const char *digest, struct bytes b, struct err *e)
{
	if (d->config_seq == 0 && registry_begin_config(d, digest, b, e) < 0)
		return -1;
	return peer_settle(d->peer, &msg_push_data_desc, &d->config_seq, e) < 0
		   ? err_wrap(e, "writing blob")
		   : 0;
}

static int
put_manifest(
    struct dest *d, const char *reference, struct bytes b, const char *media_type, struct err *e)
{
	own_peer_in struct peer_in in = {0};
	struct msg_push_manifest m = {.repository = d->repository,
	    .reference = reference,
	    .media_type = media_type,
	    .data = b};

	if (peer_call(d->peer, &msg_push_manifest_desc, &m, &in, NULL, NULL, e) < 0)
		return err_wrap(
		    e, "uploading manifest %s to %s/%s", reference, d->ref->domain, d->repository);
	return 0;
}

/* What goes under the name that was asked for: a tag, or the digest that it must have. */
static int
put_top(struct dest *d, struct bytes b, const char *media_type, const char *digest, struct err *e)
{
	if (d->ref->digest != NULL && strcmp(d->ref->digest, digest) != 0)
		return err_set(e, ERR_INVALID,
		    "the destination is %s, but the manifest to be written is %s", d->ref->digest,
		    digest);
	return put_manifest(d, d->ref->tag != NULL ? d->ref->tag : digest, b, media_type, e);
}

static int
put_signatures(struct dest *d, const char *digest, const struct signatures *s, struct err *e)
{
	if (d->signer == NULL)
		return 0;
	return signer_put(d->signer, d->ref, digest, s, d->peer, d->repository, e);
}

static int
registry_put_image(struct dest *d, const struct outcome *o, struct err *e)
{
	if ((o->instance ? put_manifest(d, o->digest, o->manifest, o->media_type, e)
			 : put_top(d, o->manifest, o->media_type, o->digest, e)) < 0)
		return -1;
	return put_signatures(d, o->digest, o->signatures, e);
}

static int
registry_put_index(struct dest *d, struct bytes b, const char *media_type,
    const struct signatures *s, struct err *e)
{
	char digest[DIGEST_TEXT];

	digest_of(b.p, b.n, digest);
	return put_top(d, b, media_type, digest, e) < 0 ? -1 : put_signatures(d, digest, s, e);
}

static int
registry_finish(struct dest *d, struct err *e)
{
	(void)d;
	(void)e;
	return 0;
}

static const struct dest_ops registry_ops = {.has = registry_has,
    .put = registry_put,
    .put_request = &msg_push_blob_desc,
    .commit = registry_commit,
    .commit_request = &msg_push_commit_desc,
    .put_config = registry_put_config,
    .begin_config = registry_begin_config,
    .put_image = registry_put_image,
    .put_index = registry_put_index,
    .finish = registry_finish};

int
dest_registry(struct dest *d, struct plan *plan, struct err *e)
{
	const struct plan_source *s = &plan->sources[0];
	const struct plan_endpoint *at = &s->endpoints[s->nendpoints - 1];

	*d = (struct dest){.ops = &registry_ops,
	    .signer = d->signer,
	    .layers = DEST_COMPRESSED,
	    .parallel = DEST_SLOTS,
	    .plan = plan,
	    .ref = &at->ref,
	    .repository = at->ref.path};
	d->peer = plan_worker_peer(plan, at->worker, e);
	if (d->peer == NULL)
		return -1;
	return d->signer != NULL ? signer_check(d->signer, d->peer, d->repository, e) : 0;
}
