/* SPDX-License-Identifier: ISC */
/* OpenSSL's headers; it has a type ERR_STATE, and we a class of errors of that name. */
#ifndef POD_IMAGE_VERIFY_OPENSSL_H
#define POD_IMAGE_VERIFY_OPENSSL_H

/* clang-format off */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
/* clang-format on */

#include "common/base/own.h"

static inline void
evp_pkey_free_(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}
#define own_evp_pkey own(evp_pkey_free_)

#endif
