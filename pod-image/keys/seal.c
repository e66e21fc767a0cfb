/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include "pod-image/keys/seal.h"
#include <openssl/core_names.h>
#include <openssl/rand.h>
/* clang-format on */

#include "common/base/json.h"
#include "common/oci/base64.h"
#include "pod-image/keys/box.h"

#define RSA_MAX 2048 /* bytes: 16384 bits */

size_t
seal_count(const struct seal_recipient *v, size_t n, const char *scheme)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += strcmp(v[i].scheme, scheme) == 0;
	return count;
}

int
seal_gcm(const uint8_t key[SEAL_KEY], const uint8_t nonce[SEAL_NONCE],
    const struct bytes *authenticated, const struct bytes *data, uint8_t *out, struct err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0, skipped = 0;
	bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1;

	if (ok && authenticated != NULL)
		ok = EVP_EncryptUpdate(
			 ctx, NULL, &skipped, authenticated->p, (int)authenticated->n) == 1;
	ok = ok && EVP_EncryptUpdate(ctx, out, &n, data->p, (int)data->n) == 1 &&
	     EVP_EncryptFinal_ex(ctx, out + n, &rest) == 1 &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, out + data->n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : err_set(e, ERR_INTERNAL, "encrypting the keys of a layer");
}

static void
put_url(json_t *j, const char *key, const void *p, size_t n)
{
	own_mem char *text = base64_url_encode(p, n);

	json_put_str(j, key, text);
}

/* --- Recipients ------------------------------------------------------------------------------- */

/* The public part of an ephemeral key as a JWK. */
static bool
put_point(json_t *header, EVP_PKEY *key, const char *curve)
{
	uint8_t point[1 + 2 * 66];
	size_t n = 0;
	json_t *epk;

	if (EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point), &n) != 1 ||
	    n < 3 || point[0] != 4)
		return false;
	epk = json_put_obj(header, "epk");
	json_put_str(epk, "kty", "EC");
	json_put_str(epk, "crv", curve);
	put_url(epk, "x", point + 1, n / 2);
	put_url(epk, "y", point + 1 + n / 2, n / 2);
	return true;
}

static bool
seal_by_agreement(
    EVP_PKEY *key, const struct bytes *box_key, json_t *header, uint8_t *out, size_t *n)
{
	static const char algorithm[] = "ECDH-ES+A256KW";
	const struct bytes nobody = {(const uint8_t *)"", 0};
	own_evp_pkey EVP_PKEY *mine = NULL;
	char group[64] = "";
	const char *curve;
	uint8_t kek[BOX_KEY_MAX];
	size_t kek_n;
	bool ok;

	if (EVP_PKEY_get_utf8_string_param(
		key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1 ||
	    (curve = box_curve_name(group)) == NULL || (mine = EVP_EC_gen(group)) == NULL)
		return false;
	json_put_str(header, "alg", algorithm);
	ok = put_point(header, mine, curve) &&
	     box_agree(mine, key, algorithm, &nobody, &nobody, kek, &kek_n) &&
	     box_wrap(kek, kek_n, true, box_key, out, n);
	explicit_bzero(kek, sizeof(kek));
	return ok;
}

static int
seal_key(const struct seal_recipient *r, const struct bytes *box_key, json_t *header,
    uint8_t out[RSA_MAX], size_t *n, struct err *e)
{
	bool ok = false;

	*n = RSA_MAX;
	if (EVP_PKEY_is_a(r->key, "RSA") && EVP_PKEY_get_size(r->key) <= RSA_MAX) {
		json_put_str(header, "alg", "RSA-OAEP");
		ok = box_rsa(r->key, "RSA-OAEP", true, box_key, out, n);
	} else if (EVP_PKEY_is_a(r->key, "EC")) {
		ok = seal_by_agreement(r->key, box_key, header, out, n);
	}
	return ok ? 0
		  : err_set(e, ERR_UNSUPPORTED,
			"encrypting for %s: this kind of key cannot be used", r->name);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* One recipient's header is protected as a whole; of several only what is common can be. */
static int
put_recipients(const struct seal_recipient *v, size_t n, const struct bytes *box_key, json_t *j,
    json_t *protected, struct err *e)
{
	bool single = seal_count(v, n, "jwe") == 1;
	json_t *list = single ? NULL : json_put_arr(j, "recipients");
	uint8_t key[RSA_MAX];
	size_t key_n;

	for (size_t i = 0; i < n; i++) {
		json_t *at = j, *header = protected;

		if (strcmp(v[i].scheme, "jwe") != 0)
			continue;
		if (!single) {
			at = json_add_obj(list);
			header = json_put_obj(at, "header");
		}
		if (seal_key(&v[i], box_key, header, key, &key_n, e) < 0)
			return -1;
		put_url(at, "encrypted_key", key, key_n);
	}
	return 0;
}

int
seal_jwe(const struct seal_recipient *v, size_t n, const struct bytes *data, struct bytes *out,
    struct arena *a, struct err *e)
{
	own_json json_t *j = json_obj(), *protected = json_obj();
	own_mem char *header = NULL, *text = NULL, *whole = NULL;
	uint8_t key[SEAL_KEY], nonce[SEAL_NONCE], *sealed = arena_alloc(a, data->n + SEAL_TAG);
	const struct bytes box_key = {key, sizeof(key)};
	struct bytes authenticated;
	int r;

	if (RAND_bytes(key, sizeof(key)) != 1 || RAND_bytes(nonce, sizeof(nonce)) != 1)
		return err_set(e, ERR_INTERNAL, "making a random key");
	json_put_str(protected, "enc", "A256GCM");
	r = put_recipients(v, n, &box_key, j, protected, e);
	header = json_text(protected);
	text = base64_url_encode(header, strlen(header));
	authenticated = (struct bytes){(const uint8_t *)text, strlen(text)};
	if (r == 0)
		r = seal_gcm(key, nonce, &authenticated, data, sealed, e);
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return -1;
	json_put_str(j, "protected", text);
	put_url(j, "iv", nonce, sizeof(nonce));
	put_url(j, "ciphertext", sealed, data->n);
	put_url(j, "tag", sealed + data->n, SEAL_TAG);
	whole = json_text(j);
	*out = (struct bytes){(const uint8_t *)arena_strdup(a, whole), strlen(whole)};
	return 0;
}
