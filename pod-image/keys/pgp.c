/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include "pod-image/keys/pgp.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
/* clang-format on */

#include "common/base/own.h"
#include "pod-image/keys/box.h"
#include "pod-image/openpgp.h"

#define BLOCK 16 /* of AES */
#define SHA1_SIZE 20
#define MDC_SIZE (2 + SHA1_SIZE) /* a packet of tag 19 */

static const struct {
	unsigned id;
	size_t key;
	const EVP_CIPHER *(*cipher)(void);
} ciphers[] = {
    {7, 16, EVP_aes_128_cfb128}, {8, 24, EVP_aes_192_cfb128}, {9, 32, EVP_aes_256_cfb128}};

static const struct {
	unsigned id;
	const EVP_MD *(*md)(void);
} hashes[] = {{2, EVP_sha1}, {8, EVP_sha256}, {9, EVP_sha384}, {10, EVP_sha512}};

/* Index of an algorithm (section 9.2), or -1. */
static int
cipher_of(unsigned id)
{
	for (size_t i = 0; i < COUNTOF(ciphers); i++)
		if (ciphers[i].id == id)
			return (int)i;
	return -1;
}

static bool
decipher(
    int cipher, const uint8_t *key, const uint8_t iv[BLOCK], const struct bytes *in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, rest = 0;
	bool ok = ctx != NULL &&
		  EVP_DecryptInit_ex(ctx, ciphers[cipher].cipher(), NULL, key, iv) == 1 &&
		  EVP_DecryptUpdate(ctx, out, &n, in->p, (int)in->n) == 1 &&
		  EVP_DecryptFinal_ex(ctx, out + n, &rest) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok && (size_t)n + (size_t)rest == in->n;
}

/* --- Secret keys ------------------------------------------------------------------------------ */

/* Section 3.7.1: a passphrase and salt, hashed as often as needed for count bytes. */
static bool
derive(const EVP_MD *md, const char *passphrase, const uint8_t *salt, size_t salt_n, size_t count,
    uint8_t *out, size_t n)
{
	size_t pass_n = strlen(passphrase), once = salt_n + pass_n, done = 0;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned hash_n = 0;
	bool ok = true;

	if (count < once)
		count = once;
	for (size_t round = 0; done < n && ok; round++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1;
		for (size_t i = 0; i < round && ok; i++)
			ok = EVP_DigestUpdate(ctx, "", 1) == 1;
		for (size_t left = count; left > 0 && ok && once > 0;) {
			size_t a = left < salt_n ? left : salt_n;
			size_t b = left - a < pass_n ? left - a : pass_n;

			ok = EVP_DigestUpdate(ctx, salt, a) == 1 &&
			     EVP_DigestUpdate(ctx, passphrase, b) == 1;
			left -= a + b;
		}
		ok = ok && EVP_DigestFinal_ex(ctx, hash, &hash_n) == 1;
		EVP_MD_CTX_free(ctx);
		for (size_t i = 0; i < hash_n && done < n && ok; i++)
			out[done++] = hash[i];
	}
	explicit_bzero(hash, sizeof(hash));
	return ok;
}

/* The key that a passphrase gives, by the specifier (section 3.7.1) that in begins with, which is taken off. */
static bool
take_key(struct bytes *in, const char *passphrase, int cipher, uint8_t key[BOX_KEY_MAX])
{
	size_t salt_n, count = 0, head;
	const EVP_MD *md = NULL;

	if (in->n < 2 || (in->p[0] != 0 && in->p[0] != 1 && in->p[0] != 3))
		return false;
	salt_n = in->p[0] == 0 ? 0 : 8;
	head = 2 + salt_n + (in->p[0] == 3);
	if (in->n < head)
		return false;
	if (in->p[0] == 3)
		count = (size_t)(16 + (in->p[10] & 15)) << ((in->p[10] >> 4) + 6);
	for (size_t i = 0; i < COUNTOF(hashes); i++)
		if (hashes[i].id == in->p[1])
			md = hashes[i].md();
	if (md == NULL ||
	    !derive(md, passphrase, in->p + 2, salt_n, count, key, ciphers[cipher].key))
		return false;
	in->p += head;
	in->n -= head;
	return true;
}

