/* SPDX-License-Identifier: ISC */
/* Sealing a box for the recipients of one scheme, as pod-image/wrapped.h reads it. */
#ifndef POD_IMAGE_KEYS_SEAL_H
#define POD_IMAGE_KEYS_SEAL_H

#include "common/wire/msg.h"
#include "pod-image/verify/openssl.h"

struct seal_recipient {
	const char *name, *scheme;
	EVP_PKEY *key;
	X509 *certificate; /* of pkcs7 */
};

/* Those of v that are of the scheme; the result is put into a. */
int seal_jwe(const struct seal_recipient *v, size_t n, const struct bytes *data, struct bytes *out,
    struct arena *a, struct err *e);
int seal_pkcs7(const struct seal_recipient *v, size_t n, const struct bytes *data,
    struct bytes *out, struct arena *a, struct err *e);

/* How many of them are of the scheme. */
size_t seal_count(const struct seal_recipient *v, size_t n, const char *scheme);

#define SEAL_KEY 32 /* AES-256 */
#define SEAL_NONCE 12
#define SEAL_TAG 16

/* AES-256-GCM; out has room for data and SEAL_TAG bytes behind it. */
int seal_gcm(const uint8_t key[SEAL_KEY], const uint8_t nonce[SEAL_NONCE],
    const struct bytes *authenticated, const struct bytes *data, uint8_t *out, struct err *e);

#endif
