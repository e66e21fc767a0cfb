/* SPDX-License-Identifier: ISC */
/* EnvelopedData of CMS (RFC 5652, section 6), written in DER. */
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include "pod-image/keys/seal.h"
#include <openssl/rand.h>
/* clang-format on */

#include "pod-image/keys/box.h"

#define RSA_MAX 2048

static const uint8_t enveloped_data[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
static const uint8_t data_type[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
static const uint8_t rsa_encryption[] = {
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
static const uint8_t aes256_gcm[] = {
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
static const uint8_t version_zero[] = {0x02, 0x01, 0x00};
static const uint8_t tag_length[] = {0x02, 0x01, SEAL_TAG};

static void
put(struct strbuf *b, const void *p, size_t n)
{
	strbuf_addn(b, p, n);
}

static void
put_element(struct strbuf *b, unsigned tag, const void *p, size_t n)
{
	strbuf_addc(b, (char)tag);
	if (n >= 0x10000) {
		strbuf_addc(b, (char)0x83);
		strbuf_addc(b, (char)(n >> 16));
		strbuf_addc(b, (char)(n >> 8));
	} else if (n >= 0x100) {
		strbuf_addc(b, (char)0x82);
		strbuf_addc(b, (char)(n >> 8));
	} else if (n >= 0x80) {
		strbuf_addc(b, (char)0x81);
	}
	strbuf_addc(b, (char)n);
	put(b, p, n);
}

/* What is in b becomes the content of an element. */
static void
wrap(struct strbuf *b, unsigned tag)
{
	struct strbuf outer = {0};

	put_element(&outer, tag, b->s != NULL ? b->s : "", b->n);
	strbuf_free(b);
	*b = outer;
}

/* IssuerAndSerialNumber. */
static int
put_identity(struct strbuf *b, X509 *certificate, struct err *e)
{
	own_strbuf struct strbuf id = {0};
	unsigned char *issuer = NULL, *serial = NULL;
	int issuer_n = i2d_X509_NAME(X509_get_issuer_name(certificate), &issuer);
	int serial_n = i2d_ASN1_INTEGER(X509_get_serialNumber(certificate), &serial);

	if (issuer_n > 0 && serial_n > 0) {
		put(&id, issuer, (size_t)issuer_n);
		put(&id, serial, (size_t)serial_n);
		wrap(&id, 0x30);
		put(b, id.s, id.n);
	}
	OPENSSL_free(issuer);
	OPENSSL_free(serial);
	return issuer_n > 0 && serial_n > 0
		   ? 0
		   : err_set(e, ERR_INTERNAL, "writing the name of a certificate");
}

/* KeyTransRecipientInfo. */
static int
put_recipient(
    struct strbuf *b, const struct seal_recipient *r, const struct bytes *box_key, struct err *e)
{
	own_strbuf struct strbuf info = {0};
	uint8_t key[RSA_MAX];
	size_t n = sizeof(key);

	if (!EVP_PKEY_is_a(r->key, "RSA") || EVP_PKEY_get_size(r->key) > RSA_MAX ||
	    !box_rsa(r->key, "RSA1_5", true, box_key, key, &n))
		return err_set(e, ERR_UNSUPPORTED,
		    "encrypting for %s: this kind of key cannot be used", r->name);
	put(&info, version_zero, sizeof(version_zero));
	if (put_identity(&info, r->certificate, e) < 0)
		return -1;
	put_element(&info, 0x30, rsa_encryption, sizeof(rsa_encryption));
	put_element(&info, 0x04, key, n);
	wrap(&info, 0x30);
	put(b, info.s, info.n);
	return 0;
}

/*
 * EncryptedContentInfo.  GCMParameters (RFC 5084) stand in a sequence of their own inside that of the
 * parameters, and the nonce has a tag of its own: the library of the other engines reads nothing else.
 */
static void
put_content(struct strbuf *b, const uint8_t *nonce, const uint8_t *sealed, size_t n)
{
	own_strbuf struct strbuf parameters = {0}, algorithm = {0}, text = {0}, info = {0};

	put_element(&parameters, 0x84, nonce, SEAL_NONCE);
	put(&parameters, tag_length, sizeof(tag_length));
	wrap(&parameters, 0x30);
	wrap(&parameters, 0x30);
	put(&algorithm, aes256_gcm, sizeof(aes256_gcm));
	put(&algorithm, parameters.s, parameters.n);
	wrap(&algorithm, 0x30);
	put_element(&text, 0x04, sealed, n);
	wrap(&text, 0xa0);
	put(&info, data_type, sizeof(data_type));
	put(&info, algorithm.s, algorithm.n);
	put(&info, text.s, text.n);
	wrap(&info, 0x30);
	put(b, info.s, info.n);
}

int
seal_pkcs7(const struct seal_recipient *v, size_t n, const struct bytes *data, struct bytes *out,
    struct arena *a, struct err *e)
{
	own_strbuf struct strbuf recipients = {0}, b = {0};
	uint8_t key[SEAL_KEY], nonce[SEAL_NONCE], *sealed = arena_alloc(a, data->n + SEAL_TAG);
	const struct bytes box_key = {key, sizeof(key)};
	uint8_t *copy;
	int r = 0;

	if (RAND_bytes(key, sizeof(key)) != 1 || RAND_bytes(nonce, sizeof(nonce)) != 1)
		return err_set(e, ERR_INTERNAL, "making a random key");
	for (size_t i = 0; i < n && r == 0; i++)
		if (strcmp(v[i].scheme, "pkcs7") == 0)
			r = put_recipient(&recipients, &v[i], &box_key, e);
	if (r == 0)
		r = seal_gcm(key, nonce, NULL, data, sealed, e);
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return -1;
	wrap(&recipients, 0x31);
	put(&b, version_zero, sizeof(version_zero));
	put(&b, recipients.s, recipients.n);
	put_content(&b, nonce, sealed, data->n + SEAL_TAG);
	wrap(&b, 0x30);
	wrap(&b, 0xa0);
	{
		own_strbuf struct strbuf inner = b;

		b = (struct strbuf){0};
		put(&b, enveloped_data, sizeof(enveloped_data));
		put(&b, inner.s, inner.n);
	}
	wrap(&b, 0x30);
	copy = arena_alloc(a, b.n);
	memcpy(copy, b.s, b.n);
	*out = (struct bytes){copy, b.n};
	return 0;
}
