/* SPDX-License-Identifier: ISC */
/* OpenSSL has a type of this name, and we a class of errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include <stdlib.h>

#include "common/base/mem.h"
#include "pod-image/fetch/client.h"

struct pair {
	X509 *cert;
	STACK_OF(X509) * chain; /* what stands behind it in the file */
	EVP_PKEY *key;
};

struct client {
	struct pair *pairs;
	size_t n;
};

/* There is nobody to ask. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void
read_certs(struct pair *p, const struct bytes *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->p, (int)pem->n);
	X509 *more;

	p->cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	p->chain = sk_X509_new_null();
	if (p->chain == NULL)
		abort();
	while (
	    p->cert != NULL && (more = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
		if (sk_X509_push(p->chain, more) == 0)
			abort();
	BIO_free(bio);
}

static int
read_pair(struct pair *p, const struct rec_client_pair *pem, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem->key.p, (int)pem->key.n);
	int r = 0;

	p->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	read_certs(p, &pem->cert);
	if (p->cert == NULL)
		r = err_set(e, ERR_FORMAT, "tls: the client certificate cannot be read");
	else if (p->key == NULL)
		r = err_set(e, ERR_FORMAT,
		    "tls: the key of the client certificate cannot be read (one with a passphrase "
		    "cannot be used)");
	else if (X509_check_private_key(p->cert, p->key) != 1)
		r = err_set(
		    e, ERR_FORMAT, "tls: the key does not belong to the client certificate");
	ERR_clear_error();
	return r;
}

int
client_new(const struct rec_client_pair *pairs, size_t n, struct client **out, struct err *e)
{
	struct client *c;

	*out = NULL;
	if (n == 0)
		return 0;
	c = xcalloc(1, sizeof(*c));
	c->pairs = xcalloc(n, sizeof(*c->pairs));
	for (; c->n < n; c->n++)
		if (read_pair(&c->pairs[c->n], &pairs[c->n], e) == -1) {
			c->n++;
			client_free(c);
			return -1;
		}
	*out = c;
	return 0;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++) {
		X509_free(c->pairs[i].cert);
		sk_X509_pop_free(c->pairs[i].chain, X509_free);
		EVP_PKEY_free(c->pairs[i].key);
	}
	free(c->pairs);
	free(c);
}

/* Called when the server has asked for a certificate. */
static int
choose(SSL *ssl, void *arg)
{
	const int needs = CERT_PKEY_SIGN | CERT_PKEY_ISSUER_NAME;
	struct client *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		struct pair *p = &c->pairs[i];

		if ((SSL_check_chain(ssl, p->cert, p->key, p->chain) & needs) == needs)
			return SSL_use_cert_and_key(ssl, p->cert, p->key, p->chain, 1);
	}
	return 1;
}

void
client_attach(struct client *c, void *ssl_ctx)
{
	if (c != NULL)
		SSL_CTX_set_cert_cb(ssl_ctx, choose, c);
}
