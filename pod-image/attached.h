/* SPDX-License-Identifier: ISC */
/*
 * Sigstore signatures kept as images in the registry: tag sha256-….sig beside the image, each layer
 * a payload, what belongs to it in the layer's annotations.
 */
#ifndef POD_IMAGE_ATTACHED_H
#define POD_IMAGE_ATTACHED_H

#include "pod-image/signatures.h"

#define ATTACHED_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ATTACHED_SIGNATURE "dev.cosignproject.cosign/signature"
#define ATTACHED_MAX 128

/* "sha256-HEX.sig"; the caller frees it. */
char *attached_tag(const char *digest);

struct attached_layer {
	const char *media_type, *digest;
	uint64_t size;
	const json_t *annotations; /* an object, or NULL */
};
struct attached {
	struct arena arena;
	json_t *root;
	struct attached_layer *layers; /* signatures, and what else was put beside them */
	size_t n;
};

/* Parses the manifest of such an image. */
int attached_parse(const char *bytes, size_t n, struct attached *out, struct err *e);

/*
 * Adds the sigstore signatures among s to those of the manifest with that digest, unless they are there already, and
 * puts them into the registry.  fetch: the connection to it.
 */
int attached_put(struct peer *fetch, const char *repository, const char *digest,
    const struct signatures *s, struct err *e);

void attached_free(struct attached *a);
#define own_attached own(attached_free)

#endif
