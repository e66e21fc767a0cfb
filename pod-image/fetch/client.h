/* SPDX-License-Identifier: ISC */
/*
 * The certificates that may be shown to a registry, and their keys: looked at before anybody is asked for anything.
 */
#ifndef POD_FETCH_CLIENT_H
#define POD_FETCH_CLIENT_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/wire/msg.h"

struct client;

/*
 * All PEM.  Fails if one cannot be read, as an enciphered key cannot, or if a key is not that of its certificate.  *out is
 * NULL if there are none.
 */
int client_new(const struct rec_client_pair *pairs, size_t n, struct client **out, struct err *e);

/*
 * To the server is shown the first that it can take: one of an authority that it names, if it names some, with a key
 * that can sign as it asks.  None, if there is none such.  ssl_ctx: SSL_CTX *; it borrows c, which may be NULL.
 */
void client_attach(struct client *c, void *ssl_ctx);

void client_free(struct client *c);

#endif
