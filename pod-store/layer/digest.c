/* SPDX-License-Identifier: ISC */
/* OpenSSL has a type by the name of one of our error classes. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>

#include "common/base/text.h"
#include "pod-store/layer/digest.h"

int
digest_init(struct digest *d, struct err *e)
{
	/* Our digests do not depend on the host's openssl.cnf, nor does a worker read it. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	*d = (struct digest){.state = EVP_MD_CTX_new()};
	if (d->state == NULL || EVP_DigestInit_ex(d->state, EVP_sha256(), NULL) != 1)
		return err_set(e, ERR_INTERNAL, "cannot compute SHA-256 digests");
	return 0;
}

void
digest_hash(struct digest *d, const void *p, size_t n)
{
	EVP_DigestUpdate(d->state, p, n);
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	digest_hash(d, p, n);
	d->size += n;
}

int
digest_copy(struct digest *to, const struct digest *from, struct err *e)
{
	if (EVP_MD_CTX_copy_ex(to->state, from->state) != 1)
		return err_set(e, ERR_INTERNAL, "cannot compute SHA-256 digests");
	to->size = from->size;
	return 0;
}

void
digest_text(struct digest *d, char out[DIGEST_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_DigestFinal_ex(d->state, md, &n);
	memcpy(out, "sha256:", 7);
	text_hex(md, 32, out + 7);
}

void
digest_free(struct digest *d)
{
	EVP_MD_CTX_free(d->state);
	d->state = NULL;
}
