/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 of a stream, as the image format names it.
 */
#ifndef POD_DIGEST_H
#define POD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

#define DIGEST_TEXT 72 /* "sha256:", 64 digits, NUL */

struct digest {
	void *state;
	uint64_t size; /* bytes so far */
};

int digest_init(struct digest *d, struct err *e);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_hash(struct digest *d, const void *p, size_t n); /* without counting: behind.h */
void digest_text(struct digest *d, char out[DIGEST_TEXT]);   /* ends it */
int digest_copy(struct digest *to, const struct digest *from, struct err *e); /* both begun */
void digest_free(struct digest *d);

#endif
