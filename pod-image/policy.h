/* SPDX-License-Identifier: ISC */
/*
 * policy.json(5): whether an image may be used at all.  The file that was named; else
 * $XDG_CONFIG_HOME/containers/policy.json; else /etc/containers/policy.json; else everything is
 * accepted.  Understood are insecureAcceptAnything and reject; where a rule of another type
 * applies, the image is refused with its name.
 */
#ifndef POD_IMAGE_POLICY_H
#define POD_IMAGE_POLICY_H

#include "common/base/err.h"
#include "common/oci/reference.h"

/* An image of a registry. */
int policy_check(const char *file, const struct reference *r, struct err *e);

/* One of another transport, as "oci-archive"; only its default counts. */
int policy_check_transport(const char *file, const char *transport, struct err *e);

/* For tests: the same with the text of the file. */
int policy_check_text(
    const char *text, size_t n, const char *transport, const struct reference *r, struct err *e);

#endif
