/* SPDX-License-Identifier: ISC */
/*
 * The signatures of what is written to a registry or a directory: those that the source had, and new ones.  With the
 * caller's power the key is found and a worker started that holds it; afterwards manifests are signed
 * by name and digest, and the signatures put where registries.d wants them.
 */
#ifndef POD_IMAGE_SIGNER_H
#define POD_IMAGE_SIGNER_H

#include "common/oci/reference.h"
#include "pod-image/keep.h"
#include "pod-image/signatures.h"

struct signer {
	struct peer *worker; /* NULL: nothing is to be signed */
	uint32_t setup;
	char *identity; /* to sign for, or NULL */
	bool simple, sigstore;
	struct peer *
	    files; /* pod-image-layout in the lookaside, or NULL; a registry may keep them itself */
	struct err no_files; /* why simple signatures cannot be kept */
	bool attachments;    /* sigstore signatures are images beside the image */
};

/* Has the source simple signatures?  If it may, a lookaside that is there is used for them, else one is made. */
enum signer_source { SIGNER_UNSIGNED, SIGNER_MAY_BE_SIGNED, SIGNER_SIGNED };

/*
 * o may be NULL or empty.  to: the image in a registry that is written; NULL: a directory.  The passphrase in o is
 * overwritten.
 */
int signer_prepare(struct signer *s, struct rec_signing *o, const struct reference *to,
    enum signer_source source, struct err *e);

/* Before anything is sent to that registry: can signatures that are to be made be kept for it? */
int signer_check(const struct signer *s, struct peer *fetch, const char *repository, struct err *e);

/* As signer_prepare for a lookaside directory of one's own (pod image sign --directory). */
int signer_prepare_dir(struct signer *s, struct rec_signing *o, const char *dir, struct err *e);

void signer_fds(const struct signer *s, struct keep *k);

/*
 * Puts the signatures of the manifest with that digest, which is in the registry already, beside it: those of the
 * source (source may be NULL), and one by each key.  fetch and repository: the connection to the registry, for
 * attached signatures.
 */
int signer_put(struct signer *s, const struct reference *to, const char *digest,
    const struct signatures *source, struct peer *fetch, const char *repository, struct err *e);

/* The same for a "dir:" image that worker writes: PREFIXsignature-1 and so on, and no others. s may be NULL. */
int signer_put_dir(struct signer *s, const char *prefix, const char *digest,
    const struct signatures *source, struct peer *worker, struct err *e);

/* Makes a key pair; the caller frees both. */
int signer_generate(const char *passphrase, char **private_pem, char **public_pem, struct err *e);

void signer_free(struct signer *s);

#endif
