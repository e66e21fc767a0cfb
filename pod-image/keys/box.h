/* SPDX-License-Identifier: ISC */
/* Opening a box: its key by a private key, then what it holds.  Everything but the private key is foreign. */
#ifndef POD_IMAGE_KEYS_BOX_H
#define POD_IMAGE_KEYS_BOX_H

#include "common/wire/msg.h"
#include "pod-image/verify/openssl.h"

#define BOX_KEY_MAX 32

/*
 * 1: *out holds what was in the box, to be overwritten and freed by the caller; 0: the key is none of its
 * recipient, or the box was changed.
 */
int box_open(EVP_PKEY *key, const struct rec_wrapped_key *way, struct bytes *out);

/* The parts that sealing needs too.  RSA by OAEP with SHA-1 and MGF1 (RFC 7518, section 4.3), or PKCS #1 1.5. */
bool box_rsa(EVP_PKEY *key, const char *algorithm, bool seal, const struct bytes *in, uint8_t *out,
    size_t *n);

/*
 * The key of ECDH-ES (RFC 7518, section 4.6.2) for an algorithm with AES key wrap, of the agreement between
 * key and peer; n bytes.
 */
bool box_agree(EVP_PKEY *key, EVP_PKEY *peer, const char *algorithm, const struct bytes *party_u,
    const struct bytes *party_v, uint8_t out[BOX_KEY_MAX], size_t *n);

/* AES key wrap (RFC 3394) or back. */
bool box_wrap(
    const uint8_t *kek, size_t kek_n, bool seal, const struct bytes *in, uint8_t *out, size_t *n);

/* JOSE's names of curves and OpenSSL's; NULL: unknown. */
const char *box_curve_group(const char *curve);
const char *box_curve_name(const char *group);

#endif
