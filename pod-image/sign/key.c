/* SPDX-License-Identifier: ISC */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/text.h"
#include "common/oci/base64.h"
#include "pod-image/sign/key.h"

#define PEM_TYPE "ENCRYPTED COSIGN PRIVATE KEY"
#define PEM_TYPE_NEW "ENCRYPTED SIGSTORE PRIVATE KEY"
#define JSON_MAX 65536
#define SALT_BYTES 32
#define COST_N 32768
#define COST_R 8
#define COST_P 1

struct box { /* what the JSON says */
	uint64_t n;
	uint32_t r, p;
	char *salt, *nonce, *cipher;
	size_t salt_n, nonce_n, cipher_n;
};

static void
box_free(struct box *b)
{
	free(b->salt);
	free(b->nonce);
	free(b->cipher);
}

static int
need_bytes(const json_t *j, const char *key, char **out, size_t *n, struct err *e)
{
	const char *text;

	if (json_need_str(j, key, &text, e) < 0)
		return -1;
	*out = base64_decode(text, n);
	return *out != NULL ? 0 : err_set(e, ERR_FORMAT, "%s is no base64", key);
}

static int
read_box(const json_t *j, struct box *b, struct err *e)
{
	json_t *kdf, *params, *cipher;
	const char *kdf_name, *cipher_name;
	int64_t n, r, p;

	if (!json_is_object(j) || json_need_obj(j, "kdf", &kdf, e) < 0 ||
	    json_need_str(kdf, "name", &kdf_name, e) < 0 ||
	    json_need_obj(kdf, "params", &params, e) < 0 ||
	    json_need_int(params, "N", 2, 1 << 20, &n, e) < 0 ||
	    json_need_int(params, "r", 1, 64, &r, e) < 0 ||
	    json_need_int(params, "p", 1, 64, &p, e) < 0 ||
	    need_bytes(kdf, "salt", &b->salt, &b->salt_n, e) < 0 ||
	    json_need_obj(j, "cipher", &cipher, e) < 0 ||
	    json_need_str(cipher, "name", &cipher_name, e) < 0 ||
	    need_bytes(cipher, "nonce", &b->nonce, &b->nonce_n, e) < 0 ||
	    need_bytes(j, "ciphertext", &b->cipher, &b->cipher_n, e) < 0)
		return err_wrap(e, "reading private key");
	if (strcmp(kdf_name, "scrypt") != 0 || strcmp(cipher_name, "nacl/secretbox") != 0 ||
	    b->nonce_n != crypto_secretbox_NONCEBYTES || b->cipher_n < crypto_secretbox_MACBYTES)
		return err_set(e, ERR_UNSUPPORTED,
		    "reading private key: only scrypt with nacl/secretbox is supported");
	b->n = (uint64_t)n;
	b->r = (uint32_t)r;
	b->p = (uint32_t)p;
	return 0;
}

/* The JSON of the PEM block; NULL if it is of another type. */
static json_t *
open_pem(const struct bytes *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long n = 0;
	json_t *j = NULL;

	if (bio == NULL || PEM_read_bio(bio, &name, &header, &data, &n) != 1)
		err_set(e, ERR_FORMAT, "invalid pem block");
	else if (strcmp(name, PEM_TYPE) != 0 && strcmp(name, PEM_TYPE_NEW) != 0)
		err_set(e, ERR_UNSUPPORTED, "unsupported pem type: %.64s", name);
	else
		j = json_read_max((const char *)data, (size_t)n, JSON_MAX, 8, e);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	BIO_free(bio);
	return j;
}

static int
derive(const char *passphrase, const struct box *b, uint8_t key[crypto_secretbox_KEYBYTES],
    struct err *e)
{
	if (sodium_init() < 0 || crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)passphrase,
				     strlen(passphrase), (const uint8_t *)b->salt, b->salt_n, b->n,
				     b->r, b->p, key, crypto_secretbox_KEYBYTES) != 0)
		return err_set(e, ERR_INTERNAL, "deriving a key from the passphrase");
	return 0;
}

static EVP_PKEY *
from_pkcs8(const uint8_t *der, size_t n, struct err *e)
{
	const unsigned char *p = der;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)n);

	if (key == NULL)
		err_set(e, ERR_FORMAT, "parsing private key");
	return key;
}

