/* SPDX-License-Identifier: ISC */
/* A manifest, index or configuration in memory, byte for byte. */
#ifndef POD_IMAGE_DOCUMENT_H
#define POD_IMAGE_DOCUMENT_H

#include "common/base/mem.h"
#include "common/oci/digest.h"
#include "common/wire/peer.h"

struct document {
	struct strbuf bytes;
	char *media_type; /* what the transport called it, or NULL */
};

void document_free(struct document *d);
#define own_document own(document_free)

/* Its bytes, also if there are none. */
struct bytes document_bytes(const struct document *d);

/* Reads one from a registry, by the worker fetch; kind and reference as of fetch_document. */
int document_fetch(struct peer *fetch, const char *kind, const char *repository,
    const char *reference, uint64_t max, struct document *out, struct err *e);

/* Digests it; want may be NULL. */
int document_check(
    const struct document *d, const char *want, char got[DIGEST_TEXT], struct err *e);

#endif
