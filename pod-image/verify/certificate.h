/* SPDX-License-Identifier: ISC */
/* Certificates that stand for keys: of Fulcio, or of an authority of one's own ("pki"). */
#ifndef POD_IMAGE_VERIFY_CERTIFICATE_H
#define POD_IMAGE_VERIFY_CERTIFICATE_H

#include "pod-image/verify/openssl.h"
#include "pod-image/verify/payload.h"

/*
 * The key of the signature's certificate, if the rule trusts that; else NULL.  A certificate of
 * Fulcio lives for minutes: the transparency log says when it was used.
 */
EVP_PKEY *certificate_key(
    const struct rec_verify_rule *rule, const struct signature *s, struct err *e);

#endif
