/* SPDX-License-Identifier: ISC */
/*
 * Sigstore signatures kept as images in the registry: tag sha256-….sig beside the image, each layer
 * a payload, what belongs to it in the layer's annotations.
 */
#ifndef POD_IMAGE_ATTACHED_H
#define POD_IMAGE_ATTACHED_H

#include "common/base/json.h"
#include "common/wire/peer.h"

#define ATTACHED_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define ATTACHED_SIGNATURE "dev.cosignproject.cosign/signature"
#define ATTACHED_CERTIFICATE "dev.sigstore.cosign/certificate"
#define ATTACHED_CHAIN "dev.sigstore.cosign/chain"
#define ATTACHED_SET "dev.sigstore.cosign/bundle"

#define ATTACHED_MAX 128

/* "sha256-HEX.sig"; the caller frees it. */
char *attached_tag(const char *digest);

struct attached_layer {
	const char *digest;
	uint64_t size;
	struct rec_verify_signature signature; /* without its payload */
};
struct attached {
	struct arena arena;
	struct attached_layer *layers; /* those of the right type */
	size_t n;
};

/* Parses the manifest of such an image. */
int attached_parse(const char *bytes, size_t n, struct attached *out, struct err *e);
/*
 * Adds a signature to those of the manifest with that digest, and puts them into the registry.
 * fetch: the connection to it.
 */
int attached_put(struct peer *fetch, const char *repository, const char *digest,
    const struct msg_sign_image_r *made, struct err *e);

void attached_free(struct attached *a);
#define own_attached own(attached_free)

#endif
