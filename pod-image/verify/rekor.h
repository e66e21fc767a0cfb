/* SPDX-License-Identifier: ISC */
/* Entries of a transparency log (Rekor, kind hashedrekord 0.0.1), with the log's promise (SET). */
#ifndef POD_IMAGE_VERIFY_REKOR_H
#define POD_IMAGE_VERIFY_REKOR_H

#include <stdint.h>

#include "pod-image/verify/payload.h"

/*
 * Is the signature's entry signed by one of the rule's keys, and is it about this payload, this
 * signature and this key or certificate (PEM)?  *time (may be NULL) is when the log took it, in
 * seconds since 1970.
 */
int rekor_check(const struct rec_verify_rule *rule, const struct signature *s,
    const struct bytes *key, int64_t *time, struct err *e);

#endif
