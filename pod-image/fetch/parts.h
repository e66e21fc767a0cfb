/* SPDX-License-Identifier: ISC */
/* Parts of a blob, asked for by ranges.  A handler for peer_serve. */
#ifndef POD_IMAGE_FETCH_PARTS_H
#define POD_IMAGE_FETCH_PARTS_H

#include "pod-image/fetch/op.h"

int parts_fetch(struct peer *p, struct peer_in *in, void *worker, struct err *e);
void parts_free(struct parts *parts); /* NULL is fine */

#endif
