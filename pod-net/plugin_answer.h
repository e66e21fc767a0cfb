/* SPDX-License-Identifier: ISC */
/* What a netavark plug-in answers to setup: bytes of somebody else's program. */
#ifndef POD_PLUGIN_ANSWER_H
#define POD_PLUGIN_ANSWER_H

#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/wire/msg.h"

/*
 * Takes interface, addresses, resolvers and domains of the answer into h; memory is a's.  What is accepted is fit for
 * an interface's name, for routes and for lines of resolv.conf.  On failure h is unusable.
 */
int plugin_answer(const json_t *o, struct rec_net_hold *h, struct arena *a, struct err *e);

#endif
