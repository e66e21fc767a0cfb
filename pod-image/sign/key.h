/* SPDX-License-Identifier: ISC */
/*
 * Sigstore private keys as cosign, skopeo and others keep them: PEM around JSON that names scrypt
 * and nacl/secretbox, around a PKCS #8 key.
 */
#ifndef POD_IMAGE_SIGN_KEY_H
#define POD_IMAGE_SIGN_KEY_H

#include "common/base/err.h"
#include "common/wire/msg.h"
#include "pod-image/verify/openssl.h"

/* NULL with e if the passphrase is wrong or the file is no such key. */
EVP_PKEY *key_open(const struct bytes *pem, const char *passphrase, struct err *e);

/* A fresh P-256 pair.  The caller frees both texts, the private one after overwriting it. */
int key_generate(const char *passphrase, char **private_pem, char **public_pem, struct err *e);

#endif
