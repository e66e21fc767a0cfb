/* SPDX-License-Identifier: ISC */
/*
 * What an unpacked layer's files are, beside what its stream says of them: all that the stream put together again
 * does not show.  Contents and times are not looked at.
 */
#ifndef POD_COMPARE_H
#define POD_COMPARE_H

#include "common/base/mem.h"
#include "pod-store/layer/pack.h"

/*
 * Adds a line "fault PATH: REASON" (result.h) to out for each file below p->root that is not as the stream of the
 * index (a descriptor) has it, to a limit; returns their number, or -1.  p->uids and p->gids: the map of the user
 * namespace that the layer was unpacked in, for what is not in it is not there.  A stream that is no tar has no
 * faults: its digest speaks.
 */
int compare_tree(const struct pack *p, int index, struct strbuf *out, struct err *e);

#endif
