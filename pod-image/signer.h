/* SPDX-License-Identifier: ISC */
/*
 * Signing what is written to a registry or a directory.  With the caller's power the key is found
 * and a worker started that holds it; afterwards manifests are signed by name and digest, and the
 * signatures put where registries.d wants them.
 */
#ifndef POD_IMAGE_SIGNER_H
#define POD_IMAGE_SIGNER_H

#include "common/oci/reference.h"
#include "common/wire/peer.h"

#define SIGNER_FDS_MAX 2

struct signer {
	struct peer *worker; /* NULL: nothing is to be signed */
	uint32_t setup;
	char *identity; /* to sign for, or NULL */
	bool simple, sigstore;
	struct peer *files; /* pod-image-layout in the lookaside, or NULL */
	bool attachments;   /* sigstore signatures are images beside the image */
};

/*
 * o may be NULL or empty.  to: the image in a registry that is written; NULL: a directory.
 * The passphrase in o is overwritten.
 */
int signer_prepare(
    struct signer *s, struct rec_signing *o, const struct reference *to, struct err *e);

/* As signer_prepare for a lookaside directory of one's own (pod image sign --directory). */
int signer_prepare_dir(struct signer *s, struct rec_signing *o, const char *dir, struct err *e);

size_t signer_fds(const struct signer *s, int fds[SIGNER_FDS_MAX]);

/*
 * Signs the manifest with that digest, which is in the registry already.  fetch and repository: the
 * connection to it, for attached signatures.
 */
int signer_sign(struct signer *s, const struct reference *to, const char *digest,
    struct peer *fetch, const char *repository, struct err *e);

/* The same for a "dir:" image that worker writes: PREFIXsignature-1 and so on. */
int signer_sign_dir(
    struct signer *s, const char *prefix, const char *digest, struct peer *worker, struct err *e);

/* Makes a key pair; the caller frees both. */
int signer_generate(const char *passphrase, char **private_pem, char **public_pem, struct err *e);

void signer_free(struct signer *s);

#endif
