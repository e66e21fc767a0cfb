/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/own.h"
#include "pod-image/verify/certificate.h"
#include "pod-image/verify/rekor.h"

#define CERTIFICATES_MAX 64
#define ISSUER_V1 "1.3.6.1.4.1.57264.1.1"
#define ISSUER_V2 "1.3.6.1.4.1.57264.1.8"

static void
x509_free_(X509 **x)
{
	X509_free(*x);
}
#define own_x509 own(x509_free_)

static void
stack_free_(STACK_OF(X509) * *s)
{
	sk_X509_pop_free(*s, X509_free);
}
#define own_stack own(stack_free_)

/* Adds the certificates of a PEM text. */
static int
add_pem(STACK_OF(X509) * to, const void *pem, size_t n, const char *what, struct err *e)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)n);
	X509 *x;
	int before = sk_X509_num(to);

	while (sk_X509_num(to) < CERTIFICATES_MAX &&
	       (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		sk_X509_push(to, x);
	BIO_free(bio);
	if (sk_X509_num(to) == before)
		return err_set(e, ERR_DENIED, "%s: no certificates found", what);
	return 0;
}

static X509 *
leaf_of(const struct signature *s, struct err *e)
{
	own_stack STACK_OF(X509) *all = sk_X509_new_null();

	if (s->certificate == NULL) {
		err_set(e, ERR_DENIED, "missing dev.sigstore.cosign/certificate annotation");
		return NULL;
	}
	if (add_pem(all, s->certificate, strlen(s->certificate), "parsing leaf certificate", e) < 0)
		return NULL;
	if (sk_X509_num(all) != 1) {
		err_set(e, ERR_DENIED, "unexpected number of certificates present, expected 1");
		return NULL;
	}
	return sk_X509_shift(all);
}

/* Who says what it may be used for must name the signing of code. */
static bool
may_sign_code(STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);
		uint32_t use = X509_get_extended_key_usage(x);

		if (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) {
			if (!(use & (XKU_CODE_SIGN | XKU_ANYEKU)))
				return false;
		} else if (i == 0) {
			return false;
		}
	}
	return true;
}

static int
check_chain(
    X509 *leaf, STACK_OF(X509) * roots, STACK_OF(X509) * between, int64_t when, struct err *e)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int r = -1;

	for (int i = 0; i < sk_X509_num(roots); i++)
		X509_STORE_add_cert(store, sk_X509_value(roots, i));
	if (X509_STORE_CTX_init(ctx, store, leaf, between) != 1) {
		err_set(e, ERR_INTERNAL, "preparing to verify a certificate");
	} else {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)when);
		/* What stands among the roots is trusted, though another has signed it. */
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
		if (X509_verify_cert(ctx) != 1)
			err_set(e, ERR_DENIED, "verifying leaf certificate failed: %s",
			    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
		else if (!may_sign_code(X509_STORE_CTX_get0_chain(ctx)))
			err_set(e, ERR_DENIED,
			    "verifying leaf certificate failed: not for the signing of code");
		else
			r = 0;
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return r;
}

/* True if a subject alternative name of the kind is text, ignoring case in host names. */
static bool
has_name(X509 *leaf, int kind, const char *text)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		found = g->type == kind && (size_t)ASN1_STRING_length(g->d.ia5) == strlen(text) &&
			memcmp(ASN1_STRING_get0_data(g->d.ia5), text, strlen(text)) == 0;
	}
	GENERAL_NAMES_free(names);
	return found;
}

/* NULL also for a text that holds a NUL: what stands before it would be taken for the whole. */
static char *
whole_text(const ASN1_STRING *s)
{
	const char *text = (const char *)ASN1_STRING_get0_data(s);
	size_t n = (size_t)ASN1_STRING_length(s);

	return n > 0 && memchr(text, '\0', n) == NULL ? xstrndup(text, n) : NULL;
}

/* The content of an extension; der: it is a UTF8String, else the bare bytes. */
static char *
extension_text(X509 *leaf, const char *oid, bool der)
{
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(leaf, o, -1);
	const ASN1_OCTET_STRING *v =
	    at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(leaf, at)) : NULL;
	char *text = NULL;

	ASN1_OBJECT_free(o);
	if (v == NULL)
		return NULL;
	if (!der) {
		text = whole_text(v);
	} else {
		const unsigned char *p = ASN1_STRING_get0_data(v);
		ASN1_UTF8STRING *s = d2i_ASN1_UTF8STRING(NULL, &p, v->length);

		text = s != NULL ? whole_text(s) : NULL;
		ASN1_UTF8STRING_free(s);
	}
	return text;
}

static int
check_issuer(X509 *leaf, const char *want, struct err *e)
{
	own_mem char *v1 = extension_text(leaf, ISSUER_V1, false);
	own_mem char *v2 = extension_text(leaf, ISSUER_V2, true);
	const char *issuer = v2 != NULL ? v2 : v1;

	if (issuer == NULL)
		return err_set(e, ERR_DENIED, "Fulcio certificate is missing the issuer extension");
	if (v1 != NULL && v2 != NULL && strcmp(v1, v2) != 0)
		return err_set(e, ERR_DENIED, "inconsistent OIDC issuer extension values");
	if (strcmp(issuer, want) != 0)
		return err_set(e, ERR_DENIED, "Unexpected Fulcio OIDC issuer \"%.200s\"", issuer);
	return 0;
}

static int
check_subject(const struct rec_verify_rule *rule, X509 *leaf, struct err *e)
{
	if (rule->subject_email != NULL && !has_name(leaf, GEN_EMAIL, rule->subject_email))
		return err_set(
		    e, ERR_DENIED, "Required email \"%s\" not found", rule->subject_email);
	if (rule->subject_hostname != NULL &&
	    X509_check_host(leaf, rule->subject_hostname, 0, 0, NULL) != 1)
		return err_set(e, ERR_DENIED, "Unexpected subject hostname: \"%s\" not found",
		    rule->subject_hostname);
	return 0;
}

EVP_PKEY *
certificate_key(const struct rec_verify_rule *rule, const struct signature *s, struct err *e)
{
	bool fulcio = rule->fulcio_ca.n > 0;
	const struct bytes *trusted = fulcio ? &rule->fulcio_ca : &rule->pki_roots;
	own_stack STACK_OF(X509) *roots = sk_X509_new_null(), *between = sk_X509_new_null();
	own_x509 X509 *leaf = leaf_of(s, e);
	int64_t when = (int64_t)time(NULL);
	struct bytes pem;

	if (leaf == NULL || add_pem(roots, trusted->p, trusted->n, "trusted certificates", e) < 0)
		return NULL;
	pem = (struct bytes){(const uint8_t *)s->certificate, strlen(s->certificate)};
	if ((fulcio || rule->rekor.n > 0) && rekor_check(rule, s, &pem, &when, e) < 0)
		return NULL;
	if (rule->pki_intermediates.n > 0 &&
	    add_pem(between, rule->pki_intermediates.p, rule->pki_intermediates.n,
		"intermediate certificates", e) < 0)
		return NULL;
	if (s->chain != NULL && *s->chain != '\0' &&
	    add_pem(between, s->chain, strlen(s->chain), "certificate chain", e) < 0)
		return NULL;
	if (check_chain(leaf, roots, between, when, e) < 0 ||
	    (fulcio && check_issuer(leaf, rule->oidc_issuer, e) < 0) ||
	    check_subject(rule, leaf, e) < 0)
		return NULL;
	return X509_get_pubkey(leaf);
}
