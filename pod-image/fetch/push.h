/* SPDX-License-Identifier: ISC */
/*
 * Sending to the registry (distribution specification, "Push"): whether it has a blob, mounting one
 * from another repository, upload sessions, manifests; and deleting.  Handlers for peer_serve.
 */
#ifndef POD_IMAGE_FETCH_PUSH_H
#define POD_IMAGE_FETCH_PUSH_H

#include "pod-image/fetch/op.h"

int push_check(struct peer *p, struct peer_in *in, void *worker, struct err *e);
int push_blob(struct peer *p, struct peer_in *in, void *worker, struct err *e);
int push_commit(struct peer *p, struct peer_in *in, void *worker, struct err *e);
int push_data(struct peer *p, struct peer_in *in, void *worker, struct err *e);
int push_manifest(struct peer *p, struct peer_in *in, void *worker, struct err *e);
int push_delete(struct peer *p, struct peer_in *in, void *worker, struct err *e);

/* The operation has ended, and works with no session any more. */
void push_release(struct worker *w, struct op *op);

/* True if the stream of a starved upload has something, or its end. */
bool push_can_feed(const struct op *op);

#endif
