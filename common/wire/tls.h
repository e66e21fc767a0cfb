/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSL may use of TLS.  For workers that link libssl.
 */
#ifndef POD_TLS_H
#define POD_TLS_H

#include "common/base/err.h"
#include "common/wire/msg.h"

/*
 * Limits the context, an SSL_CTX * that is fresh otherwise; d may be NULL.  -1: a word of d has no meaning here.
 * A context to which nothing is left is none of our failures: its handshakes fail.
 */
int tls_limit(void *ssl_ctx, const struct rec_tls_details *d, struct err *e);

/* The same with a context of its own, to know whether all words have a meaning. */
int tls_check(const struct rec_tls_details *d, struct err *e);

#endif
