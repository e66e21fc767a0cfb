/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include "pod-image/keys/box.h"
#include "pod-image/keys/pgp.h"
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
/* clang-format on */

#define POINT_MAX (1 + 2 * 66)
#define SHARED_MAX 66

static const struct {
	const char *curve, *group;
	size_t bytes;
} curves[] = {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};

const char *
box_curve_group(const char *curve)
{
	for (size_t i = 0; i < COUNTOF(curves); i++)
		if (strcmp(curves[i].curve, curve) == 0)
			return curves[i].group;
	return NULL;
}

const char *
box_curve_name(const char *group)
{
	for (size_t i = 0; i < COUNTOF(curves); i++)
		if (strcmp(curves[i].group, group) == 0)
			return curves[i].curve;
	return NULL;
}

/* --- The box's key ---------------------------------------------------------------------------- */

bool
box_rsa(EVP_PKEY *key, const char *algorithm, bool seal, const struct bytes *in, uint8_t *out,
    size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool oaep = strcmp(algorithm, "RSA1_5") != 0, ok = false;
	const EVP_MD *md = strcmp(algorithm, "RSA-OAEP-256") == 0 ? EVP_sha256() : EVP_sha1();

	if (ctx == NULL || (seal ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx)) != 1)
		goto out;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) <=
	    0)
		goto out;
	if (oaep && (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) <= 0 ||
			EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) <= 0))
		goto out;
	ok = (seal ? EVP_PKEY_encrypt(ctx, out, n, in->p, in->n)
		   : EVP_PKEY_decrypt(ctx, out, n, in->p, in->n)) == 1;
out:
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* RFC 7518, section 4.6.2: each part behind its length. */
static void
add_part(EVP_MD_CTX *ctx, const void *p, size_t n)
{
	uint8_t length[4] = {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	EVP_DigestUpdate(ctx, length, sizeof(length));
	EVP_DigestUpdate(ctx, p, n);
}

/* Concat KDF (NIST SP 800-56A, section 5.8.1) in one round: no key here is longer than SHA-256. */
static bool
concat_kdf(const uint8_t *shared, size_t shared_n, const char *algorithm,
    const struct bytes *party_u, const struct bytes *party_v, uint8_t out[BOX_KEY_MAX], size_t n)
{
	static const uint8_t round[4] = {0, 0, 0, 1};
	uint8_t bits[4] = {0, 0, (uint8_t)(n * 8 >> 8), (uint8_t)(n * 8)};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	if (ok) {
		EVP_DigestUpdate(ctx, round, sizeof(round));
		EVP_DigestUpdate(ctx, shared, shared_n);
		add_part(ctx, algorithm, strlen(algorithm));
		add_part(ctx, party_u->p, party_u->n);
		add_part(ctx, party_v->p, party_v->n);
		EVP_DigestUpdate(ctx, bits, sizeof(bits));
		ok = EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	}
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
box_agree(EVP_PKEY *key, EVP_PKEY *peer, const char *algorithm, const struct bytes *party_u,
    const struct bytes *party_v, uint8_t out[BOX_KEY_MAX], size_t *n)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	uint8_t shared[SHARED_MAX];
	size_t shared_n = sizeof(shared);
	/* Safe because the peer's point is checked to lie on the curve when it is set. */
	bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_derive_set_peer_ex(ctx, peer, 1) == 1 &&
		  EVP_PKEY_derive(ctx, shared, &shared_n) == 1;

	*n = strstr(algorithm, "128") != NULL ? 16 : strstr(algorithm, "192") != NULL ? 24 : 32;
	if (ok)
		ok = concat_kdf(shared, shared_n, algorithm, party_u, party_v, out, *n);
	explicit_bzero(shared, sizeof(shared));
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

bool
box_wrap(
    const uint8_t *kek, size_t kek_n, bool seal, const struct bytes *in, uint8_t *out, size_t *n)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = kek_n == 16	 ? EVP_aes_128_wrap()
				   : kek_n == 24 ? EVP_aes_192_wrap()
						 : EVP_aes_256_wrap();
	int got = 0, rest = 0;
	bool ok;

	if (ctx == NULL)
		return false;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = EVP_CipherInit_ex(ctx, cipher, NULL, kek, NULL, seal) == 1 &&
	     EVP_CipherUpdate(ctx, out, &got, in->p, (int)in->n) == 1 &&
	     EVP_CipherFinal_ex(ctx, out + got, &rest) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*n = (size_t)got + (size_t)rest;
	return ok;
}

/* The key from its point, if it is one of that curve. */
static EVP_PKEY *
ephemeral(const struct rec_wrapped_key *way)
{
	const char *group = way->curve != NULL ? box_curve_group(way->curve) : NULL;
	uint8_t point[POINT_MAX] = {4};
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;
	size_t n = 0;

	for (size_t i = 0; group != NULL && i < COUNTOF(curves); i++)
		if (strcmp(curves[i].group, group) == 0)
			n = curves[i].bytes;
	if (n == 0 || way->x.n > n || way->y.n > n)
		return NULL;
	memcpy(point + 1 + n - way->x.n, way->x.p, way->x.n);
	memcpy(point + 1 + 2 * n - way->y.n, way->y.p, way->y.n);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
		OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(
					   OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
		    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n),
		    OSSL_PARAM_construct_end()};

		if (EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
			key = NULL;
	}
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static bool
open_by_agreement(
    EVP_PKEY *key, const struct rec_wrapped_key *way, uint8_t out[BOX_KEY_MAX], size_t *n)
{
	own_evp_pkey EVP_PKEY *peer = ephemeral(way);
	uint8_t kek[BOX_KEY_MAX];
	size_t kek_n;
	bool ok;

	/* What is wrapped is a key for AES; wrapping adds eight bytes. */
	if (peer == NULL || way->key.n < 16 || way->key.n > BOX_KEY_MAX + 8)
		return false;
	ok = box_agree(key, peer, way->algorithm, &way->party_u, &way->party_v, kek, &kek_n) &&
	     box_wrap(kek, kek_n, false, &way->key, out, n);
	explicit_bzero(kek, sizeof(kek));
	return ok;
}

static bool
open_by_rsa(EVP_PKEY *key, const struct rec_wrapped_key *way, uint8_t out[BOX_KEY_MAX], size_t *n)
{
	size_t room = (size_t)EVP_PKEY_get_size(key), got = room;
	uint8_t *buffer;
	bool ok;

	if (room == 0 || room > 4096 || way->key.n != room)
		return false;
	buffer = xmalloc(room);
	ok = box_rsa(key, way->algorithm, false, &way->key, buffer, &got) && got <= BOX_KEY_MAX;
	if (ok) {
		memcpy(out, buffer, got);
		*n = got;
	}
	explicit_bzero(buffer, room);
	free(buffer);
	return ok;
}

/* --- What it holds ---------------------------------------------------------------------------- */

static const struct {
	const char *word;
	const EVP_CIPHER *(*cipher)(void);
	size_t key, iv, tag;
} ciphers[] = {
    {"A128GCM", EVP_aes_128_gcm, 16, 12, 16},
    {"A192GCM", EVP_aes_192_gcm, 24, 12, 16},
    {"A256GCM", EVP_aes_256_gcm, 32, 12, 16},
    {"A128CBC", EVP_aes_128_cbc, 16, 16, 0},
    {"A256CBC", EVP_aes_256_cbc, 32, 16, 0},
};

static bool
decipher(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const uint8_t *key,
    const struct rec_wrapped_key *way, uint8_t *out, int *n)
{
	int skipped = 0, rest = 0;

	if (EVP_DecryptInit_ex(ctx, cipher, NULL, key, way->iv.p) != 1)
		return false;
	if (way->tag.n > 0 && (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)way->tag.n,
				   (void *)(uintptr_t)way->tag.p) != 1 ||
				  EVP_DecryptUpdate(ctx, NULL, &skipped, way->authenticated.p,
				      (int)way->authenticated.n) != 1))
		return false;
	if (EVP_DecryptUpdate(ctx, out, n, way->text.p, (int)way->text.n) != 1 ||
	    EVP_DecryptFinal_ex(ctx, out + *n, &rest) != 1)
		return false;
	*n += rest;
	return true;
}

