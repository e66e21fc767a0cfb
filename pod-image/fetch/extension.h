/* SPDX-License-Identifier: ISC */
/*
 * Signatures that a registry keeps itself: the extension of OpenShift's registry, which a registry says it has in
 * the header X-Registry-Supports-Signatures of what it answers for /v2/.
 */
#ifndef POD_IMAGE_FETCH_EXTENSION_H
#define POD_IMAGE_FETCH_EXTENSION_H

#include "pod-image/fetch/op.h"

int extension_fetch(struct peer *p, struct peer_in *in, void *arg, struct err *e);
int extension_push(struct peer *p, struct peer_in *in, void *arg, struct err *e);

#endif
