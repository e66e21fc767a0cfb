/* SPDX-License-Identifier: ISC */
/* signedIdentity of containers-policy.json(5): does what was signed mean the image that is wanted? */
#ifndef POD_IMAGE_VERIFY_IDENTITY_H
#define POD_IMAGE_VERIFY_IDENTITY_H

#include "common/base/err.h"
#include "common/wire/msg.h"

/*
 * image: the reference as the user meant it, or NULL if it has none; claimed: what stands in the
 * signature.  0 if they agree by the rule, else -1 with the reason.
 */
int identity_check(
    const struct rec_verify_rule *rule, const char *image, const char *claimed, struct err *e);

#endif
