/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

#include "common/base/sha256.h"
#include "common/base/text.h"
#include "common/oci/digest.h"

/* OpenSSL takes 2 ms to get ready, our own function that long for this much. */
#define SMALL ((size_t)128 << 10)

/* OpenSSL fails here only for want of memory. */
static void
must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest *
digest_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL);
	must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
	return (struct digest *)(void *)ctx;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	must(EVP_DigestUpdate((EVP_MD_CTX *)(void *)d, p, n));
}

void
digest_end(struct digest *d, char out[DIGEST_TEXT])
{
	unsigned char raw[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (d == NULL)
		return;
	must(EVP_DigestFinal_ex((EVP_MD_CTX *)(void *)d, raw, &n));
	EVP_MD_CTX_free((EVP_MD_CTX *)(void *)d);
	memcpy(out, "sha256:", 7);
	text_hex(raw, n, out + 7);
}

void
digest_of(const void *p, size_t n, char out[DIGEST_TEXT])
{
	struct digest *d;

	if (n <= SMALL) {
		memcpy(out, "sha256:", 7);
		sha256_hex(p, n, out + 7);
		return;
	}
	d = digest_new();

	digest_add(d, p, n);
	digest_end(d, out);
}
