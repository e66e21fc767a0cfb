/* SPDX-License-Identifier: ISC */
/*
 * registries.d (containers-registries.d(5)): where the signatures of a registry's images are kept.
 * Read is $XDG_CONFIG_HOME/containers/registries.d if that is there, else
 * /etc/containers/registries.d.
 */
#ifndef POD_LOOKASIDE_H
#define POD_LOOKASIDE_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/oci/reference.h"

struct lookaside {
	char *read, *write; /* URLs, "file:/…" or "http(s)://HOST…" */
	bool attachments;   /* signatures are images beside the image */
};
void lookaside_free(struct lookaside *l);
#define own_lookaside own(lookaside_free)

/* What applies to the image; where nothing is said, the user's own directory. */
int lookaside_find(const struct reference *r, struct lookaside *out, struct err *e);

/* What is configured for a scope of policy.json ("" for the default), read NULL if nothing is. */
int lookaside_of_scope(const char *scope, struct lookaside *out, struct err *e);

/* The directory of a file: URL, or NULL. */
const char *lookaside_dir(const char *url);

/* Name of signature number (from 1) below the URL: "namespace/name@sha256=…/signature-N". */
char *lookaside_name(const struct reference *r, const char *digest, unsigned number);

#endif
