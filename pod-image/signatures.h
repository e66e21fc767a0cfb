/* SPDX-License-Identifier: ISC */
/* The signatures of one manifest, in their order, on their way to be verified, stored or handed on. */
#ifndef POD_IMAGE_SIGNATURES_H
#define POD_IMAGE_SIGNATURES_H

#include "common/oci/signature.h"
#include "common/wire/peer.h"

#define SIGNATURE_FILE_MAX ((uint64_t)1 << 20)

struct signatures {
	struct arena arena;
	struct rec_signature *v;
	size_t n, bytes;
};
void signatures_free(struct signatures *s);
#define own_signatures own(signatures_free)

/* Copies the file; too many or too large ones are an error. */
int signatures_add(struct signatures *s, const void *p, size_t n, struct err *e);
int signatures_add_all(
    struct signatures *s, const struct rec_signature *v, size_t n, struct err *e);

/* The same signatures in the same order. */
bool signatures_equal(const struct signatures *s, const struct rec_signature *v, size_t n);

/*
 * Appends the file that request m (fetch_file or archive_read) asks the worker for; name is for errors.  1: it is
 * there; 0: it is not, which ends the row.
 */
int signatures_take(struct signatures *s, struct peer *worker, const struct wire_desc *request,
    const void *m, const char *name, struct err *e);

/* PREFIXsignature-1 and so on, of the directory that worker reads, until one is missing. */
int signatures_read(struct signatures *s, struct peer *worker, const char *prefix, struct err *e);

/* Writes those from number from (0 is the first) on there, under those names. */
int signatures_write(const struct signatures *s, size_t from, struct peer *worker,
    const char *prefix, struct err *e);

/* Removes those there after the first n. */
int signatures_cut(size_t n, struct peer *worker, const char *prefix, struct err *e);

#endif
