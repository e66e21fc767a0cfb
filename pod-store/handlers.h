/* SPDX-License-Identifier: ISC */
/*
 * Which requests pod-store takes, in which phase, and who carries them out.
 */
#ifndef POD_HANDLERS_H
#define POD_HANDLERS_H

#include "common/wire/peer.h"

extern const struct peer_handler handlers[];
extern const size_t handlers_n;

/* As many, for a store that could not be opened: each answers why. */
const struct peer_handler *handlers_failed(void);

#endif