EVP_PKEY *
key_open(const struct bytes *pem, const char *passphrase, struct err *e)
{
	own_json json_t *j = open_pem(pem, e);
	own(box_free) struct box b = {0};
	uint8_t key[crypto_secretbox_KEYBYTES];
	EVP_PKEY *result = NULL;
	uint8_t *plain;
	size_t n;

	if (j == NULL || read_box(j, &b, e) < 0 ||
	    derive(passphrase != NULL ? passphrase : "", &b, key, e) < 0)
		return NULL;
	n = b.cipher_n - crypto_secretbox_MACBYTES;
	plain = xmalloc(n + 1);
	if (crypto_secretbox_open_easy(
		plain, (const uint8_t *)b.cipher, b.cipher_n, (const uint8_t *)b.nonce, key) != 0)
		err_set(e, ERR_AUTH, "decrypting private key: wrong passphrase");
	else
		result = from_pkcs8(plain, n, e);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(plain, n);
	free(plain);
	return result;
}

/* --- Making ----------------------------------------------------------------------------------- */

static void
put_bytes(json_t *j, const char *key, const void *p, size_t n)
{
	own_mem char *text = base64_encode(p, n);

	json_put_str(j, key, text);
}

static char *
pem_text(const char *type, const void *data, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *p;
	long size;

	if (PEM_write_bio(bio, type, "", data, (long)n) > 0 &&
	    (size = BIO_get_mem_data(bio, &p)) > 0)
		text = xstrndup(p, (size_t)size);
	BIO_free(bio);
	return text;
}

static char *
seal(const char *passphrase, const uint8_t *der, size_t n, struct err *e)
{
	uint8_t salt[SALT_BYTES], nonce[crypto_secretbox_NONCEBYTES],
	    key[crypto_secretbox_KEYBYTES];
	struct box b = {
	    .n = COST_N, .r = COST_R, .p = COST_P, .salt = (char *)salt, .salt_n = SALT_BYTES};
	own_mem uint8_t *cipher = xmalloc(n + crypto_secretbox_MACBYTES);
	own_json json_t *j = json_obj();
	json_t *kdf = json_put_obj(j, "kdf"), *params, *c;
	own_mem char *text = NULL;

	if (derive(passphrase, &b, key, e) < 0) /* also starts the generator */
		return NULL;
	randombytes_buf(salt, sizeof(salt));
	randombytes_buf(nonce, sizeof(nonce));
	if (derive(passphrase, &b, key, e) < 0)
		return NULL;
	crypto_secretbox_easy(cipher, der, n, nonce, key);
	explicit_bzero(key, sizeof(key));
	json_put_str(kdf, "name", "scrypt");
	params = json_put_obj(kdf, "params");
	json_put_int(params, "N", COST_N);
	json_put_int(params, "r", COST_R);
	json_put_int(params, "p", COST_P);
	put_bytes(kdf, "salt", salt, sizeof(salt));
	c = json_put_obj(j, "cipher");
	json_put_str(c, "name", "nacl/secretbox");
	put_bytes(c, "nonce", nonce, sizeof(nonce));
	put_bytes(j, "ciphertext", cipher, n + crypto_secretbox_MACBYTES);
	text = json_text(j);
	return pem_text(PEM_TYPE, text, strlen(text));
}

static int
take_pair(
    EVP_PKEY *key, const char *passphrase, char **private_pem, char **public_pem, struct err *e)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	unsigned char *der = NULL, *public = NULL;
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
	int public_n = i2d_PUBKEY(key, &public);

	if (n > 0 && public_n > 0) {
		*private_pem = seal(passphrase, der, (size_t)n, e);
		*public_pem = pem_text("PUBLIC KEY", public, (size_t)public_n);
	} else {
		err_set(e, ERR_INTERNAL, "encoding a key");
	}
	if (der != NULL)
		explicit_bzero(der, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_free(der);
	OPENSSL_free(public);
	return *private_pem != NULL && *public_pem != NULL ? 0 : -1;
}

int
key_generate(const char *passphrase, char **private_pem, char **public_pem, struct err *e)
{
	own_evp_pkey EVP_PKEY *key = EVP_EC_gen("P-256");

	*private_pem = *public_pem = NULL;
	if (key == NULL)
		return err_set(e, ERR_INTERNAL, "generating a key");
	return take_pair(key, passphrase != NULL ? passphrase : "", private_pem, public_pem, e);
}
