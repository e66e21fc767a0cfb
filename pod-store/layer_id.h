/* SPDX-License-Identifier: ISC */
/*
 * Identifiers of layers.  That of the lowest one is its DiffID in hexadecimal digits; of another one the
 * SHA-256 of "PARENT+DIFFID" (as in the containers' storage library, so not the OCI ChainID).
 */
#ifndef POD_LAYER_ID_H
#define POD_LAYER_ID_H

#include "common/base/sha256.h"

/* "sha256:HEX" -> HEX, or NULL if the text is nothing of the kind. */
const char *layer_hex(const char *digest);

/* parent: "" or NULL for the lowest layer.  diff_hex: 64 digits. */
void layer_id(const char *parent, const char *diff_hex, char out[SHA256_HEX]);

#endif
