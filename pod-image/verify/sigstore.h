/* SPDX-License-Identifier: ISC */
/* Sigstore signatures: a payload, and its signature by a key. */
#ifndef POD_IMAGE_VERIFY_SIGSTORE_H
#define POD_IMAGE_VERIFY_SIGSTORE_H

#include "pod-image/verify/openssl.h"
#include "pod-image/verify/payload.h"

/* A PEM public key. */
EVP_PKEY *sigstore_key(const struct bytes *pem, struct err *e);

/* Is sig the signature of data (SHA-256; Ed25519 without) by key? */
bool sigstore_signed(EVP_PKEY *key, const void *data, size_t n, const uint8_t *sig, size_t sig_n);

/* Is the payload signed as the rule wants it?  Names and digests are not looked at. */
int sigstore_check(const struct rec_verify_rule *rule, const struct signature *s, struct err *e);

#endif
