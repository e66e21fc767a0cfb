/* SPDX-License-Identifier: ISC */
/*
 * What the annotations of an encrypted layer say, taken apart: for each recipient a way to the private
 * options of the layer, and those options themselves.  The format is that of containers/ocicrypt: JSON Web
 * Encryption (RFC 7516, JSON serialization), the EnvelopedData of CMS (RFC 5652) or a message of OpenPGP (RFC 4880)
 * around a small JSON text.
 * All of it is foreign; nothing here holds a key of the caller.
 */
#ifndef POD_IMAGE_WRAPPED_H
#define POD_IMAGE_WRAPPED_H

#include "common/oci/digest.h"
#include "common/oci/manifest.h"

#define WRAPPED_MAX 256 /* recipients */
#define WRAPPED_KEY 32
#define WRAPPED_NONCE 16
#define WRAPPED_HMAC 32

struct wrapped { /* zero-initialise; wrapped_free */
	struct arena arena;
	struct rec_wrapped_key v[WRAPPED_MAX];
	size_t n;
	size_t foreign; /* recipients whose algorithms are not known here */
};

/* Adds the recipients of one box. */
int wrapped_jwe(struct wrapped *w, const char *json, size_t n, struct err *e);
int wrapped_pkcs7(struct wrapped *w, const uint8_t *der, size_t n, struct err *e);
int wrapped_pgp(struct wrapped *w, const uint8_t *p, size_t n, struct err *e);

/* All boxes of a layer. */
int wrapped_parse(struct wrapped *w, const struct manifest_encrypted *x, struct err *e);
void wrapped_free(struct wrapped *w);
#define own_wrapped own(wrapped_free)

struct wrapped_options { /* how the layer is encrypted */
	uint8_t key[WRAPPED_KEY], nonce[WRAPPED_NONCE], hmac[WRAPPED_HMAC];
	char digest[DIGEST_TEXT]; /* of what was encrypted */
};

/* From what the box held, and from the annotation with the public options, base64. */
int wrapped_options(const struct bytes *box, const char *public_options,
    struct wrapped_options *out, struct err *e);

/* The two texts for a layer that was encrypted; the caller frees them, the first after overwriting it. */
char *wrapped_private_text(const struct wrapped_options *o);
char *wrapped_public_text(const struct wrapped_options *o);

#endif
