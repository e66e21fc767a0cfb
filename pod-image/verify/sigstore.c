/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/base/own.h"
#include "common/oci/base64.h"
#include "pod-image/verify/certificate.h"
#include "pod-image/verify/rekor.h"
#include "pod-image/verify/sigstore.h"

#define FAILED "cryptographic signature verification failed"

EVP_PKEY *
sigstore_key(const struct bytes *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (key == NULL)
		err_set(e, ERR_INVALID, "parsing public key: it is no PEM public key");
	return key;
}

bool
sigstore_signed(EVP_PKEY *key, const void *data, size_t n, const uint8_t *sig, size_t sig_n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
	bool good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		    EVP_DigestVerify(ctx, sig, sig_n, data, n) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* The log says that somebody had the key; it does not replace the check of the signature. */
static int
check_key(const struct rec_verify_rule *rule, const struct signature *s, EVP_PKEY *key,
    const struct bytes *pem, const uint8_t *sig, size_t n, struct err *e)
{
	if (!sigstore_signed(key, s->payload.p, s->payload.n, sig, n))
		return err_set(e, ERR_DENIED, FAILED ": invalid signature");
	return rule->rekor.n == 0 ? 0 : rekor_check(rule, s, pem, NULL, e);
}

static int
check_keys(const struct rec_verify_rule *rule, const struct signature *s, const uint8_t *sig,
    size_t n, struct err *e)
{
	for (size_t i = 0; i < rule->keys.n; i++) {
		own_evp_pkey EVP_PKEY *key = sigstore_key(&rule->keys.v[i].data, e);

		if (key == NULL)
			return -1;
		err_clear(e);
		if (check_key(rule, s, key, &rule->keys.v[i].data, sig, n, e) == 0)
			return 0;
	}
	return -1;
}

int
sigstore_check(const struct rec_verify_rule *rule, const struct signature *s, struct err *e)
{
	size_t n = 0;
	own_mem char *sig = s->base64 != NULL ? base64_decode(s->base64, &n) : NULL;
	own_evp_pkey EVP_PKEY *key = NULL;

	if (s->base64 == NULL)
		return err_set(
		    e, ERR_DENIED, "missing dev.cosignproject.cosign/signature annotation");
	if (sig == NULL)
		return err_set(e, ERR_DENIED, "the signature is no base64");
	if (rule->keys.n > 0)
		return check_keys(rule, s, (const uint8_t *)sig, n, e);
	key = certificate_key(rule, s, e);
	if (key == NULL)
		return -1;
	if (!sigstore_signed(key, s->payload.p, s->payload.n, (const uint8_t *)sig, n))
		return err_set(e, ERR_DENIED, FAILED ": invalid signature");
	return 0;
}
