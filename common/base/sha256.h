/* SPDX-License-Identifier: ISC */
/*
 * SHA-256 (FIPS 180-4) for documents and identifiers: small enough to be compiled into programs that
 * must start fast.  What digests whole layers uses the crypto library instead.
 */
#ifndef POD_SHA256_H
#define POD_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX 65 /* with the NUL */

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_SIZE]);

/* Of n bytes at once, as 64 lower-case hexadecimal digits. */
void sha256_hex(const void *p, size_t n, char out[SHA256_HEX]);

#endif
