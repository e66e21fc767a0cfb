/* SPDX-License-Identifier: ISC */
/* The certificate that is shown to a registry, and its key: looked at before anybody is asked for anything. */
#ifndef POD_FETCH_CLIENT_H
#define POD_FETCH_CLIENT_H

#include "common/base/err.h"
#include "common/wire/wire.h"

/* Both PEM.  Fails if one cannot be read, as an enciphered key cannot, or if they do not belong together. */
int client_check(const struct bytes *cert, const struct bytes *key, struct err *e);

#endif