/* Section 5.5.3, usage 254: the secret numbers with their digest behind them, enciphered.  The caller frees *out. */
static bool
unlock(struct bytes in, const char *passphrase, struct bytes *out)
{
	uint8_t key[BOX_KEY_MAX], digest[SHA1_SIZE], *plain;
	int cipher = in.n > 0 ? cipher_of(in.p[0]) : -1;
	struct bytes text;
	bool ok;

	if (cipher == -1 || passphrase == NULL)
		return false;
	in.p++;
	in.n--;
	if (!take_key(&in, passphrase, cipher, key) || in.n < BLOCK + SHA1_SIZE + 1)
		return false;
	text = (struct bytes){in.p + BLOCK, in.n - BLOCK};
	plain = xmalloc(text.n);
	ok = decipher(cipher, key, in.p, &text, plain) &&
	     EVP_Digest(plain, text.n - SHA1_SIZE, digest, NULL, EVP_sha1(), NULL) == 1 &&
	     memcmp(digest, plain + text.n - SHA1_SIZE, SHA1_SIZE) == 0;
	explicit_bzero(key, sizeof(key));
	if (!ok) {
		explicit_bzero(plain, text.n);
		free(plain);
		return false;
	}
	*out = (struct bytes){plain, text.n - SHA1_SIZE};
	return true;
}

static EVP_PKEY *
make_key(const struct bytes *n, const struct bytes *e, const struct bytes *d)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *bn[3] = {BN_bin2bn(n->p, (int)n->n, NULL), BN_bin2bn(e->p, (int)e->n, NULL),
	    BN_bin2bn(d->p, (int)d->n, NULL)};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (b != NULL && ctx != NULL && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn[0]) &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, bn[1]) &&
	    OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_D, bn[2]))
		params = OSSL_PARAM_BLD_to_param(b);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	for (size_t i = 0; i < COUNTOF(bn); i++)
		BN_clear_free(bn[i]);
	return key;
}

/* One packet; NULL if it is no RSA key, or cannot be opened. */
static EVP_PKEY *
read_key(const struct strbuf *body, const char *passphrase, bool *locked)
{
	struct bytes in = {(const uint8_t *)body->s, body->n}, n, e, d, secret = {0};
	EVP_PKEY *key = NULL;
	bool sealed;

	if (in.n < 6 || in.p[0] != 4 || (in.p[5] != OPENPGP_RSA && in.p[5] != OPENPGP_RSA_ENCIPHER))
		return NULL;
	in.p += 6;
	in.n -= 6;
	if (openpgp_number(&in, &n) < 0 || openpgp_number(&in, &e) < 0 || in.n == 0)
		return NULL;
	sealed = in.p[0] != 0;
	if (sealed && in.p[0] != 254)
		return NULL;
	in.p++;
	in.n--;
	if (sealed && !unlock(in, passphrase, &secret)) {
		*locked = true;
		return NULL;
	}
	if (sealed)
		in = secret;
	if (openpgp_number(&in, &d) == 0)
		key = make_key(&n, &e, &d);
	if (sealed) {
		explicit_bzero((void *)(uintptr_t)secret.p, secret.n);
		free((void *)(uintptr_t)secret.p);
	}
	return key;
}

bool
pgp_is_key(const struct bytes *data)
{
	uint8_t c = data->n > 0 ? data->p[0] : 0;

	return (c & 0xc0) == 0xc0   ? (c & 63) == OPENPGP_SECRET_KEY
	       : (c & 0x80) == 0x80 ? (c >> 2 & 15) == OPENPGP_SECRET_KEY
				    : false;
}