static int
open_content(const struct rec_wrapped_key *way, const uint8_t *key, size_t key_n, struct bytes *out)
{
	EVP_CIPHER_CTX *ctx;
	uint8_t *plain;
	size_t i = 0;
	int n = 0;
	bool ok;

	while (i < COUNTOF(ciphers) && strcmp(ciphers[i].word, way->cipher) != 0)
		i++;
	if (i == COUNTOF(ciphers) || key_n != ciphers[i].key || way->iv.n != ciphers[i].iv ||
	    way->tag.n != ciphers[i].tag)
		return 0;
	ctx = EVP_CIPHER_CTX_new();
	plain = xmalloc(way->text.n + 32);
	ok = ctx != NULL && decipher(ctx, ciphers[i].cipher(), key, way, plain, &n) && n > 0;
	EVP_CIPHER_CTX_free(ctx);
	if (ok) {
		*out = (struct bytes){plain, (size_t)n};
		return 1;
	}
	explicit_bzero(plain, way->text.n + 32);
	free(plain);
	return 0;
}

int
box_open(EVP_PKEY *key, const struct rec_wrapped_key *way, struct bytes *out)
{
	bool rsa = strncmp(way->algorithm, "RSA", 3) == 0;
	uint8_t box_key[BOX_KEY_MAX];
	size_t n = sizeof(box_key);
	int r = 0;

	if (strcmp(way->cipher, "PGP") == 0)
		return pgp_open(key, way, out);
	if (!EVP_PKEY_is_a(key, rsa ? "RSA" : "EC"))
		return 0;
	if (rsa ? open_by_rsa(key, way, box_key, &n) : open_by_agreement(key, way, box_key, &n))
		r = open_content(way, box_key, n, out);
	explicit_bzero(box_key, sizeof(box_key));
	ERR_clear_error();
	return r;
}
