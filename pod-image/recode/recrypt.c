/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pod-image/recode/recrypt.h"
#include "pod-image/verify/openssl.h"

/* clang-format off */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
/* clang-format on */

#define BUFFER (256u << 10)

void
recrypt_free(struct recrypt *s)
{
	EVP_CIPHER_CTX_free(s->cipher);
	EVP_MAC_CTX_free(s->mac);
	digest_free(&s->before);
	digest_free(&s->after);
	if (s->buffer != NULL)
		explicit_bzero(s->buffer, BUFFER);
	free(s->buffer);
	free(s->held);
}

static int
begin(struct recrypt *s, struct err *e)
{
	EVP_MAC *mac;
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(
				   OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
	    OSSL_PARAM_construct_end()};
	bool ok;

	if (digest_init(&s->before, e) < 0 || digest_init(&s->after, e) < 0)
		return -1;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	s->buffer = xmalloc_pages(BUFFER);
	s->held = xmalloc_pages(BUFFER);
	s->cipher = EVP_CIPHER_CTX_new();
	s->mac = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	ok =
	    s->cipher != NULL && s->mac != NULL &&
	    EVP_CipherInit_ex(s->cipher, EVP_aes_256_ctr(), NULL, s->key, s->nonce, s->seal) == 1 &&
	    EVP_MAC_init(s->mac, s->key, 32, params) == 1;
	return ok ? 0 : err_set(e, ERR_INTERNAL, "starting the cipher of a layer");
}

/*
 * A reader that has gone is not the end: what it stumbled over may be that the layer was changed, and
 * only the whole of it tells.
 */
static int
give(struct recrypt *s, struct err *e)
{
	for (size_t done = 0; done < s->nheld && !s->reader_gone;) {
		ssize_t n = write(s->out, s->held + done, s->nheld - done);

		if (n < 0 && errno == ECONNRESET)
			errno = EPIPE;
		if (n < 0 && errno == EPIPE && !s->seal)
			s->reader_gone = true;
		else if (n < 0 && errno != EINTR)
			return err_sys(e, "writing a layer");
		if (n > 0)
			done += (size_t)n;
	}
	s->nheld = 0;
	return 0;
}

/* Fills the buffer as far as there is something: what comes is given in few pieces. */
static int
fill(struct recrypt *s, size_t *n, struct err *e)
{
	*n = 0;
	while (*n < BUFFER) {
		ssize_t got = read(s->in, s->buffer + *n, BUFFER - *n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "reading a layer");
		if (got == 0)
			return 0;
		*n += (size_t)got;
	}
	return 0;
}

/* The buffer becomes what is held back, until there is more or all is known to be right. */
static int
take(struct recrypt *s, size_t n, struct err *e)
{
	int got = 0;

	digest_add(&s->before, s->buffer, n);
	if (EVP_CipherUpdate(s->cipher, s->held, &got, s->buffer, (int)n) != 1 || (size_t)got != n)
		return err_set(e, ERR_INTERNAL, "passing a layer through its cipher");
	if (EVP_MAC_update(s->mac, s->seal ? s->held : s->buffer, n) != 1)
		return err_set(e, ERR_INTERNAL, "authenticating a layer");
	digest_add(&s->after, s->held, n);
	s->nheld = n;
	s->size += n;
	return 0;
}

static int
check(struct recrypt *s, struct err *e)
{
	size_t n = 0;

	if (EVP_MAC_final(s->mac, s->hmac, &n, sizeof(s->hmac)) != 1 || n != sizeof(s->hmac))
		return err_set(e, ERR_INTERNAL, "authenticating a layer");
	digest_text(&s->before, s->in_digest);
	digest_text(&s->after, s->out_digest);
	if (s->want_digest != NULL && strcmp(s->want_digest, s->in_digest) != 0)
		return err_set(e, ERR_INTEGRITY, "digest mismatch: expected %s, got %s",
		    s->want_digest, s->in_digest);
	if (s->want_hmac != NULL &&
	    (s->want_hmac->n != sizeof(s->hmac) ||
		CRYPTO_memcmp(s->want_hmac->p, s->hmac, sizeof(s->hmac)) != 0))
		return err_set(e, ERR_INTEGRITY,
		    "its HMAC is not the one that it was encrypted with: it was changed");
	return 0;
}

int
recrypt_stream(struct recrypt *s, struct err *e)
{
	size_t n;

	if (begin(s, e) < 0)
		return -1;
	for (;;) {
		if (fill(s, &n, e) < 0)
			return -1;
		if (n == 0)
			break;
		if (give(s, e) < 0 || take(s, n, e) < 0)
			return -1;
	}
	if (check(s, e) < 0 || give(s, e) < 0)
		return -1;
	return s->reader_gone ? err_set(e, ERR_CANCELLED, "the reader of the layer has gone") : 0;
}