size_t
pgp_read_keys(
    const struct bytes *data, const char *passphrase, EVP_PKEY **out, size_t max, bool *locked)
{
	own_openpgp struct openpgp_packet packet = {0};
	struct bytes in = *data;
	struct err ignored = {0};
	size_t n = 0;

	*locked = false;
	while (n < max && openpgp_next(&in, &packet, &ignored) == 1) {
		if (packet.tag != OPENPGP_SECRET_KEY && packet.tag != OPENPGP_SECRET_SUBKEY)
			continue;
		out[n] = read_key(&packet.body, passphrase, locked);
		n += out[n] != NULL;
	}
	return n;
}

/* --- Messages --------------------------------------------------------------------------------- */

/* Section 5.1: the cipher, its key, their sum. */
static int
session_key(EVP_PKEY *key, const struct rec_wrapped_key *way, uint8_t out[BOX_KEY_MAX])
{
	size_t room = (size_t)EVP_PKEY_get_size(key), n = room;
	uint8_t *padded, *plain;
	unsigned sum = 0;
	int cipher = -1;

	if (room == 0 || room > 4096 || way->key.n > room)
		return -1;
	padded = xcalloc(1, room);
	plain = xcalloc(1, room);
	memcpy(padded + room - way->key.n, way->key.p, way->key.n);
	if (box_rsa(key, "RSA1_5", false, &(struct bytes){padded, room}, plain, &n) && n > 3)
		cipher = cipher_of(plain[0]);
	if (cipher >= 0 && n == ciphers[cipher].key + 3) {
		for (size_t i = 1; i < n - 2; i++)
			sum += plain[i];
		memcpy(out, plain + 1, ciphers[cipher].key);
		if ((sum & 0xffff) != ((unsigned)plain[n - 2] << 8 | plain[n - 1]))
			cipher = -1;
	} else {
		cipher = -1;
	}
	explicit_bzero(plain, room);
	free(plain);
	free(padded);
	return cipher;
}

/* Sections 5.13 and 5.14: a block that is random with its last two bytes again, packets, a digest of it all. */
static bool
is_genuine(const uint8_t *p, size_t n)
{
	uint8_t digest[SHA1_SIZE];

	return memcmp(p + BLOCK - 2, p + BLOCK, 2) == 0 && p[n - MDC_SIZE] == 0xd3 &&
	       p[n - MDC_SIZE + 1] == SHA1_SIZE &&
	       EVP_Digest(p, n - SHA1_SIZE, digest, NULL, EVP_sha1(), NULL) == 1 &&
	       memcmp(digest, p + n - SHA1_SIZE, SHA1_SIZE) == 0;
}

/* Section 5.9: format, file name, date, contents. */
static int
literal(struct bytes in, struct bytes *out)
{
	own_openpgp struct openpgp_packet packet = {0};
	struct err ignored = {0};
	size_t head;
	uint8_t *copy;

	if (openpgp_next(&in, &packet, &ignored) != 1 || packet.tag != OPENPGP_LITERAL ||
	    packet.body.n < 2)
		return 0;
	head = 2 + (size_t)(uint8_t)packet.body.s[1] + 4;
	if (packet.body.n <= head)
		return 0;
	copy = xmalloc(packet.body.n - head);
	memcpy(copy, packet.body.s + head, packet.body.n - head);
	*out = (struct bytes){copy, packet.body.n - head};
	return 1;
}

int
pgp_open(EVP_PKEY *key, const struct rec_wrapped_key *way, struct bytes *out)
{
	uint8_t session[BOX_KEY_MAX], *plain;
	int r = 0, cipher;

	if (!EVP_PKEY_is_a(key, "RSA") || way->iv.n != BLOCK || way->text.n < BLOCK + 2 + MDC_SIZE)
		return 0;
	cipher = session_key(key, way, session);
	plain = xmalloc(way->text.n);
	if (cipher >= 0 && decipher(cipher, session, way->iv.p, &way->text, plain) &&
	    is_genuine(plain, way->text.n))
		r = literal(
		    (struct bytes){plain + BLOCK + 2, way->text.n - BLOCK - 2 - MDC_SIZE}, out);
	explicit_bzero(session, sizeof(session));
	explicit_bzero(plain, way->text.n);
	free(plain);
	ERR_clear_error();
	return r;
}
