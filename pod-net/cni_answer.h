/* SPDX-License-Identifier: ISC */
/* The result of a list of CNI plug-ins: bytes of somebody else's programs. */
#ifndef POD_CNI_ANSWER_H
#define POD_CNI_ANSWER_H

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

/*
 * Takes the addresses, the hardware address, resolvers and domains of the container's interfaces into h; memory is
 * a's.  Forms 0.3.0 to 1.0.0 of the specification.
 */
int cni_answer(const json_t *result, struct rec_net_hold *h, struct arena *a, struct err *e);

#endif
