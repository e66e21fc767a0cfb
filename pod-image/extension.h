/* SPDX-License-Identifier: ISC */
/*
 * Simple signatures that a registry keeps itself, by the extension that OpenShift's registry and others have; where
 * there is that, a lookaside counts no more.
 */
#ifndef POD_IMAGE_EXTENSION_H
#define POD_IMAGE_EXTENSION_H

#include "pod-image/signatures.h"

/* Does the registry have it?  Afterwards that is known without asking. */
int extension_supported(struct peer *fetch, const char *repository, bool *yes, struct err *e);

/* Appends the signatures of the manifest with that digest; *supported: false if the registry keeps none. */
int extension_read(struct peer *fetch, const char *repository, const char *digest,
    struct signatures *out, bool *supported, struct err *e);

/* Gives it the simple ones among s that it does not have yet. */
int extension_put(struct peer *fetch, const char *repository, const char *digest,
    const struct signatures *s, struct err *e);

#endif
