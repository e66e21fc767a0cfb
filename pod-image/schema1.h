/* SPDX-License-Identifier: ISC */
/*
 * Docker's image manifest, version 2 schema 1, signed and unsigned (distribution, "Image Manifest Version
 * 2, Schema 1"): read, never written.  It lists layers from the newest and holds the configuration as
 * strings of JSON in its history; the signature, which nobody verifies, stands inside the document.
 */
#ifndef POD_IMAGE_SCHEMA1_H
#define POD_IMAGE_SCHEMA1_H

#include "common/oci/manifest.h"
#include "pod-image/document.h"
#include "pod-image/late.h"

/* True if the document says that it is one; it may still be broken. */
bool schema1_is(const char *bytes, size_t n);

/* The signed part, to the byte, or all of it if there is no signature. */
int schema1_payload(const char *bytes, size_t n, struct strbuf *out, struct err *e);

/*
 * Parses the signed part only, for the rest is not covered by the digest.  out is a manifest of Docker's
 * schema 2 without a configuration whose layers have no known size, *late what becomes the configuration.
 */
int schema1_parse(
    const char *bytes, size_t n, struct manifest *out, struct late *late, struct err *e);

/* The digest by which registries know a manifest: of the payload of a schema 1, else of all bytes. */
int schema1_digest(const char *bytes, size_t n, char got[DIGEST_TEXT], struct err *e);

/* As document_check, for a manifest of any kind. */
int schema1_check(const struct document *d, const char *want, char got[DIGEST_TEXT], struct err *e);

/* As manifest_parse, of schema 1 too: then late->config is set. */
int schema1_or_newer(
    const struct document *d, struct manifest *out, struct late *late, struct err *e);

#endif
