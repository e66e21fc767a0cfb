/* SPDX-License-Identifier: ISC */
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "pod-image/fetch/roots.h"

#define ROOTS_MAX 10000

struct root {
	unsigned char *der;
	long size;
	X509_NAME *subject;
	bool loaded; /* it is in the store */
};

struct roots {
	const char *const *paths;
	size_t npaths;
	bool read;
	struct root *v;
	size_t n, cap;
	X509_LOOKUP_METHOD *method;
};

/* Enters an element, or steps over it; false if it is not of that tag or does not fit. */
static bool
element(const unsigned char **p, const unsigned char *end, int tag, int class, bool enter)
{
	const unsigned char *at = *p;
	long size;
	int got, its, r = ASN1_get_object(&at, &size, &got, &its, end - at);

	if ((r & 0x80) != 0 || got != tag || its != class)
		return false;
	*p = enter ? at : at + size;
	return true;
}

/* Certificate and its subject: RFC 5280, 4.1. */
static X509_NAME *
subject_of(const unsigned char *der, long size)
{
	const unsigned char *p = der, *end = der + size;

	if (!element(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true) ||
	    !element(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, true))
		return NULL;
	(void)element(&p, end, 0, V_ASN1_CONTEXT_SPECIFIC, false); /* version */
	if (!element(&p, end, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, false))
		return NULL;
	/* algorithm, issuer, validity */
	for (int i = 0; i < 3; i++)
		if (!element(&p, end, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, false))
			return NULL;
	return d2i_X509_NAME(NULL, &p, end - p);
}

static void
add(struct roots *r, unsigned char *der, long size)
{
	X509_NAME *subject = subject_of(der, size);

	if (subject == NULL) {
		OPENSSL_free(der);
		return;
	}
	r->v = mem_grow(r->v, &r->cap, r->n + 1, sizeof(*r->v));
	r->v[r->n++] = (struct root){.der = der, .size = size, .subject = subject};
}

static void
read_bundle(struct roots *r, const char *path)
{
	BIO *in = BIO_new_file(path, "r");
	unsigned char *der;
	char *name, *header;
	long size;

	if (in == NULL)
		return;
	while (r->n < ROOTS_MAX && PEM_read_bio(in, &name, &header, &der, &size) == 1) {
		if (strcmp(name, PEM_STRING_X509) == 0)
			add(r, der, size);
		else
			OPENSSL_free(der);
		OPENSSL_free(name);
		OPENSSL_free(header);
	}
	BIO_free(in);
}

/* A bundle that is not there is no error of the handshake that asks for it. */
static void
read_once(struct roots *r)
{
	if (r->read)
		return;
	r->read = true;
	ERR_set_mark();
	for (size_t i = 0; i < r->npaths && r->n == 0; i++)
		read_bundle(r, r->paths[i]);
	ERR_pop_to_mark();
}

struct roots *
roots_new(const char *const *paths, size_t n)
{
	struct roots *r = xcalloc(1, sizeof(*r));

	r->paths = paths;
	r->npaths = n;
	return r;
}

void
roots_free(struct roots *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++) {
		OPENSSL_free(r->v[i].der);
		X509_NAME_free(r->v[i].subject);
	}
	X509_LOOKUP_meth_free(r->method);
	free(r->v);
	free(r);
}

/* As by_dir.c of OpenSSL: what is found goes into the store, and one of it is the answer. */
static int
by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *answer)
{
	struct roots *r = X509_LOOKUP_get_method_data(lookup);
	int found = 0;

	if (type == X509_LU_X509)
		read_once(r);
	for (size_t i = 0; i < r->n && type == X509_LU_X509; i++) {
		struct root *one = &r->v[i];
		const unsigned char *p = one->der;
		X509 *cert;

		if (one->loaded || X509_NAME_cmp(one->subject, name) != 0)
			continue;
		one->loaded = true;
		cert = d2i_X509(NULL, &p, one->size);
		if (cert != NULL && X509_STORE_add_cert(X509_LOOKUP_get_store(lookup), cert) == 1 &&
		    found == 0) {
			/* Nobody releases the answer: it lives by the store's reference. */
			found = X509_OBJECT_set1_X509(answer, cert);
			if (found == 1)
				X509_free(cert);
		}
		X509_free(cert);
	}
	return found;
}

bool
roots_attach(struct roots *r, X509_STORE *store)
{
	X509_LOOKUP *lookup;

	r->method = X509_LOOKUP_meth_new("authorities of the system");
	return r->method != NULL &&
	       X509_LOOKUP_meth_set_get_by_subject(r->method, by_subject) == 1 &&
	       (lookup = X509_STORE_add_lookup(store, r->method)) != NULL &&
	       X509_LOOKUP_set_method_data(lookup, r) == 1;
}
