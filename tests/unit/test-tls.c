/* SPDX-License-Identifier: ISC */
// libs: -lssl -lcrypto
/* What OpenSSL is left with by a file of --tls-details. */
#include <criterion/criterion.h>
/* OpenSSL has a type of this name, and we a class of errors. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ssl.h>
#undef ERR_STATE
#include <string.h>

#include "common/base/own.h"
#include "common/wire/tls.h"

static SSL_CTX *
limited(const char *version, const char *const *suites, size_t n)
{
	struct rec_tls_details d = {.min_version = version,
	    .only_suites = suites != NULL,
	    .cipher_suites = {(const char **)(uintptr_t)suites, n}};
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct err e = {0};

	cr_assert_eq(tls_limit(ctx, &d, &e), 0, "%s", e.text);
	return ctx;
}

static bool
has(SSL_CTX *ctx, const char *name)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (strcmp(SSL_CIPHER_standard_name(sk_SSL_CIPHER_value(all, i)), name) == 0)
			return true;
	return false;
}

Test(tls, nothing_said_is_1_2)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct err e = {0};

	cr_assert_eq(tls_limit(ctx, NULL, &e), 0);
	cr_expect_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
	SSL_CTX_free(ctx);
}

Test(tls, versions)
{
	static const struct {
		const char *text;
		long version;
	} rows[] = {{NULL, TLS1_2_VERSION}, {"", TLS1_2_VERSION}, {"1.0", TLS1_VERSION},
	    {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION}, {"1.3", TLS1_3_VERSION}};

	for (size_t i = 0; i < COUNTOF(rows); i++) {
		SSL_CTX *ctx = limited(rows[i].text, NULL, 0);

		cr_expect_eq(SSL_CTX_get_min_proto_version(ctx), rows[i].version);
		SSL_CTX_free(ctx);
	}
}

/* A level above 0 goes on counting for what is no version. */
Test(tls, old_versions_leave_the_level)
{
	SSL_CTX *ctx = limited("1.0", NULL, 0), *usual = limited("1.2", NULL, 0);

	cr_expect_eq(SSL_CTX_get_security_level(ctx), SSL_CTX_get_security_level(usual));
	SSL_CTX_free(ctx);
	SSL_CTX_free(usual);
}

Test(tls, suites)
{
	static const char *const both[] = {
	    "TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
	SSL_CTX *ctx = limited(NULL, both, 2);

	cr_expect(has(ctx, both[0]) && has(ctx, both[1]));
	cr_expect_eq(sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)), 2);
	cr_expect_eq(SSL_CTX_get_max_proto_version(ctx), 0);
	SSL_CTX_free(ctx);
	ctx = limited("1.0", both, 1);
	cr_expect_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
	SSL_CTX_free(ctx);
	ctx = limited("1.1", both + 1, 1);
	cr_expect_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_1_VERSION);
	cr_expect_eq(SSL_CTX_get_max_proto_version(ctx), TLS1_2_VERSION);
	SSL_CTX_free(ctx);
	ctx = limited("1.2", both, 0);
	cr_expect_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
	cr_expect_not(has(ctx, both[0]));
	SSL_CTX_free(ctx);
}
