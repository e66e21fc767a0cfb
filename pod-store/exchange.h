/* SPDX-License-Identifier: ISC */
/*
 * Another layout for a layer that is in the store: the same content, taken in anew in a staging area, gets the
 * old one's place.
 */
#ifndef POD_EXCHANGE_H
#define POD_EXCHANGE_H

#include "common/wire/msg.h"
#include "pod-store/stage.h"

/*
 * The staged layer of the same DiffID takes the place of what m->layer has now.  Killed on the way, the layer is
 * whole in one layout or the other.  Refused while a container stands on the layer or images are mounted, for
 * the files below them would go.
 */
int exchange_layer(
    struct store *s, struct stage *g, const struct msg_layer_exchange *m, struct err *e);

#endif
