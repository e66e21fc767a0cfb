/* SPDX-License-Identifier: ISC */
/*
 * Whether a layer in the store is still what it was.  dir: its directory, layers/LAYER.
 */
#ifndef POD_VERIFY_H
#define POD_VERIFY_H

#include <stdbool.h>

#include "common/base/mem.h"

#define VERIFY_DIGEST 80

/*
 * The digest ("sha256:...") of the tar stream that the layer gives now; or, if its files are there but are not as the
 * stream says (layer/compare.h), a line for each in faults, and no digest.
 */
int verify_digest(int dir, char digest[VERIFY_DIGEST], struct strv *faults, struct err *e);

/* The blob that the layer keeps (blob_hex of its name is not NULL) is what its name says. */
bool verify_blob(int dir, const char *name);

/* 1: the layer's image (layout.h) is the one that belongs to its tar; 0: it is not. */
int verify_image(int dir, struct err *e);

/* Makes the image anew of the tar.  Who has the old one mounted keeps it. */
int verify_image_renew(int dir, struct err *e);

#endif
