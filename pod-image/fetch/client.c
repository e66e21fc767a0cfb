/* SPDX-License-Identifier: ISC */
/* OpenSSL has a type of this name, and we a class of errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "pod-image/fetch/client.h"

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

int
client_check(const struct bytes *cert, const struct bytes *key, struct err *e)
{
	BIO *cert_bio = BIO_new_mem_buf(cert->p, (int)cert->n);
	BIO *key_bio = BIO_new_mem_buf(key->p, (int)key->n);
	X509 *x = PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
	int r = 0;

	if (x == NULL)
		r = err_set(e, ERR_FORMAT, "tls: the client certificate cannot be read");
	else if (k == NULL)
		r = err_set(e, ERR_FORMAT,
		    "tls: the key of the client certificate cannot be read (one with a passphrase "
		    "cannot be used)");
	else if (X509_check_private_key(x, k) != 1)
		r = err_set(
		    e, ERR_FORMAT, "tls: the key does not belong to the client certificate");
	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(cert_bio);
	BIO_free(key_bio);
	ERR_clear_error();
	return r;
}
