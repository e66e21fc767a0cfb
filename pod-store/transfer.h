/* SPDX-License-Identifier: ISC */
/*
 * Layers on their way in and out: layer_put and layer_get, each carried out by two workers.
 */
#ifndef POD_TRANSFER_H
#define POD_TRANSFER_H

#include "pod-store/server.h"

/* Start the work and return; the answer is sent when it is done.  -1 if it could not be started. */
int transfer_put(struct conn *c, uint32_t seq, struct msg_layer_put *m, struct err *e);
int transfer_get(struct conn *c, uint32_t seq, struct msg_layer_get *m, struct err *e);

#endif
