/* SPDX-License-Identifier: ISC */
/* SHA-256 of a stream in the form that OCI documents use. */
#ifndef POD_DIGEST_H
#define POD_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_TEXT 72 /* "sha256:", 64 digits and a NUL */

struct digest;

struct digest *digest_new(void);
void digest_add(struct digest *d, const void *p, size_t n);
/* Frees d, which may be NULL: then nothing is stored. */
void digest_end(struct digest *d, char out[DIGEST_TEXT]);

/* Of n bytes in memory. */
void digest_of(const void *p, size_t n, char out[DIGEST_TEXT]);

#endif
