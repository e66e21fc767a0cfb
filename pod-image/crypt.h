/* SPDX-License-Identifier: ISC */
/*
 * Encrypted layers.  With the caller's power the files with keys are read and handed to a worker that
 * holds them, and the workers are started through which layers pass; afterwards annotations are taken
 * apart here, and what they hold is opened or sealed there.
 */
#ifndef POD_IMAGE_CRYPT_H
#define POD_IMAGE_CRYPT_H

#include "common/base/json.h"
#include "pod-image/keep.h"
#include "pod-image/wrapped.h"

#define CRYPT_SLOTS 3 /* layers at once */

enum crypt_way { CRYPT_OPEN, CRYPT_SEAL };

struct crypt {		   /* zero-initialise; crypt_free */
	struct peer *keys; /* NULL: there are no keys */
	struct peer *gpg;  /* encrypts for OpenPGP recipients; NULL: there are none */
	uint32_t setup, gpg_setup;
	bool opens, seals;
	bool boxes; /* keys has recipients too */
	const struct rec_encryption *wish;
	struct peer *coders[2][CRYPT_SLOTS];
};

/* access and wish may be NULL; wish is borrowed.  Passphrases in access are overwritten. */
int crypt_prepare(struct crypt *c, struct rec_registry_access *access,
    const struct rec_encryption *wish, struct err *e);
void crypt_fds(const struct crypt *c, struct keep *k);

/* How a layer is encrypted, and what it is then; c may be NULL.  An error says if no key fits. */
int crypt_open(
    struct crypt *c, const struct manifest_desc *d, struct wrapped_options *out, struct err *e);

/* Is layer k of n to be encrypted?  crypt_check, which comes first, refuses numbers that no layer has and bad keys. */
bool crypt_seals(const struct crypt *c, size_t k, size_t n);
int crypt_check(struct crypt *c, size_t n, struct err *e);

/* A new key for a layer. */
int crypt_new(struct wrapped_options *out, struct err *e);
/* Adds the annotations of a layer that was encrypted so. */
int crypt_annotate(
    struct crypt *c, const struct wrapped_options *o, json_t *annotations, struct err *e);

/*
 * Asks the worker of that slot to pass a layer on; its answer is recrypt_r.  digest: that of what comes in,
 * if it is to be checked.
 */
int crypt_ask(struct crypt *c, enum crypt_way way, size_t slot, const struct wrapped_options *o,
    const char *digest, int in, int out, uint32_t *seq, struct err *e);

/* A descriptor without what its annotations say of encryption. */
void crypt_strip(json_t *layer);

/*
 * The manifest that an image has once its layers are plain; options[k] is NULL where layer k was so before.
 * The caller frees it.
 */
char *crypt_plain_manifest(const struct bytes *manifest, const struct manifest_desc *layers,
    struct wrapped_options *const *options, size_t n, struct err *e);

void crypt_free(struct crypt *c);

#endif
