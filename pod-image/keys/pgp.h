/* SPDX-License-Identifier: ISC */
/* OpenPGP (RFC 4880): the caller's secret keys, and what was enciphered for them. */
#ifndef POD_IMAGE_KEYS_PGP_H
#define POD_IMAGE_KEYS_PGP_H

#include "common/wire/msg.h"
#include "pod-image/verify/openssl.h"

/* Do these bytes begin as a secret key? */
bool pgp_is_key(const struct bytes *data);

/*
 * The RSA keys of what "gpg --export-secret-keys" writes, at most max; the caller frees them.  Returns their number.
 * *locked: there are some that the passphrase (NULL: none) does not open.
 */
size_t pgp_read_keys(
    const struct bytes *data, const char *passphrase, EVP_PKEY **out, size_t max, bool *locked);

/* As box_open. */
int pgp_open(EVP_PKEY *key, const struct rec_wrapped_key *way, struct bytes *out);

#endif
