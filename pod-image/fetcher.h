/* SPDX-License-Identifier: ISC */
/*
 * How pod-image starts its workers that speak with registries and other servers of HTTP.
 */
#ifndef POD_IMAGE_FETCHER_H
#define POD_IMAGE_FETCHER_H

#include "common/wire/peer.h"

/* What the TLS of all that are started from now on may use; it is copied. */
void fetcher_limit(const struct rec_tls_details *details);

/*
 * Starts a worker, or takes *ready if that is one that waits, and sends the setup, of which *seq becomes the number.
 * NULL with e.
 */
struct peer *fetcher_start(
    struct peer **ready, struct msg_fetch_setup *setup, uint32_t *seq, struct err *e);

#endif
